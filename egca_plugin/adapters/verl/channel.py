"""How a credit travels through verl: from the reward manager's process to the trainer's.

The only channel is ``reward_extra_info``, and it takes *flat scalars and strings, with the same keys in every sample*:
a ragged list crashes verl's validation (metric_utils.py:1017), a rectangular one turns into nonsense metrics. So
numbers that validation may average are scalars, and everything else is one JSON string.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any

from egca_plugin.adapters.samples import Placing, Row, Ticket
from egca_plugin.types import Credit, Divergence, FailedTest, Instead, Mode, Outcome, Span, TokenSpan

FORMAT = 7
KEY = "egca"  # the JSON string
_FIELDS = tuple(f.name for f in dataclasses.fields(Credit))


# Names of ``reward_extra_info``, which are columns beside the data set's on some of verl's paths.
COLUMNS = ("acc", "egca_tests", "egca_verified", "egca_mode", "egca_outcome", "egca_reason", KEY)


def pack(row: Row, acc: float | None = None) -> dict[str, float | str]:
    """``reward_extra_info`` of one sample. ``acc`` is what verl's validation reports as its core metric.

    By default that is whether the program passed; another scorer's is given.
    """
    credit = row.credit
    body = {
        "format": FORMAT,
        "credit": dataclasses.asdict(credit),
        "task_id": row.task_id,
        "spans": [[s.start, s.end] for s in row.spans],
        "tokens": row.tokens,
        "fallback": row.fallback,
        "thinking": [[s.start, s.end] for s in row.thinking],
        "praised": [[s.start, s.end] for s in row.praised],
        "foreign": [[s.start, s.end] for s in row.foreign],
        "instead": row.instead,
        "placing": dataclasses.asdict(row.placing),
        "scorer": row.scorer,
        "ticket": dataclasses.astuple(row.ticket) if row.ticket is not None else None,
    }
    return {
        "acc": float(credit.passed) if acc is None else acc,
        "egca_tests": credit.tests_passed / credit.tests_total if credit.tests_total else 0.0,
        "egca_verified": float(credit.verified),
        "egca_mode": credit.mode.value,
        "egca_outcome": credit.outcome.value,
        "egca_reason": row.reason,
        KEY: json.dumps(body, separators=(",", ":"), default=dict),
    }


def unpack(extra: Mapping[str, Any]) -> Row | None:
    """The row that :func:`pack` packed; None where ``extra`` comes from another reward manager, or from none."""
    text = extra.get(KEY)
    if not isinstance(text, str):
        return None
    body = json.loads(text)
    if body.get("format") != FORMAT:
        return None
    return Row(
        credit=_credit(body["credit"]),
        task_id=body["task_id"],
        spans=_stretches(body["spans"]),
        tokens=body["tokens"],
        fallback=body["fallback"],
        thinking=_stretches(body["thinking"]),
        praised=_stretches(body["praised"]),
        foreign=_stretches(body["foreign"]),
        instead=body["instead"],
        placing=Placing(**body["placing"]),
        scorer=body["scorer"],
        ticket=Ticket(*body["ticket"]) if body["ticket"] is not None else None,
    )


def unpack_batch(extra_fields: Sequence[Any]) -> list[Row | None]:
    """Rows of verl's ``extra_fields`` column: dicts in which the reward loop left ``reward_extra_info``."""
    return [unpack(extra.get("reward_extra_info") or {}) if isinstance(extra, dict) else None for extra in extra_fields]


def _stretches(pairs: Sequence[Sequence[int]]) -> tuple[TokenSpan, ...]:
    return tuple(TokenSpan(start, end) for start, end in pairs)


def _credit(values: dict[str, Any]) -> Credit:
    values = {name: values[name] for name in _FIELDS}
    values["mode"] = Mode(values["mode"])
    values["outcome"] = Outcome(values["outcome"])
    values["spans"] = tuple(Span(**span) for span in values["spans"])
    if values["decision"] is not None:
        values["decision"] = Span(**values["decision"])
    if values["instead"] is not None:
        values["instead"] = Instead(**values["instead"])
    values["anomalies"] = tuple(values["anomalies"])
    if values["divergence"] is not None:
        values["divergence"] = Divergence(**values["divergence"])
    if values["failed"] is not None:
        values["failed"] = FailedTest(**values["failed"])
    return Credit(**values)
