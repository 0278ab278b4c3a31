"""The calls that a task's tests make hardly depend on the answers: foreseen, they are all sent at once.

A program then answers one call after the other without waiting to be asked, and the tests find the answers ready; that
spares most of the exchanges of a judgement. The verdict is the one that calls made one by one would give:

* what is foreseen are the calls that the tests make of a program whose every answer is ``None``: nothing that depends
  on an answer is sent ahead of it (of ``decode(encode(x))`` the second call);
* each answer is handed out only for the very call that was foreseen. At the first that differs, what the program has
  done ahead is thrown away with its process: the tests start again, and from there on nothing is sent ahead;
* so it is where an answer says what a call ahead of it holds, and its own call does not: a hostile program could have
  read it there (of ``flip("ab") == "ba"`` in ``flip("ba")``). Truth values, small numbers and the like, which every
  test is full of, are let be.

Only for tests that leave their process as they found it (:mod:`egca_plugin.judging.purity`), which may run twice.
"""

from __future__ import annotations

import random
from collections import OrderedDict, deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from egca_plugin.errors import TaskError, WireError
from egca_plugin.judging.checks import Checks
from egca_plugin.judging.trial import Trial
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import frames
from egca_plugin.sandbox.outside.link import Ending, ZygoteLost
from egca_plugin.sandbox.outside.records import Record
from egca_plugin.sandbox.outside.session import Session
from egca_plugin.types import Call, CallResult, CallStatus

MAX_CALLS = 1000
MAX_BYTES = 1 << 20  # of the calls of one task, and PLANS of them in a server
PLANS = 16 << 20
WINDOWS = 4096  # bytes of an answer in which each place is looked at
NEWS = 6  # bytes of an encoded value, from which on it is worth reading ahead
_NONE = CallResult(CallStatus.VALUE, wire.encode(None))
_LOADED = Record(_NONE)


class Foreseen(NamedTuple):
    """A call, its frame, and its arguments one by one, encoded without their types."""

    call: Call
    frame: bytes
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Calls in their order, with all their arguments and the beginnings of their values, to look for news in."""

    calls: tuple[Foreseen, ...] = ()
    arguments: bytes = b""
    values: frozenset[bytes] = frozenset()
    beginnings: frozenset[bytes] = frozenset()

    @classmethod
    def of(cls, calls: Sequence[Foreseen]) -> Plan:
        values = frozenset(value for one in calls for value in one.values)
        arguments = b"".join(one.call.arguments for one in calls)
        return cls(tuple(calls), arguments, values, frozenset(value[:NEWS] for value in values))

    def may_hold(self, said: bytes, value: bytes) -> bool:
        """Quickly, for what most answers are: whether any call has a value of what was ``said``, or holds ``value``."""
        if len(value) >= NEWS and value in self.arguments:
            return True
        if len(said) > WINDOWS:
            return any(one in said for one in self.values)
        return any(said[at : at + NEWS] in self.beginnings for at in range(len(said) - NEWS + 1))


class Foresight:
    """The plans of the tests that a server has seen lately."""

    def __init__(self) -> None:
        self._plans: OrderedDict[tuple[bytes, int], Plan] = OrderedDict()
        self._bytes = 0
        self._last: tuple[Checks, bytes] | None = None  # one task's samples come together

    def plan(self, checks: Checks, seed: int, patience_s: float) -> Plan:
        """The calls to send ahead where ``random`` has this seed. ``patience_s``: CPU time for finding them."""
        key = self._key(checks, seed)
        if key not in self._plans:
            random.seed(seed)
            self._keep(key, _foreseen(checks, patience_s))
        self._plans.move_to_end(key)
        return self._plans[key]

    def shorten(self, checks: Checks, seed: int, length: int) -> None:
        """Call number ``length`` of these tests was another one: it depends on the answers."""
        key = self._key(checks, seed)
        self._keep(key, Plan.of(self._plans.get(key, Plan()).calls[:length]))

    def _key(self, checks: Checks, seed: int) -> tuple[bytes, int]:
        if self._last is None or self._last[0] is not checks:
            self._last = checks, _key(checks)
        return self._last[1], seed

    def _keep(self, key: tuple[bytes, int], plan: Plan) -> None:
        self._bytes += _size(plan) - (_size(self._plans[key]) if key in self._plans else 0)
        self._plans[key] = plan
        self._plans.move_to_end(key)
        while self._bytes > PLANS and len(self._plans) > 1:
            self._bytes -= _size(self._plans.popitem(last=False)[1])


class Unforeseen(BaseException):
    """A call was another than the one sent ahead; not an Exception, so that no test means to catch it."""


class Ahead:
    """A session that is sent a plan at once. ``differed``: the number of the first call that was another, or that an
    answer may have been read from; None while there is none.

    Once it is not None nothing that the trial says is of use.
    """

    def __init__(self, session: Session, plan: Plan) -> None:
        self._session = session
        self._plan, self._waiting = plan, deque(plan.calls)
        self.differed: int | None = None
        session.ahead([one.frame for one in plan.calls])

    @property
    def loaded(self) -> Record:
        return self._session.loaded

    @property
    def ending(self) -> Ending | None:
        return self._session.ending

    def send(self, call: Call) -> CallResult:
        """Raises Unforeseen."""
        if self.differed is not None:
            raise Unforeseen
        if not self._waiting:
            return self._session.send(call)
        number = len(self._plan.calls) - len(self._waiting)
        if call != self._waiting[0].call:
            self.differed = number
            raise Unforeseen
        self._waiting.popleft()
        result = self._session.next().result
        self.differed = self._read_in(result, call, number + 1)
        if self.differed is not None:
            raise Unforeseen
        return result

    def _read_in(self, result: CallResult, call: Call, number: int) -> int | None:
        """The first of the calls from ``number`` on that the program may have read the ``result`` of ``call`` in."""
        heard = f"{result.printed}{result.complaints}"  # notes are told to tests that are never foreseen
        said = result.value + result.arguments_after + heard.encode("utf-8", "surrogatepass")
        if not self._plan.may_hold(said, result.value[1:]):
            return None
        waiting = enumerate(self._waiting, number)
        return next((at for at, one in waiting if _could_be_read(said, result.value[1:], call, one)), None)

    def restart(self) -> None:
        """In the new process, one by one: what killed the old one may be met again."""
        self._waiting.clear()
        self._session.restart()

    def renew(self) -> None:
        self._waiting.clear()
        self._session.renew()

    def close(self) -> None:
        self._session.close()


class _Recorder:
    """In place of a program: answers None, and keeps what it was asked."""

    loaded, ending = _LOADED, None

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self._bytes = 0

    def send(self, call: Call) -> CallResult:
        """Raises ZygoteLost once it has seen enough, which ends a trial."""
        self._bytes += len(call.arguments)
        if len(self.calls) == MAX_CALLS or self._bytes > MAX_BYTES:
            raise ZygoteLost("no more is foreseen")
        self.calls.append(call)
        return _NONE

    def restart(self) -> None:
        """It never ends."""

    def renew(self) -> None:
        """No exchange of it is broken off."""


def _foreseen(checks: Checks, patience_s: float) -> Plan:
    recorder = _Recorder()
    with suppress(TaskError, ZygoteLost, MemoryError):  # which the trial of a program will meet in its turn
        Trial(recorder, checks, patience_s, vacuous=True).verdict()
    return Plan.of([Foreseen(call, frames.call(call), _values(call)) for call in recorder.calls])


def _values(call: Call) -> tuple[bytes, ...]:
    try:
        args, kwargs = wire.decode(call.arguments)
        encoded = [wire.encode(one)[1:] for one in (*args, *kwargs.values())]
    except WireError:  # instances of the tests' classes
        return ()
    return tuple(one for one in encoded if len(one) >= NEWS)


def _could_be_read(said: bytes, value: bytes, call: Call, later: Foreseen) -> bool:
    """Whether what ``call`` gave says what ``later`` holds. Both ways, since a ``value`` may be wrapped."""
    if any(one in said and one not in call.arguments for one in later.values):
        return True
    return len(value) >= NEWS and value in later.call.arguments and value not in call.arguments


def _key(checks: Checks) -> bytes:
    data = repr(
        (checks.cases, checks.signature, sorted(checks.others), sorted(checks.classes), sorted(checks.exceptions))
    ).encode()
    parts = (checks.entry_point.encode(), checks.setup, checks.code, checks.reference, data)
    return sha256(b"".join(len(part).to_bytes(8, "little") + part for part in parts)).digest()


def _size(plan: Plan) -> int:
    return 100 + sum(200 + 4 * len(one.frame) for one in plan.calls)
