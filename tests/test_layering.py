"""The house's layers, read off the imports: the core knows no framework, and data flows one way (README, layout)."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import egca_plugin

PACKAGE = Path(egca_plugin.__file__).parent
FRAMEWORKS = {"torch", "ray", "verl", "trl", "openrlhf", "transformers", "tensordict", "transfer_queue", "vllm"}

# A layer may import itself and what its row names. Read from the top, nothing points down (CONTRIBUTING, the house).
LAYERS: dict[str, set[str]] = {
    "display": {"visible"},
    "types": {"display"},
    "errors": set(),
    "config": {"errors"},
    "jsonl": {"errors"},
    "visible": set(),
    "program": {"types", "errors", "config"},
    "sandbox": {"types", "errors", "config", "visible"},
    "judged": {"types", "program"},
    "judging": {"types", "errors", "config", "program", "sandbox"},
    "conformance": {"types", "errors", "config", "sandbox", "judging"},
    "localize": {"types", "errors", "config", "program", "sandbox", "judging"},
    "tasks": {"types", "errors", "config", "jsonl", "program", "sandbox", "judging", "localize"},
    "credit": {"types", "errors", "config", "program", "sandbox", "judged", "judging", "localize"},
    "references": {"types", "errors", "config", "jsonl", "program", "sandbox", "judged", "judging", "localize"},
    "monitor": {"types", "errors", "jsonl"},
    "assessor": {
        "types", "errors", "config", "program", "sandbox", "judged", "judging", "localize", "tasks", "credit",
        "references", "monitor",
    },
    "pipeline": {"types", "errors", "config", "sandbox", "judged", "credit", "references", "assessor"},
}  # fmt: skip
# Rooms within a layer, in the same way: what each may import of its own layer.
ROOMS: dict[str, dict[str, set[str]]] = {
    "sandbox": {
        "inside": {"wire"},
        "wire": set(),
        "outside": {"wire", "isolation", "policy", "layers"},
        "isolation": {"packages", "policy"},
        "packages": set(),
        "policy": set(),
        "layers": set(),
        "namespaces": {"layers"},
        "hostfiles": set(),
        "zygote": {"inside", "wire", "layers", "namespaces", "hostfiles"},
    },
}
FREE = {"adapters", "api", "cli", "report", "__init__"}  # the outside: may import everything
# A framework's own folder is the only one that may import what it brings; what adapters share knows torch alone.
HOMES = {
    "verl": {"verl", "ray", "transfer_queue", "tensordict"},
    "trl": {"trl", "accelerate"},
    "openrlhf": {"openrlhf", "ray"},
}


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
            foreign = brings - HOMES.get(home, set())
            assert not foreign & {name.split(".")[0] for name in names}, f"{framework} is not known here"
            ours = f"egca_plugin.adapters.{framework}"
            assert not any(name == ours or name.startswith(f"{ours}.") for name in names), f"{ours} is another's"


@pytest.mark.parametrize("layer", ROOMS)
def test_a_room_of_a_layer_imports_only_what_is_behind_it(layer: str) -> None:
    for path in sorted((PACKAGE / layer).rglob("*.py")):
        room = path.relative_to(PACKAGE / layer).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        assert room in ROOMS[layer], f"{path.name}: unknown room {room!r} of {layer}"
        ours = {name.split(".")[2] for name in imported(path) if name.startswith(f"egca_plugin.{layer}.")}
        assert ours <= ROOMS[layer][room] | {room}, f"{layer}/{room} imports {sorted(ours - ROOMS[layer][room])}"


def test_no_circle_between_files() -> None:
    """Imports inside functions and under TYPE_CHECKING count too; what is loaded by its name as text does not."""
    assert circle(arrows(PACKAGE.parent / "egca_plugin")) == []
    benchmarks = PACKAGE.parent / "benchmarks"
    if benchmarks.is_dir():
        assert circle(arrows(benchmarks)) == []


def test_a_circle_is_found() -> None:
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == ["a", "b", "c", "a"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def arrows(root: Path) -> dict[str, set[str]]:
    """Which module of ``root`` imports which. ``from package import module`` points at the module alone."""
    named = {".".join(path.relative_to(root.parent).with_suffix("").parts): path for path in root.rglob("*.py")}
    named = {name.removesuffix(".__init__"): path for name, path in named.items()}

    def targets(path: Path) -> set[str]:
        found: set[str] = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= inner if inner <= named.keys() else inner | {node.module}
        return found & named.keys()

    return {name: targets(path) - {name} for name, path in named.items()}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Some circle of the graph, its first module again at the end; empty if there is none."""
    done: set[str] = set()

    def walk(name: str, trail: list[str]) -> list[str]:
        if name in trail:
            return [*trail[trail.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph[name]):
            found = walk(other, [*trail, name])
            if found:
                return found
        done.add(name)
        return []

    return next((found for name in sorted(graph) if (found := walk(name, []))), [])
