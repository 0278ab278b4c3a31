"""The same samples give the same credits whatever else the machine does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from egca_plugin.config import EgcaConfig
from egca_plugin.pipeline import Assessor
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Credit, Task

REFERENCE = """def f(xs):
    best, run = 0, 0
    for i, x in enumerate(xs):
        run = run + 1 if i and x > xs[i - 1] else 1
        best = max(best, run)
    return best
"""
TASK = Task(
    "longest rise",
    "Write f(xs): the length of the longest run of rising items.",
    "f",
    REFERENCE,
    ("assert f([1, 2, 3]) == 3", "assert f([]) == 0", "assert f([3, 1, 2, 2, 5, 7]) == 3", "assert f([2, 1]) == 1"),
)
CHANGES = [
    ("x > xs", "x >= xs"), ("xs[i - 1]", "xs[i]"), ("run + 1", "run + 2"), ("else 1", "else 0"), ("max(", "min("),
    ("best, run = 0, 0", "best, run = 1, 0"), ("    return best", "        return best"), ("run = run", "best = run"),
    ("if i and", "if i or"), ("enumerate(xs)", "enumerate(sorted(xs))"),
    ("return best", "return best - 1 if len(xs) == 6 else best * 2"),
]  # fmt: skip


@contextmanager
def busy(processes: int) -> Iterator[None]:
    started = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


BARE = replace(TASK, reference="")
WRONG = [REFERENCE.replace(old, new) for old, new in CHANGES]
MOST = REFERENCE.replace("return best", "return best if len(xs) != 2 else 2")  # of a group of which nothing passes
BATCH = {
    "canonical": (TASK, WRONG),
    "sibling": (BARE, [*WRONG, REFERENCE]),
    "voted": (BARE, [*WRONG, MOST, MOST.replace("best", "longest")]),
}


def credits() -> dict[str, list[Credit]]:
    with Sandbox() as sandbox:
        assessor = Assessor(EgcaConfig(traces=""), sandbox)
        found = {name: assessor.assess(task, [Completion(t) for t in texts]) for name, (task, texts) in BATCH.items()}
    return {name: [replace(credit, ms={}) for credit in group] for name, group in found.items()}


def test_a_busy_machine_changes_no_credit() -> None:
    idle = credits()
    with busy(4):
        assert credits() == idle
    for name, fewest in (("canonical", 8), ("sibling", 8), ("voted", 3)):
        proven = [credit.reference.partition(":")[0] for credit in idle[name] if credit.verified]
        assert set(proven) == {name}
        assert len(proven) >= fewest
