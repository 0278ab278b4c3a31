"""Runs unittest's classes with their own set-up and tear-down, in the order of their names."""

from __future__ import annotations

import unittest
from collections.abc import Mapping
from typing import Any

from egca_plugin.judging.forms.standin import marks_of, skips
from egca_plugin.judging.tally import Tally


def run(case: type[Any], tally: Tally, functions: Mapping[str, int]) -> None:
    """``functions``: the index of each test by its qualified name."""
    names = [name for name in unittest.defaultTestLoader.getTestCaseNames(case) if not _is_left_out(case, name)]
    _Cases(map(case, names)).run(_Result(tally, functions))


def _is_left_out(case: type[Any], name: str) -> bool:
    """By ``expectedFailure``, of the test or its class, which says nothing about a program; or by pytest's marks."""
    test = getattr(case, name)
    return any(getattr(one, "__unittest_expecting_failure__", False) for one in (case, test)) or skips(marks_of(test))


class _Cases(unittest.TestSuite):
    """Of one class: the set-up of the module goes around all of them, and is not unittest's to repeat."""

    def _handleModuleFixture(self, test: Any, result: Any) -> None:
        pass

    def _handleModuleTearDown(self, result: Any) -> None:
        pass


class _Result(unittest.TestResult):
    """Tells the tally what no marked assertion has: whatever else ended a test."""

    def __init__(self, tally: Tally, functions: Mapping[str, int]) -> None:
        super().__init__()
        self._tally, self._functions = tally, functions

    def addError(self, test: Any, err: Any) -> None:
        name = f"{type(test).__qualname__}.{getattr(test, '_testMethodName', '')}"
        self._tally.escaped(self._functions.get(name), err[1])

    addFailure = addError

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:
        if err is not None:
            self.addError(test, err)
