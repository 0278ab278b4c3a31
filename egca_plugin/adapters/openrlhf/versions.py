"""Which OpenRLHF this adapter was written against, and every name of its that is rebound. All checks are in this file.

========  ==================================================================================================
OpenRLHF  what happens
========  ==================================================================================================
< 0.11.2  refused: experience_maker.py, loss.py and the command line differ from release to release
0.11.2    supported: what CI runs
> 0.11.2  refused until the tests have passed on it; ``EGCA_UNTESTED_OPENRLHF=1`` overrides
========  ==================================================================================================
"""

from __future__ import annotations

import importlib
import os
import re
from importlib import metadata
from typing import Any

from egca_plugin.errors import FrameworkError

TESTED = "0.11.2"
OVERRIDE = "EGCA_UNTESTED_OPENRLHF"

# What stands there instead in a run: the first three in the launcher's process, the others in the asynchronous
# trainer's worker, which looks them up in its module. Line numbers are of 0.11.2.
REBOUND = {
    ("openrlhf.utils", "get_strategy"): "the same, after the settings were checked (train_ppo_ray.py:43)",
    ("openrlhf.trainer.ppo_trainer", "PPOTrainer"): "trainer.EgcaPPOTrainer (train_ppo_ray.py:151)",
    ("openrlhf.trainer.ppo_trainer_async", "PPOTrainerAsync"): "trainer.EgcaPPOTrainerAsync (train_ppo_ray.py:149)",
    ("openrlhf.trainer.ppo_trainer_async", "GenerateSamplesActor"): "trainer.EgcaGenerateSamplesActor (:295)",
    ("openrlhf.trainer.ppo_trainer_async", "TrainingActor"): "trainer.EgcaTrainingActor (:305)",
}


def installed() -> str:
    """The installed OpenRLHF's version. Raises FrameworkError where there is none."""
    try:
        return metadata.version("openrlhf")
    except metadata.PackageNotFoundError as error:
        raise FrameworkError(
            f"OpenRLHF is not installed, expected {TESTED}; install it, with vLLM and flash-attn, as its README says"
        ) from error


def check(version: str) -> None:
    """Raises FrameworkError unless this adapter supports ``version``."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    if found is None:
        raise FrameworkError(f"OpenRLHF {version!r}: not a version number, expected {TESTED}")
    release, tested = tuple(map(int, found.groups())), tuple(map(int, TESTED.split(".")))
    if release < tested:
        raise FrameworkError(f"OpenRLHF {version} is older than the {TESTED} that EGCA supports; upgrade to that")
    if release > tested and os.environ.get(OVERRIDE) != "1":
        raise FrameworkError(
            f"OpenRLHF {version} is newer than the {TESTED} that EGCA was tested with; run the adapter's tests (pytest "
            f"tests/adapters/test_openrlhf_*.py) and set {OVERRIDE}=1 to go on, or install {TESTED}"
        )


def rebind(module: str, name: str, value: Any) -> Any:
    """Put ``value`` where OpenRLHF looks ``name`` up, and give what stood there.

    Raises FrameworkError for a name that is not in :data:`REBOUND`, or that this OpenRLHF does not have.
    """
    if (module, name) not in REBOUND:
        raise FrameworkError(f"{module}.{name} is rebound, and not listed in REBOUND")
    place = importlib.import_module(module)
    if not hasattr(place, name):
        raise FrameworkError(f"OpenRLHF {installed()} has no {module}.{name}, which EGCA puts its own in the place of")
    stock = getattr(place, name)
    setattr(place, name, value)
    return stock
