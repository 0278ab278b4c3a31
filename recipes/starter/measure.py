"""Measure a model's pass rate on every starter candidate, and choose the starter tasks from it.

    python recipes/starter/measure.py sample --model DIR --out samples.jsonl    # slow, goes on where it was stopped
    python recipes/starter/measure.py choose --samples samples.jsonl            # writes starter.jsonl and the table

A task is kept where its pass rate lies between 5% and 90%.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from egca_plugin.config import SandboxConfig
from egca_plugin.judging.referee import judge
from egca_plugin.program.extract import extract
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks import starter
from egca_plugin.tasks.files import Sample, dump_tasks, load_samples
from egca_plugin.types import Outcome, Task

HERE = Path(__file__).parent
LOWEST, HIGHEST = 0.05, 0.90
TABLE_HEAD = (
    "| task | pass | wrong answer | raises | times out | does not compile | kept |\n|---|---|---|---|---|---|---|\n"
)


def candidates(path: Path = HERE / "candidates.py") -> tuple[Task, ...]:
    """Read the tasks off the file: each function with the asserts that follow it."""
    source = path.read_text(encoding="utf-8")
    found: list[tuple[ast.FunctionDef, list[str]]] = []
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef):
            found.append((node, []))
        elif isinstance(node, ast.Assert):
            found[-1][1].append(ast.unparse(node))
    return tuple(_task(source, node, tests) for node, tests in found)


def _task(source: str, node: ast.FunctionDef, tests: Sequence[str]) -> Task:
    docstring = node.body[0]
    lines = source.splitlines(keepends=True)
    return Task(
        task_id=f"starter/{node.name}",
        prompt=(
            f"Write a Python function `{node.name}({ast.unparse(node.args)})`. {ast.get_docstring(node)} "
            f"Example: `{tests[0].removeprefix('assert ')}`. Reply with one Python code block."
        ),
        entry_point=node.name,
        reference="".join(
            lines[node.lineno - 1 : docstring.lineno - 1] + lines[docstring.end_lineno : node.end_lineno]
        ),
        tests=tuple(tests),
    )


# --- sampling -----------------------------------------------------------------------------------------------------


def sample(args: argparse.Namespace) -> None:
    """Append ``--samples`` completions of every task that has none yet; stop after ``--seconds``."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    started = time.monotonic()
    done = Counter(row.task_id for row in load_samples(args.out)) if args.out.exists() else Counter()
    todo = [task for task in candidates() if done[task.task_id] == 0]
    random.Random(0).shuffle(todo)  # so that a run that is cut short has seen all kinds
    tokenizer: Any = AutoTokenizer.from_pretrained(args.model, padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.bfloat16).eval()
    for first in range(0, len(todo), args.tasks):
        if time.monotonic() - started > args.seconds:
            break
        batch = todo[first : first + args.tasks]
        torch.manual_seed(args.seed + len(done) + first)
        texts = [
            tokenizer.apply_chat_template(
                [{"role": "user", "content": task.prompt}], add_generation_prompt=True, tokenize=False
            )
            for task in batch
        ]
        prompts = tokenizer([text for text in texts for _ in range(args.samples)], return_tensors="pt", padding=True)
        with torch.inference_mode():
            ids = model.generate(
                **prompts, do_sample=True, temperature=1.0, top_k=0, top_p=1.0, max_new_tokens=args.tokens
            )
        completions = tokenizer.batch_decode(ids[:, prompts.input_ids.shape[1] :], skip_special_tokens=True)
        with args.out.open("a", encoding="utf-8") as file:
            for index, completion in enumerate(completions):
                row = {"task_id": batch[index // args.samples].task_id, "completion": completion}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        print(f"{first + len(batch)} of {len(todo)} tasks, {time.monotonic() - started:.0f} s", flush=True)


# --- choosing -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rates:
    """How the samples of one task ended."""

    task: Task
    outcomes: Counter[Outcome]

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())

    @property
    def passed(self) -> float:
        return self.outcomes[Outcome.OK] / self.total

    @property
    def kept(self) -> bool:
        return LOWEST <= self.passed <= HIGHEST

    def row(self) -> str:
        shown = (Outcome.OK, Outcome.WRONG_ANSWER, Outcome.EXCEPTION, Outcome.COMPILE_ERROR)
        counts = [self.outcomes[outcome] for outcome in shown]
        cells = " | ".join(map(str, [*counts, self.total - sum(counts)]))
        return f"| {self.task.entry_point} | {cells} | {'yes' if self.kept else ''} |\n"


def measure(samples: Sequence[Sample]) -> Iterator[Rates]:
    """Judge every sample as training would: extracted, then run against the task's tests in the sandbox."""
    with Sandbox(SandboxConfig(timeout_s=2.0)) as sandbox:
        for task in candidates():
            mine = [row.completion for row in samples if row.task_id == task.task_id]
            if mine:
                yield Rates(task, Counter(_outcome(sandbox, text, task) for text in mine))


def _outcome(sandbox: Sandbox, completion: str, task: Task) -> Outcome:
    program = extract(completion, task)
    return judge(sandbox, program.source, task).outcome if program.compiles else Outcome.COMPILE_ERROR


def choose(args: argparse.Namespace) -> None:
    """Write the starter tasks and the table of pass rates."""
    rates = sorted(measure(tuple(load_samples(args.samples))), key=lambda r: r.passed, reverse=True)
    kept = {r.task.task_id for r in rates if r.kept}
    dump_tasks((task for task in candidates() if task.task_id in kept), starter.FILE)
    total: Counter[Outcome] = sum((r.outcomes for r in rates), Counter())
    intro = (
        "# Pass rates of the starter candidates\n\n"
        f"SmolLM2-135M-Instruct, {rates[0].total} samples a task, temperature 1, no top-k or top-p, at most 96 new "
        "tokens, bfloat16. Made by `measure.py`, which keeps a task with a pass rate between "
        f"{LOWEST:.0%} and {HIGHEST:.0%}: {len(kept)} of the {len(rates)} measured ({len(candidates())} candidates).\n"
        f"All samples: {', '.join(f'{outcome.value} {count}' for outcome, count in total.most_common())}.\n\n"
    )
    (HERE / "pass_rates.md").write_text(intro + TABLE_HEAD + "".join(r.row() for r in rates), encoding="utf-8")
    print(f"kept {len(kept)} of {len(rates)} tasks; all samples: {dict(total)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    sampling = commands.add_parser("sample")
    sampling.set_defaults(run=sample)
    sampling.add_argument("--model", type=Path, required=True, help="directory of a Hugging Face model")
    sampling.add_argument("--out", type=Path, required=True)
    sampling.add_argument("--samples", type=int, default=16, help="completions a task")
    sampling.add_argument("--tasks", type=int, default=4, help="tasks in one batch")
    sampling.add_argument("--tokens", type=int, default=96)
    sampling.add_argument("--seconds", type=float, default=1e9, help="start no batch after this many seconds")
    sampling.add_argument("--seed", type=int, default=0)
    choosing = commands.add_parser("choose")
    choosing.set_defaults(run=choose)
    choosing.add_argument("--samples", type=Path, required=True)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
