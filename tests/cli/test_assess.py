"""``egca assess`` as a user runs it: files in, one line a sample out, and clear words for unusable input."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from egca_plugin import jsonl
from egca_plugin.cli.main import main

TASK = {
    "task_id": "double",
    "prompt": "Double x.",
    "entry_point": "double",
    "reference": "def double(x):\n    return 2 * x\n",
    "tests": ["assert double(2) == 4", "assert double(0) == 0", "assert double(5) == 10"],
    "setup": "",
}


Rows = list[dict[str, Any]]


def written(path: Path, rows: Rows) -> Path:
    path.write_bytes(b"".join(map(jsonl.line, rows)))
    return path


def read(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def command(tmp_path: Path, *options: str) -> list[str]:
    files = ["--tasks", str(tmp_path / "t.jsonl"), "--samples", str(tmp_path / "s.jsonl")]
    return ["assess", *files, "--out", str(tmp_path / "c.jsonl"), "--workers", "1", *options]


def run(tmp_path: Path, tasks: Rows, samples: Rows, *options: str) -> int:
    written(tmp_path / "t.jsonl", tasks)
    written(tmp_path / "s.jsonl", samples)
    return main(command(tmp_path, *options))


def test_one_line_a_sample_in_order_with_the_keys_that_came_along(tmp_path: Path) -> None:
    wrong = "```python\ndef double(x):\n    return 3 * x\n```"
    samples = [
        {"task_id": "double", "completion": wrong, "seed": 1},
        {"task_id": "double", "completion": TASK["reference"], "seed": 2},
        {"task_id": "double", "completion": "", "seed": 3},
    ]
    assert run(tmp_path, [TASK], samples) == 0
    lines = [json.loads(line) for line in (tmp_path / "c.jsonl").read_text().splitlines()]
    assert [line["seed"] for line in lines] == [1, 2, 3]
    assert [line["outcome"] for line in lines] == ["wrong_answer", "ok", "compile_error"]
    span = lines[0]["span"]
    assert wrong[span["start"] : span["end"]] in ("3", "3 * x")
    assert span["lines"] == [3, 3]
    assert lines[0]["verified"] is True
    assert "9" in lines[0]["divergence"]["message"] or "6" in lines[0]["divergence"]["message"]


@pytest.mark.parametrize(
    ("tasks", "samples", "message"),
    [
        ([TASK], [{"task_id": "triple", "completion": ""}], "s.jsonl:1, field task_id: 'triple' is no task of"),
        ([TASK], [{"task_id": "double"}], "s.jsonl:1, field completion: got nothing"),
        ([{k: v for k, v in TASK.items() if k != "task_id"}], [], "t.jsonl:1, field task_id: missing"),
        ([{**TASK, "tests": []}], [], "t.jsonl:1, field tests"),
        ([TASK, TASK], [], "t.jsonl:2, field task_id: 'double' was given before"),
        (
            [TASK],
            [{"task_id": "double", "completion": "", "passed": 1}],
            "sample 1, field passed: `egca assess` writes",
        ),
    ],
)
def test_unusable_input_is_exit_2_and_names_file_line_and_field(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    tasks: Rows,
    samples: Rows,
    message: str,
) -> None:
    assert run(tmp_path, tasks, samples) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "c.jsonl").exists()


def test_no_samples_at_all_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, [TASK], []) == 2
    assert "s.jsonl: got no sample, expected one JSON object a line" in capsys.readouterr().err
    assert not (tmp_path / "c.jsonl").exists()


def test_a_task_that_cannot_be_judged_gets_lines_too_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {**TASK, "task_id": "bad", "tests": ["assert double(<tree at 0x7f00>) == 4"]}
    samples: Rows = [{"task_id": task_id, "completion": TASK["reference"]} for task_id in ("double", "bad", "double")]
    assert run(tmp_path, [TASK, bad], samples) == 0
    assert [line["outcome"] for line in read(tmp_path / "c.jsonl")] == ["ok", "unjudgeable", "ok"]
    assert "task 'bad': 1 samples without a verdict: bad: tests[0]: got source" in capsys.readouterr().err


def test_neither_prompt_nor_reference_nor_entry_point_is_needed(tmp_path: Path) -> None:
    task = {"task_id": "double", "tests": TASK["tests"], "difficulty": "easy"}
    assert run(tmp_path, [task], [{"task_id": "double", "completion": TASK["reference"]}]) == 0
    assert [line["outcome"] for line in read(tmp_path / "c.jsonl")] == ["ok"]


def test_evalplus_samples_and_half_a_surrogate_pair_are_judged(tmp_path: Path) -> None:
    samples: Rows = [
        {"task_id": "double", "solution": TASK["reference"], "_identifier": "double (line 1)"},
        {"task_id": "double", "completion": f"{TASK['reference']}\n# \ud83d", "note": "\ud83d"},
    ]
    assert run(tmp_path, [TASK], samples) == 0
    lines = read(tmp_path / "c.jsonl")
    assert [line["outcome"] for line in lines] == ["ok", "compile_error"], "as Python has it"
    assert (lines[0]["_identifier"], lines[1]["note"]) == ("double (line 1)", "\ud83d")
    assert "solution" not in lines[0]


def test_prints_of_tests_setups_and_references_are_not_the_commands(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    check = "print('tests')\ndef check(candidate):\n    print('testing', candidate(1))\n    assert candidate(2) == 4\n"
    loud = {**TASK, "reference": "print('loaded')\n" + TASK["reference"], "tests": check, "setup": "print('setup')"}
    assert run(tmp_path, [loud], [{"task_id": "double", "completion": "print(1)\n" + loud["reference"]}]) == 0
    assert capfd.readouterr().out == ""
    for other in (
        ["preflight", str(tmp_path / "t.jsonl")],
        ["eval", str(tmp_path / "t.jsonl"), *command(tmp_path)[3:5]],
    ):
        assert main([*other, "--workers", "1", "--json"]) == 0
        assert json.loads(capfd.readouterr().out)


# --- going on -----------------------------------------------------------------------------------------------------

MANY = 240  # seconds, also on a fast host: it must not end before it is interrupted, however busy the machine is
SLOW = "def double(x):\n    for _ in range(800_000):\n        pass\n    return 2 * x\n"  # the sandbox's sleep is none
SAMPLES: Rows = [{"task_id": "double", "completion": f"{SLOW}# {n}\n", "n": n} for n in range(MANY)]


def without_times(lines: Rows) -> Rows:
    return [{**line, "ms": None} for line in lines]


def journal(tmp_path: Path) -> Path:
    return tmp_path / "c.jsonl.partial"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_an_interrupted_run_judged_is_kept_and_gone_on_with(
    number: signal.Signals, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "t.jsonl", [TASK])
    written(tmp_path / "s.jsonl", SAMPLES)
    with subprocess.Popen(
        [sys.executable, "-m", "egca_plugin.cli.main", *command(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # which a suite in the background ignores
    ) as process:
        began = time.monotonic()
        while not (journal(tmp_path).exists() and journal(tmp_path).read_bytes().count(b"\n") > 3):
            assert time.monotonic() - began < 60
            time.sleep(0.02)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert not (tmp_path / "c.jsonl").exists()
    if number is not signal.SIGKILL:
        assert process.returncode == 130
        assert f"of {MANY} samples are judged, and kept in" in said
        assert "with --resume goes on from there" in said
    kept = len(read(journal(tmp_path))) - 1
    assert 0 < kept < MANY
    with journal(tmp_path).open("ab") as file:
        file.write(b'{"at": 39, "of"')  # as a power cut leaves it
    assert main(command(tmp_path, "--resume")) == 0
    assert f"{kept} of {MANY} samples are judged already" in capsys.readouterr().err
    assert [line["n"] for line in read(tmp_path / "c.jsonl")] == list(range(MANY))
    assert {line["outcome"] for line in read(tmp_path / "c.jsonl")} == {"ok"}
    assert not journal(tmp_path).exists()


def interrupted(tmp_path: Path, kept: int) -> Rows:
    """A whole run's lines, and its journal as it was when ``kept`` of them were there."""
    assert run(tmp_path, [TASK], SAMPLES[:4]) == 0
    whole = read(tmp_path / "c.jsonl")
    (tmp_path / "c.jsonl").write_bytes(b"".join(map(jsonl.line, whole[:kept])) + b'{"task_id": "dou')
    return whole


def test_lines_of_the_output_itself_are_taken_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = interrupted(tmp_path, 2)
    assert main(command(tmp_path, "--resume")) == 0
    assert "2 lines are taken over; with which settings they were judged is not known" in capsys.readouterr().err
    lines = read(tmp_path / "c.jsonl")
    assert lines[:2] == whole[:2]
    assert without_times(lines) == without_times(whole)
    assert main(command(tmp_path, "--resume")) == 0
    assert read(tmp_path / "c.jsonl") == lines


def test_lines_of_other_samples_are_not_taken_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    interrupted(tmp_path, 2)
    written(tmp_path / "s.jsonl", SAMPLES[1:4])
    before = (tmp_path / "c.jsonl").read_bytes()
    assert main(command(tmp_path, "--resume")) == 2
    assert "c.jsonl:1: is no line of sample 1" in capsys.readouterr().err
    assert (tmp_path / "c.jsonl").read_bytes() == before


@pytest.fixture
def halted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A journal of two samples, of a run that was stopped behind the second."""
    from egca_plugin.cli import assess

    real = assess.assess_groups

    def stopped(*arguments: Any) -> Any:
        for number, results in real(*arguments):
            if number == 2:
                raise KeyboardInterrupt
            yield number, results

    with monkeypatch.context() as patched:
        patched.setattr(assess, "assess_groups", stopped)
        patched.setattr(assess, "GROUP", 1)
        assert run(tmp_path, [TASK], SAMPLES[:4]) == 130
    return tmp_path


def test_a_run_that_forgot_to_resume_destroys_nothing(halted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(command(halted)) == 2
    assert "holds 2 samples of an interrupted run; go on with --resume, or remove it" in capsys.readouterr().err
    assert main(command(halted, "--resume")) == 0
    assert "2 of 4 samples are judged already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "options", "told"),
    [
        (lambda folder: None, ["--preset", "paper"], "preset was 'verified' and is 'paper'"),
        (lambda folder: None, ["--timeout", "2"], "sandbox.timeout_s was 3.0 and is 2.0"),
        (lambda folder: written(folder / "s.jsonl", SAMPLES[1:4]), [], "was judged with another sample 1"),
        (lambda folder: written(folder / "t.jsonl", [{**TASK, "setup": "x = 1"}]), [], "another text of its task"),
    ],
)
def test_going_on_with_something_else_is_refused(
    change: Any, options: list[str], told: str, halted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    change(halted)
    before = journal(halted).read_bytes()
    assert main(command(halted, "--resume", *options)) == 2
    assert told in capsys.readouterr().err
    assert journal(halted).read_bytes() == before


def test_more_samples_at_the_end_and_other_workers_may_come(halted: Path) -> None:
    written(halted / "s.jsonl", SAMPLES[:5])
    assert main([*command(halted), "--workers", "2", "--resume"]) == 0
    assert len(read(halted / "c.jsonl")) == 5


def test_two_runs_into_one_file_do_not_mix(halted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from egca_plugin.cli.journal import Journal

    other = Journal(halted / "c.jsonl", {}, [])
    assert main(command(halted, "--resume")) == 2
    assert "another egca assess is writing there" in capsys.readouterr().err
    other.close()


def test_samples_without_a_verdict_are_judged_again(halted: Path) -> None:
    head, first, second = read(journal(halted))
    first["line"]["outcome"] = "infrastructure"
    written(journal(halted), [head, first, second])
    assert main(command(halted, "--resume")) == 0
    assert [line["outcome"] for line in read(halted / "c.jsonl")] == ["ok"] * 4


def test_standard_output_has_nothing_to_go_on_with(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    written(tmp_path / "t.jsonl", [TASK])
    written(tmp_path / "s.jsonl", SAMPLES[:3])
    assert main([*command(tmp_path), "--out", "-", "--resume"]) == 2
    assert "holds nothing to go on with" in capfd.readouterr().err
    process = subprocess.run(
        [sys.executable, "-m", "egca_plugin.cli.main", *command(tmp_path), "--out", "-"],
        capture_output=True,
        check=True,
    )
    assert [json.loads(line)["n"] for line in process.stdout.splitlines()] == [0, 1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s.jsonl", "t.jsonl"]
