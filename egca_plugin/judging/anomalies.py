"""Which of a sample's features may mean that it aims at the tests, or at what stands around them.

Two kinds come together: signs in the program's text (:mod:`egca_plugin.program.suspicion`), less those that the task's
own reference shows, and what the run showed. None of them changes a reward.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.program import suspicion
from egca_plugin.program.memorised import Arguments, memorises
from egca_plugin.sandbox import wire
from egca_plugin.types import CallStatus, Outcome, Program, Task, Verdict

REFUSED = "refused"  # tried to send what cannot cross, or was shut out of
UNSTABLE = "unstable"  # two identical runs disagreed
NOT_REPRODUCED = "trace_mismatch"  # its traced run differs from its plain run: the localiser's reason code


def of_run(task: Task, program: Program, verdict: Verdict) -> tuple[str, ...]:
    """The anomalies of one judged program, sorted; none for a program that does not compile."""
    if not program.compiles:
        return ()
    found = set(suspicion.syntactic(program.source, task.entry_point))
    if found and task.reference:
        found -= suspicion.syntactic(task.reference, task.entry_point)
    if verdict.passed:
        tested = tuple(_tested(task, verdict))
        calls, results = [call for call, _ in tested], [result for _, result in tested]
        if memorises(program.source, calls, results) and not memorises(task.reference, calls, results):
            found.add(suspicion.MEMORISES_TESTS)
    if verdict.outcome is Outcome.REFUSED:
        found.add(REFUSED)
    if not verdict.stable:
        found.add(UNSTABLE)
    return tuple(sorted(found))


def _tested(task: Task, verdict: Verdict) -> Iterator[tuple[Arguments, Any]]:
    """The tests' calls of the entry point with their results, but those with objects of the tests' own classes."""
    for tested in verdict.calls:
        if tested.call.function == task.entry_point and tested.result.status is CallStatus.VALUE:
            try:
                yield wire.decode(tested.call.arguments), wire.decode(tested.result.value)
            except WireError:
                continue
