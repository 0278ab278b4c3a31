"""Mutants, twins and independent programs: the fault is where the label says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks.localization import corpus, independent, labelling
from benchmarks.localization.corpus import Subject
from benchmarks.localization.execution import Bench, alike
from benchmarks.localization.labelling import Row
from benchmarks.localization.marks import FAULT, GAP_AFTER, clone, mark, render
from benchmarks.localization.mutants import build, mutations
from benchmarks.localization.operators import EXPRESSIONS, STATEMENTS
from benchmarks.localization.restructure import twin
from egca_plugin.credit.decision import decision
from egca_plugin.errors import TaskError
from egca_plugin.types import Task

REFERENCE = """\
def total(values, limit):
    result = 0
    seen = []
    for value in values:
        if value > limit:
            break
        result += value * 2
        seen.append(value)
    return (result, sorted([str(item) for item in seen]))
"""
TESTS = (
    "assert total([1, 2, 9, 1], 5) == (6, ['1', '2'])",
    "assert total([], 5) == (0, [])",
    "assert total([3, 1], 3) == (8, ['1', '3'])",
)
TASK = Task("HumanEval/made-up", "", "total", REFERENCE, TESTS)


@pytest.fixture(scope="module")
def bench() -> Bench:
    return Bench(TASK)


@pytest.fixture(scope="module")
def subjects() -> list[Subject]:
    return list(build(TASK, seed=0))


def text(subject: Subject) -> list[str]:
    return [subject.program[span.start : span.end] for span in subject.spans]


# --- mutants ----------------------------------------------------------------------------------------------------


def test_every_operator_has_something_to_do() -> None:
    program = """
def f(a, b):
    x = []
    y = {1: 2}
    a, b = b, a + b
    for i in range(len(a)):
        if not a[i] and b[1:] or max(a, b) == "s":
            continue
        x.append(str(i - 1))
        y[i] += 1
    else:
        x = sorted(x)
    return x, y.items()
"""
    found = {mutation.operator for mutation in mutations(ast.parse(program))}
    assert (set(EXPRESSIONS) | set(STATEMENTS)) - {"overwritten"} <= found
    assert {"dropped_statement", "dropped_branch", "wrong_initial_value"} <= found


def test_mutants_fail_and_are_one_edit_away(subjects: list[Subject], bench: Bench) -> None:
    plain = [subject for subject in subjects if subject.form == "plain"]
    assert len(plain) >= 12
    assert len({subject.program for subject in plain}) == len(plain)
    assert "break_continue" in {subject.operator for subject in plain}  # rare operators come on top of the quota
    for subject in plain:
        assert not bench.passes(subject.program)
        assert 1 <= subject.lines[0] <= subject.lines[-1] <= len(subject.program.splitlines())


def test_what_is_marked_is_what_differs(subjects: list[Subject]) -> None:
    reference = set(REFERENCE.splitlines())
    for subject in subjects:
        if subject.form == "plain" and subject.category == "wrong" and subject.operator != "early_return":
            changed = {n for n, line in enumerate(subject.program.splitlines(), 1) if line not in reference}
            assert changed <= set(subject.lines), subject


def test_the_seed_decides(subjects: list[Subject]) -> None:
    assert list(build(TASK, seed=0)) == subjects
    assert list(build(TASK, seed=1)) != subjects


def test_a_dropped_statement_may_return_wherever_that_mends() -> None:
    task = Task(
        "HumanEval/x", "", "f", "def f(a):\n    b = 1\n    c = 2\n    return a + b + c\n", ("assert f(1) == 4",)
    )
    found = [subject for subject in build(task, seed=0) if subject.form == "plain" and subject.category == "omission"]
    by_text = {subject.program: subject.lines for subject in found}
    assert by_text["def f(a):\n    c = 2\n    return a + b + c\n"] == (2, 3)  # before c or before the return


# --- twins ------------------------------------------------------------------------------------------------------


def test_twins_share_no_text_but_the_behaviour(subjects: list[Subject], bench: Bench) -> None:
    plain = {subject.id.replace("plain", "restructured"): subject for subject in subjects if subject.form == "plain"}
    twins = [subject for subject in subjects if subject.form == "restructured"]
    assert len(twins) >= 10
    for other in twins:
        assert alike(bench.behaviour(plain[other.id].program), bench.behaviour(other.program))
        assert not bench.passes(other.program)
        assert "for " not in other.program or "+=" not in other.program
        names = {node.id for node in ast.walk(ast.parse(other.program)) if isinstance(node, ast.Name)}
        assert not names & {"values", "limit", "result", "seen", "value"}


def test_the_right_version_of_a_twin_passes_and_differs_in_one_place(subjects: list[Subject], bench: Bench) -> None:
    twins = [subject for subject in subjects if subject.form == "restructured"]
    known = [subject for subject in twins if subject.fixed]
    assert len(known) > len(twins) / 2
    for subject in known:
        assert bench.passes(subject.fixed)
        assert decision(subject.program, subject.fixed) is not None


def test_the_mark_keeps_to_its_expression(bench: Bench) -> None:
    tree = ast.parse(REFERENCE.replace("value * 2", "value * 3"))
    (product,) = (node for node in ast.walk(tree) if isinstance(node, ast.BinOp))
    mark(product, FAULT)
    rendered = twin(tree, "total", bench, ast.parse(REFERENCE))
    assert rendered is not None
    (span,) = rendered.spans
    assert rendered.source[span.start : span.end].endswith("* 3")
    assert rendered.fixed == rendered.source.replace("* 3", "* 2")
    assert "while" in rendered.source.splitlines()[3] + rendered.source.splitlines()[5]


def test_a_mark_is_read_off_in_characters_not_bytes() -> None:
    tree = ast.parse('x = "é" + y\n')
    mark(tree.body[0].value.right, FAULT)  # type: ignore[attr-defined]
    rendered = render(tree)
    assert rendered is not None
    assert [rendered.source[span.start : span.end] for span in rendered.spans] == ["y"]


def test_the_end_of_a_block_is_a_point_between_two_lines() -> None:
    tree = ast.parse("def f(x):\n    if x:\n        x += 1\n    return x\n")
    last = clone(tree)
    mark(last.body[0].body[0].body[0], GAP_AFTER)  # type: ignore[attr-defined]
    rendered = render(last)
    assert rendered is not None
    assert rendered.lines == (3, 4)
    assert rendered.source[rendered.spans[0].start] == "\n"


# --- independent programs ---------------------------------------------------------------------------------------

BUGGY = REFERENCE.replace("        seen.append(value)\n", "")


def test_the_rule_for_something_wrong(bench: Bench) -> None:
    row = Row(TASK.task_id, "boundary", REFERENCE.replace("value > limit", "value >= limit"), REFERENCE)
    truth = labelling.label(row, bench)
    assert (truth.lines, truth.omission) == ((5,), False)
    assert [row.program[span.start : span.end] for span in truth.spans] == [">="]


def test_the_rule_for_something_missing(bench: Bench) -> None:
    truth = labelling.label(Row(TASK.task_id, "missing_update", BUGGY, REFERENCE), bench)
    assert truth.omission
    assert truth.lines == (7, 8)  # before the update of the result, or after it: the end of the block, the return


def test_another_mend_of_the_same_size_counts_too(bench: Bench) -> None:
    buggy = REFERENCE.replace("value * 2", "value")
    also = buggy.replace("(result,", "(result * 2,")
    assert labelling.label(Row(TASK.task_id, "x", buggy, REFERENCE, (also,)), bench).lines == (7, 9)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (Row("t", "x", REFERENCE, REFERENCE.replace("seen = []", "seen = list()")), "the buggy program passes"),
        (Row("t", "x", BUGGY, BUGGY), "the fixed program fails"),
        (Row("t", "x", BUGGY, REFERENCE, (BUGGY,)), "the also program is the buggy one"),
    ],
)
def test_a_bad_row_is_told(bench: Bench, row: Row, told: str) -> None:
    assert any(told in problem for problem in labelling.problems(row, bench))


def test_the_stored_rows_of_humaneval_keep_to_the_rules() -> None:
    tasks = corpus.tasks(None)
    stored = independent.stored("independent")
    sample = [pair for pair in stored if pair[1].task_id in tasks][::12]
    assert len(sample) > 20
    for subject, row in sample:
        found, truth = independent.examine(row, tasks[row.task_id])
        assert found == []
        assert truth is not None
        assert (truth.lines, truth.spans) == (subject.lines, subject.spans), subject.id


def test_the_stored_samples_keep_to_the_rules() -> None:
    tasks = corpus.tasks(None)
    for subject, row in independent.stored("sampled")[::6]:
        found, truth = independent.examine(row, tasks[row.task_id])
        assert found == []
        assert truth is not None
        assert (truth.lines, truth.spans) == (subject.lines, subject.spans), subject.id


def test_a_missing_import_is_missing_at_the_top() -> None:
    task = Task("t", "", "f", "import math\ndef f(x):\n    return math.floor(x)\n", ("assert f(1.5) == 1",))
    row = Row("t", "missing_import", task.reference.removeprefix("import math\n"), task.reference)
    assert 1 in labelling.label(row, Bench(task)).lines


def test_there_are_enough_independent_programs() -> None:
    subjects = independent.subjects("independent")
    assert len(subjects) >= 200
    assert len({subject.task_id for subject in subjects}) >= 100
    assert len({subject.id for subject in subjects}) == len(subjects)


# --- files ------------------------------------------------------------------------------------------------------


def test_subjects_survive_the_file(tmp_path: Path, subjects: list[Subject]) -> None:
    assert corpus.dump(subjects, tmp_path / "a" / "subjects.jsonl") == len(subjects)
    assert corpus.load(tmp_path / "a" / "subjects.jsonl") == subjects


def test_a_row_that_is_no_subject_is_named(tmp_path: Path) -> None:
    path = tmp_path / "subjects.jsonl"
    path.write_text('{"id": "x", "spans": []}\n')
    with pytest.raises(TaskError, match=r"subjects.jsonl:1: got no labelled program"):
        corpus.load(path)


def test_halves_are_decided_by_the_task_alone() -> None:
    halves = [corpus.half(f"mbpp/{n}") for n in range(1, 975)]
    assert 420 < halves.count("test") < 560
    assert corpus.half("HumanEval/0") == corpus.half("HumanEval/0")


def test_normal_form_has_no_docstrings_and_annotations() -> None:
    source = 'def f(x: int) -> int:\n    """doc"""\n    # comment\n    return  x\n'
    assert corpus.normalise(source) == "def f(x):\n    return x\n"


def test_alike_compares_types_and_exceptions() -> None:
    assert alike([("value", 1, ()), ("raised", "KeyError")], [("value", 1, ()), ("raised", "KeyError")])
    assert not alike([("raised", "KeyError")], [("raised", "IndexError")])
    assert not alike([("value", 1, ())], [])
