"""One warm sandbox for all tests that need one; properties are not held to the clock of a loaded host."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from egca_plugin.sandbox.outside.api import Sandbox

settings.register_profile("egca", deadline=None)
settings.load_profile("egca")


def pytest_configure(config: pytest.Config) -> None:
    if config.pluginmanager.hasplugin("xdist"):
        config.option.loadscopereorder = False  # by their number of tests the longest files would come last


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--dist loadgroup`` a file is one worker's, and all whole runs of verl are one's, which begins with them:
    two cannot run at once, and a worker that waited for its turn would leave a core idle."""
    if not config.pluginmanager.hasplugin("xdist"):
        return
    items.sort(key=lambda item: not _is_whole_run(item))
    for item in items:
        group = "verl" if _is_whole_run(item) else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))


def _is_whole_run(item: pytest.Item) -> bool:
    return {"verl", "slow"} <= {mark.name for mark in item.iter_markers()}


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box
