"""Writes what was seen of the laws, one file a framework."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

RESULTS = Path(__file__).with_name("results")
_seen: dict[str, dict[str, Any]] = defaultdict(dict)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--conformance-results", action="store_true", help="write results/FRAMEWORK.json")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    said = dict(report.user_properties)
    if report.when == "call" and "law" in said:
        seen = _seen[str(said["framework"])]
        seen.update(framework=said["framework"], version=said["version"], shows=said["shows"])
        seen.setdefault("laws", {})[said["law"]] = report.passed


def pytest_sessionfinish(session: pytest.Session) -> None:
    if session.config.getoption("--conformance-results", default=False):
        for name, seen in _seen.items():
            (RESULTS / f"{name.lower()}.json").write_text(json.dumps(seen, indent=1) + "\n", encoding="utf-8")
