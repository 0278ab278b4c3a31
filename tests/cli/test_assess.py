"""``egca assess`` as a user runs it: files in, one line a sample out, and clear words for unusable input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from egca_plugin.cli.main import main

TASK = {
    "task_id": "double",
    "prompt": "Double x.",
    "entry_point": "double",
    "reference": "def double(x):\n    return 2 * x\n",
    "tests": ["assert double(2) == 4", "assert double(0) == 0", "assert double(5) == 10"],
    "setup": "",
}


def jsonl(path: Path, rows: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(tmp_path: Path, tasks: list[dict[str, object]], samples: list[dict[str, object]], *options: str) -> int:
    files = ["--tasks", str(jsonl(tmp_path / "t.jsonl", tasks)), "--samples", str(jsonl(tmp_path / "s.jsonl", samples))]
    return main(["assess", *files, "--out", str(tmp_path / "c.jsonl"), "--workers", "1", *options])


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
        ([{k: v for k, v in TASK.items() if k != "reference"}], [], "t.jsonl:1, field reference: missing"),
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
    tasks: list[dict[str, object]],
    samples: list[dict[str, object]],
    message: str,
) -> None:
    assert run(tmp_path, tasks, samples) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / "c.jsonl").exists()


def test_no_samples_at_all_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, [TASK], []) == 2
    assert "s.jsonl: got no sample, expected one JSON object a line" in capsys.readouterr().err
    assert not (tmp_path / "c.jsonl").exists()
