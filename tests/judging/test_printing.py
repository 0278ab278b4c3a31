"""Tests that look at what a function prints see it, however they take it, and no other test pays for that."""

from __future__ import annotations

import pytest

from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.child import MAX_MESSAGE
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Call, CallStatus, Outcome, Task

RIGHT = "def greet(name):\n    print('Hello,', name)\n"
WRONG = "def greet(name):\n    print('Bye,', name)\n"
SILENT = "def greet(name):\n    return 'Hello, ' + name\n"
RAISING = "def greet(name):\n    print('Hello,', name)\n    raise ValueError(name)\n"

CAPSYS = """
def test_greets(capsys):
    greet("Ann")
    assert capsys.readouterr().out == "Hello, Ann\\n"
    greet("Bob")
    with capsys.disabled():
        print("unseen")
    captured = capsys.readouterr()
    assert captured.out == "Hello, Bob\\n" and captured.err == ""
"""
REDIRECTED = """
import io
from contextlib import redirect_stdout

def check(candidate):
    for name in ("Ann", "Bob"):
        with redirect_stdout(io.StringIO()) as said:
            candidate(name)
        assert said.getvalue() == f"Hello, {name}\\n"
"""
PATCHED = """
import unittest
from io import StringIO
from unittest.mock import patch

class TestGreet(unittest.TestCase):
    @patch("sys.stdout", new_callable=StringIO)
    def test_greets(self, said):
        greet("Ann")
        self.assertEqual(said.getvalue().strip(), "Hello, Ann")
"""
BY_HAND = """
import io, sys

def check(candidate):
    before, sys.stdout = sys.stdout, io.StringIO()
    candidate("Ann")
    said, sys.stdout = sys.stdout.getvalue(), before
    assert "Hello, Ann" in said
"""


def task(tests: str | tuple[str, ...]) -> Task:
    return Task("t/1", "", "greet", RIGHT, tests)


@pytest.mark.parametrize("tests", [CAPSYS, REDIRECTED, PATCHED, BY_HAND], ids=["capsys", "redirect", "patch", "hand"])
def test_what_is_printed_is_what_the_tests_read(sandbox: Sandbox, tests: str) -> None:
    assert judge(sandbox, RIGHT, task(tests)).passed
    for source in (WRONG, SILENT):
        assert judge(sandbox, source, task(tests)).outcome is Outcome.WRONG_ANSWER


def test_what_was_printed_before_an_exception_is_seen_too(sandbox: Sandbox) -> None:
    tests = """
def test_greets(capsys):
    try:
        greet("Ann")
    except ValueError:
        pass
    assert capsys.readouterr().out == "Hello, Ann\\n"
"""
    assert judge(sandbox, RAISING, task(tests)).passed


def test_prints_are_bounded(sandbox: Sandbox) -> None:
    source = f"def greet(name):\n    print('x' * {wire.MAX_PRINTED})\n"
    arguments = wire.encode((("Ann",), {}))
    heard, cut = (sandbox.run_calls(program, [Call("greet", arguments, wire.HEARD)])[0] for program in (RIGHT, source))
    assert (heard.status, heard.printed) == (CallStatus.VALUE, "Hello, Ann\n")
    assert (cut.status, cut.printed) == (CallStatus.REFUSED, "")
    assert "prints, warns and logs more" in cut.error_message
    assert len(cut.error_message) <= MAX_MESSAGE


def test_no_other_test_pays(sandbox: Sandbox) -> None:
    assert not compile_checks(task(("assert greet('Ann') is None",))).listens
    (plain,) = sandbox.run_calls(RIGHT, [Call("greet", wire.encode((("Ann",), {})), wire.LIVE)])
    assert (plain.status, plain.printed) == (CallStatus.VALUE, "")
