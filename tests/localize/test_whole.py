"""Programs on standard input before the localiser: blame at module level, and inputs near the tests'."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.localize.trial.changes import changed_input
from egca_plugin.localize.trial.inputs import neighbours
from egca_plugin.localize.whole import as_calls, kind_of, parsed
from egca_plugin.program.hosting import MAIN, Script
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside import scripts
from egca_plugin.types import Call, CallResult, CallStatus, Compare, Kind, Outcome, TestedCall, Verdict


def run(text: str, output: str, passed: bool) -> TestedCall:
    return TestedCall(scripts.call(text.encode()), 0, passed, CallResult(CallStatus.VALUE, wire.encode(output)))


def test_runs_become_calls_of_the_host_with_outputs_as_they_are_compared() -> None:
    verdict = Verdict(Outcome.WRONG_ANSWER, 1, 2, (run("1\n", "a  b\n", True), run("x" * 300_000, "", False)))
    (tested,) = as_calls(verdict, Compare()).calls
    assert wire.decode(tested.call.arguments) == (("1\n", "tokens"), {})
    assert wire.decode(tested.result.value) == "a b"
    assert kind_of([tested.call]) is Kind.STDIN
    (tested,) = as_calls(replace(verdict, calls=verdict.calls[:1]), Compare("exact")).calls
    assert wire.decode(tested.result.value) == "a  b\n"


def test_the_tree_says_how_it_is_run() -> None:
    assert isinstance(parsed("print(1)", Kind.STDIN), Script)
    assert not isinstance(parsed("print(1)", Kind.FUNCTION), Script)


@given(st.text(alphabet="12 -ab\n", max_size=30), st.integers(0, 99))
def test_a_changed_input_keeps_its_lines_and_the_number_of_their_words(text: str, seed: int) -> None:
    made = changed_input(text, random.Random(seed))
    assert [len(line.split()) for line in made.split("\n")] == [len(line.split()) for line in text.split("\n")]
    assert changed_input(text, random.Random(seed)) == made


def test_neighbours_of_a_run_are_runs_on_other_inputs() -> None:
    call = Call(MAIN, wire.encode((("3\n1 2 3\n", "tokens"), {})))
    found = neighbours([call], 12)
    assert len(found) == 12
    for one in found:
        (text, mode), _ = wire.decode(one.arguments)
        assert (one.function, mode) == (MAIN, "tokens")
        assert text.count("\n") == 2
