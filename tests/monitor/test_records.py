from __future__ import annotations

import json
from pathlib import Path

import pytest

from egca_plugin.errors import EgcaError, SampleError
from egca_plugin.monitor.records import FIELDS, VERSION, RecordWriter, credit_line, read_credit
from egca_plugin.types import Credit, Divergence, FailedTest, Mode, Outcome, Span

CONTRACT = {
    "mode", "reward", "passed", "tests_passed", "tests_total", "outcome", "span", "verified", "confidence", "reason",
    "divergence", "ms", "spans", "decision", "stage", "patch", "reference", "failed_test", "anomalies",
}  # fmt: skip


def credit(**changes: object) -> Credit:
    values = {"mode": Mode.LOGIC, "reward": 0.0, "outcome": Outcome.WRONG_ANSWER, "tests_passed": 1, "tests_total": 2}
    return Credit(**{**values, **changes})  # type: ignore[arg-type]


def test_a_narrow_credit_carries_span_lines_and_words() -> None:
    text = "```python\ndef f(x):\n    return x - 1\n```"
    start = text.index("x - 1")
    told = Divergence("returned 0, expected 2", line=3, expected="2", seen="0")
    line = credit_line(credit(spans=(Span(start, start + 5),), verified=True, confidence=0.99, divergence=told), text)
    assert line["span"] == {"start": start, "end": start + 5, "lines": [3, 3]}
    assert line["divergence"]["message"] == "returned 0, expected 2"
    assert json.loads(json.dumps(line)) == line


def test_every_line_has_the_keys_of_the_contract_and_uniform_has_no_span() -> None:
    line = credit_line(credit(), "x")
    assert set(line) >= CONTRACT
    assert tuple(line) == FIELDS
    assert line["span"] is None
    assert line["reason"] is None


def test_a_line_read_back_is_the_same_credit() -> None:
    parted = Divergence("returned 0, expected 2", line=1, variable="x", expected="2", seen="0")
    narrow = credit(spans=(Span(2, 3), Span(0, 1)), verified=True, confidence=0.5, divergence=parted, ms={"judge": 1.5})
    failed = credit(failed=FailedTest(1, call="f(2)", expected="3", got="\ud83d", exception=""))
    decided = credit(spans=(Span(0, 1),), decision=Span(2, 3))
    for known in (
        credit(),
        narrow,
        failed,
        decided,
        credit(reason="r", stage="s", patch="a -> b", diff="- a\n+ b", reference="given"),
    ):
        assert read_credit(json.loads(json.dumps(credit_line(known, "x - 1"))), "here:1") == known


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mode": None}, "f.jsonl:3: None is not a valid Mode"),
        ({"version": 99}, "f.jsonl:3, field version: got 99, expected 1; upgrade"),
        ({"divergence": {"no": 1}}, "f.jsonl:3: .*unexpected keyword argument 'no'"),
        ({"tests_total": float("inf")}, "f.jsonl:3: cannot convert float infinity to integer"),
        ({"reward": 10**400}, "f.jsonl:3: int too large to convert to float"),
    ],
)
def test_an_unusable_line_is_named(change: dict[str, object], told: str) -> None:
    with pytest.raises(SampleError, match=told):
        read_credit({**credit_line(credit(), "x"), **change}, "f.jsonl:3")


def test_a_missing_field_is_named() -> None:
    line = credit_line(credit(), "x")
    del line["outcome"]
    with pytest.raises(SampleError, match="field outcome: missing"):
        read_credit(line, "f.jsonl:3")


def test_records_are_appended_one_whole_line_each_that_every_reader_takes(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "deep" / "records")
    written = [{"task_id": "a", "text": "naïve \ud800 \u2028"}, {"task_id": "b", "share": float("inf")}]
    for one in written:
        writer.write(one)
    writer.close()
    lines = writer.path.read_text(encoding="utf-8").split("\n")
    assert [json.loads(line) for line in lines[:-1]] == [{"version": VERSION, **one} for one in written]


def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EgcaError, match=r"egca.records: cannot write to .*file"):
        RecordWriter(tmp_path / "file")


def test_a_full_disk_stops_with_the_way_out_named() -> None:
    writer = RecordWriter.__new__(RecordWriter)
    writer.path = Path("/dev/full")
    writer._file = open("/dev/full", "ab", buffering=0)  # noqa: SIM115
    with pytest.raises(EgcaError, match="No space left on device; free some disk"):
        writer.write({"task_id": "a"})
    writer.close()
