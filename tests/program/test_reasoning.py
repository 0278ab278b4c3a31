"""Reasoning in front of the program: found, tags included, and never part of the program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.program.extract import extract
from egca_plugin.program.reading.transcript import reasoning, visible
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
    assert not thought & {at for part in visible(text) for at in range(part.start, part.end)}
    for segment in extract(text, TASK).segments:
        assert not thought & set(range(segment.completion_start, segment.completion_start + segment.length))


ADD = "def add(a, b):\n    return a + b\n"
RIGHT = f"```python\n{ADD}```"


@pytest.mark.parametrize(
    "completion",
    [
        f"<|channel|>analysis<|message|>No.\n{CODE}\n<|end|><|start|>assistant<|channel|>final<|message|>{RIGHT}<|return|>",
        f"Hm.\n{CODE}\n<|end|><|start|>assistant<|channel|>final<|message|>So:\n\n{ADD}<|return|>",
        f"<|channel|>commentary to=functions.x <|message|>{{}}<|call|><|channel|>final<|message|>{RIGHT}",
        f"analysisMinus?\n{CODE}\nNo.assistantfinal{RIGHT}",
        f"analysisMinus?\n{CODE}\nNo.assistantcommentaryHm.assistantfinalHere it is:\n\n{RIGHT}",
        f"Minus?\n{CODE}\nNo.assistantfinal{ADD}",
        f"<|begin_of_thought|>\n{CODE}\n<|end_of_thought|>\n<|begin_of_solution|>\n{RIGHT}\n<|end_of_solution|>",
        f"<think>\n{CODE}\n</think>\n{RIGHT}",
        f"Minus?\n{CODE}\n</think>\n\n{RIGHT}",
        f"Minus?\n{CODE}\nNo.</think>{RIGHT}",
        f"[THINK]\n{CODE}\n[/THINK]\n{RIGHT}",
        f"<reasoning>\n{CODE}\n</reasoning>\n<answer>\n{ADD}</answer>",
        f"<seed:think>{CODE}\n</seed:think>{ADD}",
        f"◁think▷{CODE}\n◁/think▷{ADD}",
        f"<|START_THINKING|>{CODE}\n<|END_THINKING|><|START_RESPONSE|>{RIGHT}<|END_RESPONSE|>",
        f"<think>\n{CODE}\n</think>\n{RIGHT}\n</think>\n",
        # templates, before the answer and behind it
        f"<|im_start|>assistant\n{ADD}<|im_end|>\n<|im_start|>user\n{CODE}",
        f"<|im_start|>user\nWrite it:\n{CODE}<|im_end|>\n<|im_start|>assistant\n{ADD}<|im_end|>",
        f"<|start_header_id|>assistant<|end_header_id|>\n\n{RIGHT}<|eot_id|>{CODE}",
        f"<|begin_of_text|>{ADD}<|end_of_text|>{CODE}",
        f"<｜Assistant｜>{ADD}<｜end▁of▁sentence｜>\n{CODE}",
        f"<start_of_turn>model\n{RIGHT}<end_of_turn>\n<start_of_turn>user\n{CODE}",
        f"<bos>{ADD}<eos>\n{CODE}",
        f"<s>[INST] Write add.\n{CODE} [/INST]\n{ADD}</s>",
        f"<s>\n{ADD}</s>{CODE}",
        f"{ADD}<|endoftext|>def add(a, b):\n    return 0\n",
        f"{ADD}\n<|file_sep|>other.py\nimport nothing\n",
        f"{ADD}<|endof",
        f"{ADD}<|",
        f"{ADD.rstrip()} # it's done<|im_end|>{CODE}",
    ],
)
def test_what_is_thought_or_template_is_no_answer(completion: str) -> None:
    program = extract(completion, TASK)
    assert program.compiles
    assert program.source.split("#")[0].split() == ADD.split()


@pytest.mark.parametrize(
    "completion",
    [
        f"<|channel|>analysis<|message|>Yes:\n{RIGHT}\nor is",
        f"analysisYes:\n{RIGHT}\nor is",
        f"<|begin_of_thought|>\n{RIGHT}",
        f"<thinking>\n{RIGHT}",
        f"{RIGHT}\n</think>\n",
        f"[THINK]{RIGHT}",
    ],
)
def test_thought_without_an_end_holds_no_answer(completion: str) -> None:
    assert extract(completion, TASK).error is not None
    assert extract(completion, TASK).source == ""


@pytest.mark.parametrize(
    "code",
    [
        'def add(a, b):\n    end = "<|endoftext|>"\n    return a + b\n',
        'def add(a, b):\n    """Not at\n    <|endoftext|>\n    nor at\n    </think>\n    """\n    return a + b\n',
        "def add(a, b):\n    tags = {'<think>': 'assistantfinal', '</think>': '[DONE]'}\n    return a + b\n",
        "def add(s, b):\n    return b <s> b or s + b\n",
    ],
)
def test_tokens_in_strings_are_program(code: str) -> None:
    assert extract(f"```python\n{code}```", TASK).source == code
    assert extract(code, TASK).source == code
