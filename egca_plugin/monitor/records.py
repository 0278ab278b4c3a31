"""What is written down about a sample: one JSON object a line, the same keys in every line, versioned.

``credit_line`` is the public contract of ``egca assess`` and the body of the training records, so that one reader
(``egca report``, ``egca replay``, a notebook) serves both.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from egca_plugin import jsonl
from egca_plugin.errors import EgcaError, SampleError
from egca_plugin.types import Credit, Divergence, FailedTest, Mode, Outcome, Span

VERSION = 1
# The names of a credits line.
FIELDS = (
    *("mode", "reward", "passed", "tests_passed", "tests_total", "outcome", "span", "spans", "decision", "verified"),
    *(
        "confidence",
        "reason",
        "divergence",
        "failed_test",
        "stage",
        "patch",
        "diff",
        "reference",
        "ms",
        "anomalies",
        "restarts",
        "mended",
    ),
)


def credit_line(credit: Credit, text: str) -> dict[str, Any]:
    """The credits line of DESIGN.md for one completion ``text``; ``span`` is null where credit is uniform."""
    spans = [_span(span, text) for span in credit.spans]
    return {
        "mode": credit.mode.value,
        "reward": credit.reward,
        "passed": credit.passed,
        "tests_passed": credit.tests_passed,
        "tests_total": credit.tests_total,
        "outcome": credit.outcome.value,
        "span": spans[0] if spans else None,
        "spans": spans,
        "decision": _decision(credit.decision, text),
        "verified": credit.verified,
        "confidence": round(credit.confidence, 4),
        "reason": credit.reason or None,
        "divergence": asdict(credit.divergence) if credit.divergence else None,
        "failed_test": asdict(credit.failed) if credit.failed else None,
        "stage": credit.stage or None,
        "patch": credit.patch or None,
        "diff": credit.diff or None,
        "reference": credit.reference or None,
        "ms": {stage: round(ms, 3) for stage, ms in credit.ms.items()},
        "anomalies": list(credit.anomalies),
        "restarts": dict(credit.restarts),
        "mended": round(credit.mended, 4) or None,
    }


def read_credit(line: Mapping[str, Any], where: str) -> Credit:
    """The credit back from its line; ``where`` (``file:line``) stands in front of every message.

    Raises SampleError for a line of a newer version, a missing field or a wrong value.
    """
    version = line.get("version", VERSION)
    if version != VERSION:
        raise SampleError(f"{where}, field version: got {version!r}, expected {VERSION}; upgrade egca-plugin")
    try:
        decision = line.get("decision")
        spans = line["spans"] if "spans" in line else [line["span"]] if line["span"] else []
        return Credit(
            mode=Mode(line["mode"]),
            reward=float(line["reward"]),
            outcome=Outcome(line["outcome"]),
            tests_passed=int(line["tests_passed"]),
            tests_total=int(line["tests_total"]),
            spans=tuple(Span(int(span["start"]), int(span["end"])) for span in spans),
            verified=bool(line["verified"]),
            confidence=float(line["confidence"]),
            stage=line.get("stage") or "",
            reason=line["reason"] or "",
            divergence=Divergence(**line["divergence"]) if line["divergence"] else None,
            reference=line.get("reference") or "",
            patch=line.get("patch") or "",
            diff=line.get("diff") or "",
            ms={str(stage): float(ms) for stage, ms in line["ms"].items()},
            anomalies=tuple(str(kind) for kind in line.get("anomalies") or ()),
            restarts={str(kind): int(count) for kind, count in (line.get("restarts") or {}).items()},
            decision=Span(int(decision["start"]), int(decision["end"])) if decision else None,
            failed=FailedTest(**line["failed_test"]) if line.get("failed_test") else None,
            mended=float(line.get("mended") or 0.0),
        )
    except KeyError as error:
        raise SampleError(f"{where}, field {error.args[0]}: missing; expected a line of `egca assess`") from error
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise SampleError(f"{where}: {error}; expected a line of `egca assess` or of a run's records") from error


class RecordWriter:
    """Appends records to ``directory/credits-<host process>.jsonl``, one file a process, each line whole or absent.

    Raises EgcaError when the directory cannot be written, a full disk included: records that silently stop are worse
    than a stopped run.
    """

    def __init__(self, directory: str | Path) -> None:
        self.path = Path(directory) / f"credits-{os.uname().nodename}-{os.getpid()}.jsonl"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise EgcaError(f"egca.records: cannot write to {directory}: {error.strerror}") from error

    def write(self, record: Mapping[str, Any]) -> None:
        """Append one record; a record that does not fit on the disk is cut away again before the error is raised."""
        line = jsonl.line({"version": VERSION, **record})
        start = self._file.tell()
        try:
            written = self._file.write(line)
        except OSError as error:  # nothing of this line was written
            raise EgcaError(self._advice(error.strerror)) from error
        if written != len(line):
            self._file.truncate(start)
            raise EgcaError(self._advice("no space left for a whole line"))

    def close(self) -> None:
        self._file.close()

    def _advice(self, why: str | None) -> str:
        return (
            f"egca.records: {self.path}: {why}; free some disk, point egca.records elsewhere, or set it to '' for none"
        )


def _span(span: Span, text: str) -> dict[str, Any]:
    first = text.count("\n", 0, span.start) + 1
    last = text.count("\n", 0, max(span.end - 1, span.start)) + 1
    return {"start": span.start, "end": span.end, "lines": [first, last]}


def _decision(span: Span | None, text: str) -> dict[str, int] | None:
    if span is None:
        return None
    return {"start": span.start, "end": span.end, "line": text.count("\n", 0, span.start) + 1}
