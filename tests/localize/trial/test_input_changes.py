"""Changed input values: near one another, or within what examples show."""

from __future__ import annotations

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.localize.trial.changes import NEAR, WITHIN, changed


def test_examples_that_are_sorted_each_and_not_together_are_no_trouble() -> None:
    examples = [[1, 2], ["a", "b"], []]
    made = [changed(examples[0], examples, random.Random(seed), WITHIN) for seed in range(50)]
    assert any({type(item) for item in one} == {int, str} for one in made)


LIKE = st.lists(st.integers(-9, 9) | st.text("ab", max_size=3) | st.tuples(st.integers(0, 3)), max_size=4)


@given(st.lists(LIKE, min_size=1, max_size=4), st.integers(0, 99))
def test_mutants_stay_within_what_the_examples_show(examples: list[list[Any]], seed: int) -> None:
    rng = random.Random(seed)
    made = changed(examples[0], examples, rng, WITHIN)
    assert min(map(len, examples)) <= len(made) <= max(map(len, examples))
    every = [item for one in examples for item in one]
    assert {type(item) for item in made} <= {type(item) for item in every}
    numbers = [item for item in every if isinstance(item, int)]
    assert all(min(numbers) <= item <= max(numbers) for item in made if isinstance(item, int))


PLAIN = st.recursive(
    st.integers(-9, 9) | st.booleans() | st.text("ab", max_size=3) | st.floats(-9, 9) | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("xy", max_size=2), inner, max_size=3),
    max_leaves=6,
)


@given(st.lists(PLAIN, min_size=1, max_size=4), st.integers(0, 99), st.sampled_from([NEAR, WITHIN]))
def test_a_changed_value_keeps_its_type_and_leaves_the_old_one_alone(
    examples: list[Any], seed: int, domain: Any
) -> None:
    before = repr(examples)
    made = changed(examples[0], examples, random.Random(seed), domain)
    assert type(made) is type(examples[0])
    assert repr(examples) == before
    assert repr(changed(examples[0], examples, random.Random(seed), domain)) == repr(made), "the same every time"


def test_near_goes_where_within_does_not() -> None:
    examples = [5, 7]
    near = {changed(5, examples, random.Random(seed), NEAR) for seed in range(60)}
    assert not near <= set(range(5, 8))
    assert {changed(5, examples, random.Random(seed), WITHIN) for seed in range(60)} == {5, 6, 7}
