"""Lines come in as people's tools write them, and whatever we write comes back."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin import jsonl
from egca_plugin.errors import SampleError

ROWS = [{"text": "é\u2028"}, {"text": "half \ud83d"}]
PLAIN = "".join(json.dumps(row) + "\n" for row in ROWS).encode()
FORMS = {
    "plain": PLAIN,
    "mark": b"\xef\xbb\xbf" + PLAIN,
    "mark before each line, as `cat` of several files leaves it": b"\xef\xbb\xbf"
    + PLAIN.replace(b"\n", b"\n\xef\xbb\xbf", 1),
    "windows": PLAIN.replace(b"\n", b"\r\n"),
    "no newline at the end": PLAIN.rstrip(),
    "blank lines": b"\n" + PLAIN.replace(b"\n", b"\n \r\n"),
    "raw halves": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode("utf-8", "surrogatepass"),
    "gzip": gzip.compress(PLAIN),
    "gzip of two members": gzip.compress(PLAIN[:20]) + gzip.compress(PLAIN[20:]),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read(form: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"  # the name does not say how it is packed
    path.write_bytes(FORMS[form])
    assert [row for _, row in jsonl.rows(path, SampleError)] == ROWS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1}\n{"a"', r"rows.jsonl:2: not JSON"),
        (b"[1]", r"rows.jsonl:1: got list \[1\], expected a JSON object"),
        (b'{"a": "\xe9"}', r"rows.jsonl:1: not UTF-8 at byte 7"),
        ('{"a": 1}'.encode("utf-16"), r"rows.jsonl: in UTF-16; expected a JSONL file in UTF-8"),
        (gzip.compress(PLAIN, mtime=0)[:-9], r"rows.jsonl: cannot be read \(Compressed file ended"),
        (b"\x1f\x8b\x08 no gzip", r"rows.jsonl: cannot be read"),
        (b'{"a": ' + b"[" * 100_000, r"rows.jsonl:1: not JSON"),
        (b'{"a": ' + b"1" * 5_000 + b"}", r"rows.jsonl:1: not JSON"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(SampleError, match=message):
        list(jsonl.rows(path, SampleError))


anything: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(st.characters()), anything))
def test_a_line_comes_back_and_is_utf_8(row: dict[str, Any]) -> None:
    written = jsonl.line(row)
    assert written.count(b"\n") == 1
    assert written.decode("utf-8").endswith("\n")
    assert jsonl.parse(written, "here", SampleError) == json.loads(json.dumps(row))
