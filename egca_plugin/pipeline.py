"""The one place that decides the order of the stages.

    extract -> judge -> gate -> references -> localise -> map to the completion

:class:`Assessor` runs in a trusted worker process beside its own sandbox; :func:`assess_groups` spreads groups over
such workers. Whatever goes wrong with a *sample* ends as a credit with a reason code, that is, as plain GRPO.
"""

from __future__ import annotations

import logging
import re
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from egca_plugin import budget
from egca_plugin.anomalies import NOT_REPRODUCED, of_run
from egca_plugin.budget import Budget
from egca_plugin.config import EgcaConfig
from egca_plugin.credit.gate import Localize, Route, route
from egca_plugin.credit.syntax import compile_error_span
from egca_plugin.errors import SandboxError, TaskError
from egca_plugin.localize import registry
from egca_plugin.localize.api import Case, Reason
from egca_plugin.localize.reference import open_saved
from egca_plugin.program.compiling import compile_error
from egca_plugin.program.constraints import Constraint, Violation, check, derive
from egca_plugin.program.extract import extract, to_completion
from egca_plugin.program.structure import comparable
from egca_plugin.references import Bank, DirectoryStore, Given, Reference, References, vote
from egca_plugin.references.given import load_given
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.backend import Backend
from egca_plugin.sandbox.checks import compile_checks
from egca_plugin.sandbox.pool import Pool
from egca_plugin.sandbox.referee import judge
from egca_plugin.tasks import complexity
from egca_plugin.types import (
    Completion,
    Credit,
    Divergence,
    Localization,
    Mode,
    Outcome,
    Program,
    Span,
    Task,
    Verdict,
)

logger = logging.getLogger(__name__)

HANDLER = "egca_plugin.pipeline:handler"
JUDGE_ONLY = "judge_only"  # reason of samples that nothing is learnt from (Group.judge_only)
REMOTE = "remote_sandbox"  # reason of samples that a server judged: it can neither trace them nor try a patch

# Modules by which a program can tell one run from another; the sandbox's second run has another seed and clock.
_MAY_VARY = re.compile(r"^[ \t]*(?:import|from)\b.*\b(?:random|secrets|uuid|time|datetime|os)\b", re.M)


@dataclass(frozen=True, slots=True)
class Group:
    """Completions of one task; a GRPO group, or part of one.

    ``step`` is the training step, None outside training. ``judge_only``: nothing is learnt from these (validation), so
    nothing is localised or banked.
    """

    task: Task
    completions: tuple[Completion, ...]
    step: int | None = None
    judge_only: bool = False


class Assessor:
    """Takes groups through the stages. One per worker process; caches what depends on the task alone.

    Where programs run on a server (``egca.sandbox.url``) it judges and routes them; what takes a trace or a trial is
    left out: voting for a reference, constraints on complexity, and localisation, whose samples keep plain GRPO credit
    with the reason REMOTE.
    """

    def __init__(self, config: EgcaConfig, sandbox: Backend) -> None:
        self.config = config
        self._sandbox = sandbox
        self._local = sandbox if isinstance(sandbox, Sandbox) else None
        self._localizer = registry.get(config.localizer)
        self._traceback = registry.get("traceback")
        self._budget = Budget(config.budget)
        self._saved = open_saved(config)
        given = Given(load_given(Path(config.references)), sandbox) if config.references else None
        self._references = References(Bank(DirectoryStore(Path(config.bank))) if config.bank else None, given)

    def assess(
        self, task: Task, completions: Sequence[Completion], step: int | None = None, *, judge_only: bool = False
    ) -> list[Credit]:
        """One credit a completion, in order.

        Raises TaskError for a task whose tests cannot be run or whose reference does not compile, SandboxError.

        All are judged before any is localised, so that siblings which pass can serve the others as references.
        """
        _check_reference(task)
        restarts = self._restarts()
        judged = [self._examine(task, completion.text, step, judge_only) for completion in completions]
        voted = None if task.reference or judge_only else self._vote(judged)
        credits = [self._finish(task, one, voted, step) for one in judged]
        if credits and self._restarts() > restarts:
            credits[0] = replace(credits[0], restarts={"zygote": self._restarts() - restarts})
        return credits

    def _restarts(self) -> int:
        return self._local.restarts if self._local is not None else 0

    def _examine(self, task: Task, text: str, step: int | None, judge_only: bool) -> _Judged:
        watch = _Stopwatch()
        program = extract(text, task)
        watch.lap("extract")
        verdict = self._judge(program, task)
        watch.lap("judge")
        violations = self._violations(task, program, verdict)
        watch.lap("gate")
        anomalies = of_run(task, program, verdict, self.config.sandbox.timeout_s)
        watch.lap("anomalies")
        bank = None if judge_only else self._references.bank
        if verdict.passed and not violations and bank is not None and self._local is not None:
            bank.offer(task, program.source, self._local, step or 0)
            watch.lap("bank")
        return _Judged(text, program, verdict, violations, anomalies, judge_only, watch)

    def _vote(self, judged: Sequence[_Judged]) -> Reference | None:
        """For a task without a reference: what most of the group does, where the tests confirm it."""
        if self._local is None:
            return None
        source = vote(self._local, [(one.program.source, one.verdict) for one in judged if one.program.compiles])
        return Reference(source, "voted") if source is not None else None

    def _finish(self, task: Task, one: _Judged, voted: Reference | None, step: int | None) -> Credit:
        one.watch.resume()
        references: tuple[Reference, ...] = ()
        if one.program.compiles and not one.verdict.passed:
            references = self._references.nearest(task, one.program.source) or ((voted,) if voted else ())
        chosen = self._route(task, one, references)
        one.watch.lap("gate")
        found, mode = self._localize(task, one, chosen, references, step)
        self._budget.spend(one.watch.lap("localize") / 1e3)
        if references and not found.reference:  # the gate has compared it, if nobody else
            found = replace(found, reference=references[0].name)
        return self._credit(one, mode, found)

    def _judge(self, program: Program, task: Task) -> Verdict:
        if not program.compiles:
            tests = compile_checks(task.tests, task.setup, task.task_id).total
            return Verdict(Outcome.COMPILE_ERROR, 0, tests, error=program.error)
        verdict = judge(self._sandbox, program.source, task)
        if verdict.outcome in (Outcome.WRONG_ANSWER, Outcome.EXCEPTION) and _MAY_VARY.search(program.source):
            return judge(self._sandbox, program.source, task, check_stable=True)
        return verdict

    def _violations(self, task: Task, program: Program, verdict: Verdict) -> tuple[Violation, ...]:
        """What the program breaks; the complexity class, where the task carries one, is the kind that needs runs."""
        if not program.compiles:
            return ()
        constraints = _constraints(task, self.config.constraints)
        calls = [tested.call for tested in verdict.calls]
        found = list(check(constraints, program.source))
        if self._local is not None:
            demanded = [constraint for constraint in constraints if constraint.kind == "complexity"]
            measured = [complexity.violation(self._local, each, program.source, calls) for each in demanded]
            found += [violation for violation in measured if violation is not None]
        return tuple(found)

    def _route(self, task: Task, one: _Judged, references: Sequence[Reference]) -> Route:
        near = comparable(one.program.source, references[0].source, task.entry_point) if references else None
        return route(one.program, one.verdict, one.violations, near, self.config.preset)

    def _localize(
        self, task: Task, one: _Judged, chosen: Route, references: Sequence[Reference], step: int | None
    ) -> tuple[Localization, Mode]:
        """Ask whom the gate named. A verified patch turns a program that looked too different into a `logic` sample."""
        if chosen.localize is Localize.NOBODY:
            return Localization(reason=chosen.reason), chosen.mode
        if chosen.localize is Localize.COMPILER:
            return _at_compile_error(one.program), chosen.mode
        if one.judge_only:
            return Localization(reason=JUDGE_ONLY), chosen.mode
        if self._local is None:
            return Localization(reason=REMOTE), chosen.mode
        if not self._budget.allows(step):
            return Localization(reason=budget.REASON), chosen.mode
        sources = tuple(reference.source for reference in references)
        case = Case(task, one.program.source, sources, one.verdict, self._local, self.config.seed, self._saved)
        if chosen.localize is Localize.TRACEBACK:
            return self._traceback.localize(case), chosen.mode
        found = self._ask(case)
        names = {reference.source: reference.name for reference in references}
        found = replace(found, reference=names.get(found.reference, ""))
        if chosen.localize is Localize.LOCALIZER or found.verified:
            return found, Mode.LOGIC if chosen.mode is Mode.CONSTRAINT else chosen.mode
        if chosen.localize is Localize.VERIFIED_OR_TRACEBACK:
            raised = self._traceback.localize(case)
            return (replace(raised, divergence=found.divergence) if raised.spans else found), chosen.mode
        return replace(found, spans=(), reason=chosen.reason), chosen.mode

    def _ask(self, case: Case) -> Localization:
        """The localiser's answer. Programs are hostile: a flaw of its own must cost one sample its span, no more."""
        try:
            return self._localizer.localize(case)
        except SandboxError:
            raise
        except Exception:  # the boundary between a sample and the run: logged in full and counted
            logger.exception(
                "egca: %s: localiser %s failed, plain GRPO credit", case.task.task_id, self._localizer.name
            )
            return Localization(reason="localizer_failed")

    def _credit(self, one: _Judged, mode: Mode, found: Localization) -> Credit:
        program, verdict = one.program, one.verdict
        mapped = [(span, to_completion(program, span)) for span in found.spans]
        spans = tuple(span for _, span in mapped if span is not None)
        reason = found.reason
        if found.spans and not spans:
            reason = "span_not_sampled"
        elif found.reason == Reason.UNVERIFIED.value and not self.config.keeps_unverified:
            spans = ()
        elif sum(s.end - s.start for s in spans) > self.config.max_share * max(_sampled(program), 1):
            spans, reason = (), "span_too_wide"
        return Credit(
            mode=mode,
            reward=1.0 if verdict.passed else 0.0,
            outcome=verdict.outcome,
            tests_passed=verdict.tests_passed,
            tests_total=verdict.tests_total,
            spans=spans,
            verified=found.verified and bool(spans),
            confidence=found.confidence if spans else 0.0,
            stage=found.stage,
            reason=reason,
            divergence=_in_completion(found.divergence, program, one.text),
            reference=found.reference,
            patch=found.patch,
            ms=one.watch.ms,
            anomalies=(*one.anomalies, *((found.reason,) if found.reason == NOT_REPRODUCED else ())),
        )


def handler(sandbox: Backend, config: EgcaConfig) -> Callable[[Group], list[Credit]]:
    """What a pool's worker runs: an :class:`Assessor` beside its sandbox."""
    warnings.simplefilter("ignore", SyntaxWarning)  # of candidates' sources, which are parsed here too
    warnings.simplefilter("ignore", DeprecationWarning)
    assessor = Assessor(config, sandbox)
    return lambda group: assessor.assess(group.task, group.completions, group.step, judge_only=group.judge_only)


def open_pool(config: EgcaConfig, *, workers: int = 0, largest_group: int = 1) -> Pool:
    """A pool of assessors, not yet started: its payloads are groups, its results lists of credits.

    A group that costs two workers gets the outcome ``infrastructure``: counted, and never scored as a wrong answer. In
    verl every group is one sample; :func:`assess_groups` takes larger ones apart.
    """
    deadline_s = 30.0 + largest_group * 20.0 * config.sandbox.timeout_s  # far above what judging and trials may take
    return Pool(HANDLER, config.sandbox, workers=workers, settings=config, deadline_s=deadline_s, on_lost=_lost)


def assess_groups(config: EgcaConfig, groups: Sequence[Group]) -> Iterator[tuple[int, list[Credit]]]:
    """Assess groups in parallel; yields ``(index, credits)`` in the order of ``groups``. Raises SandboxError.

    A group that kills its workers is assessed again, each completion alone: one costs no other its verdict.
    """
    largest = max((len(group.completions) for group in groups), default=1)
    with open_pool(config, largest_group=largest) as pool:
        for index, credits in enumerate(pool.map(groups)):
            if len(credits) > 1 and all(credit.outcome is Outcome.INFRASTRUCTURE for credit in credits):
                credits = [credit for (credit,) in pool.map(_singles(groups[index]))]
            yield index, credits


def _singles(group: Group) -> list[Group]:
    return [replace(group, completions=(completion,)) for completion in group.completions]


def _lost(group: Group, error: SandboxError) -> list[Credit]:
    lost = Credit(Mode.CONSTRAINT, 0.0, Outcome.INFRASTRUCTURE, 0, 0, stage=str(error), reason="infrastructure")
    return [lost] * len(group.completions)


@dataclass(frozen=True, slots=True)
class _Judged:
    """A completion half-way: judged, not yet localised."""

    text: str
    program: Program
    verdict: Verdict
    violations: tuple[Violation, ...]
    anomalies: tuple[str, ...]
    judge_only: bool
    watch: _Stopwatch


class _Stopwatch:
    """Milliseconds by stage: each ``lap`` ends the stage that it names; what lies before ``resume`` is nobody's."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._last = time.perf_counter()

    def resume(self) -> None:
        self._last = time.perf_counter()

    def lap(self, stage: str) -> float:
        now = time.perf_counter()
        ms = 1e3 * (now - self._last)
        self.ms[stage] = self.ms.get(stage, 0.0) + ms
        self._last = now
        return ms


@lru_cache(maxsize=4096)
def _check_reference(task: Task) -> None:
    error = compile_error(task.reference) if task.reference else None
    if error is not None:
        raise TaskError(
            f"{task.task_id}, field reference: does not compile (line {error.line}: {error.message}); mend it or leave "
            "the task out: egca preflight names every such task"
        )


@lru_cache(maxsize=4096)
def _constraints(task: Task, level: str) -> tuple[Constraint, ...]:
    return derive(task, level)


def _at_compile_error(program: Program) -> Localization:
    span = compile_error_span(program)
    if span is None:
        return Localization(reason="compile_error_without_place")
    return Localization(spans=(span,), confidence=1.0, stage="compiler")


def _sampled(program: Program) -> int:
    return sum(segment.length for segment in program.segments)


def _in_completion(divergence: Divergence | None, program: Program, text: str) -> Divergence | None:
    """The divergence with its line counted in the completion, in its words too: they name the line once."""
    if divergence is None:
        return None
    lines = program.source.split("\n")
    at = min(max(divergence.line, 1), len(lines)) - 1
    start = sum(len(line) + 1 for line in lines[:at])
    span = to_completion(program, Span(start, start + max(len(lines[at]), 1)))
    if span is None:
        return divergence
    line = text.count("\n", 0, span.start) + 1
    message = divergence.message.replace(f"line {divergence.line}", f"line {line}", 1)
    return replace(divergence, line=line, message=message)
