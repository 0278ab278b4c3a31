from __future__ import annotations

import json
from pathlib import Path

import pytest

from egca_plugin.errors import EgcaError, SampleError
from egca_plugin.records import FIELDS, VERSION, RecordWriter, credit_line, read_credit
from egca_plugin.types import Credit, Divergence, Mode, Outcome, Span

CONTRACT = {
    "mode", "reward", "passed", "tests_passed", "tests_total", "outcome", "span", "verified", "confidence", "reason",
    "divergence", "ms",
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
    told = Divergence("returned 0, expected 2", line=1, variable="x", expected="2", seen="0")
    narrow = credit(spans=(Span(2, 3), Span(0, 1)), verified=True, confidence=0.5, divergence=told, ms={"judge": 1.5})
    for known in (credit(), narrow, credit(reason="no_reference", stage="s", patch="a -> b", reference="canonical")):
        assert read_credit(json.loads(json.dumps(credit_line(known, "x - 1"))), "here:1") == known


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"mode": None}, "f.jsonl:3: None is not a valid Mode"),
        ({"version": 99}, "f.jsonl:3, field version: got 99, expected 1; upgrade"),
        ({"divergence": {"no": 1}}, "f.jsonl:3: .*unexpected keyword argument 'no'"),
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


def test_records_are_appended_one_whole_line_each(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "deep" / "records")
    writer.write({"task_id": "a", "text": "naïve \ud800"})
    writer.write({"task_id": "b"})
    writer.close()
    lines = writer.path.read_bytes().splitlines()
    assert [json.loads(line.decode("utf-8", "surrogatepass"))["task_id"] for line in lines] == ["a", "b"]
    assert json.loads(lines[1])["version"] == VERSION


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
