"""Fixtures of pytest's own: one that a test only names is no reason to refuse it."""

from __future__ import annotations

import pytest

from egca_plugin.errors import TaskError
from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task, Verdict

RIGHT = "def f(x): return x + 1"


def judged(sandbox: Sandbox, tests: str) -> Verdict:
    return judge(sandbox, RIGHT, Task("t/1", "", "f", RIGHT, tests), timeout_s=1.0)


@pytest.mark.parametrize("name", ["request", "monkeypatch", "tmp_path", "caplog"])
def test_one_that_is_only_named_is_as_good_as_none(sandbox: Sandbox, name: str) -> None:
    tests = f"""
import pytest

@pytest.fixture
def start({name}):
    return 1

def test_function({name}, start):
    assert f(start) == 2

class TestClass:
    @pytest.mark.usefixtures("{name}")
    def test_method(self, {name}):
        assert f(1) == 2
"""
    assert judged(sandbox, tests).tests_passed == 2


@pytest.mark.parametrize(
    "use",
    ["tmp_path.mkdir()", "print(tmp_path)", "(lambda: tmp_path)()", "[n for n in range(2) if tmp_path]"],
)
def test_one_that_is_used_is_refused_by_its_name(sandbox: Sandbox, use: str) -> None:
    with pytest.raises(TaskError, match="got the fixture 'tmp_path'"):
        judged(sandbox, f"def test_f(tmp_path):\n    {use}\n    assert f(1) == 2\n")


def test_one_that_nobody_knows_is_refused_though_it_is_not_used(sandbox: Sandbox) -> None:
    with pytest.raises(TaskError, match="got the fixture 'mocker'"):
        judged(sandbox, "def test_f(mocker):\n    assert f(1) == 2\n")


def test_the_tests_own_of_such_a_name_is_theirs(sandbox: Sandbox) -> None:
    fixture = "import pytest\n@pytest.fixture\ndef cache():\n    return made.append(1)\nmade = []\n"
    assert judged(sandbox, f"{fixture}def test_f(cache):\n    assert (f(1), made) == (2, [1])\n").passed
