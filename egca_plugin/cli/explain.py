"""``egca explain``: one program, the blamed text in colour, and why."""

from __future__ import annotations

import argparse
import difflib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from egca_plugin.cli.inputs import NAMED, tasks_of
from egca_plugin.cli.options import add_settings, settings_of
from egca_plugin.cli.terminal import console
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.errors import SampleError, TaskError
from egca_plugin.jsonl import STDIN
from egca_plugin.monitor.records import credit_line
from egca_plugin.pipeline import Group, assess_groups
from egca_plugin.program.extract import extract
from egca_plugin.program.preamble import prepared
from egca_plugin.report.runs import compare
from egca_plugin.report.terminal import View
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Credit, Outcome, Span, Task


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "explain",
        help="one program: what diverged, where, and the blamed text in colour",
        description="Judge one program against its task and show which text is to blame, and on what evidence.",
        epilog="example: egca explain --tasks tasks.jsonl --task-id mbpp/601 --program attempt.py",
    )
    parser.add_argument("--tasks", "--task", type=Path, required=True, metavar="NAME|FILE", help=NAMED)
    parser.add_argument("--task-id", default="", help="which task, where the file has more than one")
    parser.add_argument(
        "--program", type=Path, required=True, help="what the model said, or a plain program; - for standard input"
    )
    add_settings(parser)
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds for the program with all its tests")
    parser.add_argument("--json", action="store_true", help="print a credits line as JSON")


def run(args: argparse.Namespace) -> int:
    task = _chosen(list(tasks_of("explain", args.tasks).values()), args.task_id, args.tasks)
    text = _read(args.program)
    config = settings_of(args, SandboxConfig(timeout_s=args.timeout, workers=1))
    credit = _assess(config, task, text)
    if credit.outcome is Outcome.UNJUDGEABLE:
        raise TaskError(credit.stage)
    if args.json:
        print(json.dumps({"task_id": task.task_id, **credit_line(credit, text)}, indent=1))
    else:
        console(stderr=False).print(_view(config, task, text, credit))
    return 0


def _view(config: EgcaConfig, task: Task, text: str, credit: Credit) -> View:
    code = [Span(s.completion_start, s.completion_start + s.length) for s in extract(text, task).segments]
    runs = None
    if credit.divergence is not None and config.sandbox.url is None:
        with Sandbox(config.sandbox) as sandbox:
            runs = compare(prepared(task, config), text, sandbox)
    return View(credit, text, code, task, runs)


def _assess(config: EgcaConfig, task: Task, text: str) -> Credit:
    ((_, (credit,)),) = assess_groups(config, [Group(task, (Completion(text),))])
    return credit


def _chosen(tasks: Sequence[Task], task_id: str, path: Path) -> Task:
    if not task_id and len(tasks) == 1:
        return tasks[0]
    by_id = {task.task_id: task for task in tasks}
    if task_id in by_id:
        return by_id[task_id]
    if not task_id:
        raise TaskError(
            f"{path} has {len(tasks)} tasks; say which one with --task-id, as in --task-id {tasks[0].task_id}"
        )
    near = difflib.get_close_matches(task_id, by_id, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; expected one such as {tasks[0].task_id!r}"
    raise TaskError(f"{path} has no task {task_id!r}{hint}")


def _read(path: Path) -> str:
    try:
        if path == STDIN:
            return sys.stdin.buffer.read().decode("utf-8-sig")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SampleError(f"{path}: cannot be read ({error.strerror}); expected a program") from error
    except UnicodeDecodeError as error:
        raise SampleError(f"{path}: not UTF-8 at byte {error.start}; expected a program") from error
