"""A stand-in for tasks without a reference: what most of the group's own programs do, where the tests confirm it.

It takes a group that is judged together, as ``egca assess`` judges one. verl's reward loop asks for one sample at a
time, on whichever worker is free: there the bank stands in, with what has passed before, and without a bank such tasks
get plain GRPO, counted as ``no_reference``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from egca_plugin.sandbox.api import Sandbox
from egca_plugin.types import Call, CallResult, CallStatus, Verdict

MAX_CALLS = 50  # test inputs on which behaviour is compared


def vote(sandbox: Sandbox, samples: Sequence[tuple[str, Verdict]]) -> str | None:
    """The shortest passing program of the group's largest behaviour cluster, or None where the tests do not confirm it.

    ``samples`` are the group's programs that compile, with their verdicts, repeats included: each is one vote. Programs
    that answer every recorded test input alike form a cluster. A lone program is no majority. Raises SandboxError.
    """
    calls = _inputs([verdict for _, verdict in samples])
    if not calls:
        return None
    clusters: dict[tuple[object, ...], list[tuple[str, Verdict]]] = defaultdict(list)
    behaviours: dict[str, tuple[object, ...]] = {}
    for source, verdict in samples:
        if source not in behaviours:
            behaviours[source] = tuple(map(_behaviour, sandbox.run_calls(source, calls)))
        clusters[behaviours[source]].append((source, verdict))
    largest = max(clusters.values(), key=len)
    confirmed = [source for source, verdict in largest if verdict.passed and verdict.stable]
    if len(largest) < 2 or not confirmed:
        return None
    return min(confirmed, key=lambda source: (len(source), source))


def _inputs(verdicts: Sequence[Verdict]) -> tuple[Call, ...]:
    """The distinct calls that the tests made, in order."""
    calls = dict.fromkeys(tested.call for verdict in verdicts for tested in verdict.calls)
    return tuple(calls)[:MAX_CALLS]


def _behaviour(result: CallResult) -> tuple[object, ...]:
    if result.status is CallStatus.VALUE:
        return result.status, result.value, result.arguments_after
    return result.status, result.error_type
