"""Rows as published verl data sets have them, and a policy that answers each: one right answer, three wrong ones.

Imported into every process of a run by VERL_USE_EXTERNAL_MODULES, to script the policy.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import scripted_policy
from tiny_policy import TASKS, answers

from egca_plugin.tasks import parquet

SWITCH = "EGCA_TEST_DATA"  # in the environment of the runs that are to be scripted


@dataclass(frozen=True, slots=True)
class Problem:
    """``truth`` is a row's ground truth; the first of ``answers`` is right."""

    source: str
    prompt: str
    truth: Any
    answers: tuple[str, ...]
    extra: dict[str, Any] = field(default_factory=dict)

    def row(self, index: int) -> dict[str, Any]:
        """In the columns and types that Eurus-2 has, beside what other sets put into ``extra_info``."""
        truth = self.truth if isinstance(self.truth, str) else json.dumps(self.truth)
        return {
            "data_source": self.source,
            "prompt": [{"role": "user", "content": self.prompt}],
            "ability": "math" if self.source == "openai/gsm8k" else "code",
            "reward_model": {"style": "rule", "ground_truth": truth},
            "extra_info": {"split": "train", "index": index, "solutions": self.extra.get("solutions", "")},
        }


def fenced(*programs: str) -> tuple[str, ...]:
    return tuple(f"```python\n{program}\n```" for program in programs)


SUM = Problem(
    "codecontests",
    "Read n, print n + 2.",
    {"inputs": ["1\n", "5\n"], "outputs": ["3\n", "7\n"]},
    fenced(
        "n = int(input())\nm = n + 2\nprint(m)",
        "n = int(input())\nm = n + 3\nprint(m)",
        "n = int(input())\nm = n + x\nprint(m)",
        "n = int(input())\nm = n +\nprint(m)",
    ),
    {"solutions": json.dumps(["import sys\nfor line in sys.stdin:\n    print(int(line) + 2)\n"])},
)
LINES = Problem(
    "apps",
    "Print each word in a line.",
    {"inputs": ["a b\n", "c\n", "\n"], "outputs": ["a\nb\n", "c\n", ""]},
    fenced(
        "import sys\nfor w in sys.stdin.buffer.read().split():\n    print(w.decode())",
        "print(input()[::-1])",
        "print(*input().split()[1:])",
        "pass",
    ),
)
CALLED = Problem(
    "taco",
    "Write double(x).",
    {"fn_name": "double", "inputs": ["3", "0"], "outputs": ["6", "0"]},
    fenced(
        "class Solution:\n    def double(self, x: int) -> int:\n        y = x * 2\n        return y",
        "def double(x):\n    y = x * 3\n    return y",
        "def double(x):\n    y = x * z\n    return y",
        "def double(x):\n    y = x *\n    return y",
    ),
)
_TASK = TASKS[1]
OURS = Problem("egca", _TASK.prompt, parquet.encode(_TASK), answers(_TASK))
MATHS = Problem("openai/gsm8k", "What is 6 * 7?", "42", ("So #### 42", "So #### 41", "So #### 43", "No idea."))
BAD = Problem("codeforces", "A row that is bad.", {"inputs": ["1\n"], "outputs": []}, fenced("print(1)", "a", "b", "c"))
PROBLEMS = (SUM, LINES, CALLED, OURS, MATHS, BAD)
SAMPLES = 4


def write(path: Path) -> Path:
    parquet.write([problem.row(index) for index, problem in enumerate(PROBLEMS)], path)
    return path


if SWITCH in os.environ:
    scripted_policy.says({problem.prompt: problem.answers for problem in PROBLEMS})
