"""``egca demo``: train SmolLM2-135M-Instruct with EGCA inside unmodified verl, on this machine's CPU."""

from __future__ import annotations

import argparse
import importlib.util
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from egca_plugin.adapters import smollm2
from egca_plugin.adapters.host import GIB, require_disk, require_memory
from egca_plugin.cli.live import Step, best_example, example, read_records, records_table, steps_table
from egca_plugin.cli.pace import Pace, PaceBar, PaceLeft
from egca_plugin.cli.prepare import write
from egca_plugin.cli.progress import span
from egca_plugin.cli.stopping import sigterm_as_interrupt
from egca_plugin.cli.terminal import console, uncoloured
from egca_plugin.config import PRESETS
from egca_plugin.errors import AssetError, ConfigError, FrameworkError
from egca_plugin.tasks.catalog import SETS

if TYPE_CHECKING:
    from egca_plugin.adapters.verl.launch import CpuRun

MEMORY = 11 * GIB  # measured peak of all processes, and a little room
DISK = 2 * GIB  # Ray's session, the log and the records
PROMPT = 88  # tokens of a starter task, in the mean
TAIL = 40  # lines of verl's output that are shown where it fails
# What verl says on its way to the first step, and what that means to the one who waits.
MILESTONES = {
    "Started a local Ray instance": "Ray runs; loading verl's trainer",
    "create worker group": "starting the actor (FSDP2 on gloo)",
    "actor and ref model engine initialized": "starting the rollout and the reward manager",
    "ready to fit": "waiting for the rollout's workers",
    "Training Progress:   0%": "step 1",
}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "demo",
        help="train SmolLM2-135M with EGCA inside unmodified verl, on this machine's CPU",
        description="Prepare the model and the starter tasks, then run verl's own trainer for a few steps on the CPU.",
        epilog="example: egca demo --steps 3 --out egca_runs/first",
    )
    parser.add_argument("--steps", type=_at_least(1), default=3, help="training steps (default: %(default)s)")
    parser.add_argument("--prompts", type=_at_least(1), default=4, help="prompts a step (default: %(default)s)")
    parser.add_argument("--samples", type=_at_least(2), default=6, help="samples a prompt (default: %(default)s)")
    parser.add_argument("--tokens", type=_at_least(16), default=96, help="length of an answer (default: %(default)s)")
    parser.add_argument(
        "--preset", choices=(*PRESETS, "off"), default="verified", help="off: plain GRPO (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", type=Path, metavar="DIR", help="another model's Hugging Face directory")
    parser.add_argument(
        "--model-source",
        choices=smollm2.SOURCES,
        default="auto",
        help="where SmolLM2 comes from (default: %(default)s)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="for data, records and logs (default: egca_runs/demo-TIME)"
    )
    parser.add_argument("--json", action="store_true", help="print the steps as one JSON object at the end")


def run(args: argparse.Namespace) -> int:
    """Exit code 0 when every step ran, 1 when verl failed. Raises AssetError and FrameworkError before it starts."""
    screen = console()
    _require_verl()
    out: Path = (args.out or Path("egca_runs") / time.strftime("demo-%Y%m%d-%H%M%S")).absolute()
    if (out / "records").exists():
        raise ConfigError(f"--out: {out} holds the records of an earlier run; give a new directory")
    if args.model is not None:
        _check_model(args.model)
    require_memory(MEMORY, "egca demo")
    require_disk(out, DISK, "egca demo")
    with sigterm_as_interrupt(), _progress(screen) as bar:
        settings = _prepare(args, out, bar)
        steps, code = _train(settings, out, bar)
    if code != 0 or len(steps) < args.steps:
        screen.print(f"verl ended with exit code {code} after {len(steps)} of {args.steps} steps.", style="red")
        screen.print("Its last lines:")
        screen.print(_tail(out / "verl.log"))
        screen.print(f"the whole log: {out / 'verl.log'}\nnext: egca doctor", soft_wrap=True)
        return 1
    _report(screen, steps, out)
    if args.json:
        print(json.dumps({"out": str(out), "steps": [asdict(step) for step in steps]}))
    return 0


def _prepare(args: argparse.Namespace, out: Path, bar: Progress) -> CpuRun:
    from egca_plugin.adapters.verl.launch import CpuRun

    job = bar.add_task("model", total=1.0)
    model = args.model or smollm2.prepare(
        args.model_source, progress=lambda stage, share: bar.update(job, description=stage, completed=share)
    )
    bar.remove_task(job)
    bar.console.print(f"model: {model}", soft_wrap=True)
    train = write(SETS["starter"], None, "train", "off", out / "data")
    test = write(SETS["starter"], None, "test", "off", out / "data")
    bar.console.print(f"tasks: {train.count} to train on, {out / 'data'}", soft_wrap=True)
    return CpuRun(
        model=model,
        train=train.rows,
        val=test.rows,
        output=out,
        records=out / "records",
        steps=args.steps,
        prompts=args.prompts,
        samples=args.samples,
        prompt_tokens=256,
        response_tokens=args.tokens,
        seed=args.seed,
        egca=args.preset,
    )


def _train(settings: CpuRun, out: Path, bar: Progress) -> tuple[list[Step], int]:
    """The steps that ran and verl's exit code; all of its output goes to ``out/verl.log``."""
    from egca_plugin.adapters.verl import launch

    steps: list[Step] = []
    pace = Pace(settings.steps, settings.prompts * settings.samples * (PROMPT + settings.response_tokens))
    bar.console.print(f"training: {settings.steps} steps, about {span(pace.left())} on idle cores", soft_wrap=True)
    job: TaskID = bar.add_task("starting Ray", total=settings.steps, pace=pace)
    out.mkdir(parents=True, exist_ok=True)
    with (out / "verl.log").open("w", encoding="utf-8") as log:

        def on_line(line: str) -> None:
            log.write(line + "\n")
            log.flush()
            bar.update(job, description=_milestone(line))
            found = launch.step_metrics(line)
            if found and found[0] > len(steps):
                steps.append(Step.of(*found))
                pace.step()
                bar.console.print(steps[-1].line(settings.steps), highlight=False, soft_wrap=True)
                ahead = f"step {len(steps) + 1} of {settings.steps}" if len(steps) < settings.steps else "stopping Ray"
                bar.update(job, completed=len(steps), description=ahead)

        code = launch.run(settings, on_line)
    return steps, code


def _milestone(line: str) -> str | None:
    return next((text for mark, text in MILESTONES.items() if mark in line), None)


def _report(console: Console, steps: list[Step], out: Path) -> None:
    records = read_records(out / "records")
    console.print(steps_table(steps))
    console.print(records_table(records))
    shown = best_example(records)
    if shown is not None:
        console.print(example(shown))
    console.print(
        f"records, one JSON line a sample: {out / 'records'}\nverl's log: {out / 'verl.log'}\n"
        "next: egca demo --preset off (the same run with plain GRPO); recipes/ (MBPP and HumanEval on GPUs)",
        soft_wrap=True,
        highlight=False,
    )


# --- small parts --------------------------------------------------------------------------------------------------


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        PaceBar(),
        TimeElapsedColumn(),
        PaceLeft(),
        console=console,
        transient=True,
    )


def _require_verl() -> None:
    missing = [name for name in ("verl", "ray", "torch", "transformers") if importlib.util.find_spec(name) is None]
    if missing:
        raise FrameworkError(f"egca demo needs {', '.join(missing)}: run `pip install 'egca-plugin[cpu]'`")


def _check_model(folder: Path) -> None:
    """Before minutes of start-up rather than behind them. Raises AssetError."""
    wanted = {"config.json": "config.json", "a tokenizer": "tokenizer.json", "weights": "*.safetensors"}
    missing = [what for what, name in wanted.items() if not any(folder.glob(name))]
    if missing:
        found = "no such folder" if not folder.is_dir() else f"lacks {', '.join(missing)}"
        raise AssetError(
            f"--model {folder}: {found}; expected a folder as save_pretrained writes it: config.json, tokenizer.json "
            "and weights in safetensors"
        )
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        architectures = settings["architectures"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AssetError(f"--model {folder}: config.json names no architecture; expected a causal model") from error
    if not any(str(name).endswith("ForCausalLM") for name in architectures):
        raise AssetError(f"--model {folder}: got {architectures}, expected a causal language model")


def _tail(path: Path) -> Text:
    with path.open(encoding="utf-8", errors="replace") as file:
        return uncoloured("".join(deque(file, maxlen=TAIL)))


def _at_least(low: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < low:
            raise argparse.ArgumentTypeError(f"got {value}, expected at least {low}")
        return value

    return number
