"""Overhead against vanilla GRPO and verl's own scorer. Each part writes its own result file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.overhead import tiny_policy

PARTS = {
    "adv": "placing the credit, per 1,000 tokens: seconds",
    "reward": "the reward path alone, against verl's prime_code: minutes",
    "scaling": "growth with group, length, tests, logic share, workers: minutes",
    "cluster": "a simulated cluster, from the times that `scaling` has measured: minutes",
    "training": "vanilla GRPO against EGCA through the same verl trainer on replayed responses: 20 minutes",
}


def main(argv: Sequence[str] | None = None) -> int:
    args = _parse(argv)
    for part in args.parts:
        print(f"overhead: {part}", file=sys.stderr)
        for path in _RUN[part](args):
            print(path, file=sys.stderr)
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="egca bench overhead",
        description=__doc__,
        epilog="\n".join(["parts:", *(f"  {name:<10}{what}" for name, what in PARTS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", default=list(PARTS), help=f"of {', '.join(PARTS)}; default all"
    )
    parser.add_argument("--mbpp", type=Path, help="mbpp.jsonl; without it the recorded responses are HumanEval's")
    parser.add_argument("--mbpp-tasks", type=int, default=150, help="how many of its tasks (default: %(default)s)")
    parser.add_argument(
        "--model", type=Path, help="model directory with the tokenizer (default: SmolLM2-135M, fetched)"
    )
    parser.add_argument("--responses", type=int, default=1200, help="recorded responses (default: %(default)s)")
    parser.add_argument("--hanging", type=int, default=2, help="hanging responses timed; a minute each in prime_code")
    parser.add_argument("--workers", type=int, default=2, help="sandbox workers (default: %(default)s)")
    parser.add_argument("--steps", type=int, default=40, help="training steps in all (default: %(default)s)")
    parser.add_argument("--limit", type=float, default=3000, help="training: stop after so many seconds")
    parser.add_argument("--prompts", type=int, default=4, help="training: prompts a step (default: %(default)s)")
    parser.add_argument(
        "--policy",
        choices=("model", *tiny_policy.SIZES),
        default="small",
        help="training: --model itself (its steps take a minute here), or a random one (default: %(default)s)",
    )
    parser.add_argument(
        "--live",
        nargs="?",
        const="cpu",
        default="",
        choices=("cpu", "cpu_vllm"),
        help="training: the model generates instead of the replay, by Hugging Face's loop or by verl's vLLM rollout",
    )
    parser.add_argument("--tokens", type=int, default=512, help="training: longest response (default: %(default)s)")
    parser.add_argument("--slow", type=float, default=0.0, help="training: slow EGCA down on purpose, s a response")
    parser.add_argument(
        "--device", type=float, default=0.0, help="training: log-probabilities are a device that takes so many s"
    )
    parser.add_argument("--debugger", action="store_true", help="also the LLM debugger; its server must be configured")
    parser.add_argument("--work", type=Path, default=Path("outputs/overhead"), help="recorded responses and runs")
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of the results")
    args = parser.parse_args(argv)
    if args.live:
        args.policy = "model"  # a random one writes no programs
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; expected {', '.join(PARTS)}")
    return args


def _adv(args: argparse.Namespace) -> list[Path]:
    from benchmarks.overhead import advantage

    times = advantage.measure()
    data = {"seconds": times}
    return [
        common.write_result("overhead_adv", settings={}, tables=advantage.tables(times), data=data, folder=args.out)
    ]


def _reward(args: argparse.Namespace) -> list[Path]:
    from benchmarks.overhead import reward_path

    measured = reward_path.measure(
        _recording(args),
        _tokenizer(args),
        count=args.responses,
        workers=args.workers,
        debugger=args.debugger,
        hanging=args.hanging,
    )
    settings = {
        "responses": args.responses,
        "workers": args.workers,
        "mix": reward_path.MIX,
        "block": reward_path.BLOCK,
    }
    result = common.write_result(
        "overhead_reward",
        settings=settings,
        tables=reward_path.tables(measured),
        data={"measured": asdict(measured)},
        folder=args.out,
    )
    return [result, reward_path.draw(measured, args.out)]


def _scaling(args: argparse.Namespace) -> list[Path]:
    from benchmarks.overhead import scaling

    recording, tokenizer = _recording(args), _tokenizer(args)
    axes = scaling.measure(recording, tokenizer, args.workers)
    samples = scaling.samples(recording, tokenizer, count=300)
    result = common.write_result(
        scaling.NAME,
        settings={"workers": args.workers},
        tables=[*scaling.tables(axes), scaling.kinds(samples)],
        data={"axes": [asdict(axis) for axis in axes], "samples": [asdict(sample) for sample in samples]},
        folder=args.out,
    )
    return [result, scaling.draw(axes, args.out)]


def _cluster(args: argparse.Namespace) -> list[Path]:
    from benchmarks.overhead import scaling, simulation

    measured = scaling.load(args.out)
    found = simulation.sweep(measured.samples)
    result = common.write_result(
        "overhead_cluster",
        settings={"cluster": asdict(simulation.Cluster(1)), "measured": measured.host},
        tables=[
            *simulation.tables(found, measured.samples),
            simulation.assumptions(measured.samples),
            simulation.check(measured.workers, measured.samples[: scaling.AT_ONCE]),
        ],
        folder=args.out,
    )
    return [result, simulation.draw_figure(found, args.out)]


def _training(args: argparse.Namespace) -> list[Path]:
    from benchmarks.overhead import training

    plan = training.Plan(
        args.work / "training",
        _model(args) if args.policy == "model" else None,
        size=args.policy,
        steps=args.steps,
        prompts=args.prompts,
        workers=args.workers,
        response_tokens=args.tokens,
        shares=training.LIVE if args.live else training.SHARES,
        live=args.live,
        slow_s=args.slow,
        device_s=args.device,
        timeout_s=args.limit,
    )
    steps = training.run(plan, _recording(args))
    settings = {k: v for k, v in asdict(plan).items() if k not in ("model", "size", "work")}
    settings |= common.credit_settings()
    settings["policy"] = plan.model.name if plan.model else plan.size
    parts = {
        args.policy: args.policy != "small" and not plan.live,
        f"live_{plan.live}": plan.live,
        "slowed": plan.slow_s,
        "device": plan.device_s,
    }
    name = "_".join(["overhead_training", *(part for part, wanted in parts.items() if wanted)])
    result = common.write_result(
        name,
        settings=settings,
        tables=training.tables(steps, plan.shares),
        data={"steps": steps},
        folder=args.out,
    )
    return [result, training.draw(steps, plan.shares, args.out, name)]


def _recording(args: argparse.Namespace) -> Any:
    """The recorded programs, made on first use and kept under ``--work``."""
    from benchmarks.overhead import recorded
    from egca_plugin.tasks.layouts import humaneval, mbpp

    path = args.work / "recording.json"
    if not path.exists():
        tasks = humaneval.load() + (mbpp.load(args.mbpp)[: args.mbpp_tasks] if args.mbpp else ())
        recorded.save(recorded.record(tasks, workers=args.workers), path)
    return recorded.load(path)


def _tokenizer(args: argparse.Namespace) -> Any:
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(_model(args))


def _model(args: argparse.Namespace) -> Path:
    from egca_plugin.adapters import smollm2

    return args.model or smollm2.prepare()


_RUN = {"adv": _adv, "reward": _reward, "scaling": _scaling, "cluster": _cluster, "training": _training}

if __name__ == "__main__":
    sys.exit(main())
