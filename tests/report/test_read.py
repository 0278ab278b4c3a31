"""Reading records: files and directories, texts brought in from the samples, and lines that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import report_records as make

from egca_plugin.errors import SampleError
from egca_plugin.report.read import load
from egca_plugin.tasks.files import Sample, dump_samples


def test_a_credits_file_is_read_in_its_order(tmp_path: Path) -> None:
    records = load(make.write(tmp_path / "c.jsonl"))
    assert [(r.task_id, r.text, r.credit) for r in records] == [(task, text, c) for task, text, c in make.rows()]


def test_a_runs_directory_is_read_in_the_order_of_its_steps(tmp_path: Path) -> None:
    make.write(tmp_path / "credits-host-1.jsonl", steps=2)
    make.write(tmp_path / "credits-host-2.jsonl", steps=2)
    steps = [record.step for record in load(tmp_path)]
    assert steps == sorted(steps)
    assert set(steps) == {1, 2}


def test_the_folder_of_a_run_stands_for_its_records(tmp_path: Path) -> None:
    (tmp_path / "run" / "records").mkdir(parents=True)
    make.write(tmp_path / "run" / "records" / "credits-host-1.jsonl")
    assert len(load(tmp_path / "run")) == len(make.rows())


def test_the_credited_share_is_of_tokens_where_known_else_of_characters(tmp_path: Path) -> None:
    by_tokens = load(make.write(tmp_path / "t.jsonl", steps=1))[0]
    by_characters = load(make.write(tmp_path / "c.jsonl"))[0]
    assert by_tokens.credited_share == 10 / 40
    # The two spans overlap; every character counts once.
    assert by_characters.credited_share == len("for value in values[1:]") / len(make.LOGIC)
    unknown, uniform = load(make.write(tmp_path / "n.jsonl", texts=False))[:2]
    assert (unknown.credited_share, uniform.credited_share) == (None, 1.0)


def test_texts_come_in_from_the_assessed_samples(tmp_path: Path) -> None:
    records = make.write(tmp_path / "c.jsonl", texts=False)
    samples = [Sample(task, text) for task, text, _ in make.rows() if "\ud800" not in text]
    dump_samples(samples, tmp_path / "s.jsonl")
    with pytest.raises(SampleError, match="its 6 samples are not those of the 7 records"):
        load(records, tmp_path / "s.jsonl")
    lines = [line for line in records.read_text().splitlines() if "<b>" not in line]
    records.write_text("\n".join(lines) + "\n")
    assert [r.text for r in load(records, tmp_path / "s.jsonl")] == [sample.completion for sample in samples]


def test_the_unfinished_last_line_of_a_live_run_is_left_for_later(tmp_path: Path) -> None:
    live = make.write(tmp_path / "credits-host-1.jsonl")
    live.write_bytes(live.read_bytes()[:-20])
    assert len(load(tmp_path)) == len(make.rows()) - 1


def test_an_unfinished_line_of_a_finished_file_is_an_error(tmp_path: Path) -> None:
    whole = make.write(tmp_path / "c.jsonl")
    whole.write_bytes(whole.read_bytes()[:-20])
    with pytest.raises(SampleError, match=r"c.jsonl:7: not JSON"):
        load(whole)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("[1]", "got list"),
        ('{"task_id": "a"}', "field mode: missing|field span: missing"),
        ("{", "not JSON"),
    ],
)
def test_an_unusable_line_is_named(line: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "c.jsonl").write_text(line + "\n")
    with pytest.raises(SampleError, match=rf"c.jsonl:1.*({told})"):
        load(tmp_path / "c.jsonl")


@pytest.mark.parametrize(("key", "value"), [("completion", 3), ("step", "one"), ("step", True)])
def test_a_wrong_value_is_named(key: str, value: object, tmp_path: Path) -> None:
    line = json.loads(make.write(tmp_path / "c.jsonl").read_bytes().splitlines()[0])
    (tmp_path / "c.jsonl").write_text(json.dumps({**line, key: value}) + "\n")
    with pytest.raises(SampleError, match=f"c.jsonl:1, field {key}: got"):
        load(tmp_path / "c.jsonl")


def test_nothing_to_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(SampleError, match=r"no credits-\*.jsonl in it"):
        load(tmp_path)
    with pytest.raises(SampleError, match="no such file"):
        load(tmp_path / "none")
    (tmp_path / "c.jsonl").write_text("\n")
    with pytest.raises(SampleError, match="got no record"):
        load(tmp_path / "c.jsonl")
