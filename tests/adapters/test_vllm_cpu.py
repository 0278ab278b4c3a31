"""verl finds ``vllm-cpu`` under the name ``vllm``, and its layers keep their weights; without it nothing changes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import pytest

pytest.importorskip("verl")

from egca_plugin.adapters.verl import hooks, vllm_cpu

Site = Callable[..., None]
_LAYERS = "vllm.model_executor.layers.utils"
_PACK = "def dispatch_cpu_unquantized_gemm(layer, remove_weight):\n    return layer, remove_weight\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Puts distributions, by name and version, in front of all others; nothing of what follows outlives the test."""
    for name in ("vllm", "vllm-cpu"):
        try:
            metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        pytest.skip(f"{name} is installed here")

    def put(**versions: str) -> None:
        for name, version in versions.items():
            info = tmp_path / f"{name}-{version}.dist-info"
            info.mkdir()
            (info / "METADATA").write_text(
                f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
            )

    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(hooks, "_finder", hooks._Finder())
    for name in vllm_cpu.ENVIRONMENT:
        monkeypatch.setenv(name, "before")  # so that it is restored
        monkeypatch.delenv(name)
    return put


def test_the_cpu_build_answers_for_vllm(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site(vllm_cpu="0.27.1")
    monkeypatch.setenv("VLLM_NO_USAGE_STATS", "0")
    vllm_cpu.install()
    vllm_cpu.install()
    assert metadata.version("vllm") == "0.27.1+cpu"
    assert metadata.metadata("vllm")["Name"] == "vllm"
    assert vllm_cpu.installed() == metadata.version("vllm-cpu") == "0.27.1"
    assert os.environ["VLLM_CPU_OMP_THREADS_BIND"] == "nobind"
    assert os.environ["VLLM_NO_USAGE_STATS"] == "0", "the user's word goes first"
    assert sys.meta_path.count(vllm_cpu._finder) == 1
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("vllm-other")


@pytest.mark.parametrize("versions", [{}, {"vllm": "0.24.0"}, {"vllm": "0.24.0", "vllm_cpu": "0.27.1"}])
def test_without_it_or_beside_vllm_proper_nothing_changes(site: Site, versions: dict[str, str]) -> None:
    site(**versions)
    before = list(sys.meta_path)
    vllm_cpu.install()
    assert sys.meta_path == before
    assert vllm_cpu.installed() is None
    assert not vllm_cpu.ENVIRONMENT.keys() & os.environ.keys()


def test_layers_keep_their_weights(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site(vllm_cpu="0.27.1")
    folder = tmp_path
    for part in _LAYERS.split(".")[:-1]:
        folder = folder / part
        folder.mkdir()
        (folder / "__init__.py").touch()
    (folder / "utils.py").write_text(_PACK)
    for depth in range(1, 5):
        monkeypatch.delitem(sys.modules, ".".join(_LAYERS.split(".")[:depth]), raising=False)
    vllm_cpu.install()
    from importlib import import_module

    try:
        assert import_module(_LAYERS).dispatch_cpu_unquantized_gemm("layer", remove_weight=True) == ("layer", False)
    finally:
        for name in [name for name in sys.modules if name == "vllm" or name.startswith("vllm.")]:
            del sys.modules[name]
