"""One warm sandbox for all tests that need one; properties are not held to the clock of a loaded host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from egca_plugin.sandbox.outside.api import Sandbox

settings.register_profile("egca", deadline=None)
settings.load_profile("egca")


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box
