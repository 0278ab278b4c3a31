"""One warm sandbox for all tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from egca_plugin.sandbox.outside.api import Sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box
