"""Continuations of a prompt's own function, however decoders and habits have indented them."""

from __future__ import annotations

import pytest

from egca_plugin.program.extract import extract
from egca_plugin.types import Task

BODY = ["for n in nums:", "{}if n >= t:", "{}{}return False", "return True"]
UNITS = ["    ", "  ", " ", "\t"]


def prompt(unit: str) -> str:
    return f'from typing import List\n\n\ndef below(nums: List[int], t: int) -> bool:\n{unit}"""Whether all are."""\n'


def body(unit: str) -> str:
    return "".join(f"{unit}{line.format(unit, unit)}\n" for line in BODY)


def task(unit: str, text: str = "") -> Task:
    return Task("t", text or prompt(unit), "below", "", ())


def works(completion: str, given: Task) -> bool:
    program = extract(completion, given)
    assert program.compiles, program.error
    for segment in program.segments:
        start, end = segment.completion_start, segment.completion_start + segment.length
        assert program.source[segment.program_start :][: segment.length] == completion[start:end]
    names: dict[str, object] = {}
    exec(program.source, names)
    below = names["below"]
    return [below([1, 2], 3), below([1, 4], 3), below([], 0)] == [True, False, True]  # type: ignore[operator]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(
    "change",
    [
        lambda text, unit: text,
        lambda text, unit: text[1:],  # decoders drop a blank ...
        lambda text, unit: " " + text,  # ... or add one ...
        lambda text, unit: text.lstrip(),  # ... or strip
        lambda text, unit: "\n".join(line[len(unit) :] for line in text.splitlines()),
        lambda text, unit: text.replace("\n", "\r\n"),
    ],
    ids=["as it is", "one less", "one more", "stripped", "dedented", "crlf"],
)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "```python\n{}\n```",
        "{}\n```",
        "{}\n```\n\nIt stops early.",
        "{}\n```\n\n### Example\n\n```python\nprint(below([1], 2))\n```\n```\n    True\n```",
        "{}<|endoftext|>\nfrom typing import List\n\n\ndef other(",
        "{}\n\ndef other(xs):\n    return [x for",
        "{}\n\ndef below(nums: List[int], t: int) -> bool:\n    '''Whether",
        "{}\n\nThis function tells whether all numbers are below t.\n",
    ],
)
def test_a_body_is_a_body_however_it_is_indented(unit: str, change: object, around: str) -> None:
    assert works(around.format(change(body(unit), unit)), task(unit))  # type: ignore[operator]


@pytest.mark.parametrize("unit", ["  ", " ", "\t"])
def test_a_body_in_four_blanks_follows_a_prompt_in_another_style(unit: str) -> None:
    assert works("    return all(n < t for n in nums)\n", task(unit))


@pytest.mark.parametrize(
    "completion",
    [
        prompt("    ") + body("    "),
        f"```python\n{prompt('    ')}{body('    ')}```",
        f"```python\n{prompt('    ')}    pass\n```\nCompleted:\n```python\n{prompt('    ')}{body('    ')}```",
        f'    """Mine."""\n{body("    ")}',
        f'    """Whether all are."""\n{body("    ")}',
        f"{body('    ')}\n\n{prompt('    ')}{body('    ')}",
        "    return all(ok(n, t) for n in nums)\n\n\ndef ok(n, t):\n    return n < t\n",
        "    return all(n < t + ZERO for n in nums)\n\nZERO = 0\n",
    ],
)
def test_repeating_the_prompt_or_adding_to_it_costs_nothing(completion: str) -> None:
    assert works(completion, task("    "))


def test_a_repeated_end_of_a_docstring_is_left_out() -> None:
    given = prompt("    ").replace('"""Whether all are."""', '"""Whether all are.\n    """')
    assert works(f'    """\n{body("    ")}', task("    ", given))


def test_a_prompt_may_end_in_the_middle_of_a_line() -> None:
    assert works(" all(n < t for n in nums)\n", task("    ", prompt("    ") + "    return"))


def test_a_stub_among_instructions_is_a_head_too() -> None:
    text = f"Complete this.\n\n{prompt('    ')}\nReturn only the code of the body.\n"
    assert works(body("    "), task("    ", text))


@pytest.mark.parametrize("completion", ["    return all(n < t for", "    for n in nums:\n        if n >= t:\n"])
def test_half_a_body_fails(completion: str) -> None:
    assert extract(completion, task("    ")).error is not None


def test_the_prompts_imports_stay_behind_imports_from_the_future() -> None:
    answer = "def below(nums: List[int], t):\n    return all(n < t for n in nums)\n"
    program = extract(f"```python\nfrom __future__ import annotations\n{answer}```", task("    "))
    assert program.source == f"from __future__ import annotations\nfrom typing import List\n\n\n{answer}"
