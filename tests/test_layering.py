"""The house's layers, read off the imports: the core knows no framework, and data flows one way (README, layout)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import egca_plugin

PACKAGE = Path(egca_plugin.__file__).parent
FRAMEWORKS = {"torch", "ray", "verl", "trl", "openrlhf", "transformers", "tensordict", "transfer_queue", "vllm"}

# A layer may import itself and what stands to its right.
LAYERS: dict[str, set[str]] = {
    "types": set(),
    "errors": set(),
    "config": {"errors"},
    "chat": {"errors"},
    "tasks": {"types", "errors", "config", "chat", "program", "sandbox", "localize"},
    "program": {"types", "errors", "config"},
    "sandbox": {"types", "errors", "config", "program"},
    "localize": {"types", "errors", "config", "program", "sandbox"},
    "credit": {"types", "errors", "config", "program", "localize", "sandbox"},
    "references": {"types", "errors", "config", "program", "sandbox", "localize", "tasks"},
    "anomalies": {"types", "errors", "program", "sandbox"},
    "alarm": {"types"},
    "metrics": {"types", "errors", "config", "credit", "alarm"},
    "records": {"types", "errors", "config"},
    "budget": set(),
    "evaluation": {"types", "errors", "config", "program", "sandbox"},
    "pipeline": {
        "types", "errors", "config", "tasks", "program", "sandbox", "localize", "credit", "references", "metrics",
        "records", "budget", "anomalies",
    },
}  # fmt: skip
FREE = {"adapters", "cli", "report", "__init__"}  # the outside: may import everything
# A framework's own folder is the only one that may import what it brings; what adapters share knows torch alone.
HOMES = {"verl": {"verl", "ray", "transfer_queue", "tensordict"}, "trl": {"trl", "accelerate"}}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def layer_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_module_stays_in_its_layer(path: Path) -> None:
    layer = layer_of(path)
    if layer in FREE:
        return
    assert layer in LAYERS, f"{path.name}: unknown layer {layer!r}; give it a place in LAYERS"
    ours = {name.split(".")[1] for name in imported(path) if name.startswith("egca_plugin.")}
    assert ours <= LAYERS[layer] | {layer}, f"{layer} imports {sorted(ours - LAYERS[layer] - {layer})}"
    roots = {name.split(".")[0] for name in imported(path)}
    assert not roots & FRAMEWORKS, f"below adapters/ no framework may be imported; got {sorted(roots & FRAMEWORKS)}"


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_each_framework_is_known_in_its_own_folder_alone(path: Path) -> None:
    parts = path.relative_to(PACKAGE).parts
    if parts[0] == "cli":  # `egca doctor` looks at what is installed
        return
    home = parts[1] if parts[0] == "adapters" and len(parts) > 2 else ""
    names = imported(path)
    for framework, brings in HOMES.items():
        if framework != home:
            assert not brings & {name.split(".")[0] for name in names}, f"{framework} is not known here"
            ours = f"egca_plugin.adapters.{framework}"
            assert not any(name == ours or name.startswith(f"{ours}.") for name in names), f"{ours} is another's"
