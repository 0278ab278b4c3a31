"""Completions as models write them, and the law that every credited character is one that was sampled."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.program.extract import extract, to_completion
from egca_plugin.types import Kind, Program, Span, Task

TASK = Task(
    "t/0", "Write a function add(a, b).", "add", "def add(a, b):\n    return a + b\n", ("assert add(1, 2) == 3",)
)
HEAD = 'from typing import List\n\n\ndef add(a: int, b: int) -> int:\n    """Add."""\n'
CONTINUED = Task("t/1", HEAD, "add", HEAD + "    return a + b\n", ("assert add(1, 2) == 3",))
ADD = "def add(a, b):\n    return a + b\n"


def holds(program: Program, completion: str) -> None:
    """The map's law: segments are ordered, do not overlap, and spell the same text on both sides."""
    at = 0
    for segment in program.segments:
        assert segment.length > 0
        assert segment.program_start >= at
        at = segment.program_start + segment.length
        sampled = completion[segment.completion_start :][: segment.length]
        assert program.source[segment.program_start : at] == sampled
    assert at <= len(program.source)


def extracted(completion: str, task: Task = TASK) -> Program:
    program = extract(completion, task)
    holds(program, completion)
    return program


@pytest.mark.parametrize(
    "completion",
    [
        f"```python\n{ADD}```",
        f"Sure! Here it is:\n\n```python\n{ADD}```\nIt adds.",
        f"```\n{ADD}```",
        f"```py\n{ADD}",  # the closing fence was truncated
        f"~~~python\n{ADD}~~~\n",
        f"````python\n{ADD}````",
        f"``` {{.python}}\n{ADD}```",
        f"{ADD}```\nThe prompt had opened the fence.",
        f"```python\nimport this\n```\nthen\n```python\n{ADD}```\nUse it:\n```python\nprint(add(1, 2))\n```",
        f"```python\ndef add(a, b):\n    return 0\n```\nBetter:\n```python\n{ADD}```",
        f"```bash\nadd 1 2\n```\n```python\n{ADD}```\n```text\nadd = 3\n```",
        f"<think>\nMaybe\n```python\ndef add(a, b): return 1\n```\n</think>\n\n```python\n{ADD}```",
        f"def add(a, b): return 1\nthat was thinking which the prompt opened\n</think>\n{ADD}",
        f"```python\n{ADD}```<|im_end|>",
        f"{ADD}<|im_end|>\n<|im_start|>user\ndef add(a, b): pass",
        f"<|im_start|>assistant\n```python\n{ADD}```<|im_end|><|endoftext|>",
        f"{ADD}</s>",
        ADD,
        f"\ufeff{ADD}",
        f"Here is the function:\n\n{ADD}\nThis adds two numbers, as you asked.\n",
        f"Here is the function:\n\n{ADD}\n**Explanation**: it adds.\n\nadd(1, 2) gives 3\n",
    ],
)
def test_finds_the_function(completion: str) -> None:
    program = extracted(completion)
    assert program.compiles
    assert program.source.strip() == ADD.strip()


def test_closing_fence_behind_code_on_the_same_line() -> None:
    program = extracted("```python\ndef add(a, b):\n    return a + b```\nDone.")
    assert program.source == ADD.strip()


def test_fence_in_a_list_is_dedented() -> None:
    completion = "1. Write it:\n\n" + textwrap.indent(f"```python\n{ADD}```", "   ") + "\n2. Done."
    program = extracted(completion)
    assert program.source == ADD
    body = program.source.index("return")
    assert to_completion(program, Span(body, body + 6)) == Span(
        completion.index("return"), completion.index("return") + 6
    )


def test_a_uniformly_indented_answer_is_dedented() -> None:
    assert extracted(" def add(a, b):\n     return a + b\n").source == ADD


def test_a_fence_inside_a_docstring_does_not_end_the_block() -> None:
    code = 'def add(a, b):\n    """Add.\n    ```\n    >>> add(1, 2)\n    ```\n    """\n    return a + b\n'
    assert extracted(f"```python\n{code}```\nIt adds.").source == code


def test_a_finished_block_comes_before_one_that_was_cut_off() -> None:
    assert extracted(f"```python\n{ADD}```\nOr with a check:\n```python\ndef add(a, b):\n    if a").source == ADD


@pytest.mark.parametrize("fence", ["```python\n", ""])
def test_a_last_statement_that_was_cut_off_is_not_program(fence: str) -> None:
    assert extracted(f"{fence}{ADD}print(add(1, 2))\nassert add(1,").source == f"{ADD}print(add(1, 2))\n"
    assert extracted(f"{fence}{ADD}\n\ndef next(x):\n    return (").source.strip() == ADD.strip()


def test_the_function_itself_cut_off_stays() -> None:
    assert extracted("```python\ndef add(a, b):\n    return (").error is not None


def test_the_choice_does_not_look_at_what_compiles() -> None:
    program = extracted(f"```python\n{ADD}```\nor\n```python\ndef add(a, b)\n    return a\n```")
    assert program.error is not None
    assert (program.error.type, program.error.line) == ("SyntaxError", 1)


@pytest.mark.parametrize(
    "completion",
    [
        "    return a + b\n",
        "\n    return a + b\n\nThis returns the sum.",
        "    return a + b\n```\nDone",
        "```python\n    return a + b\n```",
        "return a + b",  # the decoder ate the indentation
    ],
)
def test_continuation_of_the_prompt(completion: str) -> None:
    program = extracted(completion, CONTINUED)
    assert program.compiles
    assert program.source.startswith(HEAD)
    assert program.source[len(HEAD) :].strip() == "return a + b"
    assert to_completion(program, Span(0, len(HEAD))) is None  # nobody sampled the prompt
    assert to_completion(program, Span(0, len(program.source))) is not None


def test_continuation_of_a_head_inside_a_chat_prompt() -> None:
    task = Task("t/2", f"Complete this:\n```python\n{HEAD}```", "add", CONTINUED.reference, CONTINUED.tests)
    assert extracted("    return a + b\n", task).source == HEAD + "    return a + b\n"


def test_a_whole_answer_keeps_the_prompts_imports() -> None:
    answer = "def add(a: int, b: int) -> List[int]:\n    return a + b\n"
    assert extracted(f"```python\n{answer}```", CONTINUED).source == f"from typing import List\n\n\n{answer}"
    future = f"from __future__ import annotations\n{answer}"
    imports = "from __future__ import annotations\nfrom typing import List\n\n\n"  # the first must stay first
    assert extracted(f"```python\n{future}```", CONTINUED).source == imports + answer


def test_line_ends_become_lf() -> None:
    completion = "```python\r\n" + ADD.replace("\n", "\r\n") + "```\r\n"
    program = extracted(completion)
    assert program.source == ADD
    at = program.source.index("\n    return")
    assert to_completion(program, Span(at, at + 5)) == Span(
        completion.index("\n    return"), completion.index("return")
    )
    assert extracted(ADD.replace("\n", "\r")).source == ADD


def test_only_python_line_ends_split_lines() -> None:
    code = 'def add(a, b):\n    s = "\x0c\u2028\x85"\n    return a + b\n'
    assert extracted(f"```python\n{code}```").source == code


def test_non_ascii_and_tabs() -> None:
    code = 'def add(a, b):\n\tžluťoučký = "🦆"\n\treturn a + b  # 加\n'
    assert extracted(f"Voilà:\n```python\n{code}```").source == code


@pytest.mark.parametrize(
    ("completion", "kind"),
    [
        ("", "NoProgram"),
        ("   \n\n", "NoProgram"),
        ("I cannot do that.", "NoProgram"),
        ("<think>\ndef add(a, b):\n    return a + b", "NoProgram"),
        ("```python\n```", "NoProgram"),
        ("```python\ndef add(a, b):\n    return a +", "SyntaxError"),
        ("def add(a, b):\nreturn a", "IndentationError"),
        ("def add(a, b):\n    return '\0'", "SyntaxError"),
        ("def add(a, b):\n    return '\ud800'", "UnicodeEncodeError"),
        ("def add(a, b):\n    return " + "-" * 5000 + "a", "ProgramTooDeep"),
        ("def add(a, b):\n    return a" + "\n    b = a" * 50_000, "ProgramTooLarge"),
        ("x" * 1_000_000, "ProgramTooLarge"),
        ("def add(a, b):\n    return a + b\n" + "x = 1\r" * 12_001, "ProgramTooLarge"),
    ],
)
def test_says_why_there_is_no_program(completion: str, kind: str) -> None:
    program = extracted(completion)
    assert program.error is not None
    assert program.error.type == kind


def test_code_without_the_entry_point_is_still_a_program() -> None:
    other = "def plus(a, b):\n    return a + b\n"
    assert extracted(f"```python\n{other}```").source == other
    assert extracted(f"Here:\n\n{other}\nI hope that this helps.").source.strip() == other.strip()


def test_a_literal_tag_or_marker_is_not_template() -> None:
    code = 'def add(a, b):\n    return {"</think>": "<|im_end|>", "<think>": "</s>"}\n'
    assert extracted(code).source == code


CHARACTERS = "ab(){}[]:=\"'#,. \t\n\r\\`~0é\U0001f986\ufeff\0\u2028>"
PIECES = [
    "```python\n",
    "```\n",
    "```",
    "~~~\n",
    "def add(a, b):\n",
    "    return a\n",
    "\r\n",
    "- ",
    "   ",
    '"""',
    "````\n",
]
CODE = [
    "class Solution:\n",
    "    def add(self, a):\n",
    "from __future__ import annotations\n",
    "import m as add\n",
    "b = a\n",
]
TAGS = [
    "<think>\n",
    "</think>\n",
    "<|im_end|>",
    "[BEGIN]\n",
    "[DONE]\n",
    "<answer>",
    "</answer>\n",
    "assistantfinal",
    "<s>",
]
HARMONY = ["<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"]
PROSE_LINES = ["Prose it is.\n", "Answer: ", "python\n", "Done\n", "> "]
ALPHABET = st.sampled_from([*CHARACTERS, *PIECES, *CODE, *TAGS, *HARMONY, *PROSE_LINES])
GIVEN = "from __future__ import annotations\nimport math"
TASKS = [
    TASK,
    CONTINUED,
    replace(TASK, kind=Kind.METHOD, entry_point="Solution().add", preamble=GIVEN),
    replace(CONTINUED, preamble="import math\n"),
    replace(TASK, kind=Kind.STDIN, entry_point="", preamble=GIVEN),
]


@given(st.lists(ALPHABET, max_size=40).map("".join), st.sampled_from(TASKS))
def test_never_raises_and_the_map_holds(completion: str, task: Task) -> None:
    program = extracted(completion, task)
    if program.source and "__future__" not in completion:
        assert program.source.startswith(task.preamble)


@given(st.lists(ALPHABET, max_size=30).map("".join), st.data())
def test_offsets_make_the_round_trip(completion: str, data: st.DataObject) -> None:
    """Each sampled character maps to one that is equal; a span maps to the hull of its characters."""
    program = extracted("```python\n" + ADD + completion)
    start = data.draw(st.integers(0, len(program.source)))
    end = data.draw(st.integers(start, len(program.source)))
    whole = "```python\n" + ADD + completion
    single = [to_completion(program, Span(at, at + 1)) for at in range(start, end)]
    sampled = [span for span in single if span is not None]
    for at, span in zip(range(start, end), single, strict=True):
        if span is not None:
            assert whole[span.start : span.end] == program.source[at]
    hull = Span(sampled[0].start, sampled[-1].end) if sampled else None
    assert to_completion(program, Span(start, end)) == hull


BODIES = st.lists(st.sampled_from(["    x = a", "    if a:\n        b = 1", '    y = "é"', "", "    # c"]), max_size=5)
PROSE = st.sampled_from(["", "Here you are:\n\n", "Let me think about it.\n"])


@given(
    PROSE,
    BODIES,
    st.sampled_from(["```python", "```", "~~~"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "  "]),
)
def test_what_is_embedded_comes_out(prose: str, body: list[str], fence: str, end: str, indent: str) -> None:
    code = "def add(a, b):\n" + "\n".join(body) + "\n    return a\n"
    text = prose + textwrap.indent(f"{fence}\n{code}{fence[:3]}\n", indent) + "\nThat is all.\n"
    assert extracted(text.replace("\n", end)).source == code
