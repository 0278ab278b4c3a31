"""The calls that a trial's tests make of the program: one at a time, in processes that may have to be replaced.

Every module imported here is paid for by each sample: see :mod:`egca_plugin.judging.server`.
"""

from __future__ import annotations

import mmap
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from os import getpid  # bound here, since tests patch modules
from typing import Protocol

from egca_plugin.judging.proxy import CallFailed
from egca_plugin.judging.tally import Tally
from egca_plugin.sandbox.outside.link import Ending, ZygoteLost
from egca_plugin.sandbox.outside.records import Record
from egca_plugin.types import Call, CallResult, CallStatus

ELSEWHERE = "the candidate is called from a process that the tests start, expected calls from this one or its threads"
MAX_RESTARTS = 3  # of a program whose process died, so that the other tests are heard too


class Session(Protocol):
    """A loaded program, as a trial needs it; see :class:`egca_plugin.sandbox.outside.session.Session`."""

    @property
    def loaded(self) -> Record: ...

    @property
    def ending(self) -> Ending | None: ...

    def send(self, one: Call, /) -> CallResult: ...

    def restart(self) -> None: ...

    def renew(self) -> None: ...


class World(Protocol):
    """What tests and program share beside the calls: the time, and random numbers."""

    def installed(self) -> AbstractContextManager[None]: ...

    def told(self, call: Call, /) -> Call: ...

    def heard(self, result: CallResult, /) -> None: ...


class Caller:
    """Makes the tests' calls, one at a time whatever their threads do."""

    def __init__(
        self,
        session: Session,
        tally: Tally,
        worlds: Sequence[World],
        say: Callable[[CallResult], None],
        *,
        pure: bool,
    ) -> None:
        self._session, self._tally, self._worlds, self._say = session, tally, worlds, say
        self._lock = threading.RLock()
        self._under_way = False
        self._restarts = self._renewals = 0
        self._process = getpid()
        self._elsewhere = None if pure else mmap.mmap(-1, 1)  # shared with whatever processes the tests fork
        self.dead = False  # the program answers no more
        self.lost: ZygoteLost | None = None

    def send(self, call: Call) -> CallResult:
        """Make the call and keep it; raises what the tests should see for anything but a value."""
        if getpid() != self._process:  # its answers would be mixed with ours
            if self._elsewhere is not None:
                self._elsewhere[0] = 1
            raise CallFailed(ELSEWHERE)
        with self._lock:
            self._tally.asked = True
            if self.lost is not None:
                raise CallFailed(str(self.lost))
            for world in self._worlds:
                call = world.told(call)
            try:
                result = self._exchange(call)
            except ZygoteLost as err:  # kept, for tests that catch whatever is raised
                self.lost = err
                raise CallFailed(str(err)) from err
            self._say(result)
            return self._tally.answered(call, result, keep=not self.dead)

    def aside(self, call: Call) -> CallResult:
        """A call that is none of the tests'."""
        if self.dead or self._session.ending is not None or self._under_way or self.lost is not None:
            return CallResult(CallStatus.DIED)
        try:
            return self._session.send(call)
        except ZygoteLost as err:
            self.lost = err
            return CallResult(CallStatus.DIED)

    def process(self) -> int:
        """Which of the program's processes the next call goes to."""
        with self._lock:
            if getpid() == self._process and self.lost is None:
                try:
                    self._ready()
                except ZygoteLost as err:
                    self.lost = err
            return self._restarts + self._renewals

    @property
    def elsewhere(self) -> bool:
        """Whether a process that the tests started has tried to call the candidate."""
        return self._elsewhere is not None and self._elsewhere[0] == 1

    def _exchange(self, call: Call) -> CallResult:
        """A dead program gets a new process, so that the other tests are heard; one out of time does not.

        So does one whose last exchange was broken off by an exception (a test's own alarm): its answer may still come,
        and must not be taken for this call's.
        """
        ending = self._ready()
        if ending is not None:
            self.dead = True
            return CallResult(ending.status, error_message=ending.message)
        self._under_way = True
        result = self._session.send(call)
        self._under_way = False
        for world in self._worlds:
            world.heard(result)
        return result

    def _ready(self) -> Ending | None:
        """A process for the next call, or how the program has ended for good."""
        ending = self._session.ending
        if self._under_way:
            self._session.renew()
            self._renewals, self._under_way = self._renewals + 1, False
        elif ending is not None:
            if ending.status is CallStatus.TIMEOUT or self._restarts == MAX_RESTARTS:
                return ending
            self._restarts += 1
            self._under_way = True
            self._session.restart()
            self._under_way = False
        return None
