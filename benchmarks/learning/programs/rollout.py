"""From a batch of tasks to judged samples with their places: what every arm's credit is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from benchmarks.learning.programs import oracle
from benchmarks.learning.programs.judge import Answer, Judge
from benchmarks.learning.programs.model import Policy, sample
from benchmarks.learning.programs.worlds import World, words_of
from egca_plugin.credit.decision import decision
from egca_plugin.credit.parting import parting
from egca_plugin.credit.spans import align
from egca_plugin.types import Instead, Span, Task, TokenSpan

_UNASKED = Answer(passed=False, compiles=True)


@dataclass(slots=True)
class Sample:
    """One response. Columns count its ids; those in front of ``begin`` are another sample's and were not drawn here."""

    group: int
    task: int  # index of the world's task
    ids: list[int]
    begin: int = 0
    passed: bool = False
    answer: Answer = _UNASKED
    spans: tuple[TokenSpan, ...] = ()
    decision: int | None = None
    weights: torch.Tensor = field(default_factory=lambda: torch.zeros(0))  # advantage of every token
    before: torch.Tensor | None = None  # log-probabilities of the tokens when they were drawn

    @property
    def drawn(self) -> int:
        """Tokens that were sampled for it."""
        return len(self.ids) - self.begin


def prompts_of(world: World, tasks: Sequence[int]) -> torch.Tensor:
    """(B, P) ids."""
    return torch.tensor([world.vocabulary.ask(words_of(world.specs[i])) for i in tasks])


def draw(
    world: World,
    policy: Policy,
    tasks: Sequence[int],
    groups: Sequence[int],
    luck: torch.Tensor,
    given: Sequence[Sequence[int]] = (),
) -> list[Sample]:
    """One sample for each of ``tasks``."""
    found = sample(policy, prompts_of(world, tasks), luck, world.vocabulary.end, given)
    begins = [len(prefix) for prefix in given] or [0] * len(tasks)
    return [Sample(*one) for one in zip(groups, tasks, found, begins, strict=True)]


def judged(world: World, judge: Judge, samples: Sequence[Sample]) -> None:
    """Set whether each passes."""
    for one, passed in zip(samples, judge.verdicts([_asked(world, one) for one in samples]), strict=True):
        one.passed = passed


def localised(world: World, judge: Judge, samples: Sequence[Sample]) -> None:
    """Set the places of failing ``samples``: spans, and the decision where it is proven."""
    vocabulary = world.vocabulary
    for one, answer in zip(samples, judge.assess([_asked(world, one) for one in samples]), strict=True):
        bare = _bare(world, one)
        aligned = align([vocabulary.pieces[i].encode() for i in bare])
        one.answer = answer
        one.spans = aligned.tokens([Span(*span) for span in answer.spans])
        one.decision = _decision(world, one, answer)


def _decision(world: World, one: Sample, answer: Answer) -> int | None:
    """The token at which the sample parts from its proven repair, in the policy's own tokens, as in the plugin."""
    if answer.decision is None:
        return None
    vocabulary = world.vocabulary
    aligned = align([vocabulary.pieces[i].encode() for i in one.ids])
    found = decision(aligned.text, answer.repaired)
    if found is None:
        return None
    instead = Instead(found.start, found.text) if found.text else None
    token = parting(aligned, len(one.ids), Span(found.at, found.at + 1), instead, vocabulary.common)
    return len(one.ids) - 1 if token is None else token.token.start


def true_decision(world: World, one: Sample) -> int:
    """The first column after whose token no right program of the world can follow."""
    vocabulary = world.vocabulary
    return min(oracle.parting(world.family, world.specs[one.task], _bare(world, one), vocabulary), len(one.ids) - 1)


def _asked(world: World, one: Sample) -> tuple[Task, str]:
    return world.tasks[one.task], world.vocabulary.text(_bare(world, one))


def _bare(world: World, one: Sample) -> list[int]:
    return [i for i in one.ids if i != world.vocabulary.end]
