"""Trying patches: the counterfactual test of a suspicion. All trials run in the sandbox, many in one child.

A patch is tried on the failing call first; only what survives sees the other calls. Trials come in chunks, so that
the right patch near the front of the queue costs no more than a handful.
"""

from __future__ import annotations

import ast
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import InitVar, dataclass, field
from types import CodeType

from egca_plugin.localize.driver import SWITCH
from egca_plugin.localize.edits import Edit, key
from egca_plugin.localize.evidence import Evidence, Expectation
from egca_plugin.localize.inputs import MOST_STEPS, STEPS
from egca_plugin.localize.slots import changes_scope, local_names, slotted, variant
from egca_plugin.localize.sweep import Effort, Met, agreement, allowance, sweep
from egca_plugin.localize.units import is_docstring
from egca_plugin.program.nodes import walk
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.records import Budget
from egca_plugin.sandbox.workshop import Workshop
from egca_plugin.types import Call, CallResult, CallStatus

_CHUNK, _FEW = 200, 16  # patches in one program; in one sweep after another hung
_PATIENCE_S = 2.5  # wall clock for all trials of one candidate: only programs that hang come near it
_MORE, _LONGER = 25, 4  # times the steps for the failing call, times the reference's: for each of the other calls
_WORK, _MORE_WORK = 800_000, 2_500_000  # steps for all trials of one candidate, and again at each depth
_DEPTH, _DEEPER = 3, 6  # so often, and so many times as many steps for each trial
_REST_WORK, _SECOND_WORK = 1_000_000, 400_000  # and for one look at the other calls, at further inputs
_TIMEOUT_S = 0.5  # wall clock after which a trial that ignores its step budget is given up
_SyntaxTrouble = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)

_UNKNOWN = [Met.UNKNOWN]
_GIVEN_UP = CallResult(CallStatus.TIMEOUT)
_FATAL = (CallStatus.DIED, CallStatus.TIMEOUT, CallStatus.MEMORY)
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Combination = tuple[Edit, ...]


@dataclass(eq=False)
class Trials:
    """Runs patches of one candidate and remembers which were tried. ``count`` is the number of trials so far.

    ``steps`` bounds a trial of the failing call at first; :meth:`deepen` allows more, up to ``most``. ``longest`` tells
    how many the reference takes on any call.
    """

    sandbox: Sandbox
    workshop: Workshop
    tree: ast.Module
    evidence: Evidence
    steps: InitVar[int]
    most: int
    longest: Callable[[], int]
    count: int = 0
    _seen: set[object] = field(default_factory=set)
    _working: dict[Combination, _Patched] = field(default_factory=dict)
    _cut: list[_Patched] = field(default_factory=list)
    _effort: Effort = field(init=False)
    _depth: int = 0
    _stateful: bool = field(init=False)
    _until: float = field(init=False)

    def __post_init__(self, steps: int) -> None:
        self._effort = Effort(steps, _WORK)
        self._until = time.monotonic() + _PATIENCE_S
        self._stateful = is_stateful(self.tree)

    def deepen(self) -> bool:
        """Allow more steps and more work; False where that would change nothing, or was done often enough."""
        if (
            self._depth == _DEPTH
            or time.monotonic() > self._until
            or (self._effort.steps >= self.most and not self._cut)
        ):
            return False
        self._depth += 1
        self._effort = Effort(min(self.most, _DEEPER * self._effort.steps), _MORE_WORK)
        return True

    def again(self) -> list[Combination]:
        """What was cut short, tried with the steps allowed now: those that mend every call."""
        cut, self._cut = self._cut, []
        return self._mending(cut)

    def search(self, edits: Sequence[Edit], budget: int) -> list[Combination]:
        """The edits that mend every call; at most ``budget`` are tried, from the first on."""
        return self.search_combinations([(edit,) for edit in edits], budget)

    def search_combinations(self, edits: Sequence[Combination], budget: int) -> list[Combination]:
        """As :meth:`search`, for several edits at once."""
        found: list[Combination] = []
        queue = itertools.islice(self._fresh(edits), budget)
        while self._effort.work and time.monotonic() < self._until and (chunk := list(itertools.islice(queue, _CHUNK))):
            programs = _compiled(self.tree, chunk)
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

    def _programs(self, found: Sequence[Combination]) -> list[_Patched]:
        """What was compiled to try them; no edit at all is any of these programs with nothing switched on."""
        programs = [self._working[combination] for combination in found if combination]
        if len(programs) < len(found):
            host = next((program for program in programs if not program.alone), None)
            code = slotted(self.tree, ()).compile() if host is None else host.code
            programs.append(_Patched((), code, (), alone=host is None))
        return programs

    def _fresh(self, edits: Sequence[Combination]) -> Iterator[Combination]:
        """Those not tried before; the same change proposed twice is tried once."""
        for combination in edits:
            identity = tuple((edit.place, key(edit.new)) for edit in combination)
            if identity not in self._seen:
                self._seen.add(identity)
                yield combination

    def _mending(self, programs: Sequence[_Patched]) -> list[Combination]:
        """Those that mend every call: the first failing one is asked before the rest."""
        first, rest = self.evidence.failing[:1], (*self.evidence.failing[1:], *self.evidence.holding)
        passing = self._run(programs, first, self._effort)
        if rest and passing:
            steps = max(_MORE * self._effort.steps, _LONGER * self.longest())
            passing = self._run(passing, rest, Effort(min(steps, MOST_STEPS), _REST_WORK))
        self._working.update((program.combination, program) for program in passing)
        return [program.combination for program in passing]

    def _run(self, programs: Sequence[_Patched], expectations: Sequence[Expectation], effort: Effort) -> list[_Patched]:
        """The programs that meet all expectations; what was cut short is kept for :meth:`again`."""
        calls = [expectation.call for expectation in expectations]
        together = [program for program in programs if not program.alone and not self._stateful]
        alone = [program for program in programs if program.alone or self._stateful]
        together, kept = self._swept(together, expectations, effort)
        for members, run in ((together, self._in_one_namespace), (alone, self._in_fresh_namespaces)):
            for program, results in zip(members, run(members, calls, effort.steps), strict=True):
                if all(x.met_by(result) for x, result in zip(expectations, results, strict=True)):
                    kept.append(program)
                elif results[0].status is CallStatus.BUDGET:
                    self._cut.append(program)
        return kept

    def _swept(
        self, programs: Sequence[_Patched], expectations: Sequence[Expectation], effort: Effort
    ) -> tuple[list[_Patched], list[_Patched]]:
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
                    self._cut.append(program)
                elif met is Met.YES:
                    kept.append(program)
        return undecided, kept

    def _sweep(
        self, code: CodeType, members: Sequence[_Patched], expectations: Sequence[Expectation], effort: Effort
    ) -> list[Met] | None:
        return sweep(self.workshop, code, [program.on for program in members], expectations, effort)

    def _in_one_namespace(
        self, programs: Sequence[_Patched], calls: Sequence[Call], steps: int
    ) -> Iterator[Sequence[CallResult]]:
        """Load once and switch between the patches; one that takes the process along is passed over."""
        budget = Budget(max_events=0, max_steps=steps, max_bytes=0)
        start = 0
        while start < len(programs):
            if time.monotonic() > self._until:
                yield from itertools.repeat([_GIVEN_UP] * len(calls), len(programs) - start)
                return
            code = programs[start].code
            asks: list[Call] = []
            here = [program for program in programs[start:] if program.code is code]
            for program in here:
                asks += [Call(SWITCH, wire.encode((program.on, {}))), *calls]
            records = self.workshop.records(
                code, asks, budget=budget, timeout_s=allowance(min(steps * len(here), _WORK))
            )
            dead = not self.workshop.alive
            for index in range(len(here)):
                first = index * (len(calls) + 1) + 1
                results = [record.result for record in records[first : first + len(calls)]]
                yield results
                start += 1
                if dead and any(result.status in _FATAL for result in results):
                    break

    def _in_fresh_namespaces(
        self, programs: Sequence[_Patched], calls: Sequence[Call], steps: int
    ) -> Iterator[Sequence[CallResult]]:
        variants = [variant(program.code, program.on) for program in programs]
        left = len(programs)
        with closing(self.sandbox.run_batch(variants, calls, steps=steps, timeout_s=_TIMEOUT_S)) as batch:
            for results in batch:
                yield results
                left -= 1
                if time.monotonic() > self._until:
                    break
        yield from itertools.repeat([_GIVEN_UP] * len(calls), left)


@dataclass(frozen=True, slots=True, eq=False)
class _Patched:
    """A compiled program and the switches that make it this patch.

    ``alone``: they must be on when the program is loaded, perhaps for an edit outside all functions.
    """

    combination: Combination
    code: CodeType
    on: tuple[int, ...]
    alone: bool


def _compiled(tree: ast.Module, chunk: Sequence[Combination]) -> list[_Patched]:
    """The patches that make a program, with as few compilations as can be."""
    scopes = local_names(tree)
    together: list[Combination] = []
    alone: list[Combination] = []
    for combination in chunk:
        (alone if any(changes_scope(edit, scopes) for edit in combination) else together).append(combination)
    programs = list(_compile_together(tree, together))
    for combination in alone:
        programs += _compile_together(tree, [combination])
    return programs


def _compile_together(tree: ast.Module, chunk: Sequence[Combination]) -> Iterator[_Patched]:
    if not chunk:
        return
    edits = list(dict.fromkeys(edit for combination in chunk for edit in combination))
    program = slotted(tree, edits)
    try:
        code = program.compile()
    except _SyntaxTrouble:
        if len(chunk) > 1:  # some patch makes no program: find it by halves
            middle = len(chunk) // 2
            yield from _compile_together(tree, chunk[:middle])
            yield from _compile_together(tree, chunk[middle:])
        return
    for combination in chunk:
        yield _Patched(combination, code, program.on(combination), alone=len(chunk) == 1)


def is_stateful(tree: ast.Module) -> bool:
    """Whether one call may change what a later one does: globals, caches, mutable defaults, class attributes."""
    for node in tree.body:
        constant = isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Constant)
        if (
            not constant
            and not isinstance(node, (*_DEFINITIONS, ast.Import, ast.ImportFrom))
            and not is_docstring(node)
        ):
            return True
    for part in walk(tree):
        if isinstance(part, (ast.Global, ast.ClassDef)) or (isinstance(part, _DEFINITIONS) and part.decorator_list):
            return True
        if isinstance(part, ast.arguments):
            defaults = [default for default in (*part.defaults, *part.kw_defaults) if default is not None]
            if not all(isinstance(default, (ast.Constant, ast.UnaryOp, ast.Name)) for default in defaults):
                return True
    return False
