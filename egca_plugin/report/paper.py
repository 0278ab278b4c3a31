"""The paper's tables (arXiv 2603.16158), and beside its figures what our recipes' evaluations gave.

A recipe's ``evaluate.sh`` leaves in the run's folder ``test/STEP.jsonl``, one line a task with ``acc`` (0 or 1), and in
``test/hydra/.hydra/config.yaml`` the whole configuration. Step 0 is the base model. A cell without a run stays empty.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from egca_plugin.errors import EgcaError

BENCHMARKS = {"HumanEval": ("humaneval.parquet", 164), "MBPP": ("mbpp-test.parquet", 500)}
CONFIG = Path("hydra") / ".hydra" / "config.yaml"
_DEFAULT = re.compile(r"\$\{oc\.env:\w+,([^}]*)\}")  # a setting that the environment may replace

Cell = float | str | None


@dataclass(frozen=True, slots=True)
class Method:
    """One row. ``paper``: its figure by benchmark, or what it says in words.

    ``settings`` are those of ``egca`` that make a run of ours one of this row, ``None`` where no recipe trains it;
    ``base`` marks the model before training.
    """

    name: str
    paper: Mapping[str, float | str]
    settings: Mapping[str, Any] | None = None
    base: bool = False


def _figures(humaneval: float, mbpp: float) -> dict[str, float | str]:
    return {"HumanEval": humaneval, "MBPP": mbpp}


def _said(words: str) -> dict[str, float | str]:
    return dict.fromkeys(BENCHMARKS, words)


_PAPER = {"enabled": True, "preset": "paper", "localizer": "trace", "mix": 1.0}
_GRPO = {"enabled": False}
_OURS = {"enabled": True, "preset": "verified", "localizer": "trace", "mix": 1.0}

MAIN = (
    Method("DeepSeek-Coder-Instruct 6.7B, before training", _figures(78.6, 65.4), base=True),
    Method("SFT", _figures(71.9, 60.3)),
    Method("PPO", _figures(78.0, 65.6)),
    Method("GRPO (`egca=off`)", _figures(79.0, 67.4), _GRPO),
    Method("RLTF", _figures(77.9, 64.5)),
    Method("StepCoder's mask (`egca.localizer=executed`)", _figures(78.7, 67.0), _PAPER | {"localizer": "executed"}),
    Method("CodeRL+", _figures(81.6, 67.4)),
    Method("EGCA, its debugger a program (`egca=paper`)", _figures(82.1, 68.9), _PAPER),
    Method("EGCA, verified spans alone (`egca=verified`, ours)", {}, _OURS),
)
ABLATIONS = (
    Method("GRPO", _figures(79.0, 67.4), _GRPO),
    Method("EGCA, its debugger a program", {}, _PAPER),
    Method("debugger a model, Qwen2.5-Coder-7B", _figures(82.1, 68.9), _PAPER | {"localizer": "debugger"}),
    Method("debugger a model, Qwen2.5-Coder-1.5B", _figures(78.9, 66.1)),
    Method("a random span", _said("GRPO's level"), _PAPER | {"localizer": "random_span"}),
    Method("a late divergence", _said("GRPO's level"), _PAPER | {"localizer": "late_divergence"}),
    Method("mask softened: mix 0.75", _said("below EGCA"), _PAPER | {"mix": 0.75}),
    Method("mask softened: mix 0.5", _said("below mix 0.75"), _PAPER | {"mix": 0.5}),
    Method("mask softened: mix 0.25", _said("below mix 0.5"), _PAPER | {"mix": 0.25}),
)


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation of a run: ``step`` 0 is the base model; ``passed`` of ``tasks`` tasks by greedy decoding."""

    benchmark: str
    model: str
    settings: Mapping[str, Any]
    step: int
    passed: int
    tasks: int

    @property
    def cell(self) -> str:
        """pass@1 in percent; with the number of tasks where they were not all."""
        rate = f"{100 * self.passed / self.tasks:.1f}"
        whole = BENCHMARKS[self.benchmark][1]
        return rate if self.tasks == whole else f"{rate} ({self.tasks} of {whole} tasks)"


def evaluated(runs: Path) -> list[Evaluated]:
    """Every evaluation below ``runs``, each run's base model and its last step.

    Raises EgcaError where ``runs`` is no folder or a file in it cannot be read.
    """
    if not runs.is_dir():
        raise EgcaError(f"{runs}: no such folder; expected where the recipes' runs are (EGCA_RUNS)")
    found: list[Evaluated] = []
    for config in sorted(runs.rglob(str(Path("test") / CONFIG))):
        found += _of_run(config)
    return found


def _of_run(path: Path) -> Iterable[Evaluated]:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        config: Any = OmegaConf.to_container(OmegaConf.load(path))
        file = str(config["data"]["val_files"]).rpartition("/")[2]
        model = _DEFAULT.sub(r"\1", str(config["actor_rollout_ref"]["model"]["path"]))
        settings = dict(config["egca"])
    except (OSError, KeyError, TypeError, ValueError, OmegaConfBaseException) as error:
        raise EgcaError(f"{path}: not the configuration of a recipe's evaluation ({error})") from error
    benchmark = next((name for name, (rows, _) in BENCHMARKS.items() if rows == file), None)
    if benchmark is None:
        return
    home = path.parents[2]
    steps = {int(samples.stem): samples for samples in home.glob("*.jsonl") if samples.stem.isdigit()}
    for step in sorted({0, max(steps, default=0)} & set(steps)):
        outcomes = _outcomes(steps[step])
        yield Evaluated(benchmark, model, settings, step, sum(outcomes), len(outcomes))


def _outcomes(path: Path) -> list[bool]:
    try:
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        outcomes = [bool(row["acc"]) for row in rows]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise EgcaError(f"{path}: not the samples of an evaluation by verl ({error!r})") from error
    if not outcomes:
        raise EgcaError(f"{path}: no samples")
    return outcomes


def tables(found: Sequence[Evaluated]) -> list[dict[str, Any]]:
    """The main table and the ablations, as :mod:`egca_plugin.cli.table` prints them; a pair for every model."""
    models = sorted({one.model for one in found}) or [""]
    return [
        _table(f"{title}, pass@1 in percent{f'; ours: {model}' if model else ''}", methods, model, found)
        for model in models
        for title, methods in (("Main table", MAIN), ("Ablations", ABLATIONS))
    ]


def _table(title: str, methods: Sequence[Method], model: str, found: Sequence[Evaluated]) -> dict[str, Any]:
    columns = ["method", *(f"{name}, {whose}" for name in BENCHMARKS for whose in ("paper", "ours"))]
    rows: list[list[Cell]] = []
    for method in methods:
        row: list[Cell] = [method.name]
        for benchmark in BENCHMARKS:
            ours = [one.cell for one in found if (one.model, one.benchmark) == (model, benchmark) and _is(one, method)]
            row += [method.paper.get(benchmark, ""), "; ".join(ours)]
        rows.append(row)
    return {"title": title, "columns": columns, "rows": rows}


def _is(one: Evaluated, method: Method) -> bool:
    if one.step == 0 or method.base:
        return one.step == 0 and method.base
    if method.settings is None:
        return False
    return all(one.settings.get(name) == value for name, value in method.settings.items())
