"""A real model on the starter tasks, trained by verl once per arm and seed; finished runs are kept and not repeated."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.learning import plugin
from benchmarks.learning.controls import CONTROLS
from egca_plugin.adapters import smollm2
from egca_plugin.adapters.verl import launch
from egca_plugin.cli.prepare import write
from egca_plugin.errors import FrameworkError
from egca_plugin.tasks.catalog import SETS

CONTROL = ("trainer.v1.trainer_mode=egca_control",)
ARMS: dict[str, tuple[str, tuple[str, ...]]] = {  # name: (egca preset, overrides)
    "grpo": ("off", ()),
    "unit": ("verified", ()),
    "conserve": ("verified", ("egca.scale=conserve",)),
    "paper": ("paper", ()),
    "mix_0.5": ("verified", ("egca.scale=conserve", "egca.mix=0.5")),
    "cap_8": ("verified", ("egca.scale=conserve", "egca.cap=8.0")),
    "late": ("verified", ("egca.scale=conserve", "egca.localizer=late_divergence")),
    **{name: ("verified", (*CONTROL, f"+egca_bench.control={name}")) for name in CONTROLS},
}
# What makes a step quicker on a CPU: bf16, no padding, and only what is measured.
_ACTOR, _ROLLOUT = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
QUICK = (
    "actor_rollout_ref.model.use_remove_padding=true",
    f"{_ACTOR}.fsdp_config.mixed_precision.param_dtype=bf16",
    f"{_ACTOR}.ppo_micro_batch_size_per_gpu=8",
    f"{_ROLLOUT}.log_prob_micro_batch_size_per_gpu=8",
    f"{_ROLLOUT}.dtype=bfloat16",
    f"{_ROLLOUT}.val_kwargs.n=4",
    "trainer.val_before_train=false",
)
CHECKOUT = Path(__file__).parents[2]
HELD_OUT, TRAINED, STEP_S = "held_out", "trained", "seconds"


def main(argv: Sequence[str]) -> int:
    """Run what is missing, then write ``learning_policy.json`` and its picture from everything finished."""
    args = _parse(argv)
    for seed in range(args.seeds):
        for arm in args.arms:
            kept = _kept(args, arm, seed)
            if not kept.exists():
                print(f"learning: {arm}, seed {seed}", file=sys.stderr)
                rows = train(args, arm, seed)
                partial = kept.with_suffix(".partial")
                partial.write_text(json.dumps({"arm": arm, "seed": seed, "steps": rows}), encoding="utf-8")
                partial.replace(kept)
    found = [json.loads(_kept(args, arm, seed).read_text()) for seed in range(args.seeds) for arm in args.arms]
    settings = {name: getattr(args, name) for name in ("steps", "prompts", "samples", "tokens", "lr", "every", "seeds")}
    path = common.write_result(
        "learning_policy", settings=settings, tables=[summary(found)], data={"runs": found}, folder=args.out
    )
    print(f"{path}\n{draw(found, args.out)}", file=sys.stderr)
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="egca bench learning policy", description=__doc__)
    parser.add_argument("--model", type=Path, help="Hugging Face directory (default: SmolLM2-135M-Instruct, fetched)")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=list(ARMS), metavar="ARM", help=", ".join(ARMS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--prompts", type=int, default=8, help="a step (default: %(default)s)")
    parser.add_argument("--samples", type=int, default=8, help="a prompt (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=128, help="of an answer at most (default: %(default)s)")
    parser.add_argument("--lr", type=float, default=2e-6)
    parser.add_argument("--every", type=int, default=10, help="steps between held-out measurements")
    parser.add_argument(
        "--work", type=Path, default=Path("outputs/learning-policy"), help="finished runs, for resuming"
    )
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of the results")
    args = parser.parse_args(argv)
    if min(args.seeds, args.steps, args.prompts, args.samples, args.every) < 1:
        parser.error("--seeds, --steps, --prompts, --samples and --every: expected 1 or more of each")
    if args.model is not None and not (args.model / "config.json").is_file():
        parser.error(f"--model: got {args.model}, expected a Hugging Face directory with a config.json")
    return args


def _kept(args: argparse.Namespace, arm: str, seed: int) -> Path:
    return Path(args.work / f"{arm}-{seed}-{args.steps}.json")


def train(args: argparse.Namespace, arm: str, seed: int) -> list[dict[str, float]]:
    """One run: per step its pass rate, its seconds and, where it was measured, the held-out pass rate."""
    preset, overrides = ARMS[arm]
    folder = args.work / f"{arm}-{seed}"
    data = [write(SETS["starter"], None, split, "off", args.work / "data") for split in ("train", "test")]
    run = launch.CpuRun(
        model=args.model or smollm2.prepare(),
        train=data[0].rows,
        val=data[1].rows,
        output=folder,
        steps=args.steps,
        prompts=args.prompts,
        samples=args.samples,
        prompt_tokens=256,
        response_tokens=args.tokens,
        learning_rate=args.lr,
        validate=True,
        seed=seed,
        egca=preset,
        overrides=(f"trainer.test_freq={args.every}", *QUICK, *overrides),
    )
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
    os.environ["VERL_USE_EXTERNAL_MODULES"] = plugin.__name__
    steps: dict[int, dict[str, float]] = {}
    with (folder / "verl.log").open("w", encoding="utf-8") as log:

        def on_line(line: str) -> None:
            log.write(line + "\n")
            found = launch.step_metrics(line)
            if found is not None:
                steps.setdefault(found[0], {}).update(found[1])

        code = launch.run(run, on_line)
    if code or args.steps not in steps:
        raise FrameworkError(f"{arm}, seed {seed}: verl ended with status {code}; see {folder / 'verl.log'}")
    return [row_of(step, metrics) for step, metrics in sorted(steps.items())]


def row_of(step: int, metrics: Mapping[str, float]) -> dict[str, float]:
    """What is kept of one step's metrics; verl names the held-out rate ``val-core/<data source>/acc/mean@<k>``."""
    row = {"step": float(step)}
    for name, value in metrics.items():
        if name.startswith("val-core/") and "/mean@" in name:
            row[HELD_OUT] = value
    names = {TRAINED: "critic/score/mean", STEP_S: "timing_s/step", "grad_norm": "actor/grad_norm"}
    return row | {ours: metrics[theirs] for ours, theirs in names.items() if theirs in metrics}


def summary(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Per arm: mean pass rate in training, held out at the end, and against GRPO of the same seed."""
    rows = []
    area = {
        (run["arm"], run["seed"]): statistics.fmean(r[TRAINED] for r in run["steps"] if TRAINED in r) for run in found
    }
    for arm in dict.fromkeys(run["arm"] for run in found):
        own = [run for run in found if run["arm"] == arm]
        held_out = [[r[HELD_OUT] for r in run["steps"] if HELD_OUT in r][-1] for run in own]
        paired = [area[arm, run["seed"]] - area["grpo", run["seed"]] for run in own if ("grpo", run["seed"]) in area]
        seconds = statistics.median(r[STEP_S] for run in own for r in run["steps"] if STEP_S in r)
        rows.append(
            [
                arm,
                len(own),
                common.bootstrap([area[arm, run["seed"]] for run in own], statistics.fmean).show("{:.3f}"),
                common.bootstrap(held_out, statistics.fmean).show("{:.3f}"),
                common.bootstrap(paired, statistics.fmean).show("{:+.3f}") if paired and arm != "grpo" else "",
                f"{seconds:.1f}",
            ]
        )
    columns = ["arm", "seeds", "mean pass rate in training", "held out at the end", "against grpo", "s a step"]
    return common.table("Learning, a real model on the starter tasks", columns, rows)


def draw(found: Sequence[Mapping[str, Any]], folder: Path) -> Path:
    """Pass rate in training and held out, by step and by second, means over the seeds.

    A second is a step times the arm's median seconds a step: on a shared machine single steps say little.
    """
    figure, (trained, by_step, by_second) = common.new_figure(3)
    for arm in dict.fromkeys(run["arm"] for run in found):
        own = [run["steps"] for run in found if run["arm"] == arm]
        typical = statistics.median(row[STEP_S] for rows in own for row in rows if STEP_S in row)
        rates = _means(own, TRAINED)
        held_out = _means(own, HELD_OUT)
        trained.plot(list(rates), list(rates.values()), "o-", markersize=3, label=arm)
        by_step.plot(list(held_out), list(held_out.values()), "o-", markersize=3)
        by_second.plot([step * typical for step in held_out], list(held_out.values()), "o-", markersize=3)
    trained.set(xlabel="step", ylabel="pass rate in training")
    by_step.set(xlabel="step", ylabel="held-out pass rate")
    by_second.set(xlabel="seconds of training")
    trained.legend(fontsize=7)
    return common.save_figure(figure, "learning_policy", folder)


def _means(runs: Sequence[Sequence[Mapping[str, float]]], name: str) -> dict[float, float]:
    """Step -> mean over the runs that measured ``name`` there."""
    values: dict[float, list[float]] = {}
    for row in (row for rows in runs for row in rows if name in row):
        values.setdefault(row["step"], []).append(row[name])
    return {step: statistics.fmean(values[step]) for step in sorted(values)}
