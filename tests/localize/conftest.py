"""The ways in which these tests ask for a localisation."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Localization, Task

Localize = Callable[..., Localization]


@pytest.fixture
def localize(sandbox: Sandbox) -> Localize:
    """``localize(candidate, reference, *asserts)``; the entry point is ``f``."""

    def run(candidate: str, reference: str, *asserts: str, others: tuple[str, ...] = ()) -> Localization:
        task = Task("task", "", "f", reference, asserts)
        verdict = judge(sandbox, candidate, task, timeout_s=0.5)
        return TraceLocalizer().localize(Case(task, candidate, (*others, reference), verdict, sandbox))

    return run
