"""What is different when a record is localised again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from egca_plugin.report.read import Record
from egca_plugin.types import Credit

# Times always differ; words and patches follow from the places.
COMPARED = ("mode", "outcome", "tests_passed", "tests_total", "spans", "verified", "reason")


@dataclass(frozen=True, slots=True)
class Change:
    """Record ``number`` (from 1) got the credit ``now``; ``fields`` of :data:`COMPARED` differ."""

    number: int
    record: Record
    now: Credit
    fields: tuple[str, ...]


def changes(records: Sequence[Record], now: Sequence[Credit]) -> Iterator[Change]:
    """The records whose credit is another one now, in order."""
    for number, (record, credit) in enumerate(zip(records, now, strict=True), start=1):
        fields = tuple(name for name in COMPARED if _value(record.credit, name) != _value(credit, name))
        if fields:
            yield Change(number, record, credit, fields)


def told(credit: Credit, field: str, text: str) -> str:
    """One field's value as a person would say it; spans as the texts that they cover."""
    if field == "spans":
        return " and ".join(repr(text[span.start : span.end]) for span in credit.spans) or "uniform"
    value = _value(credit, field)
    return str(getattr(value, "value", value)) or "none"


def _value(credit: Credit, name: str) -> object:
    return {
        "mode": credit.mode,
        "outcome": credit.outcome,
        "tests_passed": credit.tests_passed,
        "tests_total": credit.tests_total,
        "spans": credit.spans,
        "verified": credit.verified,
        "reason": credit.reason,
    }[name]
