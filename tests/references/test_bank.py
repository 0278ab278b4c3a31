"""Which passing programs the bank keeps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from egca_plugin.references.bank import MAX_CHARS, Admission, Bank, distance
from egca_plugin.references.store import DirectoryStore, MemoryStore
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task

REFERENCE = "def total(xs):\n    result = 0\n    for x in xs:\n        result += x\n    return result\n"
TASK = Task("t/0", "", "total", REFERENCE, ("assert total([1, 2]) == 3", "assert total([]) == 0"))
RECURSIVE = "def total(xs):\n    if not xs:\n        return 0\n    return xs[0] + total(xs[1:])\n"
LIBRARY = "def total(xs):\n    return sum(xs)\n"
REDUCED = "from functools import reduce\ndef total(xs):\n    return reduce(lambda a, b: a + b, xs, 0)\n"
PAIRED = (
    "def total(xs):\n    while len(xs) > 1:\n        xs = [xs[0] + xs[1]] + xs[2:]\n    return xs[0] if xs else 0\n"
)


def test_other_ways_to_pass_are_admitted(sandbox: Sandbox) -> None:
    bank = Bank(MemoryStore())
    assert bank.offer(TASK, RECURSIVE, sandbox, step=3) is Admission.ADMITTED
    assert bank.offer(TASK, LIBRARY, sandbox) is Admission.ADMITTED
    assert bank.programs(TASK) == (RECURSIVE, LIBRARY)


COUNTED = "def total(xs):\n    i = s = 0\n    while i < len(xs):\n        s = s + xs[i]\n        i += 1\n    return s\n"


@pytest.mark.parametrize(
    ("source", "admission"),
    [
        (REFERENCE.replace("result", "acc"), Admission.ALIKE),
        (COUNTED, Admission.ALIKE),
        (PAIRED, Admission.ADMITTED),
        ("def total(xs):\n    return max(xs)\n", Admission.FAILED),
        ("import random\nlow = random.random() < 0.5\ndef total(xs):\n    return low or sum(xs)\n", Admission.FAILED),
        ("import random\nlow = random.random() < 0.5\ndef total(xs):\n    return low and sum(xs)\n", Admission.FAILED),
        ("def other(xs):\n    return sum(xs)\n", Admission.UNFIT),
        ("def total(xs:\n", Admission.UNFIT),
        (LIBRARY + "#" * MAX_CHARS, Admission.UNFIT),
    ],
)
def test_admission(source: str, admission: Admission, sandbox: Sandbox) -> None:
    assert Bank(MemoryStore()).offer(TASK, source, sandbox) is admission


def test_an_unstable_program_is_not_admitted(sandbox: Sandbox) -> None:
    """It passes, and its two runs differ."""
    task = Task("t/1", "", "draw", "", ("assert 0 <= draw() <= 1",))
    assert Bank(MemoryStore()).offer(task, "import random\ndef draw():\n    return random.random()\n", sandbox) is (
        Admission.FAILED
    )


@pytest.mark.parametrize(
    "trap",
    [
        "    if '__egca_step' in globals():\n        return 7\n",
        "    while '__egca_step' in globals():\n        pass\n",
        "    calls.append(xs)\n    if calls[0] == []:\n        return 7\n",
    ],
    ids=["when watched", "hangs when watched", "in another order"],
)
def test_a_program_that_answers_otherwise_elsewhere_is_not_admitted(trap: str, sandbox: Sandbox) -> None:
    source = "calls = []\ndef total(xs):\n" + trap + "    return sum(xs)\n"
    assert Bank(MemoryStore()).offer(TASK, source, sandbox) is Admission.FICKLE


MEMORISED = "def total(xs):\n    return {(1, 2): 3, (): 0}.get(tuple(xs), 7)\n"
GUESSED = "def total(xs):\n    return len(xs) and xs[-1] + 1\n"


@pytest.mark.parametrize("source", [MEMORISED, MEMORISED.replace(".get(tuple(xs), 7)", "[tuple(xs)]"), GUESSED])
def test_what_is_right_on_the_tests_alone_stays_out(source: str, sandbox: Sandbox) -> None:
    assert Bank(MemoryStore()).offer(TASK, source, sandbox) is Admission.UNLIKE


def test_without_a_reference_several_programs_must_vouch_for_each_other(sandbox: Sandbox) -> None:
    task = replace(TASK, reference="")
    bank = Bank(MemoryStore())
    offered = [MEMORISED, RECURSIVE, GUESSED, LIBRARY, RECURSIVE]
    waiting = [bank.offer(task, source, sandbox) for source in offered]
    assert waiting == [Admission.WAITS] * 4 + [Admission.ALIKE]
    assert bank.programs(task) == ()
    assert bank.offer(task, PAIRED, sandbox) is Admission.ADMITTED
    assert bank.programs(task) == (RECURSIVE, LIBRARY, PAIRED)
    assert bank.offer(task, MEMORISED, sandbox) is Admission.UNLIKE


def test_the_farthest_apart_stay(sandbox: Sandbox) -> None:
    bank = Bank(MemoryStore(), capacity=2)
    near = LIBRARY.replace("sum(xs)", "sum(list(xs)) + len([])")
    for source in (LIBRARY, near, RECURSIVE):
        bank.offer(TASK, source, sandbox)
    kept = bank.programs(TASK)
    assert len(kept) == 2
    assert RECURSIVE in kept
    assert distance(*kept, "total") > distance(LIBRARY, near, "total")


def test_the_bank_survives_its_process(sandbox: Sandbox, tmp_path: Path) -> None:
    Bank(DirectoryStore(tmp_path)).offer(TASK, PAIRED, sandbox)
    resumed = Bank(DirectoryStore(tmp_path))
    assert resumed.programs(TASK) == (PAIRED,)
    assert resumed.offer(TASK, PAIRED, sandbox) is Admission.ALIKE


def test_distance_is_a_symmetric_measure() -> None:
    programs = [REFERENCE, RECURSIVE, LIBRARY, REDUCED, PAIRED]
    for one in programs:
        assert distance(one, one, "total") == 0.0
        for other in programs:
            assert 0.0 <= distance(one, other, "total") <= 1.0
            assert distance(one, other, "total") == distance(other, one, "total")
