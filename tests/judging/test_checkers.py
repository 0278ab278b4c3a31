"""Checkers: several right outputs, and what goes wrong in one stays its own."""

from __future__ import annotations

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.judging import checkers, checking
from egca_plugin.judging.checkers import Checker

ANY_ORDER = "def check(stdin, output, expected):\n    return sorted(output.split()) == sorted(expected.split())"


def ask(source: str, output: bytes, *expected: str) -> str:
    with Checker(source, "t/1") as checker:
        return checker.difference("3", output, expected)


def test_what_it_accepts() -> None:
    assert ask(ANY_ORDER, b"2 1", "1 2") == ""
    assert ask(ANY_ORDER, b"2 3", "1 2", "3 2") == ""
    assert ask(ANY_ORDER, b"2 3", "1 2") == "the checker refuses it"
    assert ask("def check(stdin, output, expected): return int(stdin) == len(output) and not expected", b"abc") == ""


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return int(output) > 0", "the checker raised ValueError: invalid literal"),
        ("return 1", "the checker gave int, expected a bool"),
        ("raise SystemExit", "the checker raised SystemExit"),
        ("print('x' * 10 ** 6); return False", "the checker refuses it"),
        ("return len('x' * 10 ** 11) > 0", "the checker raised MemoryError"),
        ("import os; os._exit(0)", "the checker came to no end"),
    ],
)
def test_what_fails_over_an_output_has_not_accepted_it(body: str, why: str) -> None:
    assert ask(f"def check(stdin, output, expected):\n    {body}", b"hostile", "1").startswith(why)


def test_the_next_output_is_checked_after_one_that_ended_the_process() -> None:
    source = "import os\ndef check(stdin, output, expected):\n    if output == 'a': os._exit(1)\n    return True"
    with Checker(source, "t/1") as checker:
        assert checker.difference("", b"a", ("",))
        assert checker.difference("", b"b", ("",)) == ""


def test_its_time_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "WAITING", 0.3)
    assert "no end within" in ask("def check(stdin, output, expected):\n    while True: pass", b"1", "1")
    assert checking.CPU_S < 10


def test_a_large_output_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "MAX_OUTPUT", 10)
    assert (
        ask("def check(stdin, output, expected): return True", b"x" * 11)
        == "the checker reads at most 10 bytes, got 11"
    )


@pytest.mark.parametrize(
    "source", ["x = ", "def test(a, b, c): return True", "1 / 0", "check = 3", "import nothing_like_it"]
)
def test_a_checker_that_is_none_is_the_tasks_fault(source: str) -> None:
    with pytest.raises(TaskError, match="t/1, field checker: "):
        ask(source, b"1", "1")
