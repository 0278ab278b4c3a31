"""Run verl for one row and read what it left."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.matrix.row import PROMPTS, SAMPLES, STEPS, Ran, Row
from benchmarks.overhead import plugin, replay_file
from egca_plugin.adapters import smollm2
from egca_plugin.adapters.verl import launch
from egca_plugin.tasks import parquet, starter

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "tests" / "adapters"))  # the policy that the tests train, taught tasks and answers

import tiny_policy  # noqa: E402

TOOL_CALL = '<tool_call>\n{"name": "hint", "arguments": {"about": "zero"}}\n</tool_call>'
THOUGHT = "<think>\nLet y be x.\n</think>\n"
_PACE = 2000.0  # tokens a second of each replayed response
_REPLAYED = 24  # prompts, more than any row asks for


def prepare(work: Path) -> None:
    """The tiny policy, its rows, and rows whose responses are recorded."""
    if (work / "replay.parquet").exists():
        return
    tiny_policy.build(work / "model")
    tiny_policy.write_rows(work)
    plain: dict[int, list[str]] = {}
    rows = []
    for number in range(_REPLAYED):
        task = tiny_policy.TASKS[number % len(tiny_policy.TASKS)]
        plain[number] = list(tiny_policy.answers(task))
        asked = replace(task, prompt=replay_file.prompt(number, task.entry_point))
        rows.append(parquet.row(asked, data_source="egca/tiny", split="train", index=number))
    recorded = {
        "answers": plain,
        "tool_calls": {number: [TOOL_CALL] * SAMPLES + texts for number, texts in plain.items()},
        "thoughts": {number: [THOUGHT + text for text in texts] for number, texts in plain.items()},
    }
    for name, responses in recorded.items():
        replay_file.write(work / f"{name}.json", responses, _PACE)
    parquet.write(rows, work / "replay.parquet")
    starters = [
        parquet.row(task, data_source="egca/starter", split="train", index=index)
        for index, task in enumerate(starter.load())
    ]
    parquet.write(starters, work / "starter.parquet")


def run(row: Row, work: Path, timeout_s: float) -> Ran:
    """One run of verl in ``work/NAME``, which must not exist."""
    home = work / row.name
    home.mkdir(parents=True)
    lines: list[str] = []
    began = time.monotonic()
    with _environment(row, work), (home / "verl.log").open("w", encoding="utf-8") as log:

        def on_line(line: str) -> None:
            lines.append(line)
            log.write(line + "\n")

        try:
            code = launch.run(_settings(row, work), on_line, timeout_s=timeout_s)
        except TimeoutError:
            code = 124
    seconds = time.monotonic() - began
    metrics = dict(found for found in map(launch.step_metrics, lines) if found)
    written = [line for file in sorted((home / "records").glob("*.jsonl")) for line in file.read_text().splitlines()]
    return Ran(code, seconds, metrics, tuple(map(json.loads, written)), home, "\n".join(lines))


@contextlib.contextmanager
def _environment(row: Row, work: Path) -> Iterator[None]:
    """What every process of the run finds beside its own: this checkout, and where the recorded responses are."""
    wanted = {
        "PYTHONPATH": os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")])),
        "VERL_USE_EXTERNAL_MODULES": plugin.__name__ if row.replay else "",
        replay_file.FILE: str((work / f"{row.replay}.json").absolute()),
    }
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _settings(row: Row, work: Path) -> launch.CpuRun:
    home = work / row.name
    replayed = (f"actor_rollout_ref.rollout.name={plugin.ROLLOUT}",) if row.replay else ()
    replayed += ("actor_rollout_ref.rollout.calculate_log_probs=false",) if row.replay else ()
    rows = "replay.parquet" if row.replay else "starter.parquet" if row.real else "train.parquet"
    given = {
        "model": smollm2.prepare() if row.real else work / "model",
        "train": work / rows,
        "val": work / "val.parquet",
        "steps": STEPS,
        "prompts": PROMPTS,
        "samples": SAMPLES,
        "prompt_tokens": 96,
        "response_tokens": 64,
        "learning_rate": 1e-3,
        **row.settings,
    }
    overrides = tuple(
        text.format(work=work.absolute(), here=CHECKOUT / "benchmarks" / "matrix") for text in row.overrides
    )
    always = ("egca.budget=1.0", "egca.bank=''", "data.shuffle=false")  # what a run does must not hang on its haste
    return launch.CpuRun(output=home, records=home / "records", overrides=(*replayed, *always, *overrides), **given)
