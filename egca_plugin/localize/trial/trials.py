"""Trying patches: the counterfactual test of a suspicion. All trials run in the sandbox, many in one child.

A patch is tried on the failing call first; only what survives sees the other calls. Trials come in chunks, so that
the right patch near the front of the queue costs no more than a handful.
"""

from __future__ import annotations

import ast
import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import InitVar, dataclass, field, replace
from types import CodeType

from egca_plugin.localize.compare.evidence import Evidence, Expectation
from egca_plugin.localize.repair.edits import Edit, key
from egca_plugin.localize.trial.compiled import Combination, Patched, Press
from egca_plugin.localize.trial.driver import SWITCH
from egca_plugin.localize.trial.inputs import STEPS
from egca_plugin.localize.trial.slots import slotted, variant
from egca_plugin.localize.trial.state import is_stateful
from egca_plugin.localize.trial.sweep import Effort, Met, agreement, allowance, sweep
from egca_plugin.program.hosting import MODULE
from egca_plugin.program.nodes import walk
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.records import Budget
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call, CallResult, CallStatus

_CHUNK, _FEW = 200, 16  # patches in one program; in one sweep after another hung
_HANGS = 9  # times that a trial of one candidate may hang in a single operation
_MORE, _LONGER = 25, 4  # times the steps for the failing call, times the reference's: for each of the other calls
_MOST_STEPS = 300_000  # and no more than these
_QUICK_STEPS = 5_000  # the reference's, on the calls that are looked at before the longer ones
_WORK, _MORE_WORK = 800_000, 2_500_000  # steps for all trials of one candidate, and again at each depth
_DEPTH, _DEEPER = 3, 6  # so often, and so many times as many steps for each trial
_REST_WORK, _SECOND_WORK = 1_000_000, 400_000  # and for one look at the other calls, at further inputs
_HALVES = 64  # patches that mend the first failing call of which it is asked what else they mend
_CPU_S = 0.5  # of a trial in a process of its own: past them it ignores its step budget
_MOST_CPU_S = 6.0  # of all trials of one candidate, where steps are few and dear; far more than honest ones take

_UNKNOWN = [Met.UNKNOWN]
_GIVEN_UP = CallResult(CallStatus.TIMEOUT)
_FATAL = (CallStatus.DIED, CallStatus.TIMEOUT, CallStatus.MEMORY)


@dataclass(eq=False)
class Trials:
    """Runs patches of one candidate and remembers which were tried. ``count`` is the number of trials so far.

    ``steps`` bounds a trial of the failing call at first; :meth:`deepen` allows more, up to ``most``. ``affordable``
    tells on which of the other calls patches are tried, and how many steps the reference takes on each.
    """

    sandbox: Sandbox
    workshop: Workshop
    tree: ast.Module
    evidence: Evidence
    steps: InitVar[int]
    most: int
    affordable: Callable[[], dict[Call, int]]
    count: int = 0
    _seen: set[object] = field(default_factory=set)
    _working: dict[Combination, Patched] = field(default_factory=dict)
    _keys: dict[Edit, object] = field(default_factory=dict)
    _begun: dict[Combination, Patched] = field(default_factory=dict)  # what mends the first failing call
    _cut: list[Patched] = field(default_factory=list)
    _stopped: bool = False
    _ended: bool = False  # whether there was an end of the work before it was renewed
    _others: dict[Call, int] | None = None
    _effort: Effort = field(init=False)
    _depth: int = 0
    _hangs: int = _HANGS
    _stateful: bool = field(init=False)
    _press: Press = field(init=False)
    _most_cpu_s: float = field(init=False)

    def __post_init__(self, steps: int) -> None:
        self._effort = Effort(steps, _WORK)
        self._press = Press(self.tree)
        self._most_cpu_s = self.sandbox.cpu_s + _MOST_CPU_S
        self._stateful = is_stateful(self.tree)

    @property
    def spent(self) -> bool:
        """Whether some bound has ended the search."""
        return self._effort.work < 1 or self.exhausted

    @property
    def cut_short(self) -> bool:
        """Whether some bound has ended the search at some time, so that "nothing found" would not be true."""
        return self._ended or self.spent

    @property
    def has_fresh_calls(self) -> bool:
        """Whether no call changes what a later one does, so that further ones can be made."""
        return not self._stateful

    @property
    def exhausted(self) -> bool:
        """Whether nothing more is tried, however many steps are allowed."""
        worn = self._press.worn or self.sandbox.cpu_s > self._most_cpu_s
        return self._hangs < 1 or worn or self.workshop.starved

    def deepen(self) -> bool:
        """Allow more steps and more work; False where that would change nothing, or was done often enough."""
        if self._depth == _DEPTH or self.exhausted or (self._effort.steps >= self.most and not self._stopped):
            return False
        self._depth += 1
        self._effort = Effort(min(self.most, _DEEPER * self._effort.steps), _MORE_WORK)
        return True

    def renew(self) -> None:
        """Allow as much work as at first once more."""
        self._ended |= self._effort.work < 1
        self._effort = Effort(self._effort.steps, _WORK)

    def learn(self, told: Sequence[Expectation]) -> None:
        """Further calls that a patch must mend, :meth:`surviving` ones too."""
        self.evidence = replace(self.evidence, holding=(*self.evidence.holding, *told))
        self._others = self._on() | dict.fromkeys((one.call for one in told), 0)
        kept = self._run(list(self._working.values()), told, self._of_rest())
        self._working = {program.combination: program for program in kept}

    def focus(self, first: Call) -> None:
        """Ask about this failing call first from now on, of edits that were tried before too."""
        failing = self.evidence.failing
        self._others = self._on() | {failing[0].call: 0}
        ahead = [one for one in failing if one.call == first]
        self.evidence = replace(self.evidence, failing=(*ahead, *(one for one in failing if one.call != first)))
        self._seen, self._begun = set(), {}

    def halves(self) -> dict[Combination, frozenset[Call]]:
        """What mends the first failing call and harms none that is right: which of the failing ones it mends."""
        tried = [program for program in self._begun.values() if not program.alone][:_HALVES]
        holding = [one for one in self.evidence.holding if one.call in self._on()]
        effort = self._of_rest()  # for all of them, since the failing calls may be many
        kept = self._run(tried, holding, effort) if holding and tried else tried
        mended: dict[Combination, set[Call]] = {program.combination: set() for program in kept}
        for one in self.evidence.failing if kept else ():
            for program in self._run(kept, [one], effort):
                mended[program.combination].add(one.call)
        return {combination: frozenset(calls) for combination, calls in mended.items()}

    def surviving(self) -> list[Combination]:
        """What was found so far to mend every call."""
        return list(self._working)

    def again(self) -> list[Combination]:
        """What was cut short, tried with the steps allowed now: those that mend every call."""
        cut, self._cut, self._stopped = self._cut, [], False
        return self._mending(cut)

    def search(self, edits: Sequence[Edit], budget: int) -> list[Combination]:
        """The edits that mend every call; at most ``budget`` are tried, from the first on."""
        return self.search_combinations([(edit,) for edit in edits], budget)

    def search_combinations(self, edits: Sequence[Combination], budget: int) -> list[Combination]:
        """As :meth:`search`, for several edits at once."""
        found: list[Combination] = []
        queue = itertools.islice(self._fresh(edits), budget)
        while not self.spent and (chunk := list(itertools.islice(queue, _CHUNK))):
            programs = self._press.compile(chunk)
            self.count += len(programs)
            found += self._mending(programs)
        return found

    def agreement(self, found: Sequence[Combination], expectations: Sequence[Expectation]) -> list[float | None]:
        """Each patch's share of expectations beyond the tests' that it meets; None where that cannot be told."""
        if self._stateful or not expectations:
            return [None] * len(found)
        shares: dict[Combination, float] = {}
        programs = self._programs(found)
        effort = Effort(STEPS, _SECOND_WORK)
        for code in dict.fromkeys(program.code for program in programs):
            members = [program for program in programs if program.code is code]
            if members[0].alone:
                code = variant(code, members[0].on)
            answers = agreement(self.workshop, code, [program.on for program in members], expectations, effort)
            if answers is not None:
                shares.update(zip((program.combination for program in members), answers, strict=True))
        return [shares.get(combination) for combination in found]

    def _programs(self, found: Sequence[Combination]) -> list[Patched]:
        """What was compiled to try them; no edit at all is any of these programs with nothing switched on."""
        programs = [self._working[combination] for combination in found if combination]
        if len(programs) < len(found):
            host = next((program for program in programs if not program.alone), None)
            code = slotted(self.tree, ()).compile() if host is None else host.code
            programs.append(Patched((), code, (), alone=host is None))
        return programs

    def _fresh(self, edits: Sequence[Combination]) -> Iterator[Combination]:
        """Those not tried before; the same change proposed twice is tried once."""
        for combination in edits:
            identity = tuple((edit.place, self._key(edit)) for edit in combination)
            if identity not in self._seen and not any(map(_returns_from_module, combination)):
                self._seen.add(identity)
                yield combination

    def _key(self, edit: Edit) -> object:
        if edit not in self._keys:
            self._keys[edit] = key(edit.new)
        return self._keys[edit]

    def _mending(self, programs: Sequence[Patched]) -> list[Combination]:
        """Those that mend every call: the first failing one is asked before the rest."""
        passing = self._run(programs, self.evidence.failing[:1], self._effort)
        self._begun.update((program.combination, program) for program in passing)
        for portion in self._portions() if passing else ():
            passing = self._run(passing, portion, self._of_rest()) if passing else []
        self._working.update((program.combination, program) for program in passing)
        return [program.combination for program in passing]

    def _portions(self) -> list[list[Expectation]]:
        """The other calls, apart those that take long: most patches that fail do so on the first."""
        steps = self._on()
        parts: tuple[list[Expectation], list[Expectation]] = ([], [])
        total = 0
        asked = [one for one in self.evidence.everything[1:] if one.call in steps]
        for one in sorted(asked, key=lambda one: steps[one.call]):
            total += steps[one.call]
            parts[total > _QUICK_STEPS].append(one)
        return [part for part in parts if part]

    def _on(self) -> dict[Call, int]:
        """The other calls on which patches are tried."""
        if self._others is None:
            self._others = self.affordable()
        return self._others

    def _of_rest(self) -> Effort:
        """For the calls other than the failing one."""
        longest = max(self._on().values(), default=0)
        return Effort(min(max(_MORE * self._effort.steps, _LONGER * longest), _MOST_STEPS), _REST_WORK)

    def _run(self, programs: Sequence[Patched], expectations: Sequence[Expectation], effort: Effort) -> list[Patched]:
        """The programs that meet all expectations; what was cut short is kept for :meth:`again`."""
        calls = [expectation.call for expectation in expectations]
        together = [program for program in programs if not program.alone and not self._stateful]
        alone = [program for program in programs if program.alone or self._stateful]
        together, kept = self._swept(together, expectations, effort)
        for members, run in ((together, self._in_one_namespace), (alone, self._in_fresh_namespaces)):
            for program, results in zip(members, run(members, calls, effort), strict=True):
                if all(x.met_by(result) for x, result in zip(expectations, results, strict=True)):
                    kept.append(program)
                elif results[0].status is CallStatus.BUDGET:
                    self._put_off(program, Met.STOPPED)
        return kept

    def _swept(
        self, programs: Sequence[Patched], expectations: Sequence[Expectation], effort: Effort
    ) -> tuple[list[Patched], list[Patched]]:
        """The quick way: (what it could not decide, what it found to meet all expectations).

        A trial that hangs takes its sweep along; then small sweeps are made, so that it takes few others with it.
        """
        undecided, kept = [], []
        for code in dict.fromkeys(program.code for program in programs):
            members = [program for program in programs if program.code is code]
            answers = self._sweep(code, members, expectations, effort)
            if answers is None and len(members) > _FEW:
                parts = [members[start : start + _FEW] for start in range(0, len(members), _FEW)]
                swept = [self._sweep(code, part, expectations, effort) for part in parts]
                answers = [x for part, mets in zip(parts, swept, strict=True) for x in mets or _UNKNOWN * len(part)]
            if answers is None and len(members) == 1 and not self.workshop.alive:
                answers = [Met.STOPPED]  # it is the one that hangs
            for program, met in zip(members, answers or _UNKNOWN * len(members), strict=True):
                if met is Met.UNKNOWN:
                    undecided.append(program)
                elif met in (Met.STOPPED, Met.UNTRIED):
                    self._put_off(program, met)
                elif met is Met.YES:
                    kept.append(program)
        return undecided, kept

    def _put_off(self, program: Patched, met: Met) -> None:
        """For :meth:`again`, unless it ran out of as many steps as it will ever get."""
        self._stopped = True
        if met is Met.UNTRIED or self._effort.steps < self.most:
            self._cut.append(program)

    def _sweep(
        self, code: CodeType, members: Sequence[Patched], expectations: Sequence[Expectation], effort: Effort
    ) -> list[Met] | None:
        if self.exhausted:
            return [Met.UNTRIED] * len(members)
        answers = sweep(self.workshop, code, [program.on for program in members], expectations, effort)
        self._hangs -= answers is None and not self.workshop.alive
        return answers

    def _in_one_namespace(
        self, programs: Sequence[Patched], calls: Sequence[Call], effort: Effort
    ) -> Iterator[Sequence[CallResult]]:
        """Load once and switch between the patches; one that takes the process along is passed over."""
        steps = effort.steps
        budget = Budget(max_events=0, max_steps=steps, max_bytes=0)
        start = 0
        while start < len(programs):
            if self.exhausted:
                yield from itertools.repeat([_GIVEN_UP] * len(calls), len(programs) - start)
                return
            code = programs[start].code
            asks: list[Call] = []
            here = [program for program in programs[start:] if program.code is code]
            for program in here:
                asks += [Call(SWITCH, wire.encode((program.on, {}))), *calls]
            records = self.workshop.records(code, asks, budget=budget, cpu_s=allowance(min(steps * len(here), _WORK)))
            dead = not self.workshop.alive
            self._hangs -= dead
            for index in range(len(here)):
                first = index * (len(calls) + 1) + 1
                results = [record.result for record in records[first : first + len(calls)]]
                yield results
                start += 1
                if dead and any(result.status in _FATAL for result in results):
                    break

    def _in_fresh_namespaces(
        self, programs: Sequence[Patched], calls: Sequence[Call], effort: Effort
    ) -> Iterator[Sequence[CallResult]]:
        variants = [variant(program.code, program.on) for program in programs]
        left = len(programs)
        with closing(self.sandbox.run_batch(variants, calls, steps=effort.steps, cpu_s=_CPU_S)) as batch:
            for results in batch:
                yield results
                left -= 1
                self._hangs -= any(result.status in _FATAL for result in results)
                effort.work -= sum(result.steps for result in results)
                if self.exhausted or effort.work < 1:
                    break
        yield from itertools.repeat([_GIVEN_UP] * len(calls), left)


def _returns_from_module(edit: Edit) -> bool:
    jumps = (ast.Return, ast.Yield, ast.YieldFrom, ast.Nonlocal)
    return edit.function == MODULE and any(isinstance(part, jumps) for part in walk(edit.new))
