"""Groups through both phases, spread over worker processes: what a pool's worker is asked, and what it answers.

Each worker has an :class:`~egca_plugin.assessor.Assessor` beside its own sandbox. A :class:`Group` goes through both
phases at once; an adapter that wants rewards early asks for them apart, :class:`Judging` first and :class:`Crediting`
when a group is complete. :class:`Ahead` is what it may ask for in between.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from egca_plugin.assessor import Assessor
from egca_plugin.config import EgcaConfig
from egca_plugin.credit.standing import FAILED, JUDGE_ONLY, NO_ADVANTAGE, PENDING, awaits, learnt, uncredited
from egca_plugin.errors import EgcaError, TaskError
from egca_plugin.judged import Answer, Judged
from egca_plugin.references import Reference
from egca_plugin.sandbox.outside.backend import Backend
from egca_plugin.sandbox.outside.pool import Pool, WorkerLost
from egca_plugin.types import Completion, Credit, Mode, Outcome, Task

__all__ = [
    "JUDGE_ONLY",
    "NO_ADVANTAGE",
    "PENDING",
    "Ahead",
    "Answer",
    "Assessor",
    "Crediting",
    "Group",
    "Judged",
    "Judging",
    "assess_groups",
    "awaits",
    "learnt",
    "open_pool",
    "uncredited",
]

HANDLER = "egca_plugin.pipeline:handler"
BAD_TASK = "bad_task"  # reason of samples whose task's own tests cannot be run: the outcome is `unjudgeable`


@dataclass(frozen=True, slots=True)
class Group:
    """Completions of one task; a GRPO group, or part of one.

    ``step`` is the training step, None outside training. ``judge_only``: nothing is learnt from these (validation), so
    nothing is localised or banked. ``whole``: these are all of a GRPO group, and their verdicts alone are rewarded, so
    that none of them has an advantage where they agree.
    """

    task: Task
    completions: tuple[Completion, ...]
    step: int | None = None
    judge_only: bool = False
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Judging:
    """The first phase of one completion. The answer: :class:`Judged`, and the credit of a sample that has no other.

    ``reason`` is why that one has no span where the second phase might give one.
    """

    task: Task
    completion: Completion
    reason: str = PENDING


@dataclass(frozen=True, slots=True)
class Ahead:
    """The part of the second phase that is one sample's: :meth:`Assessor.ahead`. The answer: its Answer, or None."""

    task: Task
    judged: Judged
    step: int | None = None
    siblings: tuple[Reference, ...] = ()
    first: Answer | None = None


@dataclass(frozen=True, slots=True)
class Crediting:
    """The second phase of a group, or of a part of one: :meth:`Assessor.credit`. The answer: its credits."""

    task: Task
    judged: tuple[Judged, ...]
    step: int | None = None
    learnt: frozenset[int] | None = None
    ahead: Mapping[str, Answer] = field(default_factory=dict)


Work = Group | Judging | Ahead | Crediting


def handler(sandbox: Backend, config: EgcaConfig) -> Callable[[Work], Any]:
    """What a pool's worker runs: an :class:`Assessor` beside its sandbox."""
    warnings.simplefilter("ignore", SyntaxWarning)  # of candidates' sources, which are parsed here too
    warnings.simplefilter("ignore", DeprecationWarning)
    assessor = Assessor(config, sandbox)

    def run(work: Work) -> Any:
        if isinstance(work, Judging):
            judged = assessor.judge(work.task, work.completion)
            return judged, uncredited(judged, work.reason, config)
        if isinstance(work, Ahead):
            return assessor.ahead(work.task, work.judged, work.step, siblings=work.siblings, first=work.first)
        if isinstance(work, Crediting):
            return assessor.credit(work.task, work.judged, work.step, learnt=work.learnt, ahead=work.ahead)
        try:
            return assessor.assess(work.task, work.completions, work.step, judge_only=work.judge_only, whole=work.whole)
        except TaskError as err:  # one bad task costs the others nothing
            return _unjudged(work, Outcome.UNJUDGEABLE, err, BAD_TASK)

    return run


def open_pool(config: EgcaConfig, *, workers: int = 0, largest_group: int = 1) -> Pool:
    """A pool of assessors, not yet started: its payloads are groups, or one phase of them.

    A group that costs two workers gets the outcome ``infrastructure``: counted, and never scored as a wrong answer. A
    phase that does raises WorkerLost.
    """
    deadline_s = 30.0 + largest_group * 20.0 * config.sandbox.timeout_s  # far above what judging and trials may take
    return Pool(HANDLER, config.sandbox, workers=workers, settings=config, deadline_s=deadline_s, on_lost=_lost)


def assess_groups(config: EgcaConfig, groups: Sequence[Group]) -> Iterator[tuple[int, list[Credit]]]:
    """Assess groups in parallel; yields ``(index, credits)`` in the order of ``groups``. Raises SandboxError.

    Completions are judged side by side, and a group is credited when all of its own are judged. A task whose own tests
    cannot be run gives its completions the outcome UNJUDGEABLE, with the cause in ``stage``. A completion that kills
    its workers costs no other its verdict, and one that does so while it is credited costs no other its credit.
    """
    largest = max((len(group.completions) for group in groups), default=1)
    underway: deque[_Known] = deque()
    with open_pool(config, largest_group=largest) as pool:
        for index, answer in enumerate(pool.attempts(_creditings(_judged(pool, groups), underway))):
            known = underway.popleft()
            credits = iter(_credits(pool, known, answer))
            yield index, [credit if one is None else next(credits) for one, credit in known.found]


@dataclass(frozen=True, slots=True)
class _Known:
    """A group with what judging found of its completions: its judgement, None where there is no more to find, and the
    credit that it has without the second phase."""

    group: Group
    found: tuple[tuple[Judged | None, Credit], ...]

    def crediting(self) -> Crediting:
        judged = tuple(one for one, _ in self.found if one is not None)
        agree = learnt([credit.reward for _, credit in self.found]) if self.group.whole else None
        return Crediting(self.group.task, judged, self.group.step, agree)


def _judged(pool: Pool, groups: Sequence[Group]) -> Iterator[_Known]:
    """Completions of the same text are judged once."""
    distinct = [dict.fromkeys(completion.text for completion in group.completions) for group in groups]
    answers = pool.attempts(
        Judging(group.task, Completion(text), JUDGE_ONLY if group.judge_only else PENDING)
        for group, texts in zip(groups, distinct, strict=True)
        for text in texts
    )
    for group, texts in zip(groups, distinct, strict=True):
        by_text = {text: _found(group, next(answers)) for text in texts}
        yield _Known(group, tuple(by_text[completion.text] for completion in group.completions))


def _found(group: Group, answer: tuple[Judged, Credit] | EgcaError) -> tuple[Judged | None, Credit]:
    if isinstance(answer, TaskError):
        return None, _no_verdict(Outcome.UNJUDGEABLE, answer, BAD_TASK)
    if isinstance(answer, WorkerLost):
        return None, _no_verdict(Outcome.INFRASTRUCTURE, answer, "infrastructure")
    if isinstance(answer, EgcaError):
        raise answer
    return (None if group.judge_only else answer[0]), answer[1]


def _creditings(known: Iterable[_Known], underway: deque[_Known]) -> Iterator[Crediting]:
    for one in known:
        underway.append(one)
        yield one.crediting()


def _credits(pool: Pool, known: _Known, answer: list[Credit] | EgcaError) -> list[Credit]:
    """A group whose crediting costs its workers is credited one by one: that costs nobody else a span."""
    if isinstance(answer, list):
        return answer
    if not isinstance(answer, WorkerLost):
        raise answer
    there = [(one, credit) for one, credit in known.found if one is not None]
    alone = pool.attempts(replace(known.crediting(), judged=(one,)) for one, _ in there)
    return [
        replace(credit, reason=FAILED, spans=()) if isinstance(credits, EgcaError) else credits[0]
        for (_, credit), credits in zip(there, alone, strict=True)
    ]


def _lost(work: Work, error: WorkerLost) -> list[Credit]:
    if isinstance(work, Group):
        return _unjudged(work, Outcome.INFRASTRUCTURE, error, "infrastructure")
    raise error


def _unjudged(group: Group, outcome: Outcome, error: EgcaError, reason: str) -> list[Credit]:
    return [_no_verdict(outcome, error, reason)] * len(group.completions)


def _no_verdict(outcome: Outcome, error: EgcaError, reason: str) -> Credit:
    """For a cause that ``stage`` tells in full."""
    return Credit(Mode.CONSTRAINT, 0.0, outcome, 0, 0, stage=str(error), reason=reason)
