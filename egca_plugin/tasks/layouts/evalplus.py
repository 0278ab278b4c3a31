"""HumanEval+ and MBPP+ as EvalPlus publishes them: inputs only, the outputs are what the reference gives for them.

``base_input`` and ``plus_input`` are lists of argument lists; ``atol`` is the absolute tolerance of numbers, where it
is 0 that of its judge for floats (``evalplus.eval.unsafe_execute``).
"""

from __future__ import annotations

from egca_plugin.tasks.layouts import cases
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys, shown
from egca_plugin.types import Compare, Task

ABS, REL = 1e-6, 1e-7  # where the row tells none
_USED = ("task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input", "atol")


def read(row: Row) -> Reading:
    """The cases are made when the reference is run (:mod:`egca_plugin.tasks.soundness`)."""
    inputs = [*_inputs(row, "base_input"), *_inputs(row, "plus_input")]
    if not inputs:
        raise row.fault("base_input", "no input", "at least one")
    prompt, solution = row.text("prompt"), row.text("canonical_solution")
    name = row.text("entry_point")
    told = row.fields.get("atol") or 0
    if not isinstance(told, (int, float)) or not 0 <= told < 1:
        raise row.fault("atol", shown(told), "a number from 0 to below 1")
    task = Task(
        task_id=row.text("task_id"),
        prompt=prompt,
        entry_point=name,
        reference="",
        tests=(),
        compare=Compare(abs=float(told or ABS), rel=REL),
        extra=row.rest("evalplus", *_USED),
    )
    # HumanEval's solutions go on from the prompt, MBPP's stand alone.
    reference = solution if f"def {name}" in solution else prompt + solution
    return Reading((task,), (reference,), inputs=tuple(inputs), tolerant=bool(told))


def _inputs(row: Row, name: str) -> list[str]:
    found = []
    for number, given in enumerate(row.sequence(name)):
        if not isinstance(given, list):
            raise row.fault(f"{name}[{number}]", shown(given), "a list of arguments")
        found.append(cases.dumped(given))
    return found


LAYOUT = Layout(
    "evalplus",
    "HumanEval+ and MBPP+",
    (keys("task_id", "prompt", "entry_point", "canonical_solution", "base_input", "plus_input"),),
    read,
    ask,
)
