"""``python -m benchmarks.classes``: verdicts on programs with classes beside what pytest says, and what is proven.

``classes_tasks.jsonl`` has 60 tasks of the kinds that data sets hold (containers, accounts, state machines, operators,
hierarchies, iterators, context managers), written for this: each with a reference, a right program that holds other
data, and a wrong one. Pytest runs each program as ``solution.py`` beside the tests, in a process of its own. Writes
results/classes.json with every program that is judged otherwise and every fault that is not proven.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common import table, write_result
from egca_plugin.config import SandboxConfig
from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Localization, Task, Verdict

TASKS = Path(__file__).with_name("classes_tasks.jsonl")
PROGRAMS = ("reference", "other", "wrong")
PYTEST = (sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-c", "/dev/null", "test_it.py")


def passes_pytest(program: str, tests: str) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "solution.py").write_text(program, encoding="utf-8")
        (Path(folder) / "test_it.py").write_text(tests, encoding="utf-8")
        ran = subprocess.run([*PYTEST, "--rootdir", folder], cwd=folder, capture_output=True, check=False)
    if ran.returncode not in (0, 1):
        raise RuntimeError(f"pytest ended with status {ran.returncode}: {ran.stdout.decode()[-500:]}")
    return ran.returncode == 0


def judged(sandbox: Sandbox, row: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Each program of a task: what pytest and we say of it; of the wrong one also what is blamed, by each reference."""
    task = Task(row["task_id"], "", row["entry_point"], row["reference"], row["tests"])
    for name in PROGRAMS:
        verdict = judge(sandbox, row[name], task)
        told = {"task": row["task_id"], "program": name, "pytest": passes_pytest(row[name], row["tests"])}
        told |= {"outcome": verdict.outcome.value, "detail": verdict.detail}
        if name == "wrong":
            told |= {by: located(sandbox, task, row, verdict, row[by]) for by in ("reference", "other")}
        yield told


def located(sandbox: Sandbox, task: Task, row: dict[str, str], verdict: Verdict, reference: str) -> dict[str, Any]:
    found = TraceLocalizer().localize(Case(task, row["wrong"], (reference,), verdict, sandbox))
    return {"verified": found.verified, "hit": touches_fault(row, found), "reason": found.reason}


def touches_fault(row: dict[str, str], found: Localization) -> bool:
    """Whether a blamed line is one that the wrong program has otherwise than its reference."""
    right = set(row["reference"].splitlines())
    lines = row["wrong"].splitlines()
    blamed = {row["wrong"].count("\n", 0, span.start) for span in found.spans}
    return any(lines[number] not in right for number in blamed if number < len(lines))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.classes", description=__doc__)
    parser.parse_args()
    rows = [json.loads(line) for line in TASKS.read_text(encoding="utf-8").splitlines()]
    programs: list[dict[str, Any]] = []
    with Sandbox(SandboxConfig()) as sandbox:
        for number, row in enumerate(rows, start=1):
            programs += judged(sandbox, row)
            print(f"\r{number} of {len(rows)} tasks", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    right = [one for one in programs if one["pytest"]]
    wrong = [one for one in programs if not one["pytest"]]
    verdicts = [
        ("right programs that are judged right", sum(one["outcome"] == "ok" for one in right), len(right)),
        ("right programs that are refused", sum(one["outcome"] == "refused" for one in right), len(right)),
        ("wrong programs that are judged right", sum(one["outcome"] == "ok" for one in wrong), len(wrong)),
    ]
    faults = [
        (f"{what}, by {by}", sum(one[key][field] for one in wrong), len(wrong))
        for what, field in (("proven", "verified"), ("a line of the fault blamed", "hit"))
        for by, key in (("the reference", "reference"), ("a program that holds other data", "other"))
    ]
    tables = [
        table("Verdicts beside pytest's", ["", "programs", "of"], verdicts),
        table("Faults of the wrong programs", ["", "programs", "of"], faults),
    ]
    differing = [one for one in programs if (one["outcome"] == "ok") != one["pytest"]]
    unproven = [one for one in wrong if not one["reference"]["verified"]]
    data = {"differing": differing, "unproven": unproven}
    print(write_result("classes", settings={"tasks": len(rows)}, tables=tables, data=data))


if __name__ == "__main__":
    main()
