"""Gradient signal and noise of a real model on recorded batches: what each arm's step says, and how surely.

Each task's group of responses is cut into two independent halves, so that inner products *across* the halves are free
of bias: <g, g'> estimates |E g|^2, and the inner product with GRPO's gradient of the other half estimates how far the
step climbs the true objective, whose unbiased estimate (up to GRPO's own normalisation) that gradient is.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
from collections.abc import Callable, Sequence
from math import sqrt
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from benchmarks import common
from benchmarks.learning.arms import group_advantages
from benchmarks.learning.batches import Half, halves, record
from egca_plugin.adapters import smollm2
from egca_plugin.adapters.tensors import place
from egca_plugin.tasks import starter

PIECES = ("passing", "uniform", "conserve", "unit", "mass_matched", "random")
ARMS = {  # every arm is linear in the pieces, so six backward passes serve them all
    "grpo": {"passing": 1.0, "uniform": 1.0},
    "conserve": {"passing": 1.0, "conserve": 1.0},
    "unit": {"passing": 1.0, "unit": 1.0},
    "mix_0.5": {"passing": 1.0, "uniform": 0.5, "conserve": 0.5},
    "mass_matched": {"passing": 1.0, "mass_matched": 1.0},
    "random": {"passing": 1.0, "random": 1.0},
    "positives_only": {"passing": 1.0},
}
FAULTS = {"unit": 1.0}  # the step that lowers the blamed tokens and does nothing else
Grams = dict[str, list[list[float]]]  # "first", "second", "across": inner products of the pieces


def main(argv: Sequence[str]) -> int:
    """Measure what is missing, task by task, then write ``learning_snr.json``."""
    args = _parse(argv)
    model_path = args.model or smollm2.prepare()
    tokenizer = AutoTokenizer.from_pretrained(model_path)
    tasks = random.Random(0).sample(starter.load(), args.tasks)
    recorded = record(model_path, tokenizer, tasks, args.samples, args.tokens, args.work / "samples.jsonl")
    pairs = halves(recorded, tasks, tokenizer)
    if not pairs:
        raise SystemExit("no task has passes and localised failures in both halves: raise --tasks or --samples")
    model = AutoModelForCausalLM.from_pretrained(model_path, dtype=torch.float32).eval()
    parameters = trained(model, args.layers)
    kept = args.work / f"grams-{args.layers}.jsonl"
    found: dict[str, Grams] = {}
    if kept.exists():
        found = dict(json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines())
    for number, (task_id, pair) in enumerate(pairs.items()):
        if task_id not in found:
            found[task_id] = grams(model, parameters, *pair)
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps([task_id, found[task_id]]) + "\n")
        print(f"\rgradients: {number + 1} of {len(pairs)} tasks", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    count = sum(p.numel() for p in parameters)
    settings = {"model": model_path.name, "layers": args.layers, "parameters": count, "half": args.samples // 2}
    rows = [found[task_id] for task_id in pairs]
    print(
        common.write_result("learning_snr", settings=settings, tables=[summary(rows)], data=found, folder=args.out),
        file=sys.stderr,
    )
    return 0


def _parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="egca bench learning snr", description=__doc__)
    parser.add_argument("--model", type=Path, help="Hugging Face directory (default: SmolLM2-135M-Instruct, fetched)")
    parser.add_argument("--tasks", type=int, default=len(starter.load()), help="at random (default: all %(default)s)")
    parser.add_argument("--samples", type=int, default=16, help="a task, half of them a batch (default: %(default)s)")
    parser.add_argument("--tokens", type=int, default=128, help="of an answer at most (default: %(default)s)")
    parser.add_argument("--layers", type=int, default=10, help="the gradient's, from the top (default: %(default)s)")
    parser.add_argument("--work", type=Path, default=Path("outputs/learning-snr"), help="samples and finished tasks")
    parser.add_argument("--out", type=Path, default=common.RESULTS, help="folder of the results")
    args = parser.parse_args(argv)
    if not 1 <= args.tasks <= len(starter.load()):
        parser.error(f"--tasks: got {args.tasks}, expected 1 to {len(starter.load())}")
    return args


def trained(model: Any, layers: int) -> list[torch.nn.Parameter]:
    """The parameters of the topmost ``layers`` layers; everything below is frozen, which saves its backward pass."""
    chosen = [p for layer in model.model.layers[-layers:] for p in layer.parameters()]
    model.requires_grad_(False)
    for parameter in chosen:
        parameter.requires_grad_(True)
    return chosen


def grams(model: Any, parameters: Sequence[torch.nn.Parameter], first: Half, second: Half) -> Grams:
    """Inner products of the pieces' gradients within each half and across both."""
    a, b = (gradients(model, parameters, half) for half in (first, second))
    return {"first": (a @ a.T).tolist(), "second": (b @ b.T).tolist(), "across": (a @ b.T).tolist()}


def gradients(model: Any, parameters: Sequence[torch.nn.Parameter], half: Half) -> torch.Tensor:
    """(pieces, parameters): gradients of verl's token-mean policy objective at ratio 1."""
    log_probs, mask = response_log_probs(model, half)
    rows = []
    for advantages in pieces(half, mask):
        objective = (advantages * log_probs).sum() / mask.sum()
        parts = torch.autograd.grad(objective, list(parameters), retain_graph=True)
        rows.append(torch.cat([part.flatten() for part in parts]))
    return torch.stack(rows)


def response_log_probs(model: Any, half: Half) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, T) log-probabilities of the sampled tokens and their mask; responses are padded on the right."""
    start, width = len(half.prompt), max(map(len, half.responses))
    ids = torch.tensor([[*half.prompt, *row, *([0] * (width - len(row)))] for row in half.responses])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in half.responses])
    attention = torch.cat([torch.ones(len(ids), start, dtype=mask.dtype), mask], dim=1)
    logits = model(input_ids=ids, attention_mask=attention, logits_to_keep=width + 1).logits[:, :-1]
    chosen = torch.log_softmax(logits.float(), dim=-1).gather(2, ids[:, start:, None]).squeeze(2)
    return chosen, mask


def pieces(half: Half, mask: torch.Tensor) -> list[torch.Tensor]:
    """(B, T) token advantages of every one of :data:`PIECES`."""
    passed = torch.tensor(half.rewards)
    advantages = group_advantages(passed, len(passed)).unsqueeze(1) * mask
    failing = (passed <= 0).unsqueeze(1)
    negative = torch.where(failing, advantages, 0.0)
    spans = [() if reward > 0 else spans for reward, spans in zip(half.rewards, half.spans, strict=True)]
    placed, placement = place(negative, mask, spans, scale="conserve")
    share = torch.tensor([c / t for c, t in zip(placement.credited, placement.tokens, strict=True)]).unsqueeze(1)
    moved = torch.tensor(
        [
            torch.roll(row[: int(m.sum())], int(m.sum()) // 2).tolist() + [0.0] * int((1 - m).sum())
            for row, m in zip(placed, mask, strict=True)
        ]
    )  # half a response away: a place that has nothing to do with the fault
    unit = place(negative, mask, spans)[0]
    return [advantages - negative, negative, placed, unit, negative * share, moved]


# --- what it says -------------------------------------------------------------------------------------------------


def product(gram: Sequence[Sequence[float]], left: dict[str, float], right: dict[str, float]) -> float:
    """<left, right> of two combinations of pieces, ``left`` in the rows of ``gram``."""
    index = {name: k for k, name in enumerate(PIECES)}
    return sum(x * y * gram[index[a]][index[b]] for a, x in left.items() for b, y in right.items())


def snr(rows: Sequence[Grams], arm: str) -> float:
    """|E g|^2 over E|g - E g|^2 of a half group's gradient, both without bias."""
    signal = statistics.fmean(product(r["across"], ARMS[arm], ARMS[arm]) for r in rows)
    return signal / (_power(rows, ARMS[arm]) - signal)


def climb(rows: Sequence[Grams], arm: str) -> float:
    """Cosine of the step with GRPO's gradient as the other half estimates it, without bias in the product."""
    return _cosine(rows, ARMS[arm], ARMS["grpo"])


def faults(rows: Sequence[Grams], arm: str) -> float:
    """Cosine of the step with the one that only lowers the *other half's* blamed tokens."""
    return _cosine(rows, ARMS[arm], FAULTS)


def _cosine(rows: Sequence[Grams], step: dict[str, float], goal: dict[str, float]) -> float:
    return _toward(rows, step, goal) / sqrt(_power(rows, step) * _power(rows, goal))


def _toward(rows: Sequence[Grams], step: dict[str, float], goal: dict[str, float]) -> float:
    """Mean inner product of a half's ``step`` with the other half's ``goal``, both ways."""
    return statistics.fmean((product(r["across"], step, goal) + product(r["across"], goal, step)) / 2 for r in rows)


def _power(rows: Sequence[Grams], step: dict[str, float]) -> float:
    """E |step|^2."""
    return statistics.fmean((product(r["first"], step, step) + product(r["second"], step, step)) / 2 for r in rows)


def summary(rows: Sequence[Grams]) -> dict[str, Any]:
    """One row an arm; intervals by bootstrap over tasks, in pairs where a column compares with GRPO."""

    def interval(statistic: Callable[[Sequence[Grams]], float]) -> str:
        found = common.bootstrap(
            list(range(len(rows))), lambda drawn: statistic([rows[int(k)] for k in drawn]), resamples=500
        )
        return found.show("{:.2f}")

    body = []
    for arm in ARMS:

        def gained(drawn: Sequence[Grams], arm: str = arm) -> float:
            return snr(drawn, arm) - snr(drawn, "grpo")

        body.append(
            [
                arm,
                f"{sqrt(_power(rows, ARMS[arm]) / _power(rows, ARMS['grpo'])):.2f}",
                interval(lambda drawn, arm=arm: snr(drawn, arm)),  # type: ignore[misc]
                interval(gained) if arm != "grpo" else "",
                interval(lambda drawn, arm=arm: climb(drawn, arm)),  # type: ignore[misc]
                interval(lambda drawn, arm=arm: faults(drawn, arm)),  # type: ignore[misc]
            ]
        )
    columns = [
        "arm",
        "length / GRPO's",
        "signal / noise",
        "more than grpo's",
        "cosine with grpo's",
        "with lower faults",
    ]
    return common.table(f"Gradients of a real model on {len(rows)} recorded groups", columns, body)
