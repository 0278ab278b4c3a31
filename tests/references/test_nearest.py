"""The nearest references, by name."""

from __future__ import annotations

from egca_plugin.references import Bank, Given, MemoryStore, Reference, References
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task

LOOP = "def total(xs):\n    result = 0\n    for x in xs:\n        result += x\n    return result\n"
RECURSIVE = "def total(xs):\n    if not xs:\n        return 0\n    return xs[0] + total(xs[1:])\n"
LIBRARY = "def total(xs):\n    return sum(xs)\n"
TASK = Task("t/0", "", "total", LOOP, ("assert total([1, 2]) == 3",))


def test_the_nearest_comes_first(sandbox: Sandbox) -> None:
    bank = Bank(MemoryStore())
    bank.offer(TASK, RECURSIVE, sandbox)
    references = References(bank, Given({"t/0": (LIBRARY,)}, sandbox))
    assert [r.name.split(":")[0] for r in references.pool(TASK)] == ["canonical", "bank", "given"]
    wrong = RECURSIVE.replace("return 0", "return 1")
    assert references.nearest(TASK, wrong, limit=2)[0].source == RECURSIVE
    assert references.nearest(TASK, LOOP.replace("= 0", "= 1"), limit=1)[0].name == "canonical"
    assert references.nearest(TASK, LIBRARY, limit=1)[0].name == "given:1"


def test_a_passing_sibling_comes_before_a_reference_that_is_farther() -> None:
    sibling = Reference(RECURSIVE, "sibling:2")
    near = References().nearest(TASK, RECURSIVE.replace("return 0", "return 1"), siblings=[sibling])
    assert [one.name for one in near] == ["sibling:2", "canonical"]
    near = References().nearest(TASK, LOOP.replace("= 0", "= 1"), siblings=[sibling])
    assert [one.name for one in near] == ["canonical", "sibling:2"]


def test_what_is_known_under_two_names_is_compared_with_once() -> None:
    assert [one.name for one in References().pool(TASK, [Reference(LOOP, "sibling:0")])] == ["canonical"]


def test_a_task_without_a_reference_has_none() -> None:
    assert References().pool(Task("t/1", "", "f", "", ("assert f()",))) == ()
