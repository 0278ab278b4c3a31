"""One cell: GRPO on a world's tasks with an arm's credit, and what it learned on the tasks held out."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from benchmarks.learning.programs import resets
from benchmarks.learning.programs.arms import ARMS, Arm
from benchmarks.learning.programs.credit import assign, by_chance, further_rows, groups_of
from benchmarks.learning.programs.judge import Judge
from benchmarks.learning.programs.model import Policy
from benchmarks.learning.programs.nthr import soften
from benchmarks.learning.programs.rollout import Sample, draw, judged, localised, prompts_of, true_decision
from benchmarks.learning.programs.start import batch
from benchmarks.learning.programs.worlds import World

CLIP, CHUNK, NORM = 0.2, 32, 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a cell trains: groups and samples a step, steps, and how often it is held against the other tasks."""

    groups: int = 8
    size: int = resets.FIRST + resets.EXTRA
    steps: int = 30
    every: int = 6
    held_out: int = 2  # samples of each task held out


@dataclass(frozen=True, slots=True)
class Cell:
    """One training run."""

    world: str
    arm: str
    rate: float
    seed: int

    @property
    def name(self) -> str:
        """Of its file."""
        return f"{self.world}-{self.arm}-{self.rate:g}-{self.seed}"


@dataclass(slots=True)
class Clock:
    """Seconds by phase."""

    seconds: dict[str, float] = field(default_factory=dict)
    _at: float = field(default_factory=time.perf_counter)

    def lap(self, phase: str) -> None:
        """What passed since the last lap was ``phase``."""
        now = time.perf_counter()
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._at
        self._at = now


def train(cell: Cell, plan: Plan, world: World, start: Policy, judge: Judge) -> dict[str, Any]:
    """Train a copy of ``start``. The result is what a cell's file holds: held-out curve, steps, seconds by phase.

    Raises ValueError for resets in groups of another size than theirs.
    """
    arm = ARMS[cell.arm]
    if arm.resets and plan.size != resets.FIRST + resets.EXTRA:
        raise ValueError(f"{cell.arm}: got groups of {plan.size}, expected {resets.FIRST + resets.EXTRA}")
    policy = Policy(start.size)
    policy.load_state_dict(start.state_dict())
    optimizer = torch.optim.Adam(policy.parameters(), cell.rate * arm.rate, betas=(0.9, 0.95))
    order, rng, clock = random.Random(f"{cell.seed} tasks"), random.Random(f"{cell.seed} arm"), Clock()
    steps: list[dict[str, float]] = []
    sampled, evals = 0, [{"step": 0, "sampled": 0, **held_out(policy, world, judge, plan)}]
    clock.lap("held_out")
    for step in range(1, plan.steps + 1):
        tasks = order.sample(range(world.training), plan.groups)
        luck = luck_of(cell.seed * 100_003 + step, plan.groups * plan.size, world)
        samples = _samples(arm, plan, world, policy, judge, tasks, luck, rng, clock)
        update(policy, optimizer, samples, world, order, plan.groups)
        clock.lap("update")
        sampled += sum(one.drawn for one in samples)
        steps.append(_told(samples, world))
        if step % plan.every == 0 or step == plan.steps:
            evals.append({"step": step, "sampled": sampled, **held_out(policy, world, judge, plan)})
            clock.lap("held_out")
    seconds = {phase: round(value, 1) for phase, value in clock.seconds.items()}
    return {**asdict(cell), "plan": asdict(plan), "evals": evals, "steps": steps, "seconds": seconds}


def luck_of(seed: int, rows: int, world: World) -> torch.Tensor:
    """Random numbers for ``rows`` responses, the same for every arm of a seed."""
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(rows, world.longest - world.vocabulary.prompt, generator=generator)


def held_out(policy: Policy, world: World, judge: Judge, plan: Plan) -> dict[str, float]:
    """Pass rate and share of compiling programs on the tasks held out, always with the same random numbers."""
    tasks = [i for i in range(world.training, len(world.specs)) for _ in range(plan.held_out)]
    samples = draw(world, policy, tasks, tasks, luck_of(77, len(tasks), world))
    judged(world, judge, samples)
    texts = [(world.tasks[s.task], world.vocabulary.text(s.ids)) for s in samples]
    rate = statistics.fmean(s.passed for s in samples)
    return {"passed": round(rate, 5), "compiled": round(judge.compiling(texts), 5)}


def _samples(
    arm: Arm,
    plan: Plan,
    world: World,
    policy: Policy,
    judge: Judge,
    tasks: Sequence[int],
    luck: torch.Tensor,
    rng: random.Random,
    clock: Clock,
) -> list[Sample]:
    """The step's samples with their weights."""
    if arm.resets:
        samples = resets.roll(arm, world, policy, judge, tasks, luck, rng)
        clock.lap("resets")
        return samples
    groups = [g for g in range(plan.groups) for _ in range(plan.size)]
    samples = draw(world, policy, [tasks[g] for g in groups], groups, luck)
    clock.lap("rollout")
    judged(world, judge, samples)
    clock.lap("judge")
    asked = [one for group in groups_of(samples) for one in group if not one.passed and _learnt(arm, group)]
    if arm.localises:
        localised(world, judge, asked)
        clock.lap("localise")
    if arm.place == "oracle":
        for one in asked:
            one.decision = true_decision(world, one)
    assign(arm, samples, rng)
    if arm.nthr:
        soften(policy, samples, world)
    if arm.further:
        rows = further_rows(arm, samples, world)
        if arm.further == "choice":
            by_chance(policy, rows, world)
        samples += rows
    clock.lap("credit")
    return samples


def _learnt(arm: Arm, group: Sequence[Sample]) -> bool:
    """Does the group's credit reach its failing samples? Where all fail, GRPO's advantage is zero on every token."""
    return arm.uses_lost_groups or any(one.passed for one in group)


def update(
    policy: Policy,
    optimizer: torch.optim.Optimizer,
    samples: Sequence[Sample],
    world: World,
    order: random.Random,
    groups: int,
) -> None:
    """Two minibatches of whole groups, clipped; the mean is over all tokens drawn, which no arm's weights change."""
    shuffled = order.sample(range(groups), groups)
    halves = [set(shuffled[: groups // 2]), set(shuffled[groups // 2 :])]
    parts = [[one for one in samples if one.group in half] for half in halves]
    used = [sorted((s for s in part if bool((s.weights != 0).any())), key=lambda s: len(s.ids)) for part in parts]
    with torch.no_grad():  # before the first minibatch moves the policy
        for piece in _pieces(used[1]):
            for one, logs in zip(piece, _log_probs(policy, piece, world), strict=True):
                one.before = logs[: len(one.ids)].clone()
    for part, learnt in zip(parts, used, strict=True):
        if not learnt:
            continue
        tokens = sum(one.drawn for one in part)
        optimizer.zero_grad()
        for piece in _pieces(learnt):
            (-_gain(policy, piece, world) / tokens).backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(policy.parameters(), NORM)
        optimizer.step()


def _pieces(samples: Sequence[Sample]) -> list[Sequence[Sample]]:
    return [samples[k : k + CHUNK] for k in range(0, len(samples), CHUNK)]


def _log_probs(policy: Policy, piece: Sequence[Sample], world: World) -> torch.Tensor:
    prompts = prompts_of(world, [one.task for one in piece]).tolist()
    ids, _ = batch([(prompt, one.ids) for prompt, one in zip(prompts, piece, strict=True)], world.vocabulary.pad)
    return policy.log_probs(ids, world.vocabulary.prompt)[0]


def _gain(policy: Policy, piece: Sequence[Sample], world: World) -> torch.Tensor:
    """The clipped objective, summed over the tokens of some samples."""
    logs = _log_probs(policy, piece, world)
    weights, before = torch.zeros(logs.shape), logs.detach().clone()
    for row, one in enumerate(piece):
        weights[row, : len(one.ids)] = one.weights
        if one.before is not None:
            before[row, : len(one.ids)] = one.before
    ratio = (logs - before).exp()
    return torch.minimum(ratio * weights, ratio.clamp(1 - CLIP, 1 + CLIP) * weights).sum()


def _told(samples: Sequence[Sample], world: World) -> dict[str, float]:
    """What is kept of a step. ``mass`` is the sum of weights over the tokens drawn.

    ``verified`` and ``decided`` are shares of the samples ``asked``, ``true`` one of those with a decision: it is the
    token at which the sample leaves every right program of the world.
    """
    rolled = [one for one in samples if one.drawn]
    whole = [one for one in rolled if not one.begin]
    asked = [one for one in rolled if one.answer.full and not one.passed]
    decided = [one for one in asked if one.decision is not None]
    drawn = sum(one.drawn for one in samples)
    groups = groups_of(rolled)
    told = {
        "passed": statistics.fmean(one.passed for one in whole),
        "all_failed": statistics.fmean(not any(one.passed for one in group) for group in groups),
        "length": statistics.fmean(len(one.ids) for one in whole),
        "asked": float(len(asked)),
        "verified": statistics.fmean(one.answer.verified for one in asked) if asked else 0.0,
        "decided": len(decided) / len(asked) if asked else 0.0,
        "true": statistics.fmean(one.decision == true_decision(world, one) for one in decided) if decided else 0.0,
        "negative_mass": float(sum(one.weights.clamp(max=0).sum() for one in samples)) / drawn,
        "positive_mass": float(sum(one.weights.clamp(min=0).sum() for one in samples)) / drawn,
        "drawn": float(drawn),
    }
    return {name: round(value, 4) for name, value in told.items()}
