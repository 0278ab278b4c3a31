"""Which credits are others now, and how that is said."""

from __future__ import annotations

from dataclasses import replace

import report_records as make

from egca_plugin.report.changes import changes, told
from egca_plugin.report.read import Record


def test_only_what_a_credit_decides_is_compared() -> None:
    records = [Record(task, credit, text) for task, text, credit in make.rows()]
    assert list(changes(records, [replace(r.credit, ms={}, confidence=0.1) for r in records])) == []


def test_a_change_names_the_record_and_the_fields() -> None:
    task, text, credit = make.rows()[0]
    now = replace(credit, spans=credit.spans[1:], verified=False)
    (change,) = changes([Record(task, credit, text)], [now])
    assert (change.number, change.fields) == (1, ("spans", "verified"))
    assert told(credit, "spans", text) == "'values[1:]' and 'for value in values[1:]'"
    assert told(replace(now, spans=()), "spans", text) == "uniform"
    assert told(now, "mode", text) == "logic"
    assert told(now, "reason", text) == "none"
