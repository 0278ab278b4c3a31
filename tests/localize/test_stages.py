"""The stages one by one: histories, variables, alignment, divergence, edits, slots and the credited characters."""

from __future__ import annotations

import ast
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.localize.compare.alignment import align, best_pairing
from egca_plugin.localize.compare.divergence import differences
from egca_plugin.localize.compare.evidence import close, same_outcome
from egca_plugin.localize.compare.reference import ReferenceCache, trace_calls
from egca_plugin.localize.compare.traces import Run, history_similarity, mean_similarity
from egca_plugin.localize.compare.variables import map_variables
from egca_plugin.localize.compare.words import describe, ordinal, show
from egca_plugin.localize.credit import edit_span, first_token, statement_span
from egca_plugin.localize.repair.edits import GENERIC, INSERTION, Edit, key, narrow, places
from egca_plugin.localize.trial.slots import patched_source, slotted, variant
from egca_plugin.program.instrument import instrument
from egca_plugin.program.positions import SourceMap
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.probes import freeze
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.sandbox.outside.records import Budget
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import CallResult, CallStatus

REFERENCE = "def f(xs):\n    total = 0\n    for x in xs:\n        total += x\n    return total\n"
WHILE = (
    "def f(items):\n    k = 0\n    acc = 0\n    while k < len(items):\n        item = items[k]\n"
    "        acc = acc + item\n        k += 1\n    return acc\n"
)


def run(sandbox: Sandbox, source: str, *arguments: Any) -> Run:
    program = instrument(source)
    with Workshop(sandbox) as workshop:
        return Run(program, trace_calls(program, [call("f", argument) for argument in arguments], workshop))


def test_variables_map_by_what_they_held(sandbox: Sandbox) -> None:
    a, b = run(sandbox, WHILE, [3, 1], [2]), run(sandbox, REFERENCE, [3, 1], [2])
    mapping = map_variables(a, b)
    assert mapping["items"] == "xs"
    assert mapping["acc"] == "total"
    assert mapping["item"] == "x"


def test_a_while_loop_aligns_with_a_for_loop_and_agrees(sandbox: Sandbox) -> None:
    a, b = run(sandbox, WHILE, [3, 1], [2]), run(sandbox, REFERENCE, [3, 1], [2])
    alignment = align(a, b, map_variables(a, b))
    paired = {ast.unparse(p.candidate.statement): ast.unparse(p.reference.statement) for p in alignment.pairs}
    assert paired["acc = acc + item"] == "total += x"
    assert paired["return acc"] == "return total"
    assert differences(alignment, a, b) == []


def test_the_earliest_divergence_is_told_in_words(sandbox: Sandbox) -> None:
    wrong = WHILE.replace("acc + item", "acc + item * item")
    a, b = run(sandbox, wrong, [1, 3, 1], [0]), run(sandbox, REFERENCE, [1, 3, 1], [0])
    found = differences(align(a, b, map_variables(a, b)), a, b)
    divergence = describe(found[0], a, b)
    assert divergence.message == "after line 6, second pass: `acc` is 10, the reference has 4"
    assert (divergence.line, divergence.occurrence, divergence.variable) == (6, 2, "acc")
    assert (divergence.expected, divergence.seen) == ("4", "10")


def test_reference_traces_are_made_once(sandbox: Sandbox) -> None:
    cache = ReferenceCache(kept=1)
    calls = [call("f", [1, 2])]
    first = cache.traces(REFERENCE, calls, sandbox)
    assert cache.traces(REFERENCE, calls, sandbox)[0] is first[0]
    cache.traces("def f(xs):\n    return 0\n", calls, sandbox)
    assert cache.traces(REFERENCE, calls, sandbox)[0] is not first[0]


@given(st.lists(st.integers(0, 3)), st.lists(st.integers(0, 3)))
def test_similarity_is_symmetric_bounded_and_one_for_equals(a: list[int], b: list[int]) -> None:
    assert history_similarity(a, a) == 1
    assert history_similarity(a, b) == pytest.approx(history_similarity(b, a))
    assert 0 <= history_similarity(a, b) <= 1


@given(st.lists(st.lists(st.sampled_from([0.0, 0.3, 0.5, 0.9]), min_size=3, max_size=3), min_size=1, max_size=4))
def test_the_pairing_is_the_best_that_keeps_the_order(scores: list[list[float]]) -> None:
    def worth(pairing: list[tuple[int, int]]) -> float:
        return sum(scores[i][j] for i, j in pairing)

    cells = [(i, j) for i, row in enumerate(scores) for j, score in enumerate(row) if score >= 0.4]
    legal = (
        list(chosen)
        for count in range(len(cells) + 1)
        if count <= 3
        for chosen in itertools.combinations(cells, count)
        if all(a[0] < b[0] and a[1] < b[1] for a, b in itertools.pairwise(chosen))
    )
    assert worth(best_pairing(scores, 0.4)) == pytest.approx(max(map(worth, legal)))


# --- words ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"), ("a'b", '"a\'b"'), (None, "None"), ([1, (2, "x")], "[1, [2, 'x']]"), ({}, "{}"), (set(), "set()"),
        ({"b": 1, "a": [2]}, "{'a': [2], 'b': 1}"), ({2, 1}, "{1, 2}"), (range(3), "range(0, 3, 1)"),
        (float("nan"), "nan"), (len, "a builtin_function_or_method"), ("x" * 300, "a text of length 300"),
    ],
)  # fmt: skip
def test_digests_read_like_values(value: object, text: str) -> None:
    assert show(freeze(value)) == text


def test_long_values_are_cut() -> None:
    assert len(show(freeze(list(range(500))))) <= 60


def test_ordinals() -> None:
    assert [ordinal(n) for n in (1, 3, 11, 12, 21, 102, 113)] == [
        "first", "third", "11th", "12th", "21st", "102nd", "113th",
    ]  # fmt: skip


# --- edits ------------------------------------------------------------------------------------------------------


def expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


@pytest.mark.parametrize(
    ("old", "new", "smallest"),
    [
        ("f(a, b + 1)", "f(a, b + 2)", "1"),
        ("a < b", "a <= b", "a < b"),
        ("f(a, b)", "f(b, a)", "f(a, b)"),
        ("x[i].lower()", "x[i].upper()", "x[i].lower"),
        ("[a for a in b if a]", "[a for a in b if a > 1]", "a"),
    ],
)
def test_narrow_finds_the_smallest_differing_subtree(old: str, new: str, smallest: str) -> None:
    node, _ = narrow(expression(old), expression(new))
    assert ast.unparse(node) == smallest


TEXTS = st.sampled_from(["a", "'a'", "1", "1.0", "True", "a.b", "a[b]", "f(a)", "f(b)", "-a", "a + b", "a - b"])


@given(TEXTS, TEXTS)
def test_keys_are_equal_exactly_for_equal_trees(text: str, other: str) -> None:
    assert (key(expression(text)) == key(expression(other))) == (text == other)


SOURCE = "def f(n):\n    total = 0\n    for i in range(n):\n        total += i\n    return total\n"


def edits_of(tree: ast.Module) -> list[Edit]:
    """Every expression of the program replaced by 2, and one statement inserted at the head of the loop."""
    loop: Any = tree.body[0].body[1]  # type: ignore[attr-defined]
    two = [
        Edit(GENERIC, place.node, ast.copy_location(ast.Constant(2), place.node), place.statement, "f", 0.0)
        for place in places(tree)
    ]
    extra = ast.parse("total += 10").body[0]
    return [*two, Edit(INSERTION, None, extra, loop.body[0], "f", 0.0, loop.body, 0)]


def answer(code: Any) -> str:
    namespace: dict[str, Any] = {"__egca_step": lambda line: None}
    try:
        exec(code, namespace)
        return repr(namespace["f"](3))
    except Exception as err:  # noqa: BLE001 - the outcome of a patch
        return type(err).__name__


def test_a_slotted_program_behaves_as_each_of_its_patches() -> None:
    tree = ast.parse(SOURCE)
    program = slotted(tree, edits_of(tree))
    code = program.compile()
    assert answer(variant(code, ())) == answer(SOURCE)
    for edit in program.edits:
        assert answer(variant(code, program.on([edit]))) == answer(patched_source(tree, [edit]))


def test_two_patches_can_be_on_at_once() -> None:
    tree = ast.parse(SOURCE)
    edits = edits_of(tree)
    program = slotted(tree, edits)
    pair = [edits[0], edits[-1]]
    assert answer(variant(program.compile(), program.on(pair))) == answer(patched_source(tree, pair))


def test_a_loop_that_a_patch_brings_along_counts_its_steps(sandbox: Sandbox) -> None:
    tree = ast.parse("def f(n):\n    if n:\n        n = 1\n    return n\n")
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    (endless,) = ast.parse("while n:\n    n = 1\n").body
    edits = [
        Edit(GENERIC, function.body[0], endless, function.body[0], "f", 1.0),
        Edit(GENERIC, None, endless, function.body[0], "f", 1.0, function.body, 0),
    ]
    program = slotted(tree, edits)
    for edit in edits:
        with sandbox.session(variant(program.compile(), program.on([edit])), budget=Budget(0, 500, 0)) as session:
            assert session.call("f", [3]).status is CallStatus.BUDGET


# --- credit -----------------------------------------------------------------------------------------------------


def test_credit_is_the_differing_text() -> None:
    source = "def f(ü):\n    return max(ü, 'é' + ü)\n"
    tree = ast.parse(source)
    (place,) = [place for place in places(tree) if isinstance(place.node, ast.Call)]
    edit = Edit(GENERIC, place.node, expression("max(ü, 'e' + ü)"), place.statement, "f", 1.0)
    span = edit_span(edit, SourceMap(source))
    assert source[span.start : span.end] == "'é'"


@pytest.mark.parametrize(
    ("old", "new", "credited"),
    [
        ("(a) + (b)", "(a) - (b)", "+"), ("a is not b", "a is b", "is not"), ("a not in b", "a in b", "not in"),
        ("a and (b)", "a or b", "and"), ("(a\n  <= -b)", "a < -b", "<="), ("x[i].lower", "x[i].upper", "lower"),
        ("(a # plus\n + b)", "a - b", "a # plus\n + b"), ("a < b < c", "a < b <= c", "a < b < c"),
    ],
)  # fmt: skip
def test_of_two_operators_only_the_operator_is_credited(old: str, new: str, credited: str) -> None:
    (statement,) = ast.parse(old).body
    edit = Edit(GENERIC, statement.value, expression(new), statement, "", 1.0)  # type: ignore[attr-defined]
    span = edit_span(edit, SourceMap(old))
    assert old[span.start : span.end] == credited


def test_a_compound_statement_is_credited_up_to_its_colon() -> None:
    source = "for x in {1: 2}:  # why\n    pass\nelse:\n    x = 3\n"
    (loop,) = ast.parse(source).body
    places_ = SourceMap(source)
    span = statement_span(loop, places_)
    assert source[span.start : span.end] == "for x in {1: 2}:"
    span = first_token(loop, places_)
    assert source[span.start : span.end] == "for"


# --- evidence ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "equal"),
    [
        (1, 1.0, True), (0.1 + 0.2, 0.3, True), ([1.0, 2], [1, 2], True), ([1], (1,), False), (True, 1, True),
        ("1", 1, False), ({"a": 0.1}, {"a": 0.1 + 1e-9}, True), (float("nan"), 1.0, False), (10**400, 1.0, False),
    ],
)  # fmt: skip
def test_closeness(a: object, b: object, equal: bool) -> None:
    assert close(a, b) is equal


def test_a_function_without_result_is_known_by_what_it_did_to_its_arguments() -> None:
    def returned(after: Any) -> CallResult:
        return CallResult(CallStatus.VALUE, wire.encode(None), wire.encode(((after,), {})))

    assert same_outcome(returned([1, 2]), returned([1, 2]))
    assert not same_outcome(returned([2, 1]), returned([1, 2]))


def test_what_broke_off_is_compared_as_far_as_it_went() -> None:
    begun, whole = [(1, 2, 3)], [(1, 2, 3, 4, 5, 6, 7, 8)]
    assert mean_similarity(begun, whole, [False]) == history_similarity(begun[0], whole[0])
    assert mean_similarity(begun, whole, [True]) == pytest.approx(0.9 * 3 / 4)
    assert mean_similarity([()], whole, [True]) == 0
    assert mean_similarity([()], [()], [True]) is None
