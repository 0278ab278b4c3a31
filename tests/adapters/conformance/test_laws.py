"""The laws of EGCA inside a framework, for each that is installed: ``python -m pytest tests/adapters/conformance``.

``--conformance-results`` writes what was seen to ``results/``, of which ``table`` makes the one in docs/adapters.md.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import tiny_policy as policy
import torch
from framework import Framework
from laws import LAWS

DRIVERS = {"verl": "Verl", "TRL": "Trl", "OpenRLHF": "OpenRlhf", "slime": "Slime"}
NEEDS = {"verl": "verl", "TRL": "trl", "OpenRLHF": "openrlhf", "slime": "transformers"}

pytestmark = pytest.mark.filterwarnings("ignore:You are using 'rollout_func'")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield policy.build(tmp_path_factory.mktemp("model"), steps=120)
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=DRIVERS)
def framework(request: Any, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Framework]:
    name = request.param
    pytest.importorskip(NEEDS[name], reason=f"{name} is not installed here")
    module = importlib.import_module(f"with_{name.lower()}")
    driver: Framework = getattr(module, DRIVERS[name])(model, tmp_path_factory.mktemp(name))
    yield driver
    driver.close()


@pytest.mark.parametrize("law", LAWS)
def test_law(framework: Framework, law: str, record_property: Any) -> None:
    record_property("framework", framework.name)
    record_property("version", framework.version)
    record_property("shows", framework.shows)
    record_property("law", law)
    LAWS[law](framework)
