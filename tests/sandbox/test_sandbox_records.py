"""Records are read strictly, and the short way to read the common ones reads what the long one would."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import records
from egca_plugin.types import CallStatus

texts, blobs = st.text(max_size=5), st.binary(max_size=5)
tuples = st.lists(st.sampled_from([1, 2, "a", ()]), max_size=3).map(tuple)
EMPTY: tuple[Any, ...] = ("", "", "", None, 0, (), ())
firsts = st.tuples(texts, blobs, blobs)
rests = st.one_of(
    st.just(EMPTY), st.tuples(texts, texts, texts, st.none() | st.integers(0, 3), st.integers(0, 3), tuples, tuples)
)


@given(firsts, rests)
def test_a_record_is_read_whole(first: tuple[Any, ...], rest: tuple[Any, ...]) -> None:
    assert records._parts(wire.encode((*first, *rest))) == (*first, *rest)


@given(st.binary(max_size=40), st.booleans())
def test_what_only_ends_like_a_record_is_read_as_what_it_is(body: bytes, long: bool) -> None:
    tail = wire.encode(EMPTY)[len(wire.encode(())) :]
    frame = (wire.encode((*("",) * 3, *EMPTY))[: len(wire.encode(()))] if long else b"") + body + tail
    try:
        expected = wire.decode(frame)
    except WireError:
        with pytest.raises(WireError):
            records._parts(frame)
    else:
        assert records._parts(frame) == expected


def test_a_record_of_other_length_is_refused() -> None:
    for parts in (("value", b"", b""), ("value", b"N", b"", *EMPTY, "printed", "and more")):
        result = records.read(wire.encode(parts)).result
        assert result.status is CallStatus.REFUSED
        assert "10 parts" in result.error_message
