"""verl's data set rows: names that are taken, rows that are bad or no code, and the mark of what is validation."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

datasets = pytest.importorskip("datasets")
pytest.importorskip("omegaconf")

import tiny_policy as policy  # noqa: E402
from omegaconf import OmegaConf  # noqa: E402

from egca_plugin.adapters.verl import channel, rows  # noqa: E402
from egca_plugin.errors import ConfigError, TaskError  # noqa: E402
from egca_plugin.tasks import parquet  # noqa: E402
from egca_plugin.types import Credit, Mode, Outcome  # noqa: E402

OURS = parquet.row(policy.TASKS[0], data_source="t", split="train", index=0)


def row(truth: Any, source: str, index: int = 0) -> dict[str, Any]:
    text = truth if isinstance(truth, str) else json.dumps(truth)
    return {**OURS, "data_source": source, "reward_model": {"style": "rule", "ground_truth": text}, "extra_info": {
        "index": index, "split": "train", "task_id": ""}}  # fmt: skip


STDIN = row({"inputs": ["1\n"], "outputs": ["2\n"]}, "taco")
BAD = row({"inputs": ["1\n"], "outputs": []}, "taco", 17)
MATHS = row("42", "openai/gsm8k")


def frame(*given: dict[str, Any], **columns: Any) -> Any:
    return datasets.Dataset.from_list([{**one, **columns} for one in given or [OURS, OURS]])


def check(train: Any, val: Any = None, bad_rows: float = 0.05, **reward: Any) -> None:
    config = {"reward_manager": {"source": "register"}, "custom_reward_function": {"path": None}, **reward}
    held = [SimpleNamespace(dataframe=one) for one in (train, frame() if val is None else val)]
    rows.check_datasets(OmegaConf.create({"reward": config}), *held, bad_rows)


def test_rows_with_columns_of_their_own_pass() -> None:
    check(frame(difficulty=3))


@pytest.mark.parametrize("name", [*channel.COLUMNS, rows.VALIDATION])
def test_a_column_that_would_be_overwritten_is_refused(name: str) -> None:
    with pytest.raises(TaskError, match=f"data.val_files: the column {name} has a name that EGCA uses"):
        check(frame(), frame(**{name: 1.0}))


def test_rows_without_a_column_for_the_tests() -> None:
    with pytest.raises(TaskError, match=r"data.train_files: the rows have no column reward_model \(got question\)"):
        check(datasets.Dataset.from_list([{"question": "q"}]))


def test_mixed_data_is_counted_and_who_scores_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("verl")
    with caplog.at_level(logging.WARNING):
        check(frame(OURS, STDIN, MATHS))
    assert (
        "data.train_files: 3 rows: 1 function, 1 stdin, 1 with a reference; no code: 1 of openai/gsm8k" in caplog.text
    )
    assert "rows of openai/gsm8k are no code: verl's own scorer rewards them" in caplog.text


def test_rows_that_nobody_scores_are_refused_at_the_start() -> None:
    pytest.importorskip("verl")
    unknown = row("42", "my/maths")
    with pytest.raises(TaskError, match=r"data.train_files: 2 rows of data_source 'my/maths' .*cannot score them"):
        check(frame(OURS, unknown, unknown))
    check(frame(OURS, unknown), custom_reward_function={"path": "mine.py"})


def test_a_reward_function_that_no_row_would_ask_is_refused() -> None:
    named = {"custom_reward_function": {"path": "mine.py"}}
    with pytest.raises(ConfigError, match=r"got mine\.py, which would never be called: every row is code"):
        check(frame(), **named)
    check(frame(), **named, reward_model={"enable": True})
    check(frame(), custom_reward_function={"path": "mine.py"}, reward_manager={"source": "importlib"})


def test_a_few_bad_rows_are_named_and_many_are_refused(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        check(frame(*[STDIN] * 19, BAD))
    assert "1 that cannot be read" in caplog.text
    assert "data.train_files, row 19 (taco, index 17), reward_model.ground_truth: got 1 inputs and 0" in caplog.text
    with pytest.raises(TaskError, match=r"2 of 20 rows cannot be read, and egca.bad_rows=0.05 allows 1(.|\n)*row 18"):
        check(frame(*[STDIN] * 18, BAD, BAD))
    with pytest.raises(TaskError, match=r"1 of 20 rows cannot be read, and egca.bad_rows=0 allows 0"):
        check(frame(*[STDIN] * 19, BAD), bad_rows=0)


def test_the_names_are_those_that_are_sent() -> None:
    assert tuple(channel.pack(channel.Row(Credit(Mode.CORRECT, 1.0, Outcome.OK, 1, 1), "t"))) == channel.COLUMNS


def test_every_validation_row_is_marked() -> None:
    dataset = SimpleNamespace(dataframe=frame())
    rows.mark_validation(dataset)
    assert [row[rows.VALIDATION] for row in dataset.dataframe] == [True, True]
