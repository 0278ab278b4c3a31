"""The ``verl.plugins`` entry point: verl imports this in every process, Ray's workers included.

Nothing of verl is imported here. Each part registers itself when verl imports the module that it extends (``hooks``).
verl logs a plugin that fails at DEBUG and forgets it, so nothing may escape from here: a failure is logged as an error
with its cause, kept for ``egca doctor`` (:func:`status`), and leaves plain verl running without us.
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
from dataclasses import dataclass, replace

from egca_plugin.adapters.verl import hooks, versions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """One registration: ``ours`` is imported when verl has imported ``theirs``.

    ``state`` is ``waiting`` until then, later ``registered`` or ``failed``; ``error`` tells why.
    """

    name: str
    theirs: str
    ours: str
    state: str = "waiting"
    error: str = ""


_EVERYWHERE = (
    Part("configuration", "hydra", "egca_plugin.adapters.verl.search_path"),
    Part("estimator", "verl.trainer.ppo.core_algos", "egca_plugin.adapters.verl.estimator"),
    Part("reward manager", "verl.experimental.reward_loop.reward_manager", "egca_plugin.adapters.verl.reward"),
    Part("trainers", "verl.trainer.ppo.v1", "egca_plugin.adapters.verl.trainer"),
)
# The platform is needed by whatever verl imports next, so its `theirs` is already imported when we are.
_ON_CPU = (
    Part("CPU platform", "verl.plugin.platform", "egca_plugin.adapters.verl.platform_cpu"),
    Part("CPU engine", "verl.workers.engine", "egca_plugin.adapters.verl.engine_cpu"),
    Part("CPU rollout", "verl.workers.rollout.replica", "egca_plugin.adapters.verl.rollout_names"),
    Part("CPU weight transport", "verl.checkpoint_engine", "egca_plugin.adapters.verl.transport_cpu"),
)
# Actor, rollout and sandbox take turns on the same cores: a thread that spins while it waits keeps one from the process
# that is waited for.
_WAITING = ("OMP_WAIT_POLICY", "passive")
_parts: dict[str, Part] = {}


def status() -> tuple[Part, ...]:
    """Every part in the order of registration, as far as this process has come."""
    return tuple(_parts.values())


def wants_cpu() -> bool:
    """True where the user chose the CPU platform: ``VERL_PLATFORM=cpu``."""
    return os.environ.get("VERL_PLATFORM", "").strip().lower() == "cpu"


def install() -> None:
    """Leave word for every part. Never raises."""
    parts = (*_ON_CPU, *_EVERYWHERE) if wants_cpu() else _EVERYWHERE
    _parts.update((part.name, part) for part in parts)
    try:
        versions.check(versions.installed())
    except Exception as error:  # noqa: BLE001 - the boundary to verl, which would swallow it
        for part in parts:
            _fail(part, error)
        return
    if wants_cpu():  # verl alone, on a GPU, imports none of it
        from egca_plugin.adapters.verl import vllm_cpu

        os.environ.setdefault(*_WAITING)  # children inherit it, and only they have no OpenMP yet
        vllm_cpu.install()
    for part in parts:
        hooks.after_import(part.theirs, functools.partial(_register, part))


def _register(part: Part) -> None:
    try:
        importlib.import_module(part.ours)
    except Exception as error:  # noqa: BLE001 - plain verl must go on; the user is told
        _fail(part, error)
    else:
        _parts[part.name] = replace(part, state="registered")


def _fail(part: Part, error: Exception) -> None:
    _parts[part.name] = replace(part, state="failed", error=f"{type(error).__name__}: {error}")
    logger.error("EGCA is installed but its %s could not be registered with verl: %s", part.name, error)


install()
