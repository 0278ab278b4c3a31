"""How far a group's own passing samples stand in for a reference: groups of eight, made of the corpus.

    python -m benchmarks.localization.mutants --mbpp mbpp.jsonl --out outputs/corpus      once
    python -m benchmarks.localization.siblings --mbpp mbpp.jsonl --corpus outputs/corpus

A group is of one task: one to three programs that pass, and failing ones whose fault is known, filled up with repeats
of these, which count once. What passes is the reference restructured as far as it goes, or another algorithm (the right
versions of the independent programs); never the reference itself, nor the right version of one that fails beside it, so
that restructured programs fail beside other algorithms only. Each group goes through both phases of the pipeline three
times: each failing sample alone with the reference, the group with the reference, and the group without. Verdicts and
shares hang on no clock, so that the load of the host does not matter.
"""

from __future__ import annotations

import argparse
import ast
import json
import multiprocessing
import random
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common import RESULTS, table, write_result
from benchmarks.localization import corpus, independent
from benchmarks.localization.corpus import HALVES, Subject
from benchmarks.localization.execution import Bench, in_child
from benchmarks.localization.restructure import forms
from benchmarks.localization.scoring import Row, score, wilson
from egca_plugin.config import EgcaConfig
from egca_plugin.pipeline import Assessor
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Credit, Localization, Task

SIZE, MOST_PASSING = 8, 3
ALONE, BOTH, WITHOUT = "reference", "reference and siblings", "siblings"
FAILING = ("plain", "restructured", "independent", "sampled")  # forms of what fails
TASK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Right:
    """Of one task: its reference ``twin``, restructured as far as it goes (empty where it does not), and the programs
    of other algorithms that were ``written`` by hand or sampled."""

    twin: str
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mixed:
    """One group: programs that pass the tests of ``task``, and failing ones whose fault is known."""

    task: Task
    passing: tuple[str, ...]
    failing: tuple[Subject, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """One failing sample in one arm: its score, and the kind of what it was compared with."""

    arm: str
    row: Row
    reference: str


# --- groups -----------------------------------------------------------------------------------------------------


def groups(
    tasks: Mapping[str, Task], subjects: Sequence[Subject], right: Mapping[str, Right], count: int, seed: int
) -> list[Mixed]:
    """At most ``count`` groups, of one task each; tasks without a right program or a failing one are left out."""
    by_task: defaultdict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        by_task[subject.task_id].append(subject)
    rng = random.Random(seed)
    names = sorted(by_task.keys() & right.keys() & tasks.keys())
    rng.shuffle(names)
    made = (mixed(tasks[name], by_task[name], right[name], rng) for name in names)
    return [group for group in made if group is not None][:count]


def mixed(task: Task, subjects: Sequence[Subject], right: Right, rng: random.Random) -> Mixed | None:
    """A group of SIZE, its samples in random order; None where nothing would pass or fail."""
    able = [*([right.twin] if right.twin else []), *right.written]
    if not able:
        return None
    wanted = rng.randint(1, MOST_PASSING)
    passing = rng.sample(able, min(wanted, len(able)))
    failing = [subject for subject in subjects if _may_fail_beside(subject, passing, right)]
    if not failing:
        return None
    room = SIZE - len(passing)
    distinct = rng.sample(failing, min(room, len(failing)))
    return Mixed(task, tuple(passing), (*distinct, *rng.choices(distinct, k=room - len(distinct))))


def _may_fail_beside(subject: Subject, passing: Sequence[str], right: Right) -> bool:
    if subject.form == "restructured" and right.twin in passing:
        return False
    return not subject.fixed or _text(subject.fixed) not in map(_text, passing)


def right_programs(task: Task, written: Sequence[str]) -> Iterator[Right]:
    """The reference's twin and what of ``written`` passes; nothing that is the reference. Runs programs, in a child."""
    bench = Bench(task, seconds=5.0)  # on a busy host too
    if not bench.sound:
        return
    own = _text(task.reference)
    twins = (source for source in forms(ast.parse(task.reference), task.entry_point) if source != own)
    distinct = {_text(source): source for source in written if _text(source) != own}
    yield Right(next(filter(bench.passes, twins), ""), tuple(filter(bench.passes, distinct.values())))


def _text(source: str) -> str:
    return ast.unparse(ast.parse(source))


# --- in a worker ------------------------------------------------------------------------------------------------

_assessor: Assessor | None = None


def _start() -> None:
    global _assessor
    warnings.simplefilter("ignore", SyntaxWarning)  # about the programs, not about us
    sandbox = Sandbox()
    sandbox.start()
    _assessor = Assessor(EgcaConfig(traces=""), sandbox)


def _do(group: Mixed) -> list[Answered]:
    assert _assessor is not None
    return list(answer(group, _assessor))


def answer(group: Mixed, assessor: Assessor) -> Iterator[Answered]:
    """What each arm says of each failing sample. Those that pass in the sandbox are left out."""
    bare = replace(group.task, reference="")
    texts = [*group.passing, *(subject.program for subject in group.failing)]
    judged = [assessor.judge(bare, Completion(text)) for text in texts]
    right = [one for one in judged[: len(group.passing)] if one.exemplary]
    wrong = [
        (subject, one)
        for subject, one in zip(group.failing, judged[len(group.passing) :], strict=True)
        if not one.verdict.passed
    ]
    if not right:
        return
    whole = [*(one for _, one in wrong), *right]
    arms = {
        ALONE: [assessor.credit(group.task, [one])[0] for _, one in wrong],
        BOTH: assessor.credit(group.task, whole),
        WITHOUT: assessor.credit(bare, whole),
    }
    first = {subject.id: place for place, (subject, _) in reversed(list(enumerate(wrong)))}
    for arm, credits in arms.items():
        for place in first.values():
            subject, one = wrong[place]
            row = score(subject, one.verdict, arm, _said(credits[place]), 0.0, warm=False)
            yield Answered(arm, row, credits[place].reference.partition(":")[0])


def _said(credit: Credit) -> Localization:
    """The completion is the program and nothing else, so that their characters are the same."""
    return Localization(credit.spans, credit.verified, stage=credit.stage, reason=credit.reason)


def run(chosen: Sequence[Mixed], path: Path, workers: int) -> list[Answered]:
    """The answers to all groups, in their order. They go to ``path`` as they come; what is there is not done again."""
    path.parent.mkdir(parents=True, exist_ok=True)
    done = read(path)
    missing = [group for group in chosen if group.task.task_id not in done]
    context = multiprocessing.get_context("spawn")
    with context.Pool(workers, _start) as pool, path.open("a", encoding="utf-8") as out:
        for group, answers in zip(missing, pool.imap(_do, missing), strict=True):
            done[group.task.task_id] = answers
            out.write(json.dumps({"task_id": group.task.task_id, "answers": [asdict(one) for one in answers]}) + "\n")
            out.flush()
    return [one for group in chosen for one in done[group.task.task_id]]


def read(path: Path) -> dict[str, list[Answered]]:
    """What :func:`run` has written, by task; of another corpus than now, delete it."""
    if not path.exists():
        return {}
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return {line["task_id"]: [_answered(one) for one in line["answers"]] for line in lines}


def _answered(raw: dict[str, Any]) -> Answered:
    row = raw.pop("row")
    return Answered(row=Row(**{**row, "lines": tuple(row["lines"])}), **raw)


# --- what it says -----------------------------------------------------------------------------------------------


def tables(found: Sequence[Answered]) -> list[dict[str, Any]]:
    """By arm and by form, and what the proofs of each arm were compared with."""
    columns = ["compared with", "form", "samples", "verified", "top-1 line", "top-1 where verified"]
    cells = [
        [arm, form, *_cells([one.row for one in found if one.arm == arm and form in ("all", one.row.form)])]
        for form in ("all", *FAILING)
        for arm in (ALONE, BOTH, WITHOUT)
        if any(form in ("all", one.row.form) for one in found)
    ]
    proofs = Counter((one.arm, one.reference) for one in found if one.row.verified)
    return [
        table("Siblings in the place of a reference", columns, cells),
        table("What proved a fault", ["arm", "compared with", "samples"], [[*key, n] for key, n in proofs.items()]),
    ]


def _cells(rows: Sequence[Row]) -> list[Any]:
    return [
        len(rows),
        wilson(row.verified for row in rows).show(),
        wilson(row.hit for row in rows).show(),
        wilson(row.hit for row in rows if row.verified).show(),
    ]


def summary(found: Sequence[Answered]) -> dict[str, float]:
    """The issue's two figures: points of the verified share that are lost without a reference, top-1 where verified."""
    share = {arm: wilson(one.row.verified for one in found if one.arm == arm).value for arm in (ALONE, BOTH, WITHOUT)}
    hits = wilson(one.row.hit for one in found if one.arm == WITHOUT and one.row.verified).value
    return {
        "points_lost": 100 * (share[ALONE] - share[WITHOUT]),
        "points_lost_to_both": 100 * (share[BOTH] - share[WITHOUT]),
        "top1_where_verified": 100 * hits,
    }


def misses(found: Sequence[Answered]) -> list[dict[str, Any]]:
    """Failing samples in which the arm without a reference names another line than the label, or proves nothing."""
    return [
        {"subject": one.row.subject, "verified": one.row.verified, "lines": one.row.lines[:3], "reason": one.row.reason}
        for one in found
        if one.arm == WITHOUT and not (one.row.verified and one.row.hit)
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True, help="folder that benchmarks.localization.mutants wrote")
    parser.add_argument("--mbpp", type=Path, help="mbpp.jsonl; without it only HumanEval is used")
    parser.add_argument("--half", choices=(*HALVES, "all"), default=HALVES[1])
    parser.add_argument("--groups", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--work", type=Path, default=Path("outputs/localization"), help="rows of an unfinished run")
    parser.add_argument("--results", type=Path, default=RESULTS / "localization")
    options = parser.parse_args(arguments)
    tasks = corpus.tasks(options.mbpp)
    subjects = [s for s in _subjects(options.corpus) if options.half in (s.half, "all") and s.task_id in tasks]
    written: defaultdict[str, list[str]] = defaultdict(list)
    for form in independent.DATA:
        for subject in independent.subjects(form):
            written[subject.task_id].append(subject.fixed)
    right: dict[str, Right] = {}
    for name in sorted({subject.task_id for subject in subjects}):
        for found_right in in_child(partial(right_programs, written=written[name]), tasks[name], TASK_SECONDS):
            right[name] = found_right
    chosen = groups(tasks, subjects, right, options.groups, options.seed)
    found = run(chosen, options.work / f"siblings-{options.half}-{options.seed}.jsonl", options.workers)
    settings = {"half": options.half, "groups": len(chosen), "seed": options.seed, "mbpp": options.mbpp is not None}
    sizes = Counter(f"{len(group.passing)} of {len(group.passing) + len(group.failing)}" for group in chosen)
    path = write_result(
        f"siblings-{options.half}",
        settings=settings,
        tables=tables(found),
        data={"summary": summary(found), "passing": dict(sorted(sizes.items())), "misses": misses(found)},
        folder=options.results,
    )
    print(path, summary(found), file=sys.stderr)
    return 0


def _subjects(folder: Path) -> Iterator[Subject]:
    for form in FAILING:
        yield from independent.subjects(form) if form in independent.DATA else corpus.load(folder / f"{form}.jsonl")


if __name__ == "__main__":
    sys.exit(main())
