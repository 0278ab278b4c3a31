"""The baselines on one small program: ``largest`` forgets negative numbers, its fault is line 2."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from egca_plugin.config import LOCALIZERS
from egca_plugin.credit import baselines
from egca_plugin.credit.baselines.statements import by_lot, lexemes, statements
from egca_plugin.judging.referee import judge
from egca_plugin.localize import registry
from egca_plugin.localize.api import Case, Localizer, Reason
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Localization, Span, Task

REFERENCE = """\
def largest(values):
    best = values[0]
    for value in values:
        if value > best:
            best = value
    return best
"""
WRONG = REFERENCE.replace("best = values[0]", "best = 0")
TASK = Task(
    task_id="t",
    prompt="",
    entry_point="largest",
    reference=REFERENCE,
    tests=("assert largest([1, 5, 2]) == 5", "assert largest([-3, -1]) == -1"),
)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


def case(sandbox: Sandbox, source: str = WRONG, seed: int = 0) -> Case:
    return Case(TASK, source, (REFERENCE,), judge(sandbox, source, TASK), sandbox, seed)


def blamed(answer: Localization, source: str = WRONG) -> list[str]:
    return [source[span.start : span.end] for span in answer.spans]


def test_uniform_blames_nothing(sandbox: Sandbox) -> None:
    assert baselines.Uniform().localize(case(sandbox)) == Localization(stage="uniform")


def test_executed_blames_what_the_failing_test_ran(sandbox: Sandbox) -> None:
    ran = blamed(baselines.Executed().localize(case(sandbox)))
    assert "best = 0" in ran
    assert "best = value" not in ran  # no value of [-3, -1] is above 0


def test_ochiai_prefers_what_only_failing_tests_run(sandbox: Sandbox) -> None:
    source = "def largest(values):\n    if values[0] < 0:\n        return 0\n    return max(values)\n"
    answer = baselines.Ochiai().localize(case(sandbox, source))
    assert blamed(answer, source) == ["return 0"]


def test_ochiai_draws_lots_between_equals(sandbox: Sandbox) -> None:
    firsts = {baselines.Ochiai().localize(case(sandbox, seed=seed)).spans[0] for seed in range(12)}
    assert len(firsts) > 1


def test_text_diff_blames_the_differing_tokens(sandbox: Sandbox) -> None:
    both = REFERENCE.replace("best = values[0]", "best = 0").replace("return best", "return value")
    differing = blamed(baselines.TextDiff().localize(case(sandbox, both)), both)
    assert sorted(differing) == ["0", "for", "value"]  # ``for`` stands where ``]`` is gone


def test_text_diff_abstains_from_an_equal_text(sandbox: Sandbox) -> None:
    commented = REFERENCE.replace("best = values[0]", "best = values[0]  # the first")
    assert baselines.TextDiff().localize(case(sandbox, commented)).reason == Reason.NO_DIFFERENCE.value


def test_prefix_tree_blames_the_branching_token_only(sandbox: Sandbox) -> None:
    twice_wrong = WRONG.replace("return best", "return value")
    assert blamed(baselines.PrefixTree().localize(case(sandbox, twice_wrong)), twice_wrong) == ["0"]


def test_traceback_blames_the_raising_statement(sandbox: Sandbox) -> None:
    source = WRONG.replace("best = value\n", "best = value\n            value.missing()\n")
    answer = baselines.Traceback().localize(case(sandbox, source))
    assert blamed(answer, source) == ["value.missing()"]


def test_traceback_abstains_where_nothing_is_raised(sandbox: Sandbox) -> None:
    assert baselines.Traceback().localize(case(sandbox)).reason == Reason.NO_EVIDENCE.value


def test_late_divergence_blames_the_last_strange_value(sandbox: Sandbox) -> None:
    assert blamed(baselines.LateDivergence().localize(case(sandbox))) == ["return best"]


def test_grpo_lambda_blames_the_end_first(sandbox: Sandbox) -> None:
    shown = blamed(baselines.GrpoLambda(decay=0.9).localize(case(sandbox)))
    assert shown[0] == "return best"
    assert "best = 0" not in shown


class Narrow:
    """A stand-in for the localiser whose length is held equal."""

    name = "narrow"

    def localize(self, case: Case) -> Localization:
        return Localization(spans=(Span(25, 33),), verified=True)


class Unproven:
    name = "unproven"

    def localize(self, case: Case) -> Localization:
        return Localization(spans=(Span(25, 33),), reason=Reason.UNVERIFIED.value)


class Silent:
    name = "silent"

    def localize(self, case: Case) -> Localization:
        return Localization(reason=Reason.UNSTABLE.value)


def random_span(monkeypatch: pytest.MonkeyPatch, like: Localizer) -> baselines.RandomSpan:
    monkeypatch.setattr(registry, "get", lambda name: like)
    return baselines.RandomSpan(like=like.name)


def test_random_span_is_as_long_and_depends_on_the_seed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    localizer = random_span(monkeypatch, Narrow())
    spans = [localizer.localize(case(sandbox, seed=seed)).spans[0] for seed in range(8)]
    assert {span.end - span.start for span in spans} == {8}
    assert len(set(spans)) > 1
    assert localizer.localize(case(sandbox, seed=3)).spans[0] == spans[3]


def test_random_span_abstains_with_its_model(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = random_span(monkeypatch, Silent()).localize(case(sandbox))
    assert (answer.spans, answer.reason) == ((), Reason.UNSTABLE.value)


def test_random_span_is_no_better_proven_than_its_model(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = random_span(monkeypatch, Unproven()).localize(case(sandbox))
    assert len(answer.spans) == 1
    assert answer.reason == Reason.UNVERIFIED.value


@pytest.mark.parametrize("name", sorted(set(LOCALIZERS) - {"trace", "random_span"}))
@pytest.mark.parametrize("source", ["def largest(values:\n", "", "x = 1\n", "def largest(values):\n    return\n"])
def test_no_program_makes_a_baseline_raise(sandbox: Sandbox, name: str, source: str) -> None:
    for span in registry.get(name).localize(case(sandbox, source)).spans:
        assert 0 <= span.start <= span.end <= len(source)


def test_every_setting_has_a_localiser() -> None:
    assert set(registry.LOCALIZERS) == set(LOCALIZERS)
    assert all(registry.get(name).name == name for name in LOCALIZERS)


# --- statements -------------------------------------------------------------------------------------------------


def test_statements_are_headers_where_a_block_follows() -> None:
    source = 'def f(x):\n    "doc"\n    if x and (\n        x > 1\n    ):\n        y = "é"; return y\n'
    shown = {line: source[span.start : span.end] for line, span in statements(source).items()}
    assert shown == {1: "def f(x):", 3: "if x and (\n        x > 1\n    ):", 6: 'y = "é"; return y'}


def test_a_header_ends_before_its_docstring_and_comments() -> None:
    source = "while x:  # forever\n    pass\n"
    assert source[: statements(source)[1].end].startswith("while x:")


def test_lexemes_leave_out_layout_and_comments() -> None:
    assert [lexeme.text for lexeme in lexemes("é = 1  # one\n\nprint(é)\n")] == ["é", "=", "1", "print", "(", "é", ")"]
    assert [lexeme.text for lexeme in lexemes("f(\n")] == ["f", "("]


def test_lots_are_a_permutation(sandbox: Sandbox) -> None:
    spans = [Span(n, n + 1) for n in range(5)]
    assert sorted(by_lot(spans, case(sandbox))) == spans
