import random

import pytest

from benchmarks.overhead import recorded, replay_file
from egca_plugin import types
from egca_plugin.errors import SampleError
from egca_plugin.sandbox import wire
from egca_plugin.types import Call, CallResult, CallStatus, Outcome, Task, Verdict

TASK = Task("t/1", "", "f", "def f(x):\n    y = x + 1\n    return y\n", ("assert f(1) == 2",))


def verdict(args, value, function="f", kwargs=None):
    call = Call(function, wire.encode((args, kwargs or {})))
    result = CallResult(CallStatus.VALUE, value=wire.encode(value))
    return Verdict(Outcome.OK, 1, 1, calls=(types.TestedCall(call, 0, True, result),))


def recording(**programs):
    return recorded.Recording({"t/1": TASK}, {"t/1": {}}, {"t/1": programs})


def test_recorded_calls_become_prime_codes_tests():
    said = recorded.in_outs(TASK, verdict(([1, 2], "a"), {"k": 1}))
    assert said == {"inputs": ['[1, 2]\n"a"'], "outputs": ['{"k": 1}'], "fn_name": "f"}


@pytest.mark.parametrize(
    ("args", "value", "more"),
    [
        (((1, 2),), 1, {}),  # JSON has no tuples
        (({1: 2},), 1, {}),  # nor keys that are no strings
        ((1,), {1}, {}),  # nor sets
        ((1,), float("nan"), {}),
        ((), 1, {}),
        ((1,), 1, {"kwargs": {"y": 2}}),
        ((1,), 1, {"function": "other"}),
    ],
)
def test_tasks_that_json_cannot_say_exactly_are_left_out(args, value, more):
    assert recorded.in_outs(TASK, verdict(args, value, **more)) is None


def test_variants_are_seeded_distinct_and_hold_a_broken_and_a_hanging_program():
    found = list(recorded.variants(TASK, 0))
    assert found == list(recorded.variants(TASK, 0))
    assert len(set(found)) == len(found)
    assert "while True" in found[-1]
    with pytest.raises(SyntaxError):
        compile(found[-2], "broken", "exec")


def test_responses_follow_the_mix_and_no_two_are_equal():
    made = recording(passing=("P",), wrong=("W",)).responses(200, {"passing": 0.5, "wrong": 0.5})
    assert len({response.completion for response in made}) == 200
    assert 70 < sum(response.kind == "wrong" for response in made) < 130
    assert all("```python\nW\n```" in r.completion for r in made if r.kind == "wrong")


def test_a_mix_that_no_task_can_serve_is_refused():
    with pytest.raises(SampleError, match="no recorded task has programs of all of the kinds wrong"):
        recording(passing=("P",)).responses(8, {"wrong": 1.0})


@pytest.mark.parametrize("share", [0.0, 0.35, 1.0])
def test_the_logic_share_is_the_share_of_wrong_answers(share):
    mix = recorded.mix(share)
    assert mix["wrong"] == share
    assert sum(mix.values()) == pytest.approx(1)


def test_a_recording_survives_its_file(tmp_path):
    made = recording(passing=("P",), wrong=("W", "V"))
    recorded.save(made, tmp_path / "r.json")
    assert recorded.load(tmp_path / "r.json") == made


def test_replayed_prompts_are_found_by_their_number(tmp_path, monkeypatch):
    replay_file.write(tmp_path / "r.json", {3: ["a", "b"]}, tokens_per_s=50)
    monkeypatch.setenv(replay_file.FILE, str(tmp_path / "r.json"))
    assert replay_file.read() == ({3: ["a", "b"]}, 50.0)
    assert replay_file.number_of(f"<user>{replay_file.prompt(3, 'f')}<end>") == 3
    assert replay_file.number_of("something else") is None


def test_a_group_draws_from_the_kinds_that_its_task_has():
    group = recording(passing=("P",)).group("t/1", 4, {"passing": 0.5, "wrong": 0.5}, random.Random(0))
    assert [response.kind for response in group] == ["passing"] * 4
