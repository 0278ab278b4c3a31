"""Praise where a trainer cannot have it: a default is left out, a wish is refused."""

from __future__ import annotations

import pytest

from egca_plugin.adapters.settings import Settings, unpraised
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import ConfigError

WHY = "a trainer without groups"


def test_a_default_is_left_out_and_the_log_says_so(caplog: pytest.LogCaptureFixture) -> None:
    assert unpraised(Settings(True, EgcaConfig()), WHY) == Settings(True, EgcaConfig(praise=0.0))
    assert f"praise, on by default, is left out with {WHY}" in caplog.text


def test_a_wish_is_refused() -> None:
    with pytest.raises(ConfigError, match=rf"egca\.praise: got 0\.25, expected 0 or none with {WHY}"):
        unpraised(Settings(True, EgcaConfig(praise=0.25)), WHY)


@pytest.mark.parametrize(
    "quiet", [Settings(False, EgcaConfig(praise=0.5)), Settings(True, EgcaConfig(praise=0.0))], ids=["off", "none"]
)
def test_nothing_is_said_where_there_is_none(quiet: Settings, caplog: pytest.LogCaptureFixture) -> None:
    assert unpraised(quiet, WHY) is quiet
    assert caplog.text == ""
