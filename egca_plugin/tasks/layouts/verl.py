"""verl's rows: ``data_source``, ``prompt`` (chat messages), ``reward_model {style, ground_truth}``, ``extra_info``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from egca_plugin.tasks import rows
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, asked, keys, plain, shown
from egca_plugin.types import Task

_OWN = {"data_source", "prompt", "reward_model", "extra_info", "ability"}


def task_of(row: Row) -> Task:
    """The task of the row, whichever ground truth of a verl row it has. Raises TaskError."""
    task = rows.task_of_row(row.fields, row.where)
    if task is None:
        truth = row.fields["reward_model"]["ground_truth"]
        raise row.unsupported(
            "reward_model.ground_truth",
            shown(truth),
            "no tests of a known form; expected a task, or {inputs, outputs}, {test_code, entry_point}, {assert_case}",
        )
    return task


def read(row: Row) -> Reading:
    """The task of the row, under the messages that the row has."""
    task = task_of(row)
    given = row.fields.get("prompt")
    in_words = isinstance(given, str) and not given.lstrip().startswith("[")
    messages = chat(row, "prompt", [{"role": "user", "content": given}] if in_words else row.sequence("prompt"))
    extra = {name: plain(value) for name, value in row.fields.items() if name not in _OWN and value is not None}
    task = replace(task, prompt=task.prompt or messages[-1]["content"], extra={**task.extra, **extra})
    return Reading(
        (replace(task, reference=""),),
        (task.reference,) if task.reference else (),
        messages=tuple(messages),
        data_source=row.text("data_source"),
    )


def chat(row: Row, field: str, messages: list[Any]) -> list[dict[str, str]]:
    """Chat messages with text in them, at least one. Raises TaskError."""
    for number, message in enumerate(messages):
        if not isinstance(message, Mapping) or not all(isinstance(message.get(k), str) for k in ("role", "content")):
            raise row.fault(f"{field}[{number}]", shown(message), "a message {role, content}")
    if not messages:
        raise row.fault(field, "nothing", "a list of messages {role, content}")
    return [{"role": message["role"], "content": message["content"]} for message in messages]


LAYOUT = Layout("verl", "verl's rows", (keys("data_source", "prompt", "reward_model"),), read, asked)
