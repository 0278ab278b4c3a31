"""Seeded single-fault mutants of HumanEval and MBPP references, each with its place known and a restructured twin.

    python -m benchmarks.localization.mutants --mbpp mbpp.jsonl --out corpus/

Every mutant fails at least one test of its task; so an equivalent mutant cannot get in.
"""

from __future__ import annotations

import argparse
import ast
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.localization import corpus
from benchmarks.localization.corpus import Subject
from benchmarks.localization.execution import Bench, in_child
from benchmarks.localization.marks import FAULT, GAP_AFTER, GAP_BEFORE, Rendered, clone, mark, render
from benchmarks.localization.operators import EXPRESSIONS, STATEMENTS, Place
from benchmarks.localization.restructure import twin
from egca_plugin.tasks.files import load_tasks
from egca_plugin.types import Span, Task

PER_TASK = {"HumanEval": 12, "mbpp": 3}
PER_FURTHER_TASK = 6
RARE = {"break_continue", "sequential_update", "slice_bounds", "wrong_api"}
TRIES_PER_MUTANT = 8  # how many candidates may fail to break a test before a task is given up
TASK_SECONDS = 60.0  # of silence, after which a task's child is killed

Path_ = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, slots=True)
class Mutation:
    """Put ``new`` where the node at ``path`` stands; for an omission ``new`` is empty and ``path`` ends in a block."""

    operator: str
    path: Path_
    new: tuple[ast.AST, ...]

    @property
    def omission(self) -> bool:
        return not self.new

    def apply(self, tree: ast.Module) -> ast.Module:
        tree = clone(tree)
        parent = _follow(tree, self.path[:-1])
        field, index = self.path[-1]
        value = getattr(parent, field)
        if index is None:
            setattr(parent, field, clone(self.new[0]))
        else:
            value[index : index + 1] = [clone(node) for node in self.new]
        return tree


def mutations(tree: ast.Module) -> Iterator[Mutation]:
    """All single-fault mutations of ``tree``, in the order of the text."""
    yield from _visit(tree, (), ())


def _visit(node: ast.AST, path: Path_, variables: tuple[str, ...]) -> Iterator[Mutation]:
    if isinstance(node, ast.FunctionDef | ast.Lambda):
        variables = tuple(dict.fromkeys((*variables, *_bound(node))))
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.FunctionDef) and field in ("args", "decorator_list"):
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            here = (*path, (field, index))
            if isinstance(child, ast.expr):
                yield from _in_expression(child, Place(node, field, variables), here)
            elif isinstance(child, ast.stmt) and not isinstance(child, ast.Import | ast.ImportFrom):
                yield from _in_statement(child, node, len(value), here)
            if isinstance(child, ast.AST) and not isinstance(child, ast.JoinedStr | ast.Import | ast.ImportFrom):
                yield from _visit(child, here, variables)


def _in_expression(node: ast.expr, place: Place, path: Path_) -> Iterator[Mutation]:
    if not isinstance(node.__dict__.get("ctx", ast.Load()), ast.Load) or isinstance(node, ast.Slice | ast.Starred):
        return
    if isinstance(place.parent, ast.Call) and place.field == "func":
        return
    for name, operator in EXPRESSIONS.items():
        for new in operator(node, place):
            yield Mutation(_refine(name, place), path, (mark(new, FAULT),))


def _refine(operator: str, place: Place) -> str:
    """A wrong constant that starts a variable is a fault of its own kind: no history is common."""
    starts = isinstance(place.parent, ast.Assign) and place.field == "value"
    return "wrong_initial_value" if operator in ("constant", "wrong_structure") and starts else operator


def _in_statement(node: ast.stmt, parent: ast.AST, siblings: int, path: Path_) -> Iterator[Mutation]:
    for name, operator in STATEMENTS.items():
        for new in operator(node):
            yield Mutation(name, path, tuple(new))
    if siblings > 1 and not isinstance(parent, ast.Module) and not isinstance(node, ast.FunctionDef | ast.Pass):
        yield Mutation("dropped_branch" if isinstance(node, ast.If) else "dropped_statement", path, ())
    if isinstance(node, ast.If) and node.orelse:
        without = clone(node)
        without.orelse = []
        last = without.body[-1]
        yield Mutation("dropped_else", path, (_mark_block_end(without, last),))


def _mark_block_end(node: ast.If, last: ast.stmt) -> ast.If:
    mark(last, GAP_AFTER)
    return node


# --- building ---------------------------------------------------------------------------------------------------


def build(task: Task, seed: int) -> Iterator[Subject]:
    """Failing mutants of one task's reference and their twins. Runs programs: call it in a child.

    The fault is never in the preamble, which nobody samples.
    """
    preamble, own = _apart(task)
    for subject in _build(own, seed):
        yield _behind(preamble, subject) if preamble else subject


def _build(task: Task, seed: int) -> Iterator[Subject]:
    bench = Bench(task)
    if not bench.sound:
        return
    tree = ast.parse(task.reference)
    shuffled = list(_shuffled(tree, random.Random(f"{seed}/{task.task_id}")))
    quota = PER_TASK.get(task.task_id.split("/")[0], PER_FURTHER_TASK)
    tried = shuffled[: quota * TRIES_PER_MUTANT]
    seen = {task.reference}
    made = 0
    for number, mutation in enumerate([*tried, *_rare(shuffled)]):
        if made >= quota and number < len(tried):
            continue
        mutant = mutation.apply(tree)
        rendered = render(mutant)
        if rendered is None or rendered.source in seen or bench.passes(rendered.source):
            continue
        seen.add(rendered.source)
        if mutation.omission:
            mutant = _with_gaps(tree, mutation, mutant, bench)
            rendered = render(mutant)
        if rendered is None or not rendered.lines:
            continue
        made += 1
        yield replace(_subject(task, "plain", made, mutation, rendered), fixed=task.reference)
        other = twin(mutant, task.entry_point, bench, tree)
        if other is not None:
            yield _subject(task, "restructured", made, mutation, other)


def _apart(task: Task) -> tuple[str, Task]:
    """The preamble as it stands in front of the reference, and the task with the rest of it."""
    body = ast.parse(task.reference).body
    length = len(ast.parse(task.preamble).body)
    preamble, own = (ast.unparse(ast.Module(part, [])) for part in (body[:length], body[length:]))
    return (f"{preamble}\n" if preamble else ""), replace(task, reference=f"{own}\n")


def _behind(preamble: str, subject: Subject) -> Subject:
    lines, characters = preamble.count("\n"), len(preamble)
    return replace(
        subject,
        program=preamble + subject.program,
        lines=tuple(line + lines for line in subject.lines),
        spans=tuple(Span(span.start + characters, span.end + characters) for span in subject.spans),
        fixed=subject.fixed and preamble + subject.fixed,
    )


def _rare(shuffled: Sequence[Mutation]) -> list[Mutation]:
    """Mutations of operators that seldom find a place, over the quota: so that they are seen at all."""
    return [mutation for mutation in shuffled if mutation.operator in RARE]


def _shuffled(tree: ast.Module, rng: random.Random) -> Iterator[Mutation]:
    """Round robin over the operators in a random order, so that rare operators are not drowned by common ones."""
    by_operator: dict[str, list[Mutation]] = {}
    for mutation in mutations(tree):
        by_operator.setdefault(mutation.operator, []).append(mutation)
    queues = [by_operator[name] for name in sorted(by_operator)]
    rng.shuffle(queues)
    for queue in queues:
        rng.shuffle(queue)
    while queues:
        for queue in queues:
            yield queue.pop()
        queues = [queue for queue in queues if queue]


def _with_gaps(tree: ast.Module, mutation: Mutation, mutant: ast.Module, bench: Bench) -> ast.Module:
    """``mutant`` with every place of the same block marked at which the dropped statement, put back, mends it."""
    dropped = _follow(tree, mutation.path)
    field = mutation.path[-1][0]
    marked = clone(mutant)
    block: list[ast.stmt] = getattr(_follow(marked, mutation.path[:-1]), field)
    for index in range(len(block) + 1):
        mended = clone(mutant)
        getattr(_follow(mended, mutation.path[:-1]), field).insert(index, clone(dropped))
        if bench.passes(ast.unparse(ast.fix_missing_locations(mended))):
            mark(block[index], GAP_BEFORE) if index < len(block) else mark(block[-1], GAP_AFTER)
    return marked


def _subject(task: Task, form: str, number: int, mutation: Mutation, rendered: Rendered) -> Subject:
    omission = mutation.omission or mutation.operator == "dropped_else"
    return Subject(
        id=f"{task.task_id}/{form}/{number}",
        task_id=task.task_id,
        form=form,
        operator=mutation.operator,
        category="omission" if omission else "wrong",
        program=rendered.source,
        lines=rendered.lines,
        spans=rendered.spans,
        fixed=rendered.fixed,
    )


def _follow(node: ast.AST, path: Path_) -> Any:
    found: Any = node
    for field, index in path:
        found = getattr(found, field) if index is None else getattr(found, field)[index]
    return found


def _bound(function: ast.AST) -> list[str]:
    """Parameters and variables of a function, in the order of the text."""
    names = [node.arg for node in ast.walk(function) if isinstance(node, ast.arg)]
    return names + [
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Build the mutants and their restructured twins.")
    parser.add_argument("--mbpp", type=Path, help="mbpp.jsonl; without it only HumanEval is used")
    parser.add_argument("--tasks", type=Path, help="a file that egca prepare wrote: its tasks alone are used")
    parser.add_argument("--out", type=Path, required=True, help="directory for plain.jsonl and restructured.jsonl")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    def of_task(task: Task) -> list[Subject]:
        return in_child(lambda inner: build(inner, options.seed), task, TASK_SECONDS)

    known = corpus.tasks(options.mbpp, options.tasks)
    wanted = [task.task_id for task in load_tasks(options.tasks)] if options.tasks is not None else known
    with ThreadPoolExecutor(options.workers) as threads:
        tasks = [known[name] for name in wanted if options.tasks is not None or name.split("/")[0] in PER_TASK]
        groups = threads.map(of_task, tasks)
        subjects = [subject for group in groups for subject in group]
    for form in ("plain", "restructured"):
        chosen = [subject for subject in subjects if subject.form == form]
        corpus.dump(chosen, options.out / f"{form}.jsonl")
        operators = Counter(subject.operator for subject in chosen)
        print(f"{form}: {len(chosen)}", dict(operators.most_common()), file=sys.stderr)


if __name__ == "__main__":
    main()
