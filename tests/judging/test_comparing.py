"""A right program is right however it prints; a wrong one is wrong whatever it prints."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.errors import TaskError
from egca_plugin.judging.comparing import FOR_TEXT, check, difference
from egca_plugin.types import Compare

TOKENS, LINES, EXACT = Compare(), Compare("lines"), Compare("exact")
NEAR = Compare(abs=1e-6, rel=1e-6)


def accepts(got: str, expected: str, how: Compare) -> bool:
    return not difference(got.encode(), expected, how)


@pytest.mark.parametrize("got", ["1 2\n3\n", "1  2\n3", "1 2 \r\n3\r\n", "\n1 2\n3\n\n", "1\n2\n3\n", "1\t2 3"])
def test_tokens_know_no_blanks(got: str) -> None:
    assert accepts(got, "1 2\n3\n", TOKENS)


@pytest.mark.parametrize(
    "got", ["", "1", "1 2", "1 2\n3\n4", "3\n1 2\n", "1 2\n33", "1 2\n3.0", "12\n3", "1 2\n3\0", "nan"]
)
@pytest.mark.parametrize("how", [TOKENS, LINES, EXACT], ids=lambda how: how.mode or "tokens")
def test_a_prefix_another_order_or_nothing_is_wrong(got: str, how: Compare) -> None:
    assert not accepts(got, "1 2\n3\n", how)


def test_one_and_one_point_nought_are_two_tokens() -> None:
    assert not accepts("1.0", "1", TOKENS)
    assert accepts("1.0", "1", NEAR)


@pytest.mark.parametrize(
    ("got", "same"),
    [("a b\nc", True), ("a b  \r\nc\r\n\n\n", True), ("a  b\nc", False), ("\na b\nc", False), ("a b\n\nc", False)],
)
def test_lines(got: str, same: bool) -> None:
    assert accepts(got, "a b\nc\n", LINES) is same


def test_exact_is_every_character() -> None:
    assert accepts("a b\n", "a b\n", EXACT)
    assert not accepts("a b", "a b\n", EXACT)
    assert difference(b"one\ntwo\n", "one\ntwx\n", EXACT) == "line 2: got 'o\\n', expected 'x\\n'"


@pytest.mark.parametrize(
    ("got", "expected", "close"),
    [
        ("0.3333333", "0.33333333", True),
        ("1e3", "1000.0", True),
        ("0.334", "0.333", False),
        ("1000000", "1000001", False),  # no rounding made an integer another one
        ("123456789012345678", "123456789012345679", False),
        ("nan", "1", False),
        ("inf", "1e300", False),
        ("1e999", "1e998", False),
        ("1_0", "10.0", False),
        ("٣", "3.0", False),
        ("0x10", "16.0", False),
        ("yes", "no", False),
        ("yes", "yes", True),
    ],
)
def test_tolerance(got: str, expected: str, close: bool) -> None:
    assert accepts(f"x {got}", f"x {expected}", NEAR) is close
    assert accepts(f"x {got}", f"x {expected}", Compare("lines", 1e-6, 1e-6)) is close


def test_integers_differ_by_the_absolute_tolerance_alone() -> None:
    assert accepts("11", "10", Compare(abs=1))
    assert not accepts("12", "10", Compare(abs=1, rel=0.5))


def test_case() -> None:
    assert accepts("YES Ünd", "yes ünd", Compare(case=False))
    assert not accepts("YES", "yes", TOKENS)


def test_the_difference_is_told() -> None:
    assert difference(b"1 2 4", "1 2 3", TOKENS) == "token 3: got '4', expected '3'"
    assert difference(b"1 2", "1 2 3", TOKENS) == "got 2 tokens, expected 3"
    assert difference(b"x" * 1000, "y", TOKENS) == f"token 1: got {'x' * 60!r}..., expected 'y'"
    assert difference(b"\xff\xfe", "y", LINES).startswith("line 1: got '\ufffd")


@pytest.mark.parametrize(
    "hostile", [b"9" * (10 << 20), b"9 " * (5 << 20), b"\n" * (10 << 20), b"1e9999 " * (1 << 20), b"\xff" * (10 << 20)]
)
@pytest.mark.parametrize("how", [NEAR, Compare("lines", 1e-6), EXACT, Compare(case=False)])
def test_hostile_output_costs_linear_time(hostile: bytes, how: Compare) -> None:
    began = time.process_time()
    assert difference(hostile, "1.5 2\n" * 1000, how)
    assert time.process_time() - began < 3


@given(st.lists(st.text("ab1.", min_size=1), min_size=1), st.data())
def test_white_space_between_tokens_is_anyones(tokens: list[str], data: st.DataObject) -> None:
    blanks = data.draw(st.lists(st.text(" \t\r\n", min_size=1), min_size=len(tokens), max_size=len(tokens)))
    assert accepts("".join(a + b for a, b in zip(tokens, blanks, strict=True)), " ".join(tokens), TOKENS)


@given(st.text("12 \n", max_size=12), st.text("12 \n", max_size=12))
def test_stricter_modes_accept_less(got: str, expected: str) -> None:
    exact, lines, tokens = (accepts(got, expected, how) for how in (EXACT, LINES, TOKENS))
    assert exact <= lines <= tokens
    assert tokens is (got.split() == expected.split())


@pytest.mark.parametrize("how", [Compare("value"), Compare("token"), Compare(abs=-1), Compare(rel=float("nan"))])
def test_what_compares_nothing(how: Compare) -> None:
    with pytest.raises(TaskError, match="t/1, field compare"):
        check(how, FOR_TEXT, "t/1")
