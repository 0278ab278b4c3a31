"""The whole pipeline on real programs in the real sandbox: one sample for every way a rollout can go."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from egca_plugin import assessor, pipeline
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.localize.api import Case
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.pipeline import Assessor, Crediting, Group, Judging, Work, assess_groups
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Credit, Localization, Mode, Outcome, Task

TASK = Task(
    task_id="sum_even",
    prompt="Write a Python function `sum_even(numbers)`: the sum of the even numbers.",
    entry_point="sum_even",
    reference=(
        "def sum_even(numbers):\n    total = 0\n    for n in numbers:\n        if n % 2 == 0:\n            total += n\n"
        "    return total\n"
    ),
    tests=("assert sum_even([1, 2, 3, 4]) == 6", "assert sum_even([]) == 0", "assert sum_even([5]) == 0"),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


def assess(sandbox: Sandbox, text: str, **settings: object) -> Credit:
    (credit,) = Assessor(EgcaConfig(**settings), sandbox).assess(TASK, [Completion(text)])  # type: ignore[arg-type]
    return credit


def blamed(credit: Credit, text: str) -> list[str]:
    return [text[span.start : span.end] for span in credit.spans]


WRONG = """Sure! Here is the function:

```python
def sum_even(values):
    result = 0
    for v in values:
        if v % 2 == 1:  # keep the even ones
            result = result + v
    return result
```
It adds up the even numbers."""


def test_a_wrong_condition_is_blamed_alone_and_proven(sandbox: Sandbox) -> None:
    credit = assess(sandbox, WRONG)
    assert (credit.mode, credit.reward, credit.outcome) == (Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER)
    assert (credit.tests_passed, credit.tests_total) == (1, 3)
    assert credit.verified
    (text,) = blamed(credit, WRONG)
    assert text in "v % 2 == 1"
    assert credit.decision is not None
    assert WRONG[: credit.decision.start].endswith(("v % 2 ", "v % 2 == "))
    assert credit.divergence is not None
    assert WRONG.split("\n")[credit.divergence.line - 1].strip().startswith(("if v", "for v", "result"))
    assert f"line {credit.divergence.line}" in credit.divergence.message


def test_what_is_missing_behind_the_end_was_decided_by_what_was_sampled_there(sandbox: Sandbox) -> None:
    text = "```python\n" + TASK.reference.replace("    return total\n", "") + "```\n"
    credit = assess(sandbox, text)
    assert credit.verified
    assert credit.decision is not None
    assert text[credit.decision.start :] == "```\n"


def test_a_right_program_has_uniform_credit(sandbox: Sandbox) -> None:
    credit = assess(sandbox, TASK.reference)
    assert (credit.mode, credit.reward, credit.spans, credit.reason) == (Mode.CORRECT, 1.0, (), "")


def test_the_reward_may_be_the_share_of_the_tests_that_pass(sandbox: Sandbox) -> None:
    assert assess(sandbox, WRONG, reward="share").reward == pytest.approx(1 / 3)
    assert assess(sandbox, TASK.reference, reward="share").reward == 1.0
    assert assess(sandbox, "def sum_even(numbers:", reward="share").reward == 0.0


UNLIKE = "def sum_even(numbers):\n    return sum_even(numbers[1:]) + numbers[0] if numbers else 0\n"


@pytest.mark.parametrize(
    ("text", "preset", "reference"),
    [
        (WRONG, "verified", "canonical"),
        (UNLIKE, "paper", "canonical"),  # too unlike it, said the gate
        (TASK.reference, "verified", ""),  # it passes: compared with nothing
        ("def sum_even(numbers:", "verified", ""),
    ],
)
def test_it_is_said_what_a_sample_was_compared_with(sandbox: Sandbox, text: str, preset: str, reference: str) -> None:
    assert assess(sandbox, text, preset=preset).reference == reference


def test_the_line_at_which_compilation_stops_is_blamed(sandbox: Sandbox) -> None:
    text = "```python\ndef sum_even(numbers):\n    return sum(n for n in numbers if n % 2 = 0)\n```"
    credit = assess(sandbox, text)
    assert (credit.mode, credit.outcome, credit.tests_total) == (Mode.SYNTAX, Outcome.COMPILE_ERROR, 3)
    assert blamed(credit, text) == ["return sum(n for n in numbers if n % 2 = 0)"]


CRASH = "def sum_even(numbers):\n    total = 0\n    for n in numbers:\n        if n.is_even():\n            total += n\n    return total\n"  # noqa: E501


def test_a_crash_is_blamed_on_what_raises_it(sandbox: Sandbox) -> None:
    for preset in ("verified", "paper"):
        credit = assess(sandbox, CRASH, preset=preset)
        assert (credit.mode, credit.outcome) == (Mode.SYNTAX, Outcome.EXCEPTION)
        assert all("n.is_even()" in text for text in blamed(credit, CRASH)), preset


def test_an_endless_loop_ends_at_the_deadline(sandbox: Sandbox) -> None:
    text = TASK.reference.replace("    return total", "    while True:\n        pass\n    return total")
    with Sandbox(SandboxConfig(timeout_s=0.3)) as quick:
        (credit,) = Assessor(EgcaConfig(), quick).assess(TASK, [Completion(text)])
    assert (credit.outcome, credit.reward) == (Outcome.TIMEOUT, 0.0)


def test_no_program_at_all_is_uniform_with_a_reason(sandbox: Sandbox) -> None:
    for text in ("", "I cannot help with that."):
        credit = assess(sandbox, text)
        assert (credit.outcome, credit.spans) == (Outcome.COMPILE_ERROR, ())
        assert credit.reason


def test_a_program_of_a_higher_complexity_class_breaks_the_constraint(sandbox: Sandbox) -> None:
    slow = """
def sum_even(numbers):
    total = 0
    for i, n in enumerate(numbers):
        for j in range(len(numbers)):
            if i == j and n % 2 == 0:
                total += n
    return total
"""
    task = replace(TASK, constraints=("complexity=linear",))
    assessor = Assessor(EgcaConfig(constraints="paper"), sandbox)
    modes = [credit.mode for credit in assessor.assess(task, [Completion(TASK.reference), Completion(slow)])]
    assert modes == [Mode.CORRECT, Mode.CONSTRAINT]


def test_a_program_that_draws_lots_is_not_localised(sandbox: Sandbox) -> None:
    drawn = "import random\n" + TASK.reference.replace("total = 0", "total = random.randint(1, 10**6)")
    credit = assess(sandbox, drawn)
    assert (credit.outcome, credit.spans, credit.reason) == (Outcome.WRONG_ANSWER, (), "unstable")
    harmless = "import random\n" + TASK.reference.replace("% 2 == 0", "% 2 == 1")
    assert assess(sandbox, harmless).verified


HEX = "0x" + "f" * 5000  # 6021 digits, past the interpreter's limit for texts
DEEP = " + 0" * 200
ELIFS = "    elif total == -1:\n        pass\n" * 200


@pytest.mark.parametrize(
    "right",
    [
        f"MASK = {HEX}\n" + TASK.reference,
        TASK.reference.replace("return total", f"return total & {HEX}"),
        TASK.reference.replace("return total", "return total" + DEEP),
        TASK.reference.replace("    return total", f"    if total < 0:\n        pass\n{ELIFS}    return total"),
    ],
)
def test_long_integers_and_deep_sources_are_examined_like_any_other(
    sandbox: Sandbox, right: str, tmp_path: Path
) -> None:
    credit = assess(sandbox, right, constraints="paper", bank=str(tmp_path))
    assert (credit.passed, credit.reason) == (True, "")
    wrong = right.replace("% 2 == 0", "% 2 == 1")
    credit = assess(sandbox, wrong, constraints="paper", bank=str(tmp_path))
    assert (credit.passed, credit.reason, credit.verified) == (False, "", True)
    assert all(text in "n % 2 == 1" for text in blamed(credit, wrong))


STAGES = ["_violations", "_anomalies", "_offer", "_route", "_localize"]


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("error", [ValueError, RecursionError, MemoryError])
def test_a_stage_that_fails_costs_the_sample_its_span_and_no_more(
    sandbox: Sandbox, stage: str, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise error("of its own")

    right, wrong = assess(sandbox, TASK.reference), assess(sandbox, WRONG)
    monkeypatch.setattr(Assessor, stage, fail)
    for credit, text in ((right, TASK.reference), (wrong, WRONG)):
        again = assess(sandbox, text)
        assert (again.reward, again.outcome, again.mode) == (credit.reward, credit.outcome, credit.mode)
        if stage != "_offer" or credit.passed:
            assert (again.reason, again.spans) == ("examination_failed", ())


def test_a_completion_that_cannot_be_read_holds_no_program(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("of its own")

    monkeypatch.setattr(assessor, "extract", fail)
    assert (assess(sandbox, TASK.reference).outcome, assess(sandbox, TASK.reference).reward) == (
        Outcome.COMPILE_ERROR,
        0.0,
    )


def test_a_program_that_passes_by_chance_does_not_pass(sandbox: Sandbox) -> None:
    lucky = "import random\n" + TASK.reference.replace("return total", "return total if random.random() > 0.8 else 0")
    credits = [assess(sandbox, f"{lucky}# {n}") for n in range(3)]
    assert not any(credit.passed for credit in credits)
    shifting = TASK.reference.replace("return total", "return total + ('a' in sorted({'a', 'b'}, key=hash)[:0])")
    assert assess(sandbox, shifting).passed


def test_a_reference_that_does_not_compile_is_the_tasks_fault_and_named(sandbox: Sandbox) -> None:
    task = replace(TASK, reference="def sum_even(numbers) return 0")
    with pytest.raises(TaskError, match=r"sum_even, field reference: does not compile \(line 1: "):
        Assessor(EgcaConfig(), sandbox).assess(task, [Completion(WRONG)])


def test_a_task_that_cannot_be_judged_costs_no_other_its_verdicts() -> None:
    bad = replace(TASK, task_id="bad", tests=("assert f(<object at 0x7f>) == 1",))
    groups = [Group(task, (Completion(TASK.reference),)) for task in (TASK, bad, TASK)]
    credits = [one for _, (one,) in assess_groups(EgcaConfig(sandbox=SandboxConfig(workers=1)), groups)]
    assert [credit.outcome for credit in credits] == [Outcome.OK, Outcome.UNJUDGEABLE, Outcome.OK]
    assert credits[1].reason == "bad_task"
    assert credits[1].stage.startswith("bad: tests[0]: got source that does not compile")


def test_what_does_not_compile_has_as_many_tests_as_what_runs(sandbox: Sandbox) -> None:
    checks = (
        "def check(candidate):\n    assert candidate([2]) == 2, 'this assert fails'\n    assert candidate([]) == 0\n"
    )
    task = replace(TASK, tests=checks)
    right, broken = Assessor(EgcaConfig(), sandbox).assess(task, [Completion(TASK.reference), Completion("def f(:")])
    assert right.tests_total == broken.tests_total == 2


def test_the_uniform_localiser_is_grpo_for_everything_that_runs(sandbox: Sandbox) -> None:
    assert assess(sandbox, WRONG, localizer="uniform").spans == ()


def test_a_flaw_of_the_localiser_costs_one_sample_its_span_and_no_more(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: TraceLocalizer, case: Case) -> Localization:
        raise IndexError("a hostile program found a flaw")

    monkeypatch.setattr(TraceLocalizer, "localize", broken)
    credit = assess(sandbox, WRONG)
    assert (credit.mode, credit.spans, credit.reason) == (Mode.LOGIC, (), "localizer_failed")


def test_a_program_too_large_to_align_keeps_plain_grpo_credit(sandbox: Sandbox) -> None:
    large = "".join(f"    if len(numbers) == {n + 1000}:\n        return {n}\n" for n in range(500))
    credit = assess(sandbox, f"def sum_even(numbers):\n{large}    return -1\n")
    assert (credit.spans, credit.outcome) == ((), Outcome.WRONG_ANSWER)


def test_a_spent_budget_stops_localising_and_says_so(sandbox: Sandbox) -> None:
    credit = assess(sandbox, WRONG, budget=0.0)
    assert (credit.spans, credit.reason) == ((), "budget_spent")


def test_a_span_that_covers_nearly_everything_falls_back_to_uniform(sandbox: Sandbox) -> None:
    credit = assess(sandbox, WRONG, max_share=0.0)
    assert (credit.spans, credit.reason, credit.verified) == ((), "span_too_wide", False)


def test_an_answer_less_sure_than_asked_for_falls_back_to_uniform(sandbox: Sandbox) -> None:
    sure = assess(sandbox, WRONG)
    assert sure.spans
    assert assess(sandbox, sure.repaired).passed
    kept = assess(sandbox, WRONG, min_confidence=sure.confidence)
    assert kept.spans == sure.spans
    credit = assess(sandbox, WRONG, min_confidence=1.0)
    assert (credit.spans, credit.decision, credit.reason, credit.confidence) == ((), None, "not_sure_enough", 0.0)


def test_a_passing_program_of_the_policy_serves_as_reference(sandbox: Sandbox, tmp_path: Path) -> None:
    """The wrong program is built like the banked one, and nothing like the canonical one."""
    passing = "def sum_even(numbers):\n    return sum([n for n in numbers if not n % 2])\n"
    wrong = "def sum_even(values):\n    return sum([v for v in values if v % 2])\n"
    assessor = Assessor(EgcaConfig(bank=str(tmp_path)), sandbox)
    assessor.assess(TASK, [Completion(passing)])
    (credit,) = assessor.assess(TASK, [Completion(wrong)])
    assert credit.verified
    assert credit.reference.startswith("bank:")
    assert assess(sandbox, wrong).reference in ("canonical", "")


def test_without_a_reference_a_passing_sibling_is_one(sandbox: Sandbox) -> None:
    task = replace(TASK, reference="")
    right = "def sum_even(numbers):\n    return sum([n for n in numbers if n % 2 == 0])\n"
    wrong = "def sum_even(numbers):\n    return sum([n for n in numbers if n % 2 == 1])\n"
    group = [Completion(text) for text in (wrong, right, right.replace("numbers", "values"))]
    credit = Assessor(EgcaConfig(), sandbox).assess(task, group)[0]
    assert (credit.reference, credit.verified) == ("sibling:1", True)
    alone = Assessor(EgcaConfig(), sandbox).assess(task, group[:1])[0]
    assert (alone.spans, alone.reason) == ((), "no_reference")


def test_groups_are_assessed_in_parallel_and_come_back_in_order() -> None:
    texts = [TASK.reference, WRONG, "def sum_even(:", CRASH] * 3
    groups = [Group(TASK, (Completion(text),)) for text in texts]
    credits = [credit for _, (credit,) in assess_groups(EgcaConfig(), groups)]
    assert [c.mode for c in credits] == [Mode.CORRECT, Mode.LOGIC, Mode.SYNTAX, Mode.SYNTAX] * 3


def test_a_program_that_kills_its_worker_is_an_infrastructure_failure_not_a_wrong_answer() -> None:
    from egca_plugin.pipeline import _lost
    from egca_plugin.sandbox.outside.pool import WorkerLost

    (credit,) = _lost(Group(TASK, (Completion("x"),)), WorkerLost("2 workers in a row were lost"))
    assert (credit.outcome, credit.reason) == (Outcome.INFRASTRUCTURE, "infrastructure")


@pytest.mark.parametrize("localizer", ["trace", "late_divergence"])
@pytest.mark.parametrize("site", [10**6, -(10**30)])
def test_a_forged_trace_is_no_failure_of_ours(sandbox: Sandbox, localizer: str, site: int) -> None:
    """The program writes events of probes that it does not have into its own records."""
    forged = f"""```python
import sys
def sum_even(numbers):
    frame = sys._getframe(1)
    while not hasattr(frame.f_locals.get("self"), "_probes"):
        frame = frame.f_back
    probes = frame.f_locals["self"]._probes
    if probes:
        probes.events.extend([{site}, 1])
    total = 0
    for n in numbers:
        if n % 2 == 1:
            total += n
    return total
```"""
    assert assess(sandbox, forged, localizer=localizer, budget=1.0).outcome is Outcome.WRONG_ANSWER


LATER = WRONG.replace("result", "answer")


def killed_by_one(sandbox: Sandbox, config: EgcaConfig) -> Callable[[Work], object]:
    """A pool's handler whose worker dies over one completion while it is judged, and over another while credited."""
    work = pipeline.handler(sandbox, config)

    def run(asked: Work) -> object:
        if isinstance(asked, Judging) and asked.completion.text == "DEADLY":
            os._exit(3)
        if isinstance(asked, Crediting) and any(one.text == LATER for one in asked.judged):
            os._exit(3)
        return work(asked)

    return run


def test_a_completion_that_kills_the_workers_costs_its_siblings_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "HANDLER", "test_pipeline:killed_by_one")
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    texts = (TASK.reference, "DEADLY", WRONG, LATER)
    group = Group(TASK, tuple(map(Completion, texts)))
    config = EgcaConfig(sandbox=SandboxConfig(workers=1))
    (_, first), (_, second) = assess_groups(config, [group, Group(TASK, (Completion(TASK.reference),))])
    assert [credit.outcome for credit in first] == [
        *(Outcome.OK, Outcome.INFRASTRUCTURE, Outcome.WRONG_ANSWER, Outcome.WRONG_ANSWER)
    ]
    assert first[1].reason == "infrastructure"
    assert first[2].verified
    assert (first[3].reason, first[3].spans) == ("examination_failed", ())
    assert second[0].passed
