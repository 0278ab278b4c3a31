"""Reasoning in front of the program: found, tags included, and never part of the program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.program.extract import extract
from egca_plugin.program.fences import reasoning, visible
from egca_plugin.types import Task

TASK = Task("t", "Write add(a, b).", "add", "def add(a, b):\n    return a + b\n", ("assert add(1, 2) == 3",))
CODE = "```python\ndef add(a, b):\n    return a - b\n```"


@pytest.mark.parametrize(
    ("before", "thought"),
    [
        ("", ""),
        ("Prose.\n", ""),
        ("<think>\nMinus?\n</think>\n", "<think>\nMinus?\n</think>"),
        ("<thinking>a</thinking>\n", "<thinking>a</thinking>"),
        ("which the prompt opened\n</think>\n", "which the prompt opened\n</think>"),
        ("<|im_start|>\n<think>\na\n</think>\n", "<think>\na\n</think>"),
        ("Prose.\n<think>\na\n</think>\n", "<think>\na\n</think>"),
    ],
)
def test_reasoning_is_what_the_tags_enclose(before: str, thought: str) -> None:
    text = before + CODE
    assert "".join(text[a:b] for a, b in reasoning(text)) == thought
    assert extract(text, TASK).source == "def add(a, b):\n    return a - b\n"


def test_reasoning_that_never_ends_is_all_there_is() -> None:
    text = f"<think>\n{CODE}"
    assert reasoning(text) == ((0, len(text)),)
    assert extract(text, TASK).error is not None


@given(st.lists(st.sampled_from(["<think>\n", "</think>\n", "<|im_end|>", "Prose.\n", CODE + "\n"]), max_size=8))
def test_nothing_is_both_reasoning_and_visible(parts: list[str]) -> None:
    text = "".join(parts)
    thought = {at for a, b in reasoning(text) for at in range(a, b)}
    assert not thought & {at for a, b in visible(text) for at in range(a, b)}
    for segment in extract(text, TASK).segments:
        assert not thought & set(range(segment.completion_start, segment.completion_start + segment.length))
