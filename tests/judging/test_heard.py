"""Tests that listen to standard error, to warnings and to logs hear the program, and nobody else's noise."""

from __future__ import annotations

import pytest

from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import records
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import CallStatus, Outcome, Task

RIGHT = """
import logging, sys, warnings

logger = logging.getLogger(__name__)

def f(x):
    if x < 0:
        print("negative", file=sys.stderr)
        warnings.warn("negative is old", DeprecationWarning)
        logger.warning("got %s", x)
        logger.debug("fine")
    return abs(x)
"""
MUTE = {
    "error": RIGHT.replace('print("negative", file=sys.stderr)', "pass"),
    "warning": RIGHT.replace('warnings.warn("negative is old", DeprecationWarning)', "pass"),
    "log": RIGHT.replace('logger.warning("got %s", x)', "pass"),
}
TESTS = {
    "capsys": ("error", """
from solution import f

def test_f(capsys):
    assert f(-1) == 1
    assert capsys.readouterr() == ("", "negative\\n")
"""),
    "pytest.warns": ("warning", """
import pytest
from solution import f

def test_f():
    with pytest.warns(DeprecationWarning, match="old"):
        assert f(-1) == 1
"""),
    "assertWarns": ("warning", """
import unittest
from solution import f

class TestF(unittest.TestCase):
    def test_f(self):
        with self.assertWarns(DeprecationWarning):
            self.assertEqual(f(-1), 1)
"""),
    "catch_warnings": ("warning", """
import warnings
from solution import f

def test_f():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert f(1) == 1 and not caught
        assert f(-1) == 1
    (one,) = caught
    assert issubclass(one.category, DeprecationWarning) and "old" in str(one.message)
"""),
    "assertLogs": ("log", """
import unittest
from solution import f

class TestF(unittest.TestCase):
    def test_f(self):
        with self.assertLogs("solution", level="INFO") as heard:
            self.assertEqual(f(-1), 1)
        self.assertEqual(heard.output, ["WARNING:solution:got -1"])
        with self.assertLogs(level="DEBUG") as heard:
            f(-2)
        self.assertEqual(len(heard.records), 2)
"""),
}  # fmt: skip


@pytest.mark.parametrize("reference", [RIGHT, ""], ids=["with a reference", "without"])
@pytest.mark.parametrize("name", TESTS)
def test_what_the_program_says_is_what_they_hear(sandbox: Sandbox, name: str, reference: str) -> None:
    kind, tests = TESTS[name]
    task = Task("t/1", "Write f(x).", "f", reference, tests)
    assert judge(sandbox, RIGHT, task).passed
    for muted, source in MUTE.items():
        outcome = judge(sandbox, source, task).outcome
        assert outcome is (Outcome.WRONG_ANSWER if muted == kind else Outcome.OK), (muted, outcome)


def test_a_warning_class_of_the_programs_own_is_the_tests(sandbox: Sandbox) -> None:
    source = (
        "import warnings\n\nclass Old(UserWarning):\n    pass\n\n"
        "def f(x):\n    warnings.warn('old', Old)\n    return x\n"
    )
    tests = (
        "import pytest\nfrom solution import Old, f\n\n"
        "def test_f():\n    with pytest.warns(Old):\n        assert f(1) == 1\n"
    )
    task = Task("t/1", "Write f(x).", "f", source, tests)
    assert judge(sandbox, source, task).passed
    assert judge(sandbox, source.replace("'old', Old", "'old'"), task).outcome is Outcome.WRONG_ANSWER


def test_a_program_that_makes_warnings_errors_meets_them(sandbox: Sandbox) -> None:
    source = "import warnings\nwarnings.simplefilter('error')\n\ndef f(x):\n    warnings.warn('no')\n    return x\n"
    tests = (
        "import pytest\nfrom solution import f\n\ndef test_f():\n    with pytest.warns(UserWarning):\n        f(1)\n"
    )
    assert judge(sandbox, source, Task("t/1", "", "f", "", tests)).outcome is not Outcome.OK


def test_such_tests_get_a_process_of_their_own_and_others_pay_nothing() -> None:
    for kind, tests in TESTS.values():
        checks = compile_checks(Task("t/1", "", "f", RIGHT, tests))
        assert checks.listens
        assert checks.pure is (kind == "error")
    assert not compile_checks(Task("t/1", "", "f", RIGHT, ("assert f(1) == 1",))).listens


@pytest.mark.parametrize(
    "notes",
    [
        (("warning", "UserWarning", "UserWarning", "x"),),
        (("log", "root", "", "x", -1),),
        (("log", "root", "", "x", True),),
        (("log", "a." * 101, "", "x", 10),),
        ("abcde",),
        (("log", "root", "", "x", 10),) * (wire.MAX_NOTES + 1),
        (("log", "root", "", "x" * wire.MAX_PRINTED, 10), ("log", "root", "", "y", 10)),
    ],
    ids=["short", "level", "bool", "name", "text", "many", "long"],
)
def test_notes_of_another_form_are_refused(notes: tuple[object, ...]) -> None:
    value = wire.encode(None)
    heard = ("value", value, b"", "", "", "", None, 0, (), (), "", "", notes, 0)
    assert records.read(wire.encode(heard, max_bytes=1 << 24)).result.status is CallStatus.REFUSED
    ok = (*heard[:-2], (("log", "root", "", "x", 10),), 0)
    assert records.read(wire.encode(ok)).result.notes == (("log", "root", "", "x", 10),)
