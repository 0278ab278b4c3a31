"""pass@k: the estimator against brute force, its interval, and the samples it refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.cli.main import main
from egca_plugin.config import SandboxConfig
from egca_plugin.errors import SampleError, SandboxError
from egca_plugin.judging import evaluation
from egca_plugin.judging.evaluation import Ending, Score, pass_at_k, score
from egca_plugin.tasks.files import Sample, dump_samples, dump_tasks
from egca_plugin.types import Outcome, Task


@st.composite
def counts(draw: st.DrawFn) -> tuple[int, int, int]:
    n = draw(st.integers(1, 9))
    return n, draw(st.integers(0, n)), draw(st.integers(1, n))


@given(counts())
def test_the_estimate_is_the_share_of_k_subsets_with_a_passing_sample(drawn: tuple[int, int, int]) -> None:
    n, c, k = drawn
    verdicts = [True] * c + [False] * (n - c)
    assert pass_at_k(n, c, k) == pytest.approx(fmean(any(subset) for subset in combinations(verdicts, k)))


@given(counts())
def test_more_tries_and_more_passes_never_hurt(drawn: tuple[int, int, int]) -> None:
    n, c, k = drawn
    assert 0 <= pass_at_k(n, c, k) <= 1
    assert k == n or pass_at_k(n, c, k) <= pass_at_k(n, c, k + 1)
    assert c == n or pass_at_k(n, c, k) < pass_at_k(n, c + 1, k) or pass_at_k(n, c, k) == 1


def test_pass_at_1_is_the_share_of_passing_samples_and_large_counts_stay_exact() -> None:
    assert pass_at_k(200, 50, 1) == 0.25
    assert pass_at_k(100_000, 1, 100) == 0.001
    assert pass_at_k(10_000, 9_999, 5_000) == 1.0


@pytest.mark.parametrize(("n", "c", "k"), [(3, 4, 1), (3, -1, 1), (3, 1, 4), (3, 1, 0)])
def test_impossible_counts_are_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="expected"):
        pass_at_k(n, c, k)


def test_the_score_weighs_tasks_alike_whatever_their_number_of_samples() -> None:
    assert score({"a": [True], "b": [False] * 9}, 1).value == 0.5


def test_the_interval_encloses_the_value_and_is_reproducible() -> None:
    passed = {f"t{i}": [j * i % 11 < 4 for j in range(13)] for i in range(60)}
    first = score(passed, 1)
    assert first.low < first.value < first.high
    assert score(passed, 1) == first


def test_the_interval_narrows_with_more_tasks() -> None:
    def width(tasks: int) -> float:
        result = score({f"t{i}": [i % 2 == 0] for i in range(tasks)}, 1)
        return result.high - result.low

    assert width(400) < width(40) / 2


def test_unanimous_samples_leave_no_doubt() -> None:
    assert score({"a": [True, True], "b": [True, True]}, 2) == Score(1.0, 1.0, 1.0)


def test_too_few_samples_for_a_k_name_the_task_and_the_way_out() -> None:
    with pytest.raises(SampleError, match=r"pass@2 needs 2 samples.*1 of 2 tasks have fewer.*b with 1; draw more"):
        score({"a": [True, False], "b": [True]}, 2)
    with pytest.raises(SampleError, match="got no samples"):
        score({}, 1)


# --- the command --------------------------------------------------------------------------------------------------

DOUBLE = Task("t/double", "double x", "double", "def double(x):\n    return 2 * x\n", ("assert double(3) == 6",))
NEXT = Task("t/next", "x + 1", "after", "def after(x):\n    return x + 1\n", ("assert after(3) == 4",))
RIGHT, WRONG = "```python\ndef double(x):\n    return x + x\n```", "def double(x):\n    return x\n"


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    dump_tasks([DOUBLE, NEXT], tmp_path / "tasks.jsonl")
    return tmp_path / "tasks.jsonl"


def samples(folder: Path, *rows: tuple[str, str]) -> Path:
    dump_samples([Sample(task_id, completion) for task_id, completion in rows], folder / "samples.jsonl")
    return folder / "samples.jsonl"


def test_samples_are_judged_in_the_sandbox(tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn = samples(tmp_path, ("t/double", RIGHT), ("t/double", WRONG), ("t/next", NEXT.reference), ("t/next", "1 +"))
    assert main(["eval", str(tasks), "--samples", str(drawn), "--k", "1,2", "--workers", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == {
        "pass@1": {"value": 0.5, "low": 0.5, "high": 0.5},
        "pass@2": {"value": 1.0, "low": 1.0, "high": 1.0},
    }


def test_what_holds_no_program_does_not_compile() -> None:
    judged = [(DOUBLE, ""), (DOUBLE, "I cannot help with that."), (DOUBLE, WRONG)]
    expected = [Outcome.COMPILE_ERROR, Outcome.COMPILE_ERROR, Outcome.WRONG_ANSWER]
    assert list(evaluation.outcomes(judged, SandboxConfig(workers=1))) == expected


def test_a_task_that_cannot_be_judged_is_left_out_of_the_score_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = replace(NEXT, task_id="t/bad", tests=("assert after(<object at 0x7f00>) == 4",))
    dump_tasks([DOUBLE, bad], tmp_path / "tasks.jsonl")
    drawn = samples(tmp_path, ("t/bad", NEXT.reference), ("t/double", RIGHT), ("t/bad", "1 +"), ("t/double", WRONG))
    command = ["eval", str(tmp_path / "tasks.jsonl"), "--samples", str(drawn), "--workers", "1", "--json"]
    assert main(command) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["pass@1"]["value"] == 0.5
    assert found["bad_tasks"] == {"t/bad": found["bad_tasks"]["t/bad"]}
    assert "task 't/bad' and its 2 samples are left out of the score: t/bad: tests[0]: got source" in captured.err
    dump_tasks([bad], tmp_path / "tasks.jsonl")
    samples(tmp_path, ("t/bad", NEXT.reference))
    assert main(command) == 2
    assert "none of its tasks can be judged" in capsys.readouterr().err


def test_a_part_of_the_tasks_is_no_score_unless_asked_for(
    tasks: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = samples(tmp_path, ("t/double", WRONG))
    assert main(["eval", str(tasks), "--samples", str(drawn)]) == 2
    assert "1 of 2 tasks have no sample, the first t/next" in capsys.readouterr().err
    assert main(["eval", str(tasks), "--samples", str(drawn), "--partial", "--workers", "1", "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["pass@1"]["value"] == 0
    assert "1 of 2 tasks have no sample and are left out" in captured.err


@pytest.mark.parametrize(
    ("rows", "more", "told"),
    [
        ([("t/none", RIGHT)], [], "samples.jsonl:1, field task_id: 't/none' is no task of"),
        ([("t/double", RIGHT), ("t/next", "")], ["--k", "2"], "pass@2 needs 2 samples of every task: 2 of 2"),
        ([("t/double", RIGHT)], ["--split", "test"], "--source and --split go with a named set"),
    ],
)
def test_what_cannot_be_scored_is_refused_before_anything_runs(
    rows: list[tuple[str, str]],
    more: list[str],
    told: str,
    tasks: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["eval", str(tasks), "--samples", str(samples(tmp_path, *rows)), *more]) == 2
    assert told in capsys.readouterr().err


def test_a_broken_sandbox_is_no_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def __init__(self, *_: object, **__: object) -> None: ...
        def __enter__(self) -> Broken:
            return self

        def __exit__(self, *_: object) -> None: ...
        def map(self, payloads: list[object]) -> list[Ending]:
            return [Ending(Outcome.OK), Ending(Outcome.INFRASTRUCTURE)]

    monkeypatch.setattr(evaluation, "Pool", Broken)
    with pytest.raises(SandboxError, match=r"sample 2 \(t/next\) could not be judged"):
        list(evaluation.outcomes([(DOUBLE, RIGHT), (NEXT, "")], SandboxConfig()))
