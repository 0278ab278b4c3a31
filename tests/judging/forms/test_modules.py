"""Tests and reference are modules while they run, as Python has them, and gone when the verdict is there."""

from __future__ import annotations

import sys

import pytest

from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.foresight import Foresight
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task

GOOD = "def f(x): return x + 1"
FILE = """
import os, sys
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from solution import f

def test_one():
    assert os.path.isdir(os.path.dirname(__file__))
    assert f(1) == 2
"""
ANNOTATED = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Pair:
    one: int
    two: int

def check(candidate):
    assert candidate(Pair(1, 2).one) == Pair(1, 2).two
"""
QUOTED = "from dataclasses import dataclass\n@dataclass\nclass Pair:\n    one: 'int'\n    two: 'int'\n"
HINTS = """
import typing

class Node:
    next: "Node"

def check(candidate):
    assert typing.get_type_hints(Node) == {"next": Node}
    assert candidate(1) == 2
"""


def task(tests: str | tuple[str, ...], reference: str = GOOD, setup: str = "") -> Task:
    return Task("t/1", "", "f", reference, tests, setup)


@pytest.mark.parametrize(
    ("tests", "setup", "reference"),
    [
        (FILE, "", GOOD),
        (ANNOTATED, "", GOOD),
        (HINTS, "", GOOD),
        (("assert f(Pair(1, 2).one) == 2",), QUOTED, GOOD),
        (("assert f(Pair(1, 2).one) == 2",), "", f"{QUOTED}{GOOD}"),
        (("assert f(FOLDER) == 2",), "", f"import os\n{GOOD}\nFOLDER = len(__file__[:1])"),
    ],
    ids=["file of the tests", "annotations", "hints", "quoted", "reference", "file of the reference"],
)
def test_what_looks_for_its_own_module_finds_it(
    sandbox: Sandbox, tests: str | tuple[str, ...], setup: str, reference: str
) -> None:
    assert judge(sandbox, GOOD, task(tests, reference, setup)).passed
    assert not judge(sandbox, "def f(x): return x", task(tests, reference, setup)).passed


def test_annotations_as_text_need_no_process_of_their_own_and_a_file_does() -> None:
    assert compile_checks(task(ANNOTATED)).pure
    assert not compile_checks(task(("assert f(len(__file__[:1])) == 2",))).pure


def test_nothing_of_it_is_left_in_the_process_that_ran_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "reference", raising=False)
    monkeypatch.setitem(sys.modules, "tests", pytest)
    before = dict(sys.modules)
    Foresight().plan(compile_checks(task(("assert f(Pair(1, 2).one) == 2",), QUOTED)), 0, 3.0)
    assert sys.modules == before
