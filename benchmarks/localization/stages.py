"""Where the localiser's time goes, stage by stage.

    python -m benchmarks.localization.stages --mbpp mbpp.jsonl --corpus outputs/corpus --half test --limit 100

The options are those of ``python -m benchmarks.localization``; one process, the localiser ``trace``. A stage's time is
its own: what a stage inside it takes is that one's. Writes ``localization-stages.json``.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any
from unittest.mock import patch

from benchmarks.common import quantile, table, write_result
from benchmarks.localization import condefects, corpus
from benchmarks.localization.__main__ import chosen_subjects, parser
from benchmarks.localization.corpus import Subject
from egca_plugin.judging.referee import judge
from egca_plugin.localize import choose, search, trace, twofold
from egca_plugin.localize.api import Case
from egca_plugin.localize.compare.reference import ReferenceCache
from egca_plugin.localize.trial.compiled import Press
from egca_plugin.localize.trial.inputs import FurtherInputs
from egca_plugin.localize.trial.trials import Trials
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task

_PROPOSERS = (
    "counterpart_edits", "single_edits", "insertions", "missing_branches", "initial_values", "missing_steps",
    "updates", "wider_and_narrower", "ordered_inputs", "special_cases", "guards", "containers", "simultaneous",
    "repeated", "moves", "alike",
)  # fmt: skip
STAGES: dict[str, list[tuple[Any, str]]] = {
    "the reference's answers and traces": [(ReferenceCache, "results"), (ReferenceCache, "traces")],
    "the candidate's traces": [(trace, "_traced")],
    "alignment and k*": [(trace, "_comparison")],
    "proposing": [*((search, name) for name in _PROPOSERS), (twofold, "single_edits")],
    "compiling": [(Press, "compile")],
    "trials": [(Trials, "_run")],
    "what the reference takes": [(FurtherInputs, "affordable")],
    "further inputs": [(FurtherInputs, "of"), (Trials, "agreement")],
    "traces of what works": [(choose, "left_over"), (twofold, "left_over")],
    "the referee": [(trace, "judge")],
}
OTHER = "everything else"
_TAIL = 0.95  # the slowest twentieth is a column of its own


class Watch:
    """Seconds by stage, each without those of the stages inside it."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._running: list[tuple[str, float]] = []

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted as the stage's."""

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self.stage(stage):
                return function(*args, **kwargs)

        return run

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """What runs inside is the stage's, but for stages inside it."""
        self._turn()
        self._running.append((stage, time.perf_counter()))
        try:
            yield
        finally:
            self._turn()
            self._running.pop()
            if self._running:
                self._running[-1] = (self._running[-1][0], time.perf_counter())

    def _turn(self) -> None:
        """Book what the innermost stage took until now."""
        if self._running:
            stage, began = self._running[-1]
            now = time.perf_counter()
            self.seconds[stage] += now - began
            self._running[-1] = (stage, now)


def profile(subjects: Sequence[Subject], tasks: dict[str, Task], sandbox: Sandbox) -> list[Counter[str]]:
    """Seconds by stage for each program that fails in the sandbox."""
    localizer = trace.TraceLocalizer()
    profiles = []
    for subject in subjects:
        task = tasks[subject.task_id]
        verdict = judge(sandbox, subject.program, task)
        if verdict.outcome in (Outcome.OK, Outcome.INFRASTRUCTURE):
            continue
        watch = Watch()
        with ExitStack() as patches:
            for stage, places in STAGES.items():
                for owner, name in places:
                    patches.enter_context(patch.object(owner, name, watch.timed(stage, getattr(owner, name))))
            with watch.stage(OTHER):
                localizer.localize(Case(task, subject.program, (task.reference,), verdict, sandbox))
        profiles.append(watch.seconds)
    return profiles


def summary(profiles: Sequence[Counter[str]]) -> dict[str, Any]:
    """A table: each stage's share of all time, its milliseconds, and its share among the slowest programs."""
    totals = [one.total() for one in profiles]
    slowest = [one for one in profiles if one.total() >= quantile(totals, _TAIL)]
    rows = [[stage, *_cells([one[stage] for one in profiles], profiles, slowest, stage)] for stage in (*STAGES, OTHER)]
    rows.append(["all", "100%", *_times(totals), "100%"])
    return table("Localisation by stage", ["stage", "share", "ms mean", "ms p50", "ms p95", "of the slowest 5%"], rows)


def _cells(
    own: Sequence[float], everything: Sequence[Counter[str]], slowest: Sequence[Counter[str]], stage: str
) -> list[str]:
    def share(profiles: Sequence[Counter[str]]) -> str:
        return f"{100 * sum(one[stage] for one in profiles) / sum(one.total() for one in profiles):.0f}%"

    return [share(everything), *_times(own), share(slowest)]


def _times(seconds: Sequence[float]) -> list[str]:
    mean = sum(seconds) / len(seconds)
    return [f"{1000 * value:.1f}" for value in (mean, quantile(seconds, 0.5), quantile(seconds, 0.95))]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0, or 2 where no program of the corpus fails."""
    options = parser().parse_args(arguments)
    tasks = corpus.tasks(options.mbpp, options.tasks)
    if options.condefects is not None:
        tasks |= condefects.load(options.condefects)[0]
    subjects = [subject for subject in chosen_subjects(options) if subject.task_id in tasks]
    with Sandbox() as sandbox:
        profiles = profile(subjects, tasks, sandbox)
    if not profiles:
        print("error: no program of these forms fails its tests", file=sys.stderr)
        return 2
    settings = {"half": options.half, "forms": options.forms, "limit": options.limit, "programs": len(profiles)}
    path = write_result("localization-stages", settings=settings, tables=[summary(profiles)], folder=options.results)
    print(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
