"""What would not be seen, or would act on a terminal, is written out."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.visible import log_visibly, visible


def test_what_hides_or_reorders_is_written_out() -> None:
    assert visible("if a:\n\treturn 'é — 漢'") == "if a:\n\treturn 'é — 漢'"
    assert visible("a\u202eb\x00\u200b\ud800\U000e0041") == r"a\u202eb\x00\u200b\ud800\U000e0041"


@given(st.text(max_size=30))
def test_what_is_shown_can_always_be_written_as_utf8(text: str) -> None:
    visible(text + "\udfff").encode("utf-8")


def test_log_messages_do_not_act_on_the_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log_visibly()
    monkeypatch.setattr(logging.getLogger("egca_plugin"), "propagate", False)
    logging.getLogger("egca_plugin.x").warning("%s: not used", "t/\x1b[2J")
    assert capsys.readouterr().err == "t/\\x1b[2J: not used\n"
