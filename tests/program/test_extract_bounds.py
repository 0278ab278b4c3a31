"""Hostile completions of a hundred thousand characters cost a fraction of a second, whatever they are made of."""

from __future__ import annotations

import time

import pytest

from egca_plugin.program.extract import extract
from egca_plugin.types import Task

SIZE = 1 << 17
LIMIT_S = 1.0  # of CPU time; several times what the slowest takes on an idle machine
HEAD = 'def add(a, b):\n    """Add."""\n'
TASKS = [Task("a", "Write add.", "add", "", ()), Task("b", HEAD, "add", "", ())]
ADD = "def add(a, b):\n    return a + b\n"
UNITS = [
    "```\n", "```python\n", "```python\nx\n```\n", f"```python\n{ADD}```\n",
    "```python\ndef add(a, b)\n  return\n```\n", "a\n", "foo bar\n", "x = 1\n", "    x = 1\n",
    f"{ADD}\nNow it is better so.\n", '"', '"""\n', "'''\n```\n\"\"\"\n", "\\'", "x", " ", "\n", "a\r",
    "<think>\n", "<think>\nx</think>\n", "a</think>\n", "<|a|>", "'<|a|>'", "<|", "<|channel|>final<|message|>",
    "'<|channel|>final<|message|>'", "assistantfinal", "[BEGIN]\nx = 1\n", "[TESTS]\nx\n",
    f"<answer>\n{ADD}</answer>\n", "</code>\nx\n", "````\n```\n", f"````python\n{ADD}```\n", "add, ", "a = ",
    "()", "from x import add\n", "x```", "x```\n", "The x: ```python\n", "<|im_start|>user\n", "[INST]x[/INST]",
    "add ", "> ```python\n> def add(a, b):\n>     return a\n", "@f\n", "\0",
]  # fmt: skip
WHOLE = [
    "\n".join("`" * length for length in range(700, 2, -1)),
    "```python\ndef add(a, b):\n    return [" + ", ".join(f"n{i}" for i in range(3000)) + "]\n```\n"
    + "".join(f"```python\nn{i} = n{i + 1}\n```\n" for i in range(3000)),
    'def add(a, b):\n    """' + "```\n" * 60_000 + '"""\n    return a + b\n',
    "```python\n" + ADD * 7_000 + "def add(",
    f"```python\n{ADD * 4_000}```\n" + "```python\ndef add(a, b):\n```\n" * 63,
    f"```python\n{ADD}    " + "import for " * 10_000 + f"\n```\n```python\n{ADD}```",
]  # fmt: skip


@pytest.mark.parametrize("unit", [*UNITS, *WHOLE], ids=lambda text: repr(text[:20]))
def test_costs_are_bounded(unit: str) -> None:
    completion = unit if len(unit) > 1000 else unit * (SIZE // len(unit))
    for task in TASKS:
        # The best of three: what else a busy host and a big heap's collector cost is not the text's doing.
        assert any(_cost(completion, task) < LIMIT_S for _ in range(3))


def _cost(completion: str, task: Task) -> float:
    start = time.process_time()
    extract(completion, task)
    return time.process_time() - start
