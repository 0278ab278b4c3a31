from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from egca_plugin.adapters import host
from egca_plugin.cli import demo, live
from egca_plugin.cli.main import main

pytest.importorskip("psutil")
from egca_plugin.adapters.verl import launch

METRICS = (
    "step:{} - egca/pass_rate:0.25 - egca/mode/correct:0.25 - egca/mode/logic:0.5 - egca/mode/syntax:0.25 - "
    "egca/mode/constraint:0.0 - egca/credited_tokens:0.125 - egca/verified:1.0 - timing_s/gen:20.4 - "
    "timing_s/old_log_prob:9.0 - timing_s/update_actor:25.2 - timing_s/update_weights:3.0 - timing_s/step:59.0"
)
RECORD = {
    "step": 1, "key": "a_0_0", "task_id": "starter/square", "completion": "def square(n):\n    return n + n",
    "mode": "logic", "reward": 0.0, "passed": False, "outcome": "wrong_answer", "span": {"start": 26, "end": 31},
    "spans": [{"start": 26, "end": 31, "lines": [2, 2]}], "verified": True, "confidence": 1.0, "reason": None,
    "divergence": {"message": "n + n is 6, expected 9", "line": 2}, "patch": "n + n -> n * n", "fallback": None,
    "tokens": 12,
    "token_spans": [[8, 11]], "credited_text": ["n + n"], "credited_tokens": 3, "moved": True,
    "group_advantage": -0.7, "tests_passed": 1, "tests_total": 3, "ms": {},
}  # fmt: skip


@pytest.fixture
def a_host_with_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "available_memory", lambda: 64 * host.GIB)
    monkeypatch.setattr(demo, "_require_verl", lambda: None)
    monkeypatch.setattr(demo, "_check_model", lambda folder: None)


def pretend_verl(monkeypatch: pytest.MonkeyPatch, body: Callable[[launch.CpuRun, launch.OnLine], int]) -> None:
    monkeypatch.setattr(launch, "run", lambda settings, on_line, **_: body(settings, on_line))


def train(*arguments: str) -> int:
    return main(["demo", "--model", "model", *arguments])


@pytest.mark.usefixtures("a_host_with_room")
def test_one_line_a_step_then_a_table_and_an_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(settings: launch.CpuRun, on_line: launch.OnLine) -> int:
        assert settings.train.is_file()
        assert settings.records is not None
        settings.records.mkdir()
        (settings.records / "credits-host-1.jsonl").write_text(json.dumps(RECORD) + "\n")
        for line in ("noise", METRICS.format(1), METRICS.format(2)):
            on_line(line)
        return 0

    pretend_verl(monkeypatch, body)
    assert train("--steps", "2", "--out", str(tmp_path / "run"), "--json") == 0
    captured = capsys.readouterr()
    assert "step 1/2: pass 25% | correct 25%, logic 50%, syntax 25%, constraint 0%" in captured.err
    assert "59 s (rollout 20, log-probs 9, update 25, weight sync 3)" in captured.err
    assert "n + n is 6, expected 9" in captured.err
    assert "records" in captured.err
    said = json.loads(captured.out)
    assert [step["number"] for step in said["steps"]] == [1, 2]
    assert (tmp_path / "run" / "verl.log").read_text().startswith("noise\n")


@pytest.mark.usefixtures("a_host_with_room")
def test_verls_last_words_are_shown_when_it_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def body(settings: launch.CpuRun, on_line: launch.OnLine) -> int:
        on_line("ValueError: it broke")
        return 1

    pretend_verl(monkeypatch, body)
    assert train("--out", str(tmp_path / "run")) == 1
    err = capsys.readouterr().err
    assert "verl ended with exit code 1 after 0 of 3 steps" in err
    assert "ValueError: it broke" in err


@pytest.mark.usefixtures("a_host_with_room")
def test_fewer_steps_than_asked_is_no_success(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_verl(monkeypatch, lambda settings, on_line: 0)
    assert train("--out", str(tmp_path / "run")) == 1


@pytest.mark.usefixtures("a_host_with_room")
def test_ctrl_c_is_handed_to_the_launcher_and_ends_with_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def body(settings: launch.CpuRun, on_line: launch.OnLine) -> int:
        raise KeyboardInterrupt

    pretend_verl(monkeypatch, body)
    assert train("--out", str(tmp_path / "run")) == 130


def test_too_little_memory_is_said_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(demo, "_require_verl", lambda: None)
    monkeypatch.setattr(demo, "_check_model", lambda folder: None)
    monkeypatch.setattr(host, "available_memory", lambda: 4 * host.GIB)
    assert train("--out", str(tmp_path / "run")) == 2
    assert "egca demo needs 11.0 GiB of free memory; 4.0 GiB are available" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


@pytest.mark.usefixtures("a_host_with_room")
def test_the_records_of_an_earlier_run_are_not_mixed_with_new_ones(tmp_path: Path) -> None:
    (tmp_path / "records").mkdir()
    assert train("--out", str(tmp_path)) == 2


@pytest.mark.usefixtures("a_host_with_room")
@pytest.mark.parametrize("arguments", [["--steps", "0"], ["--samples", "1"]])
def test_settings_without_sense_are_misuse(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        train(*arguments)
    assert stopped.value.code == 2


def changed(**values: Any) -> dict[str, Any]:
    return {**RECORD, **values}


def test_the_example_is_the_narrowest_verified_logic_error() -> None:
    wide = changed(credited_tokens=9)
    unproved = changed(verified=False, credited_tokens=1)
    uniform = changed(span=None, spans=[], moved=False)
    idle = changed(group_advantage=0.0, credited_tokens=1)  # its whole group failed: no advantage to place
    assert live.best_example([uniform, wide, unproved, idle, RECORD]) == RECORD
    assert live.best_example([uniform]) is None


def test_the_tables_read_well_without_colour() -> None:
    console = Console(width=160, record=True, file=io.StringIO())
    console.print(live.records_table([RECORD, changed(mode="correct", span=None, verified=False, credited_tokens=0)]))
    text = console.export_text()
    assert "2 samples" in text
    assert "25%" in text  # 3 of the 12 tokens of the logic sample


def test_a_hostile_sample_is_shown_and_does_nothing_to_the_terminal() -> None:
    """Escapes and markup in a completion, a task's id and a patch are text; the blame stays on its characters."""
    bell = "x = '\x1b]0;owned\x07[red]'  # "
    shifted = [{**span, "start": span["start"] + len(bell), "end": span["end"] + len(bell)} for span in RECORD["spans"]]
    record = changed(
        task_id="[link=http://x]\x1b[2J", completion=bell + RECORD["completion"], spans=shifted, patch="\x1b[31m -> [b]"
    )
    panel = live.example(record)
    console = Console(width=160, record=True, file=io.StringIO(), force_terminal=True)
    console.print(panel)
    console.print(live.records_table([changed(reason="[red]\x1b[31m")]))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b]" not in said
    assert "\x1b[2J" not in said
    text = console.export_text(clear=False)
    assert r"[link=http://x]\x1b[2J" in text
    assert r"\x1b]0;owned\x07[red]" in text
    assert r"\x1b[31m -> [b]" in text
    assert r"[red]\x1b[31m 1" in text
