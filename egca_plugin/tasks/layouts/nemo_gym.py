"""NeMo Gym's and Nemotron's competitive coding: ``responses_create_params.input`` is the chat, ``verifier_metadata``
holds ``unit_tests {inputs, outputs}`` on standard input. There are no references.
"""

from __future__ import annotations

from collections.abc import Mapping

from egca_plugin.tasks.layouts import apps, verl
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, asked, keys, shown
from egca_plugin.types import Task

_USED = ("hash_id", "responses_create_params", "verifier_metadata")


def read(row: Row) -> Reading:
    """The chat stays as it is; the task's prompt is its last message."""
    said = row.mapping("responses_create_params").get("input")
    said = [{"role": "user", "content": said}] if isinstance(said, str) else said
    if not isinstance(said, list):
        raise row.fault("responses_create_params.input", shown(said), "a chat, or text")
    messages = verl.chat(row, "responses_create_params.input", said)
    tests = row.mapping("verifier_metadata").get("unit_tests")
    if not isinstance(tests, Mapping):
        raise row.fault("verifier_metadata.unit_tests", shown(tests), "{inputs, outputs}")
    base = Task(
        task_id=row.id("nemo_gym", "hash_id", "id"),
        prompt=messages[-1]["content"],
        entry_point="",
        reference="",
        tests=(),
        extra=row.rest("nemo_gym", *_USED),
    )
    tasks = apps.readings(row, "verifier_metadata.unit_tests", tests, base, "", ())
    return Reading(tasks, messages=tuple(messages))


LAYOUT = Layout("nemo_gym", "NeMo Gym", (keys("responses_create_params", "verifier_metadata"),), read, asked)
