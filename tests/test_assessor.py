"""The two phases: what judging hands to crediting, and what a group's samples are to each other."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest

from egca_plugin import assessor as module
from egca_plugin.assessor import Assessor
from egca_plugin.config import EgcaConfig
from egca_plugin.credit.standing import NO_ADVANTAGE, PENDING, awaits, learnt, uncredited
from egca_plugin.judged import Judged
from egca_plugin.localize.api import Case
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.monitor import budget
from egca_plugin.references.siblings import siblings
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Credit, Localization, Mode, Span, Task

LOOP = """def total_even(numbers):
    total = 0
    for n in numbers:
        if n % 2 == 0:
            total += n
    return total
"""
SUM = "def total_even(numbers):\n    return sum([n for n in numbers if n % 2 == 0])\n"
WRONG_SUM = SUM.replace("== 0", "== 1")
WRONG_LOOP = LOOP.replace("== 0", "== 1")
DOWN = """def total_even(numbers):
    total = 0
    i = len(numbers) - 1
    while i >= 0:
        if numbers[i] % 2 == 0:
            total += numbers[i]
        i -= 1
    return total
"""
FAR = "def total_even(numbers):\n    return 6 if len(numbers) == 4 else len(numbers) - 3 if numbers[1:] == [2] else 1\n"
ODD = LOOP.replace("total += n", "total += n * n if n < 0 else n - total % 3")
BROKEN = LOOP.replace("% 2 == 0", "% 2 = 0")
TESTS = (
    "assert total_even([1, 2, 3, 4]) == 6",
    "assert total_even([]) == 0",
    "assert total_even([5, 2]) == 2",
    "assert total_even([-2, 7]) == -2",
)
TASK = Task("total_even", "The sum of the even numbers.", "total_even", LOOP, TESTS)
BARE = replace(TASK, reference="")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


@pytest.fixture(scope="module")
def assessor(sandbox: Sandbox) -> Assessor:
    return Assessor(EgcaConfig(traces=""), sandbox)


def judged(assessor: Assessor, task: Task, *texts: str) -> list[Judged]:
    return [assessor.judge(task, Completion(text)) for text in texts]


def untimed(credits: list[Credit]) -> list[Credit]:
    return [replace(credit, ms={}) for credit in credits]


def test_both_phases_apart_give_what_they_give_together(assessor: Assessor) -> None:
    texts = (WRONG_SUM, SUM, BROKEN, WRONG_LOOP, LOOP)
    found = pickle.loads(pickle.dumps(judged(assessor, TASK, *texts)))
    together = assessor.assess(TASK, [Completion(text) for text in texts])
    assert untimed(assessor.credit(TASK, found)) == untimed(together)
    assert [one.reward for one in found] == [credit.reward for credit in together] == [0, 1, 0, 0, 1]


def test_crediting_judges_nothing_again(assessor: Assessor, monkeypatch: pytest.MonkeyPatch) -> None:
    found = judged(assessor, BARE, WRONG_SUM, SUM)
    monkeypatch.setattr(module, "judge", lambda *_, **__: pytest.fail("judged again"))
    credit = assessor.credit(BARE, found)[0]
    assert credit.verified
    assert {"extract", "judge", "localize"} <= credit.ms.keys()


def test_before_the_second_phase_a_sample_has_its_verdict_and_says_what_it_waits_for(assessor: Assessor) -> None:
    wrong, right, broken = judged(assessor, TASK, WRONG_SUM, SUM, BROKEN)
    config = assessor.config
    assert [awaits(one, config) for one in (wrong, right, broken)] == [True, False, False]
    early = uncredited(wrong, PENDING, config)
    assert (early.mode, early.reward, early.reason, early.spans) == (Mode.LOGIC, 0.0, PENDING, ())
    assert uncredited(right, PENDING, config).reason == ""
    assert uncredited(broken, PENDING, config).spans, "the compiler's own place needs no second phase"


def test_the_nearest_passing_sibling_is_the_reference(assessor: Assessor) -> None:
    group = (WRONG_LOOP, SUM, WRONG_SUM, SUM, LOOP)
    credits = assessor.credit(BARE, judged(assessor, BARE, *group))
    assert [credit.reference for credit in credits] == ["sibling:4", "", "sibling:1", "", ""]
    assert credits[0].verified
    assert credits[2].verified
    far = assessor.credit(TASK, judged(assessor, TASK, *group))
    assert far[0].reference == "canonical"
    assert far[2].reference == "sibling:1", "the task's own is built otherwise"


GROUPS = {  # what a group may be made of: proven by the canonical one, by a sibling alone, by nothing, or not to be
    name: (task, (WRONG_LOOP, WRONG_SUM, FAR, ODD, BROKEN, *passing))
    for name, task, passing in (("whole", TASK, (SUM, LOOP)), ("bare", BARE, (SUM,)), ("lone", TASK, ()))
}


@pytest.mark.parametrize("name", GROUPS)
def test_what_is_done_ahead_of_the_group_changes_no_credit(assessor: Assessor, name: str) -> None:
    """Whichever samples came early enough for it: nothing but time hangs on that."""
    task, texts = GROUPS[name]
    found = judged(assessor, task, *texts)
    answers = {one.program.source: assessor.ahead(task, one) for one in found}
    known = {source: answer for source, answer in answers.items() if answer is not None}
    assert bool(known) == (task is TASK)
    expected = untimed(assessor.credit(task, found))
    for count in range(1 << len(known)):
        some = {source: answer for bit, (source, answer) in enumerate(known.items()) if count >> bit & 1}
        assert untimed(assessor.credit(task, found, ahead=some)) == expected
    if beside := siblings(found):
        apart = {
            one.program.source: answer
            for one in found
            if (answer := assessor.ahead(task, one, siblings=beside, first=known.get(one.program.source)))
        }
        assert len(apart) == 4, "all that fail and compile, each by itself"
        assert untimed(assessor.credit(task, found, ahead=apart)) == expected


def test_ahead_of_its_group_a_sample_is_compared_with_a_reference_that_is_built_like_it(assessor: Assessor) -> None:
    near, far, right, broken = judged(assessor, TASK, WRONG_LOOP, WRONG_SUM, LOOP, BROKEN)
    answer = assessor.ahead(TASK, near)
    assert answer is not None
    assert (answer.found.verified, answer.found.reference, answer.mode) == (True, "canonical", Mode.LOGIC)
    assert [assessor.ahead(TASK, one) for one in (far, right, broken)] == [None] * 3
    assert assessor.ahead(BARE, near) is None, "there is nothing but its siblings"


def test_where_the_tasks_own_reference_proves_nothing_a_nearer_sibling_is_asked(
    assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sibling counts down, as the failing one does; the reference does not."""
    asked: list[tuple[str, ...]] = []

    def localize(self: TraceLocalizer, case: Case) -> Localization:
        asked.append(case.references)
        proven = case.references[0] == DOWN
        return Localization((Span(0, 1),), proven, reference=case.references[0], reason="" if proven else "unverified")

    monkeypatch.setattr(TraceLocalizer, "localize", localize)
    found = judged(assessor, TASK, DOWN.replace("== 0", "== 1"), DOWN, SUM)
    credit = assessor.credit(TASK, found)[0]
    assert (credit.reference, credit.verified) == ("sibling:1", True)
    assert asked == [(LOOP,), (DOWN, SUM)]
    credit = assessor.credit(TASK, [found[0], found[2]])[0]
    assert (credit.reference, credit.verified) == ("canonical", False)
    assert asked[2:] == [(LOOP,)], "the other one is built less like it than the reference is"


def test_a_suspect_sibling_is_compared_with_by_nobody(assessor: Assessor) -> None:
    table = "def total_even(numbers):\n    return {4: 6, 0: 0, 2: 2 if numbers[:1] == [5] else -2}[len(numbers)]\n"
    for suspect in (replace(one, anomalies=("memorises_tests",)) for one in judged(assessor, BARE, table)):
        (credit, _) = assessor.credit(BARE, [*judged(assessor, BARE, WRONG_SUM), suspect])
        assert (credit.reference, credit.reason) == ("", "no_reference")


def test_where_nothing_passes_what_most_do_is_compared_with_and_a_patch_must_prove_it(assessor: Assessor) -> None:
    """The majority fails one test in four, where a negative number comes; the others fail elsewhere too, or not."""
    most = "def total_even(numbers):\n    return sum([abs(n) for n in numbers if n % 2 == 0])\n"
    wrong = "def total_even(numbers):\n    return sum([n for n in numbers if n % 2 == 0 and n != 2])\n"
    both = most.replace("== 0", "== 1")
    credits = assessor.credit(BARE, judged(assessor, BARE, wrong, most, both, most.replace("[abs", "[ abs")))
    assert (credits[0].reference, credits[0].verified) == ("voted:1", True)
    assert "n != 2" in wrong[credits[0].spans[0].start - 20 : credits[0].spans[0].end + 20]
    assert (credits[1].reference, credits[1].spans) == ("voted:1", ())
    assert (credits[2].reference, credits[2].verified, credits[2].spans) == ("voted:1", False, ())


def test_repeats_are_judged_and_localised_once(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: Counter[str] = Counter()
    once, localize = module.judge, TraceLocalizer.localize

    def counted(*args: object, **how: object) -> object:
        asked["judged"] += 1
        return once(*args, **how)  # type: ignore[arg-type]

    def counted_too(self: TraceLocalizer, case: object) -> object:
        asked["localised"] += 1
        return localize(self, case)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "judge", counted)
    monkeypatch.setattr(TraceLocalizer, "localize", counted_too)
    said = f"Here:\n```python\n{WRONG_SUM}```"
    texts = [WRONG_SUM, WRONG_SUM, said, SUM, SUM]
    credits = Assessor(EgcaConfig(), sandbox).assess(TASK, [Completion(text) for text in texts])
    assert asked == {"judged": 3, "localised": 1}
    blamed = [text[c.spans[0].start : c.spans[0].end] for text, c in zip(texts[:3], credits, strict=False)]
    assert len(set(blamed)) == 1


def test_a_group_that_is_rewarded_alike_is_not_localised_unless_a_setting_wants_it(
    sandbox: Sandbox,
) -> None:
    assessor = Assessor(EgcaConfig(praise=0.0), sandbox)
    found = judged(assessor, TASK, WRONG_SUM, WRONG_LOOP)
    none = learnt([one.reward for one in found])
    assert none == frozenset()
    credits = assessor.credit(TASK, found, 1, learnt=none)
    assert {(credit.reason, credit.spans) for credit in credits} == {(NO_ADVANTAGE, ())}
    for wish in (EgcaConfig(), EgcaConfig(localize="all", praise=0.0)):
        wanted = Assessor(wish, sandbox).credit(TASK, found, 1, learnt=none)
        assert all(credit.verified for credit in wanted)
        assert all((credit.mended > 0) == (wish.praise_share > 0) for credit in wanted)
    assert learnt([0.0, 1.0]) is None
    whole = assessor.assess(TASK, [Completion(WRONG_SUM), Completion(WRONG_LOOP)], 1, whole=True)
    assert {credit.reason for credit in whole} == {NO_ADVANTAGE}
    assert assessor.credit(TASK, found, 1, learnt={1})[0].reason == NO_ADVANTAGE


def test_the_budget_leaves_out_the_same_samples_each_time_and_says_so(sandbox: Sandbox) -> None:
    half = Assessor(EgcaConfig(budget=0.5, praise=0.0), sandbox)
    wrong = [WRONG_LOOP.replace("numbers", f"numbers{n}") for n in range(8)]
    found = judged(half, TASK, *wrong)
    first, again = half.credit(TASK, found, 3), half.credit(TASK, found, 3)
    assert untimed(first) == untimed(again)
    left_out = [credit.reason == budget.REASON for credit in first]
    assert 0 < sum(left_out) < 8
    assert all(credit.verified for credit in first if not credit.reason)
    assert [half.ahead(TASK, one, 3) is None for one in found] == left_out
    for one, credit in zip(found, untimed(first), strict=True):
        assert untimed(half.credit(TASK, [one], 3)) == [credit], "who else is there decides nothing"
