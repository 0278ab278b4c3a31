"""Caches are bounded by what they hold."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.program.memo import Memo, digest, remembered
from egca_plugin.program.structure import labels


def test_what_is_known_is_not_made_again_until_it_weighs_too_much() -> None:
    memo: Memo[int] = Memo(2_000)
    made: list[str] = []

    def ask(text: str) -> int:
        return memo.get((text,), lambda: made.append(text) or len(made))  # type: ignore[func-returns-value]

    assert [ask("a"), ask("b"), ask("a")] == [1, 2, 1]
    ask("c" * 900)  # too much beside both: `b` was asked longest ago
    assert made == ["a", "b", "c" * 900]
    ask("a")
    assert len(made) == 3
    ask("b")
    assert made[-1] == "b"


@given(st.lists(st.text()), st.lists(st.text()))
def test_a_digest_tells_lists_of_texts_apart(one: list[str], other: list[str]) -> None:
    assert (digest(*one) == digest(*other)) is (one == other)


def test_the_longest_sources_do_not_stay() -> None:
    """200 programs of 100,000 characters: 20 MB of texts alone, twice that with what is known of them."""
    program = "def f(x):\n" + "    x += 1  # " + "-" * 99_000
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(200):
        labels(f"{program}{number}\n    return x\n", "f")
    kept = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert kept < 4_000_000


def test_a_function_remembers_by_both_its_texts() -> None:
    asked = []

    @remembered(10_000)
    def joined(source: str, name: str) -> str:
        asked.append((source, name))
        return source + name

    assert [joined("a", "bc"), joined("ab", "c"), joined("a", "bc")] == ["abc"] * 3
    assert asked == [("a", "bc"), ("ab", "c")]
