"""What is said of a batch: the alarm once it is due, records that could not be written, samples that never came."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch

from egca_plugin.adapters.observer import Observer, caution
from egca_plugin.adapters.samples import Row, Scope
from egca_plugin.adapters.unjudged import bad_task
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import EgcaError, TaskError
from egca_plugin.monitor.alarm import WARM_UP
from egca_plugin.types import Credit, Mode, Outcome

RIGHT = Credit(Mode.CORRECT, 1.0, Outcome.OK, 2, 2)
WRONG = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 1, 2)
CHEAT = Credit(Mode.CORRECT, 1.0, Outcome.OK, 2, 2, anomalies=("memorises_tests",))


class Words:
    """As much of a tokenizer as a record needs."""

    all_special_ids: tuple[int, ...] = ()
    added_tokens_decoder: dict[int, Any] = {}  # noqa: RUF012

    def decode(self, ids: Any, **how: Any) -> str:
        return " ".join(map(str, ids))


def observe(observer: Observer, step: int, *credits: Credit, lost: int = 0) -> dict[str, float]:
    rows = [Row(credit, f"task/{k}", (), 2) for k, credit in enumerate(credits)]
    keys = [f"uid{step}_{k}_0" for k in range(len(rows))]
    responses = [torch.tensor([1, 2])] * len(rows)
    return observer.observe(step, Scope(EgcaConfig(), True, rows, keys), keys, responses, range(len(rows)), lost)


def test_the_alarm_names_the_records_to_look_at(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    observer = Observer(str(tmp_path), Words())
    for step in range(WARM_UP):
        assert observe(observer, step, RIGHT, WRONG, WRONG, WRONG)["egca/hack_alarm"] == 0
    assert "ALARM" not in caplog.text
    metrics = observe(observer, 11, RIGHT, CHEAT, CHEAT, WRONG)
    assert (metrics["egca/hack_alarm"], metrics["egca/anomalous"], metrics["egca/anomaly/memorises_tests"]) == (
        1,
        0.5,
        0.5,
    )
    (said,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    for part in ("step 11: HACK ALARM", "memorises_tests 2", str(tmp_path), "task/1 (uid11_1_0), task/2 (uid11_2_0)"):
        assert part in said.getMessage()


def test_a_full_disk_is_said_once_and_what_is_lost_is_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    observer = Observer(str(tmp_path), Words())
    assert observe(observer, 1, RIGHT, WRONG)["egca/records_lost"] == 0
    records: Any = observer._records
    on_disk, records._file = records._file, Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115
    assert observe(observer, 2, RIGHT, WRONG)["egca/records_lost"] == 2
    assert observe(observer, 3, RIGHT, WRONG)["egca/records_lost"] == 2
    assert caplog.text.count("training goes on, but records are lost") == 1
    assert "No space left on device; free some disk" in caplog.text
    records._file = on_disk
    assert observe(observer, 4, RIGHT, WRONG)["egca/records_lost"] == 0
    (file,) = tmp_path.glob("credits-*.jsonl")
    assert len(file.read_text().splitlines()) == 4, "two of step 1, two of step 4"


def test_samples_that_never_came_are_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    metrics = observe(Observer(""), 1, RIGHT, lost=3)
    assert metrics["egca/lost_samples"] == 3
    assert "egca: step 1: 3 samples were given up" in caplog.text
    assert "egca/records_lost" not in metrics, "none are kept"


def test_a_run_none_of_whose_tasks_can_be_used_stops_and_a_bad_task_later_does_not() -> None:
    bad = bad_task(TaskError("t, field tests: no test"))
    with pytest.raises(TaskError, match=r"none of the first 2 samples can be used.*t, field tests: no test"):
        observe(Observer(""), 1, bad, bad)
    observer = Observer("")
    assert observe(observer, 1, bad, WRONG)["egca/abstained/bad_task"] == 0.5
    assert observe(observer, 2, bad, bad)["egca/abstained/bad_task"] == 1.0


def test_rows_that_are_no_code_are_counted_apart(tmp_path: Path) -> None:
    observer = Observer(str(tmp_path), Words())
    rows = [Row(RIGHT, "t", (), 2), Row.of_another_scorer("verl", 0.0, 2), Row.of_another_scorer("verl", 1.0, 2)]
    keys, responses = ["a_0_0", "b_0_0", "c_0_0"], [torch.tensor([1, 2])] * 3
    metrics = observer.observe(1, Scope(EgcaConfig(), True, rows, keys), keys, responses, range(3))
    assert (metrics["egca/no_code"], metrics["egca/pass_rate"]) == (2 / 3, 1.0)
    assert metrics["egca/fallback/no_credit"] == 0
    (file,) = tmp_path.glob("credits-*.jsonl")
    assert len(file.read_text().splitlines()) == 1


def test_a_place_that_cannot_be_written_is_refused_at_the_start() -> None:
    with pytest.raises(EgcaError, match=r"egca.records: cannot write to /dev/null"):
        Observer("/dev/null/records")


def test_a_setting_that_was_measured_to_harm_is_said_to_where_the_run_starts(caplog: pytest.LogCaptureFixture) -> None:
    caution(EgcaConfig())
    assert not caplog.messages
    caution(EgcaConfig(preset="paper"))
    (line,) = caplog.messages
    assert "egca.scale=conserve" in line
    assert "worse than plain GRPO" in line
