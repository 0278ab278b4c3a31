"""The table in the docs is the one that was seen, and no adapter's row has a gap."""

from __future__ import annotations

from table import PAGE, page, table


def test_the_docs_show_what_was_seen() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "python tests/adapters/conformance/table.py"


def test_every_law_was_seen_to_hold_in_every_adapter() -> None:
    assert "| - |" not in table()
