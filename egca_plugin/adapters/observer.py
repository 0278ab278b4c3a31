"""What a trainer says of a batch when its credit is placed: metrics, the hack alarm, records."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from egca_plugin.adapters.metrics import step_metrics
from egca_plugin.adapters.recording import lines
from egca_plugin.adapters.samples import Row, Scope
from egca_plugin.adapters.unjudged import BAD_TASK
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import EgcaError, TaskError
from egca_plugin.monitor.alarm import HackAlarm
from egca_plugin.monitor.records import RecordWriter

logger = logging.getLogger(__name__)

NAMED = 8  # samples that an alarm names


def caution(config: EgcaConfig) -> None:
    """Log, where a run starts, what was measured against a setting of it."""
    for line in config.cautions:
        logger.warning("egca: %s", line)


class Observer:
    """One a run. ``records`` is the directory for the records, empty for none.

    Raises EgcaError where nothing can be written there at the start. A disk that fills up later costs records and not
    the run: they are counted under ``egca/records_lost``, and the first of a series is reported as an error.
    """

    def __init__(self, records: str, tokenizer: Any = None) -> None:
        self.tokenizer = tokenizer
        self._alarm = HackAlarm()
        self._directory = records
        self._records = RecordWriter(records) if records else None
        self._full = False
        self._judged = False  # any sample, ever

    @property
    def records(self) -> bool:
        """Are the responses needed?"""
        return self._records is not None

    def observe(
        self,
        step: int,
        scope: Scope,
        keys: Sequence[str],
        responses: Sequence[torch.Tensor],
        real: Sequence[int],
        lost: int = 0,
    ) -> dict[str, float]:
        """Metrics of one batch. ``keys``, ``responses`` and ``real`` as for :func:`recording.lines`.

        ``lost``: samples that were asked for and that verl gave up, or that could not be judged. Raises TaskError where
        no task of the run's first samples can be used: a few are borne, but then it is the data.
        """
        self._require_tasks(scope.rows, real)
        metrics = step_metrics(scope.rows, scope.placement, real)
        metrics["egca/lost_samples"] = float(lost)
        if lost:
            logger.error(
                "egca: step %d: %d samples were given up and are left out of their groups; the log says why (verl's at "
                "'Error in _run_prompt')",
                *(step, lost),
            )
        metrics["egca/hack_alarm"] = self._alarmed(step, scope.rows, keys, real)
        if self._records is not None:
            rows = lines(step, scope, keys, responses, real, self.tokenizer)
            metrics["egca/records_lost"] = float(self._write(self._records, rows))
        return metrics

    def _require_tasks(self, rows: Sequence[Row | None], real: Sequence[int]) -> None:
        known = [row for i in real if (row := rows[i]) is not None and row.judged]
        self._judged = self._judged or any(row.credit.reason != BAD_TASK for row in known)
        if known and not self._judged:
            raise TaskError(
                f"the task of none of the first {len(known)} samples can be used, so that nothing could be learnt; one "
                f"of them: {known[0].credit.stage}. `egca preflight` names such tasks, `egca doctor --recipe` such rows"
            )

    def _alarmed(self, step: int, rows: Sequence[Row | None], keys: Sequence[str], real: Sequence[int]) -> float:
        known = [(keys[i], row) for i in real if (row := rows[i]) is not None and row.judged]
        raised = self._alarm.step([row.credit for _, row in known])
        if raised is None:
            return 0.0
        suspects = [f"{row.task_id} ({key})" for key, row in known if row.credit.anomalies and row.credit.passed]
        where = f"in {self._directory}" if self._directory else "(set egca.records to keep the programs)"
        logger.error(
            "egca: step %d: %s. Look at the records of step %d %s: %s",
            *(step, raised, step, where, ", ".join(suspects[:NAMED]) or "those with anomalies"),
        )
        return 1.0

    def _write(self, records: RecordWriter, rows: Iterable[Mapping[str, Any]]) -> int:
        """How many could not be written."""
        lost = 0
        for row in rows:
            try:
                records.write(row)
            except EgcaError as error:
                if not self._full:
                    logger.error("egca: training goes on, but records are lost from here on: %s", error)
                self._full = True
                lost += 1
            else:
                self._full = False
        return lost
