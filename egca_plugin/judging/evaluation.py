"""pass@k from samples, judged in the sandbox: the unbiased estimator of Chen et al. 2021 with bootstrap intervals.

Two steps that know nothing of each other: :func:`outcomes` runs the samples, :func:`score` does the arithmetic.
"""

from __future__ import annotations

import math
import random
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import SampleError, SandboxError, TaskError
from egca_plugin.judging.referee import Sessions, judge
from egca_plugin.program.extract import extract
from egca_plugin.sandbox.outside.pool import Pool
from egca_plugin.types import Outcome, Task

HANDLER = "egca_plugin.judging.evaluation:handler"
RESAMPLES = 2000
LEVEL = 0.95

Judged = tuple[Task, str]  # a task and one completion of it


@dataclass(frozen=True, slots=True)
class Ending:
    """How one sample ended; ``detail`` says why, for people."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Score:
    """pass@k over the tasks, with its bootstrap interval; all three in [0, 1]."""

    value: float
    low: float
    high: float


# --- running ------------------------------------------------------------------------------------------------------


def outcomes(samples: Sequence[Judged], config: SandboxConfig) -> Iterator[Outcome]:
    """The outcomes of :func:`endings`."""
    return (ended.outcome for ended in endings(samples, config))


def endings(samples: Sequence[Judged], config: SandboxConfig) -> Iterator[Ending]:
    """How every sample ended, in order, as they are done. One that costs two workers has run out of time.

    Samples of a task whose own tests cannot be run are UNJUDGEABLE. Raises SandboxError as soon as the sandbox fails
    over a sample: it must not count as a wrong answer.
    """
    with Pool(HANDLER, config, on_lost=lambda sample, err: Ending(Outcome.TIMEOUT, str(err))) as pool:
        for number, ending in enumerate(pool.map(samples), start=1):
            if ending.outcome is Outcome.INFRASTRUCTURE:
                raise SandboxError(
                    f"sample {number} ({samples[number - 1][0].task_id}) could not be judged: the sandbox failed "
                    f"({ending.detail}), which is no verdict on the sample; run `egca doctor`, then try again"
                )
            yield ending


def handler(sandbox: Sessions, settings: Any) -> Callable[[Judged], Ending]:
    """What a pool worker runs: extract the program, judge it, say how it ended; the reward manager does the same."""

    def run(sample: Judged) -> Ending:
        task, completion = sample
        try:
            program = extract(completion, task)
            if not program.compiles:
                return Ending(Outcome.COMPILE_ERROR)
            verdict = judge(sandbox, program.source, task)
        except TaskError as err:
            return Ending(Outcome.UNJUDGEABLE, str(err))
        return Ending(verdict.outcome, verdict.detail)

    return run


# --- arithmetic ---------------------------------------------------------------------------------------------------


def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased estimate of the chance that at least one of ``k`` samples passes, ``c`` of ``n`` having passed.

    ``1 - C(n-c, k) / C(n, k)`` (Chen et al. 2021, section 2.1), in exact integers until the last division. Raises
    ValueError unless ``0 <= c <= n`` and ``1 <= k <= n``.
    """
    if not 0 <= c <= n:
        raise ValueError(f"pass@k: got c={c} passing of n={n} samples, expected 0 <= c <= n")
    if not 1 <= k <= n:
        raise ValueError(f"pass@k: got k={k} with n={n} samples, expected 1 <= k <= n")
    every = math.comb(n, k)
    return (every - math.comb(n - c, k)) / every


def score(passed: Mapping[str, Sequence[bool]], k: int, *, seed: int = 0) -> Score:
    """pass@k over ``passed``, which maps each task's id to its samples' verdicts.

    The interval is the percentile bootstrap over *tasks* (2,000 resamples, 95%, seeded): it tells how far the score
    would move on other tasks of the same kind. How few samples a task has enters only through its own estimate.
    Raises SampleError where a task has fewer than ``k`` samples.
    """
    check_enough({task_id: len(verdicts) for task_id, verdicts in passed.items()}, k)
    values = [pass_at_k(len(verdicts), sum(verdicts), k) for verdicts in passed.values()]
    low, high = _interval(values, seed)
    return Score(statistics.fmean(values), low, high)


def check_enough(counts: Mapping[str, int], k: int) -> None:
    """Raises SampleError unless every task has ``k`` samples; ``counts`` maps a task's id to how many it has."""
    short = sorted((n, task_id) for task_id, n in counts.items() if n < k)
    if short:
        n, task_id = short[0]
        raise SampleError(
            f"pass@{k} needs {k} samples of every task: {len(short)} of {len(counts)} tasks have fewer, the fewest "
            f"{task_id} with {n}; draw more samples or ask for a smaller k"
        )
    if not counts:
        raise SampleError(f"pass@{k}: got no samples, expected at least {k} of one task")


def _interval(values: Sequence[float], seed: int) -> tuple[float, float]:
    rng = random.Random(seed)
    means = sorted(statistics.fmean(rng.choices(values, k=len(values))) for _ in range(RESAMPLES))
    cut = int((1 - LEVEL) / 2 * RESAMPLES)
    return means[cut], means[-1 - cut]
