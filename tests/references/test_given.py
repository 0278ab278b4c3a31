"""Programs that the user gives: read strictly, and checked before they are compared with anything."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.references import Given, References
from egca_plugin.references.given import load_given
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task

LIBRARY = "def total(xs):\n    return sum(xs)\n"
POISON = "def total(xs):\n    return sum(xs) + 1\n"
DICE = "import random\ndef total(xs):\n    random.shuffle(xs)\n    return sum(xs)\n"
TASK = Task("t/0", "", "total", "", ("assert total([1, 2]) == 3", "assert total([1, 2, 3]) == 6"))


def test_a_wrong_one_is_never_compared_with(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    references = References(given=Given({"t/0": (POISON, LIBRARY, DICE)}, sandbox))
    with caplog.at_level(logging.WARNING):
        assert [(r.name, r.source) for r in references.pool(TASK)] == [("given:2", LIBRARY)]
    assert "t/0: given reference 1 is not used: it fails its tests (test 0" in caplog.text
    assert "t/0: given reference 3 is not used: two runs of it differ" in caplog.text


def test_each_is_judged_once_a_process(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    given = Given({"t/0": (LIBRARY,)}, sandbox)
    assert given.sound(TASK) == [(1, LIBRARY)]
    monkeypatch.setattr("egca_plugin.references.given.judge", lambda *a, **k: pytest.fail("judged again"))
    assert given.sound(TASK) == [(1, LIBRARY)]


def test_given_references_are_read_by_task(tmp_path: Path) -> None:
    path = tmp_path / "more.jsonl"
    path.write_text('{"task_id": "t/0", "source": "a"}\n\n{"task_id": "t/0", "source": "b"}\n')
    assert load_given(path) == {"t/0": ("a", "b")}


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"task_id": "t/0"}', '{"task_id": 1, "source": "a"}'])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "more.jsonl"
    path.write_text('{"task_id": "t/0", "source": "a"}\n' + line + "\n")
    with pytest.raises(TaskError, match=r"more\.jsonl:2: "):
        load_given(path)


def test_a_given_program_that_does_not_compile_is_named(tmp_path: Path) -> None:
    path = tmp_path / "more.jsonl"
    path.write_text('{"task_id": "t/0", "source": "def f(x) return x"}\n')
    with pytest.raises(TaskError, match=r"more\.jsonl:1, field source: does not compile \(line 1: "):
        load_given(path)
