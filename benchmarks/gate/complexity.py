"""The complexity constraint: how many references set one, and how often programs of the same algorithm break it.

    python -m benchmarks.localization.mutants --mbpp mbpp.jsonl --out corpus/
    python -m benchmarks.gate.complexity --mbpp mbpp.jsonl --corpus corpus/

The references, the same restructured (renamed, loops turned into others, comprehensions into loops), and of each task
one mutant and one restructured twin. Mutants hold a fault, which may be one of growth: not all their alarms are false.
"""

from __future__ import annotations

import ast
import random
import time
from collections import Counter

from benchmarks.common import quantile, table, write_result
from benchmarks.gate import arguments
from benchmarks.localization import corpus
from benchmarks.localization.restructure import forms
from egca_plugin.judging.referee import judge
from egca_plugin.program.constraints import Constraint
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.complexity import constrain, violation
from egca_plugin.types import Call, Task

Bounds = dict[str, tuple[Constraint, list[Call]]]


def bounds(sandbox: Sandbox, tasks: dict[str, Task]) -> tuple[Bounds, Counter[str], list[float]]:
    """The constraint and the calls of every task that sets one, the classes of all, and milliseconds."""
    found: Bounds = {}
    classes = Counter[str]()
    ms = []
    for task_id, task in tasks.items():
        verdict = judge(sandbox, task.reference, task, timeout_s=30.0)
        calls = [tested.call for tested in verdict.calls]
        began = time.perf_counter()
        constraint = constrain(sandbox, task, calls) if verdict.passed else None
        ms.append(1e3 * (time.perf_counter() - began))
        classes[constraint.value if constraint else "none"] += 1
        if constraint is not None:
            found[task_id] = constraint, calls
    return found, classes, ms


def restructured(sandbox: Sandbox, task: Task) -> str | None:
    """The reference in the most restructured form that still passes."""
    for source in forms(ast.parse(task.reference), task.entry_point):
        if judge(sandbox, source, task).passed:
            return source
    return None


def main() -> None:
    options = arguments.parse("Measure the complexity constraint.")
    tasks = corpus.tasks(options.mbpp)
    programs: dict[str, list[tuple[str, str]]] = {"references": [(i, t.reference) for i, t in tasks.items()]}
    for name, form in (("mutants", "plain"), ("twins", "restructured")):
        subjects = corpus.load(options.corpus / f"{form}.jsonl")
        random.Random(options.seed).shuffle(subjects)
        programs[name] = list({subject.task_id: subject.program for subject in subjects}.items())
    with Sandbox() as sandbox:
        found, classes, ms = bounds(sandbox, tasks)
        forms_ = {task_id: restructured(sandbox, tasks[task_id]) for task_id in found}
        programs["references, restructured"] = [(i, source) for i, source in forms_.items() if source is not None]
        rows = []
        for name, pairs in programs.items():
            checked = [(found[task_id], source) for task_id, source in pairs if task_id in found]
            broken = sum(violation(sandbox, bound, source, calls) is not None for (bound, calls), source in checked)
            rows.append([name, len(checked), broken, round(broken / max(len(checked), 1), 4)])
    timing = {"ms_median": round(quantile(ms, 0.5), 1), "ms_p95": round(quantile(ms, 0.95), 1)}
    tables = [
        table(
            "Complexity classes of the references", ("class", "references"), [list(x) for x in classes.most_common()]
        ),
        table("Programs that break the reference's class", ("programs", "checked", "broken", "share"), rows),
    ]
    settings = {"seed": options.seed, "tasks": len(tasks)}
    print(write_result("complexity", settings=settings, tables=tables, data=timing, folder=options.out))


if __name__ == "__main__":
    main()
