from __future__ import annotations

import ast

import pytest

from egca_plugin.program.mutate import mutants

SOURCE = '''
LIMIT = 10

def clamp(n, low=0):
    """Between low and 10."""
    if not n:
        return low
    if n > LIMIT and low >= 0:
        n = LIMIT + 0
    return f"{n}"
'''


def test_each_mutant_is_one_fault_away() -> None:
    found = mutants(SOURCE, 1000)
    assert len(found) == len(set(found))
    original = ast.unparse(ast.parse(SOURCE)).splitlines()
    for mutant in found:
        changed = [(a, b) for a, b in zip(original, mutant.splitlines(), strict=True) if a != b]
        assert len(changed) == 1


@pytest.mark.parametrize(
    "line",
    [
        "if n:",  # negation dropped
        "if n >= LIMIT and low >= 0:",
        "if n > LIMIT or low >= 0:",
        "if not (n > LIMIT and low >= 0):",
        "if n > LIMIT and low >= 1:",
        "n = LIMIT - 0",
        "pass",
        "return None",
    ],
)
def test_every_operator_is_there(line: str) -> None:
    assert any(line in (text.strip() for text in mutant.splitlines()) for mutant in mutants(SOURCE, 1000))


def test_only_bodies_of_functions_are_touched() -> None:
    for mutant in mutants(SOURCE, 1000):
        assert "LIMIT = 10" in mutant.splitlines()
        assert "low=0" in mutant
        assert "Between low and 10." in mutant


def test_the_choice_is_seeded_and_bounded() -> None:
    assert mutants(SOURCE, 3, seed=1) == mutants(SOURCE, 3, seed=1)
    assert mutants(SOURCE, 3, seed=1) != mutants(SOURCE, 3, seed=2)
    assert len(mutants(SOURCE, 3)) == 3


def test_a_program_with_nothing_to_change() -> None:
    assert mutants("def f(x):\n    pass\n", 5) == ()
    with pytest.raises(SyntaxError):
        mutants("def f(:", 5)
