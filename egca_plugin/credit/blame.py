"""Whom the gate named says where the fault of one sample is: the compiler, the traceback, the localiser."""

from __future__ import annotations

import logging
from dataclasses import replace

from egca_plugin.config import EgcaConfig
from egca_plugin.credit.assignment import at_compile_error
from egca_plugin.credit.gate import Localize, Route
from egca_plugin.errors import SandboxError
from egca_plugin.judged import Judged
from egca_plugin.judging.imports import REASON as MISSING_PACKAGE
from egca_plugin.judging.imports import is_import, missing_package
from egca_plugin.localize import registry
from egca_plugin.localize.api import Case, Reason
from egca_plugin.types import Localization, Mode

logger = logging.getLogger(__name__)


def settled(one: Judged, chosen: Route) -> Localization | None:
    """The answer where no program has to be run for it, else None."""
    if chosen.localize is Localize.NOBODY:
        return Localization(reason=chosen.reason)
    if chosen.localize is Localize.COMPILER:
        return at_compile_error(one.program)
    return None


class Blame:
    """One a worker process: localisers keep what they found out about references."""

    def __init__(self, config: EgcaConfig) -> None:
        self._config = config
        self._localizer = registry.get(config.localizer)
        self._traceback = registry.get("traceback")

    def of(self, case: Case, chosen: Route) -> tuple[Localization, Mode]:
        """Ask whom the gate named. A verified patch turns a program that looked too different into a `logic` sample.

        ``reference`` of the answer is its source. Raises SandboxError.
        """
        missing = missing_package(case.verdict.error, self._config.sandbox)
        if chosen.localize is Localize.TRACEBACK:
            return Localization(reason=MISSING_PACKAGE) if missing else self._traceback.localize(case), chosen.mode
        found = self._ask(case)
        if missing and not (found.verified and is_import(case.source, found.spans)):  # it may need the package
            return Localization(reason=MISSING_PACKAGE), chosen.mode
        if chosen.localize is Localize.LOCALIZER or found.verified:
            return found, Mode.LOGIC if chosen.mode is Mode.CONSTRAINT else chosen.mode
        if chosen.localize is Localize.VERIFIED_OR_TRACEBACK:
            raised = self._traceback.localize(case)
            return (replace(raised, divergence=found.divergence) if raised.spans else found), chosen.mode
        reason = found.reason if found.reason == Reason.BUDGET.value else chosen.reason
        return replace(found, spans=(), reason=reason), chosen.mode

    def _ask(self, case: Case) -> Localization:
        """The localiser's answer. Programs are hostile: a flaw of its own must cost one sample its span, no more."""
        try:
            return self._localizer.localize(case)
        except SandboxError:
            raise
        except Exception:  # the boundary between a sample and the run: logged in full and counted
            logger.exception(
                "egca: %s: localiser %s failed, plain GRPO credit", case.task.task_id, self._localizer.name
            )
            return Localization(reason="localizer_failed")
