"""LiveCodeBench's packed tests come out of a file that anybody may have written."""

from __future__ import annotations

import base64
import json
import os
import pickle
import zlib
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import TaskError
from egca_plugin.tasks.layouts import packed

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner), max_leaves=8)


def pack(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


@given(JSON, st.integers(0, pickle.HIGHEST_PROTOCOL))
def test_what_is_packed_comes_out(value: Any, protocol: int) -> None:
    assert packed.from_pickle(pack(pickle.dumps(json.dumps(value), protocol)), "cell") == value


class Calls:
    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/egca-was-here",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_class_is_named_and_not_built(protocol: int) -> None:
    data = pickle.dumps([Calls()], protocol)
    with pytest.raises(TaskError, match=r"cell: the pickle wants a class or a call \(\w+.system\)"):
        packed.from_pickle(pack(data), "cell")


@given(st.binary(max_size=200))
def test_whatever_else_is_packed_is_told(data: bytes) -> None:
    with suppress(TaskError):
        packed.from_pickle(pack(data), "cell")


@given(st.text(max_size=100))
def test_whatever_is_no_pack_is_told(text: str) -> None:
    with pytest.raises(TaskError, match=r"cell: got .*, expected base64 of zlib"):
        packed.from_pickle(text, "cell")


def test_sizes_are_bounded_before_they_are_spent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed, "MAX_CHARS", 1 << 16)
    with pytest.raises(TaskError, match="got 0 MB or more, expected at most"):
        packed.from_pickle(pack(bytes(1 << 24)), "cell")
    whole = zlib.compress(pickle.dumps("[1]"))
    with pytest.raises(TaskError, match="cut off"):
        packed.from_pickle(base64.b64encode(whole[:-2]).decode(), "cell")
    with pytest.raises(TaskError, match="memo goes up to 4294967295"):
        packed.from_pickle(pack(b"\x80\x02X\x01\x00\x00\x001r\xff\xff\xff\xff."), "cell")


def test_one_list_a_billion_times_over() -> None:
    value: Any = [1]
    for _ in range(60):
        value = [value, value]
    with pytest.raises(TaskError, match="expected at most"):
        packed.from_pickle(pack(pickle.dumps(value)), "cell")
    itself: list[Any] = []
    itself.append(itself)
    with pytest.raises(TaskError, match="expected at most"):
        packed.from_pickle(pack(pickle.dumps(itself)), "cell")
    with pytest.raises(TaskError, match="the pickle holds set"):
        packed.from_pickle(pack(pickle.dumps({1})), "cell")
