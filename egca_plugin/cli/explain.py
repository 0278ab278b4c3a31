"""``egca explain``: one program, the blamed text in colour, and why."""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from egca_plugin.cli.options import add_settings, settings_of
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.errors import SampleError, TaskError
from egca_plugin.pipeline import Group, assess_groups
from egca_plugin.records import credit_line
from egca_plugin.report.terminal import view
from egca_plugin.tasks.files import load_tasks
from egca_plugin.types import Completion, Credit, Task


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "explain",
        help="one program: what diverged, where, and the blamed text in colour",
        description="Judge one program against its task and show which text is to blame, and on what evidence.",
        epilog="example: egca explain --task tasks.jsonl --task-id mbpp/601 --program attempt.py",
    )
    parser.add_argument("--task", type=Path, required=True, help="tasks, one JSON object a line")
    parser.add_argument("--task-id", default="", help="which task, where the file has more than one")
    parser.add_argument("--program", type=Path, required=True, help="what the model said, or a plain program")
    add_settings(parser)
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds for the program with all its tests")
    parser.add_argument("--json", action="store_true", help="print a credits line as JSON")


def run(args: argparse.Namespace) -> int:
    task = _chosen(load_tasks(args.task), args.task_id, args.task)
    text = _read(args.program)
    credit = _assess(settings_of(args, SandboxConfig(timeout_s=args.timeout, workers=1)), task, text)
    if args.json:
        print(json.dumps({"task_id": task.task_id, **credit_line(credit, text)}, indent=1))
    else:
        Console(highlight=False).print(view(credit, text))
    return 0


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
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SampleError(f"{path}: cannot be read ({error.strerror}); expected a program") from error
    except UnicodeDecodeError as error:
        raise SampleError(f"{path}: not UTF-8 at byte {error.start}; expected a program") from error
