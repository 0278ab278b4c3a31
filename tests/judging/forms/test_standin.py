"""The stand-in agrees with pytest itself in what it covers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.judging.forms import standin

NUMBERS = st.one_of(st.integers(-(10**6), 10**6), st.floats(), st.booleans(), st.complex_numbers(max_magnitude=1e6))
VALUES = st.recursive(
    st.one_of(NUMBERS, st.text(max_size=2), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.tuples(inner, inner)),
    max_leaves=4,
)
TOLERANCES = st.one_of(st.none(), st.floats(0, 10))


def answer(approx: Any, got: Any, expected: Any, **tolerances: Any) -> Any:
    try:
        return got == approx(expected, **tolerances)
    except (TypeError, ValueError, OverflowError) as err:
        return type(err)


@given(expected=NUMBERS, change=st.floats(-1e-3, 1e-3), rel=TOLERANCES, abs_=TOLERANCES, nan_ok=st.booleans())
def test_numbers(expected: Any, change: float, rel: float | None, abs_: float | None, nan_ok: bool) -> None:
    for got in (expected, expected * (1 + change), expected + change):
        how = {"rel": rel, "abs": abs_, "nan_ok": nan_ok}
        assert answer(standin.approx, got, expected, **how) == answer(pytest.approx, got, expected, **how)


@given(got=VALUES, expected=VALUES)
def test_values(got: Any, expected: Any) -> None:
    theirs = answer(pytest.approx, got, expected)
    if not isinstance(theirs, type):  # pytest refuses lists within lists; here they are compared
        assert answer(standin.approx, got, expected) == theirs


@pytest.mark.parametrize("module", [pytest, standin])
def test_raises(module: Any) -> None:
    with module.raises(ValueError, match="bad") as info:
        raise ValueError("so bad")
    assert info.value.args == ("so bad",)
    assert info.type is ValueError
    module.raises(ZeroDivisionError, lambda x: 1 / x, 0)
    with pytest.raises(BaseException, match="DID NOT RAISE") as missed, module.raises(ValueError):
        pass
    assert not isinstance(missed.value, Exception)
    with pytest.raises(KeyError), module.raises(ValueError):
        raise KeyError
    with pytest.raises(AssertionError, match="match"), module.raises(ValueError, match="good"):
        raise ValueError("bad")


@pytest.mark.parametrize("module", [pytest, standin])
@pytest.mark.parametrize("message", ["zero", "a" * 300, "a" * 301])
def test_what_an_exception_says_when_it_is_looked_at(module: Any, message: str) -> None:
    with module.raises(ValueError) as info:
        raise ValueError(message)
    shown = f"ValueError('{message}')" if len(message) < 200 else f"ValueError('{'a' * 106}...{'a' * 117}')"
    assert str(info) == repr(info) == f"<ExceptionInfo {shown} tblen=1>"
    assert info.exconly() == info.exconly(tryshort=True) == f"ValueError: {message}"
    assert (info.typename, info.errisinstance(LookupError), info.errisinstance((KeyError, ValueError))) == (
        "ValueError", False, True,
    )  # fmt: skip
    assert len(info.traceback) == 1
    assert info.traceback[0].name == "test_what_an_exception_says_when_it_is_looked_at"


@pytest.mark.parametrize("module", [pytest, standin])
def test_within_the_block_there_is_no_exception_yet(module: Any) -> None:
    with module.raises(ValueError) as info:
        assert str(info) == "<ExceptionInfo for raises contextmanager>"
        for name in ("value", "type", "typename", "tb"):
            with pytest.raises(AssertionError, match=f".{name} can only be used after the context manager exits"):
                getattr(info, name)
        raise ValueError


@pytest.mark.parametrize("module", [pytest, standin])
def test_fail(module: Any) -> None:
    with pytest.raises(BaseException, match="why") as failed:
        module.fail("why")
    assert not isinstance(failed.value, Exception)


def test_all_that_is_covered_is_there() -> None:
    assert all(hasattr(standin, name) and hasattr(pytest, name) for name in standin.COVERED)
