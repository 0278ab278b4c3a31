"""Calls with their results, as data: ``{"args": [...], "kwargs": {...}, "expected": v}``."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

from egca_plugin.judging.forms.nodes import Signature
from egca_plugin.judging.tally import Tally
from egca_plugin.types import CallCase, Compare

_SHOWN = 120  # characters of a value in a message


def run(
    call: Callable[..., Any], cases: Sequence[CallCase], compare: Compare, signature: Signature, tally: Tally
) -> None:
    """Each case is one test. ``signature`` says which lists stand for nodes."""
    for index, case in enumerate(cases):
        with tally(index) as test:
            args, kwargs = signature.arguments(json.loads(case.args), json.loads(case.kwargs))
            got = call(*args, **kwargs)
            test.at()
            expected = json.loads(case.expected)
            if not equal(signature.told(got, expected), expected, compare):
                raise AssertionError(f"got {_shown(got)}, expected {_shown(expected)}")


def equal(got: Any, expected: Any, compare: Compare) -> bool:
    """``==``, but for what JSON cannot say: a tuple is as good as a list, and a key as good as its text.

    Floats are compared exactly unless ``compare`` has a tolerance; an expected NaN is met by a NaN.
    """
    if isinstance(expected, list):
        same = isinstance(got, (list, tuple)) and len(got) == len(expected)
        return same and all(equal(one, other, compare) for one, other in zip(got, expected, strict=True))
    if isinstance(expected, dict):
        keyed = {_key(key): value for key, value in got.items()} if isinstance(got, dict) else {}
        same = isinstance(got, dict) and len(keyed) == len(got) and keyed.keys() == expected.keys()
        return same and all(equal(keyed[key], value, compare) for key, value in expected.items())
    if isinstance(expected, str) and isinstance(got, str):
        return got == expected or (not compare.case and got.casefold() == expected.casefold())
    if _is_number(expected) and _is_number(got):
        return _equal_numbers(got, expected, compare)
    return bool(got == expected)


def _equal_numbers(got: Any, expected: Any, compare: Compare) -> bool:
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(got, float) and math.isnan(got)
    if got == expected:
        return True
    if isinstance(got, int) and isinstance(expected, int):  # nothing rounds them
        return abs(got - expected) <= compare.abs
    try:
        return bool(compare.rel or compare.abs) and math.isclose(
            got, expected, rel_tol=compare.rel, abs_tol=compare.abs
        )
    except OverflowError:  # an integer beyond every float
        return False


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _key(key: Any) -> Any:
    """As :func:`json.dumps` writes it."""
    if key is None or isinstance(key, (bool, int, float)):
        return json.dumps(key)
    return key


def _shown(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - an integer of too many digits, or a class that cannot be shown
        return f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
