"""A stand-in where nothing passes: what most of a group does, as far as the tests confirm it.

The nearest relative is semantic voting. Programs that answer every test input alike form a cluster; the largest one is
compared with where it passes most of the tests, and on those tests alone. What such a comparison finds counts only
where a patch proves it, by all tests.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from egca_plugin.judged import Judged
from egca_plugin.references.pool import Reference
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call, CallResult, CallStatus, Verdict

MAX_CALLS = 50  # test inputs on which behaviour is compared
NAME = "voted"


@dataclass(frozen=True, slots=True)
class Voted:
    """The program that stands for a group's largest cluster, and its verdict."""

    reference: Reference
    verdict: Verdict

    def confirmed(self, verdict: Verdict) -> Verdict:
        """``verdict`` with the calls of those tests alone that the voted program passes."""
        wrong = {tested.test for tested in self.verdict.calls if not tested.passed}
        sound = {tested.test for tested in self.verdict.calls} - wrong
        return replace(verdict, calls=tuple(tested for tested in verdict.calls if tested.test in sound))


def vote(sandbox: Sandbox, group: Sequence[Judged]) -> Voted | None:
    """The shortest program of the group's largest cluster, or None where the tests do not confirm it on most inputs.

    Each program that compiles and behaves the same in two runs is one vote, repeats included; a lone one is no
    majority. Of clusters of one size the one that passes more tests stands. Raises SandboxError.
    """
    voters = {index: one for index, one in enumerate(group) if one.program.compiles and one.verdict.stable}
    calls = _inputs(list(voters.values()))
    if not calls:
        return None
    clusters: dict[tuple[object, ...], list[int]] = defaultdict(list)
    behaviours: dict[str, tuple[object, ...]] = {}
    for index, one in voters.items():
        source = one.program.source
        if source not in behaviours:
            behaviours[source] = _behaviours(sandbox, one, calls)
        clusters[behaviours[source]].append(index)
    largest = max(clusters.values(), key=lambda members: (len(members), voters[members[0]].verdict.tests_passed))
    best = min(largest, key=lambda index: (len(voters[index].program.source), index))
    verdict = voters[best].verdict
    if len(largest) < 2 or 2 * verdict.tests_passed <= verdict.tests_total:
        return None
    return Voted(Reference(voters[best].program.source, f"{NAME}:{best}"), verdict)


def _inputs(voters: Sequence[Judged]) -> tuple[Call, ...]:
    """The distinct calls that the tests made, in order."""
    calls = dict.fromkeys(tested.call for one in voters for tested in one.verdict.calls)
    return tuple(calls)[:MAX_CALLS]


def _behaviours(sandbox: Sandbox, one: Judged, calls: Sequence[Call]) -> tuple[object, ...]:
    """What judging saw; calls that its tests did not reach are made now, in CPU time: no load takes a vote away."""
    known = {tested.call: tested.result for tested in one.verdict.calls}
    missing = [call for call in calls if call not in known]
    if missing:
        with Workshop(sandbox) as workshop:
            records = workshop.records(one.program.source, missing, budget=None, cpu_s=sandbox.config.timeout_s)
        known.update((call, record.result) for call, record in zip(missing, records, strict=True))
    return tuple(_behaviour(known[call]) for call in calls)


def _behaviour(result: CallResult) -> tuple[object, ...]:
    if result.status is CallStatus.VALUE:
        return result.status, result.value, result.arguments_after
    return result.status, result.error_type
