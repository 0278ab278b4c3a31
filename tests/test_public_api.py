"""The public API as a stranger would use it: lazy names, credits of completions, weights of tokens, a judge."""

from __future__ import annotations

import asyncio
import gc
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

import egca_plugin as egca
from egca_plugin.credit.spans import align
from egca_plugin.errors import ConfigError, SandboxError, TokenizerError
from egca_plugin.localize.api import Case
from egca_plugin.types import Localization

TOTAL = egca.Task(
    "t/total",
    "Add them up.",
    "total",
    "def total(values):\n    result = 0\n    for value in values:\n        result += value\n    return result\n",
    ("assert total([1, 2, 3]) == 6", "assert total([]) == 0"),
)
DOUBLE = egca.Task("t/double", "Double it.", "double", "def double(x):\n    return x * 2\n", ("assert double(3) == 6",))
RIGHT, WRONG = TOTAL.reference, TOTAL.reference.replace("in values", "in values[1:]")


# --- names --------------------------------------------------------------------------------------------------------


def test_importing_the_package_imports_nothing_else() -> None:
    listing = "import sys; before = set(sys.modules); import egca_plugin; print(*sorted(set(sys.modules) - before))"
    found = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    assert found.stdout.split() == ["egca_plugin"]


def test_every_name_is_there_and_in_the_stub_for_type_checkers() -> None:
    names = set(egca.__all__)
    assert all(getattr(egca, name) is not None for name in names)
    assert names <= set(dir(egca))
    stub = Path(egca.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    assert set(re.findall(r"as (\w+)$|^(\w+): str$", stub, re.MULTILINE)) == {
        (name, "") if name != "__version__" else ("", name) for name in names
    }


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'asess'"):
        egca.asess  # noqa: B018


# --- assess -------------------------------------------------------------------------------------------------------


def test_one_task_for_all_completions_or_one_for_each() -> None:
    right, wrong = egca.assess(TOTAL, [RIGHT, WRONG], workers=1)
    assert (right.passed, wrong.passed, wrong.verified) == (True, False, True)
    assert [WRONG[span.start : span.end] for span in wrong.spans] == ["values[1:]"]

    double, total = egca.assess([DOUBLE, TOTAL], [DOUBLE.reference, egca.Completion(WRONG)], workers=1)
    assert (double.passed, total.spans) == (True, wrong.spans)


def test_completions_of_a_task_without_a_reference_are_compared_with_each_other() -> None:
    credits = egca.assess(replace(TOTAL, reference=""), [WRONG, RIGHT, RIGHT + "\n"], workers=1)
    assert [credit.reference for credit in credits] == ["sibling:1", "", ""]
    assert credits[0].spans


def test_a_task_that_cannot_be_judged_costs_the_others_nothing() -> None:
    broken = replace(DOUBLE, task_id="t/broken", tests=("assert double(",))
    first, second = egca.assess([broken, TOTAL], ["def double(x): ...", RIGHT], workers=1)
    assert (first.outcome, second.outcome) == (egca.Outcome.UNJUDGEABLE, egca.Outcome.OK)
    assert first.stage


def test_nothing_to_judge_starts_nothing() -> None:
    assert egca.assess([], []) == []


@pytest.mark.parametrize(
    ("tasks", "completions", "kind", "message"),
    [
        (TOTAL, RIGHT, TypeError, "got one completion, expected a sequence"),
        (TOTAL, [RIGHT, None], TypeError, "completion 1 is NoneType"),
        ([{"task_id": "t"}], [RIGHT], TypeError, r"task 0 is dict, expected a Task"),
        ([TOTAL], [RIGHT, RIGHT], ValueError, "got 1 tasks and 2 completions"),
        (replace(TOTAL, tests=["assert total([]) == 0"]), [RIGHT], TypeError, "its tests are a list, expected text or"),
    ],
)
def test_arguments_that_do_not_fit_are_named(tasks: object, completions: object, kind: type, message: str) -> None:
    with pytest.raises(kind, match=message):
        egca.assess(tasks, completions)  # type: ignore[arg-type]


# --- a localiser of one's own -------------------------------------------------------------------------------------


class FirstLine:
    """Blames the line behind the signature, whatever happened."""

    name = "first_line"

    def localize(self, case: Case) -> Localization:
        start = case.source.index("\n") + 1
        return Localization((egca.Span(start, case.source.index("\n", start)),), stage="guess")


class Hopeless(FirstLine):
    """Answers with something that is no answer."""

    def localize(self, case: Case) -> Localization:
        return None  # type: ignore[return-value]


def test_a_localiser_of_ones_own_is_a_module_and_a_class() -> None:
    (credit,) = egca.assess(TOTAL, [WRONG], egca.EgcaConfig(localizer=f"{__name__}:FirstLine"), workers=1)
    assert [WRONG[span.start : span.end] for span in credit.spans] == ["    result = 0"]


def test_a_localiser_that_answers_nonsense_costs_a_sample_its_span_alone() -> None:
    config = egca.EgcaConfig(localizer=f"{__name__}:Hopeless")
    wrong, right = egca.assess(TOTAL, [WRONG, RIGHT], config, workers=1)
    assert (wrong.spans, wrong.passed, right.passed) == ((), False, True)
    assert wrong.reason


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere_to_be:Found", "cannot be used .ModuleNotFoundError"),
        (f"{__name__}:Missing", "cannot be used .AttributeError"),
        (f"{__name__}:Path", "is no localiser; expected a method localize"),
    ],
)
def test_a_localiser_that_cannot_be_had_is_named_when_the_sandbox_starts(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        egca.assess(TOTAL, [WRONG], egca.EgcaConfig(localizer=name), workers=1)


def test_a_name_that_is_nearly_one_is_told() -> None:
    with pytest.raises(ConfigError, match=r"or module:Class; did you mean 'trace'\?"):
        egca.EgcaConfig(localizer="tracer")


# --- a judge that stays -------------------------------------------------------------------------------------------


def test_a_judge_stays_from_step_to_step_and_closes_itself() -> None:
    with egca.Judge(workers=1) as judge:
        first = judge.assess(TOTAL, [RIGHT, WRONG], step=0)
        again = judge.assess(TOTAL, [RIGHT, WRONG], step=1)
    assert [credit.spans for credit in first] == [credit.spans for credit in again]
    assert first[1].spans
    with pytest.raises(SandboxError, match="this judge was closed"):
        judge.assess(TOTAL, [RIGHT])


def test_groups_are_judged_side_by_side_as_they_come() -> None:
    async def train() -> list[list[egca.Credit]]:
        async with egca.Judge(workers=2) as judge:
            return await asyncio.gather(
                judge.assess_group(TOTAL, [RIGHT, WRONG]), judge.assess_group(DOUBLE, [DOUBLE.reference])
            )

    total, double = asyncio.run(train())
    assert [credit.passed for credit in total] == [True, False]
    assert [credit.passed for credit in double] == [True]


def test_a_judge_that_nobody_holds_any_more_ends_its_processes() -> None:
    judge = egca.Judge(workers=1)
    assert judge.assess(DOUBLE, [DOUBLE.reference])[0].passed
    pool = judge._pool
    del judge
    gc.collect()
    deadline = time.monotonic() + 10
    while pool._threads and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not pool._threads


# --- weights ------------------------------------------------------------------------------------------------------


class Letters:
    """A tokenizer of one token a character, with one end token."""

    end = 0x110000
    all_special_ids = [end]  # noqa: RUF012
    added_tokens_decoder: dict[int, object] = {}  # noqa: RUF012

    class backend_tokenizer:
        class decoder:
            @staticmethod
            def __getstate__() -> bytes:
                return b'{"type": "Sequence", "decoders": [{"type": "Replace", "content": " "}]}'

        @staticmethod
        def encode(text: str, *, add_special_tokens: bool) -> SimpleNamespace:
            assert not add_special_tokens
            return SimpleNamespace(ids=[ord(char) for char in text])

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str | None]:
        return ["" if one == self.end else chr(one) for one in ids]

    def decode(self, ids: list[int], **_: object) -> str:
        return "".join(chr(one) for one in ids if one != self.end)


def credit_on(text: str, part: str) -> egca.Credit:
    start = text.index(part)
    span = egca.Span(start, start + len(part))
    return egca.Credit(egca.Mode.LOGIC, 0.0, egca.Outcome.WRONG_ANSWER, 0, 1, spans=(span,), verified=True)


def test_the_advantage_stays_on_the_tokens_of_the_span() -> None:
    ids = [*map(ord, "a + b"), Letters.end]
    credit = credit_on("a + b", "+")
    assert egca.token_weights(credit, ids, Letters()) == (0, 0, 1, 0, 0, 0)
    assert egca.token_weights(credit, ids, Letters(), [1, 1, 1, 1, 1, 0], text="a + b") == (0, 0, 1, 0, 0, 0)
    conserve = egca.EgcaConfig(scale="conserve")
    assert egca.token_weights(credit, ids, Letters(), config=conserve) == (0, 0, 6, 0, 0, 0)


def test_uniform_credit_and_a_masked_span_are_the_mask_itself() -> None:
    ids = [*map(ord, "a + b"), Letters.end]
    credit = credit_on("a + b", "+")
    assert egca.token_weights(replace(credit, spans=()), ids, Letters(), [1, 1, 1, 1, 1, 0]) == (1, 1, 1, 1, 1, 0)
    assert egca.token_weights(credit, ids, Letters(), [1, 1, 0, 1, 1, 1]) == (1, 1, 0, 1, 1, 1)


def test_of_a_failing_sample_without_a_place_the_share_that_is_wanted_is_kept() -> None:
    ids, weak = [*map(ord, "a + b")], egca.EgcaConfig(unlocated=0.25)
    bare = replace(credit_on("a + b", "+"), spans=())
    assert egca.token_weights(bare, ids, Letters(), config=weak) == (0.25,) * 5
    assert egca.token_advantages(bare, ids, Letters(), -2.0, config=weak) == (-0.5,) * 5
    assert egca.token_advantages(bare, ids, Letters(), 2.0, config=weak) == (2.0,) * 5, "other rewards lifted it"
    right = replace(bare, mode=egca.Mode.CORRECT, outcome=egca.Outcome.OK)
    assert egca.token_weights(right, ids, Letters(), config=weak) == (1,) * 5
    assert egca.token_weights(credit_on("a + b", "+"), ids, Letters(), config=weak) == (0, 0, 1, 0, 0)


def test_what_a_proven_sample_wrote_first_is_praised_by_default() -> None:
    task = egca.Task("t", "", "f", "def f(x):\n    y = x + 1\n    return y\n", ("assert f(1) == 2", "assert f(5) == 6"))
    wrong, broken = "def f(x):\n    y = x + 2\n    return y\n", "def f(x):\n    return (\n"
    texts = [task.reference, wrong, broken, wrong]
    config = egca.EgcaConfig(traces="", sandbox=egca.SandboxConfig(workers=1))
    completions = [egca.Completion(text, "group") for text in texts]
    credits = egca.assess(task, completions, config)
    assert [credit.mended for credit in credits] == [0.0, 0.5, 0.0, 0.5], "of four and two mended ones three pass"
    ids, begun = [*map(ord, wrong)], wrong.index("2")
    given = egca.token_advantages(credits[1], ids, Letters(), -1.0, config=config)
    assert given == (0.5,) * begun + (-1.0,) + (0.0,) * (len(wrong) - begun - 1), "half of 1, which a passing one gets"
    assert egca.token_advantages(credits[0], [*map(ord, texts[0])], Letters(), 1.5, config=config) == (1.5,) * len(
        texts[0]
    )
    failing = egca.assess(task, [egca.Completion(wrong, "group")] * 2, config)
    assert [credit.mended for credit in failing] == [0.5, 0.5], "a group that fails altogether is mended too"
    assert all(credit.mended == 0.0 for credit in egca.assess(task, completions, replace(config, praise=0.0)))


def test_arrays_are_taken_as_lists_are() -> None:
    torch = pytest.importorskip("torch")
    ids = torch.tensor([*map(ord, "a + b")])
    mask = torch.ones_like(ids)
    assert egca.token_weights(credit_on("a + b", "+"), ids, Letters(), mask) == (0, 0, 1, 0, 0)


def test_another_text_than_the_assessed_one_is_refused_not_credited() -> None:
    credit = credit_on("  a + b", "+")
    with pytest.raises(TokenizerError, match="neither strip nor cut"):
        egca.token_weights(credit, list(map(ord, "a + b")), Letters(), text="  a + b")
    with pytest.raises(ConfigError, match=r"token_weights: got egca\.credit=counterfactual"):
        egca.token_weights(credit, [1], Letters(), config=egca.EgcaConfig(credit="counterfactual"))
    with pytest.raises(TokenizerError, match="a span ends at 5"):
        egca.token_weights(credit, list(map(ord, "a +")), Letters())
    with pytest.raises(ValueError, match="got 3 response_ids and a mask of 2"):
        egca.token_weights(credit, list(map(ord, "a +")), Letters(), [1, 1])


def test_the_letters_of_this_test_are_spelt_as_any_tokenizers_are() -> None:
    assert align([chr(one).encode() for one in map(ord, "a + b")]).text == "a + b"
