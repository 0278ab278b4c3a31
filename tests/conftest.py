"""One warm sandbox for all tests that need one; whole runs of verl are one worker's; properties are not held to the
clock of a loaded host."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from egca_plugin.sandbox.outside.api import Sandbox

settings.register_profile("egca", deadline=None)
settings.load_profile("egca")

WHOLE_RUNS = ("test_verl_", "test_cpu_matrix", "test_cpu_runs")  # of verl: files of which no two may run at once


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole runs begin first: they are the longest row of tests that must follow each other."""
    items.sort(key=lambda item: not item.path.name.startswith(WHOLE_RUNS))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``--dist loadfile``, but all whole runs are one worker's: one that waited for its turn would be an idle core."""
    if config.getoption("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class OneWorkersWholeRuns(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            file: str = super()._split_scope(nodeid)
            return "whole runs" if Path(file).name.startswith(WHOLE_RUNS) else file

    config.option.loadscopereorder = False  # by their number of tests the longest files would come last
    return OneWorkersWholeRuns(config, log)
