"""Write MBPP's training tasks without those near HumanEval, and the report that names them.

    python recipes/humaneval/decontaminate.py --data data --report recipes/humaneval/decontamination.md

Reads DATA/mbpp-train.{jsonl,parquet} and DATA/humaneval.jsonl as `egca prepare` writes them; writes
DATA/mbpp-train-clean.{jsonl,parquet}. Takes a few minutes: every reference runs on every fitting input.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow.compute
import pyarrow.parquet
from rich.progress import track

from egca_plugin.errors import EgcaError
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.decontaminate import CODE_SHARE, INPUTS, OUTPUTS, TOKENS, WORDS, YES_NO_INPUTS, Match, matches
from egca_plugin.tasks.files import dump_tasks, load_tasks
from egca_plugin.types import Task

PAGE = f"""# MBPP's training tasks near HumanEval

Written by `recipes/humaneval/prepare.sh --report FILE`; not edited by hand.

Of {{before}} training tasks (MBPP 601-974) **{{near}} are left out and {{kept}} kept**: {{by_kind}}
(some by more than one).

A training task is left out when, for any task of HumanEval, one of these holds:

- *name*: the entry points have the same name, but for case and underscores;
- *wording*: the prompts share {WORDS} words in a row that are no phrase of MBPP's own template;
- *code*: {CODE_SHARE:.0%} of the shorter reference's runs of {TOKENS} tokens, names abstracted, are in the other one;
- *behaviour*: both references return the same on every input of either task's tests that both accept, at least {INPUTS}
  inputs with {OUTPUTS} different values, or {YES_NO_INPUTS} inputs with two.

Not found by these rules: a task that is reworded and whose reference errs, or takes its arguments in another form.

| task | near | by | evidence |
|---|---|---|---|
{{rows}}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, default=Path("data"), help="where the prepared files are (%(default)s)")
    parser.add_argument("--report", type=Path, help="also write what was found, as Markdown")
    args = parser.parse_args()
    try:
        train = load_tasks(args.data / "mbpp-train.jsonl")
        benchmark = load_tasks(args.data / "humaneval.jsonl")
        with Sandbox() as sandbox:
            found = list(track(matches(train, benchmark, sandbox), "decontaminate", total=None))
    except EgcaError as error:
        print(f"decontaminate.py: {error}", file=sys.stderr)
        return 2
    near = {match.task_id for match in found}
    clean = [task for task in train if task.task_id not in near]
    dump_tasks(clean, args.data / "mbpp-train-clean.jsonl")
    _keep(args.data / "mbpp-train.parquet", args.data / "mbpp-train-clean.parquet", clean)
    if args.report:
        args.report.write_text(report(found, len(train), len(clean)), encoding="utf-8")
    print(f"{len(clean)} of {len(train)} training tasks are kept", file=sys.stderr)
    return 0


def _keep(rows: Path, out: Path, clean: Sequence[Task]) -> None:
    """The rows of the kept tasks, untouched."""
    table = pyarrow.parquet.read_table(rows)
    ids = pyarrow.compute.struct_field(table["extra_info"], "task_id")
    wanted = pyarrow.array([task.task_id for task in clean])
    pyarrow.parquet.write_table(table.filter(pyarrow.compute.is_in(ids, value_set=wanted)), out)


def report(found: Sequence[Match], before: int, after: int) -> str:
    """The Markdown page: the rules, the counts, and every match with its evidence."""
    kinds = Counter(kind for _, kind in {(match.task_id, match.kind) for match in found})
    by_kind = ", ".join(f"{kinds[kind]} by {kind}" for kind in sorted(kinds))
    rows = [f"| {m.task_id} | {m.near} | {m.kind} | {_cell(m.evidence)} |" for m in found]
    return PAGE.format(before=before, near=before - after, kept=after, by_kind=by_kind, rows="\n".join(rows))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    sys.exit(main())
