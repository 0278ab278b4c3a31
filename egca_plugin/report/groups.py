"""The tasks of a report: what was asked, by which tests it was judged, and which samples are siblings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from egca_plugin.report.read import Record
from egca_plugin.types import CallCase, StdinCase, Task

LONGEST = 4_000  # characters of a prompt, or of tests


@dataclass(frozen=True, slots=True)
class Member:
    """A sample that is listed, by its number in the records."""

    number: int
    mode: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Samples of one task and step: siblings, where the step is known. ``step`` is None outside training."""

    step: int | None
    members: tuple[Member, ...]

    @property
    def size(self) -> int:
        return len(self.members)


@dataclass(frozen=True, slots=True)
class TaskView:
    """One task; ``anchor`` is its place in the page. ``prompt`` and ``tests`` are empty where the task is not known."""

    anchor: str
    task_id: str
    prompt: str
    tests: str
    groups: tuple[Group, ...]


def task_views(records: Sequence[Record], listed: Sequence[int], tasks: Mapping[str, Task]) -> tuple[TaskView, ...]:
    """The tasks of the ``listed`` records (places from 0), in the order of their first one."""
    found: defaultdict[str, defaultdict[int | None, list[Member]]] = defaultdict(lambda: defaultdict(list))
    for place in listed:
        record = records[place]
        member = Member(place + 1, record.credit.mode.value, record.credit.passed)
        found[record.task_id][record.step].append(member)
    return tuple(
        TaskView(
            f"t{number}",
            task_id,
            _cut(tasks[task_id].prompt) if task_id in tasks else "",
            _cut(written_tests(tasks[task_id])) if task_id in tasks else "",
            tuple(Group(step, tuple(members)) for step, members in by_step.items()),
        )
        for number, (task_id, by_step) in enumerate(found.items(), start=1)
    )


def written_tests(task: Task) -> str:
    """A task's tests as text, whatever form they have."""
    if task.cases:
        return "\n".join(map(_case, task.cases))
    return task.tests if isinstance(task.tests, str) else "\n".join(task.tests)


def _case(case: CallCase | StdinCase) -> str:
    if isinstance(case, StdinCase):
        return f"stdin {case.stdin!r} -> {' or '.join(map(repr, case.stdout))}"
    named = f", **{case.kwargs}" if case.kwargs not in ("", "{}") else ""
    return f"(*{case.args}{named}) -> {case.expected}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
