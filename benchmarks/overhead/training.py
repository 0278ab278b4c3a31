"""End to end: vanilla GRPO and EGCA in alternating steps of one verl run, on the same replayed responses."""

from __future__ import annotations

import os
import random
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.common import Interval, new_figure, save_figure, table
from benchmarks.overhead import plugin, replay_file, tiny_policy
from benchmarks.overhead.pairs import PHASES, Pair, added, before_update, overhead, pairs
from benchmarks.overhead.recorded import Recording, mix
from benchmarks.overhead.schedule import WARM_UP, pair_of, share_index
from egca_plugin.adapters.verl import launch
from egca_plugin.errors import FrameworkError
from egca_plugin.tasks import parquet

SHARES = (0.35, 1.0)
LIVE = (0.0,)  # whatever the policy's is
CHECKOUT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Plan:
    """One paired run. ``samples`` is the group size, ``tokens_per_s`` the pace of each replayed response.

    Without ``model`` the policy is a random one of :data:`tiny_policy.SIZES`, its vocabulary made of the replayed
    texts. With ``device_s`` old log-probabilities are not computed: the step waits so long, the CPU idle as beside an
    accelerator, and takes the rollout's. With ``live``, ``cpu`` or ``cpu_vllm``, the model generates in that machine's
    own way: the arms of a pair share their prompts but not their responses, and the logic share is the policy's own.
    Raises ValueError where ``live`` has no model.
    """

    work: Path
    model: Path | None = None
    size: str = "small"
    steps: int = 40
    prompts: int = 4
    samples: int = 8
    response_tokens: int = 512
    tokens_per_s: float = 80.0
    workers: int = 2
    shares: tuple[float, ...] = SHARES
    slow_s: float = 0.0
    device_s: float = 0.0
    live: str = ""
    timeout_s: float = 3000.0

    def __post_init__(self) -> None:
        if self.live and self.model is None:
            raise ValueError("live: a random policy writes no programs; name a model")


def run(plan: Plan, recording: Recording, *, seed: int = 0) -> dict[int, dict[str, float]]:
    """Seconds by phase of every step, as verl's own timers have them. Raises FrameworkError where verl failed."""
    plan.work.mkdir(parents=True, exist_ok=True)
    rows = prepare(plan, recording, seed)
    steps: dict[int, dict[str, float]] = {}

    def on_line(line: str) -> None:
        log.write(line + "\n")
        found = launch.step_metrics(line)
        if found is not None:
            steps[found[0]] = found[1]
            print(f"\rstep {found[0]}/{plan.steps}", end="", file=sys.stderr, flush=True)

    external = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH", "")]))
    os.environ["PYTHONPATH"] = external
    os.environ["VERL_USE_EXTERNAL_MODULES"] = plugin.__name__
    os.environ[replay_file.FILE] = str((plan.work / "replay.json").absolute())
    with (plan.work / "verl.log").open("w", encoding="utf-8") as log:
        try:
            code = launch.run(_settings(plan, rows), on_line, timeout_s=plan.timeout_s)
        except TimeoutError:
            code = 0  # the pairs that were finished in time count
    if code or len(steps) < WARM_UP + 4 * len(plan.shares):
        raise FrameworkError(
            f"the paired run ended with status {code} after {len(steps)} of {plan.steps} steps; see {log.name}"
        )
    prefix = "timing_s/"
    return {n: {k.removeprefix(prefix): v for k, v in m.items() if k.startswith(prefix)} for n, m in steps.items()}


def _settings(plan: Plan, rows: Path) -> launch.CpuRun:
    overrides: tuple[str, ...] = (
        f"actor_rollout_ref.rollout.calculate_log_probs={str(bool(plan.device_s)).lower()}",
        f"trainer.v1.trainer_mode={plugin.TRAINER}",
        "reward.reward_manager.source=importlib",
        "reward.reward_manager.name=PairedRewardManager",
        "reward.reward_manager.module.path=pkg://benchmarks.overhead.paired_reward",
        f"egca.sandbox.workers={plan.workers}",
        "egca.budget=1.0",  # every sample is localised: what EGCA costs, not what it is allowed to
        f"+egca_bench.slow_s={plan.slow_s}",
        f"+egca_bench.device_s={plan.device_s}",
        "data.shuffle=false",
    )
    if not plan.live:
        overrides += (f"actor_rollout_ref.rollout.name={plugin.ROLLOUT}",)
    if plan.device_s:
        overrides += ("algorithm.rollout_correction.bypass_mode=true",)
    return launch.CpuRun(
        model=plan.model or plan.work / "model",
        train=rows,
        val=rows,
        output=plan.work / "run",
        steps=plan.steps,
        prompts=plan.prompts,
        samples=plan.samples,
        prompt_tokens=512 if plan.live else 128,
        response_tokens=plan.response_tokens,
        machine=plan.live or "cpu",
        overrides=overrides,
    )


def prepare(plan: Plan, recording: Recording, seed: int) -> Path:
    """Write model, rows and replay file; both steps of a pair get the same prompts and the same responses."""
    rng = random.Random(seed)
    replayed: dict[int, list[str]] = {}
    rows: list[dict[str, Any]] = []
    able = sorted(t for t, by in recording.programs.items() if by.get("wrong") and by.get("crashing"))
    for pair in range(pair_of(plan.steps) + 1):
        wanted = mix(plan.shares[share_index(pair, len(plan.shares))])
        block = []
        for _ in range(plan.prompts):
            number, task_id = len(replayed), rng.choice(able)
            replayed[number] = [r.completion for r in recording.group(task_id, plan.samples, wanted, rng)]
            task = recording.tasks[task_id]
            if not plan.live:
                task = replace(task, prompt=replay_file.prompt(number, task.entry_point))
            block.append(parquet.row(task, data_source="egca/replay", split="train", index=number))
        rows += block + block
    if plan.model is None:
        tiny_policy.build(plan.work / "model", [text for texts in replayed.values() for text in texts], plan.size)
    replay_file.write(plan.work / "replay.json", replayed, plan.tokens_per_s)
    path = plan.work / "rows.parquet"
    parquet.write(rows, path)
    return path


# --- what it says -------------------------------------------------------------------------------------------------


def tables(steps: Mapping[int, Mapping[str, float]], shares: Sequence[float]) -> list[dict[str, Any]]:
    """Overhead by phase, one table a logic share."""
    found = pairs(steps, shares)
    return [_by_phase([p for p in found if p.share == share], share) for share in shares]


def _by_phase(chosen: Sequence[Pair], share: float) -> dict[str, Any]:
    rows = []
    for phase in PHASES:
        if all(phase in pair.grpo and phase in pair.egca for pair in chosen):
            base = statistics.median(pair.grpo[phase] for pair in chosen)
            rows.append([phase, f"{base:.3f}", *_shown(added(chosen, phase), overhead(chosen, phase))])
    rows.append(["step but its update, of the whole step", "", *_shown(*before_update(chosen))])
    columns = ["phase", "GRPO, s", "EGCA adds, s", "overhead, %"]
    what = f"{share:.0%} of the samples in `logic`" if share else "the model's own responses"
    return table(f"Training step, {what}, {len(chosen)} pairs", columns, rows)


def _shown(more: Interval, ratio: Interval) -> tuple[str, str]:
    """Seconds, and percent."""
    return more.show("{:+.3f}"), f"{100 * ratio.value:+.1f} [{100 * ratio.low:+.1f}, {100 * ratio.high:+.1f}]"


def draw(steps: Mapping[int, Mapping[str, float]], shares: Sequence[float], folder: Path, name: str) -> Path:
    """Every pair's overhead of the whole step, sorted, one line a share."""
    figure, axis = new_figure()
    for share in shares:
        ratios = sorted(100 * (p.egca["step"] / p.grpo["step"] - 1) for p in pairs(steps, shares) if p.share == share)
        axis.plot(
            [(k + 0.5) / len(ratios) for k in range(len(ratios))], ratios, "o-", markersize=3, label=f"{share:.0%}"
        )
    axis.axhline(0, color="black", linewidth=0.6)
    axis.axhline(18, color="tab:red", linewidth=0.8, linestyle="--", label="the paper's 18%")
    axis.set(xlabel="share of the pairs", ylabel="overhead of the step, %")
    axis.legend(title="samples in `logic`")
    return save_figure(figure, name, folder)
