"""Two faults of one program: neither is mended by any patch of the other, so none of one place passes the tests.

What mends one of them shows in one of two ways. Where each has inputs of its own (two branches), it mends some of the
failing calls; the other is then looked for on a call that is left. Where both meet on all inputs (two statements in a
row), it makes the run go on longer as the reference's does, with k* moved behind it.

Two edits that pass the tests by luck are many, so only two small ones count that agree with the reference on all
further inputs and leave no definition dead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from egca_plugin.localize.choose import Choice, Ranking, edits_size
from egca_plugin.localize.confidence import SMALL
from egca_plugin.localize.repair.edits import Edit
from egca_plugin.localize.repair.single import single_edits
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.localize.residue import left_over
from egca_plugin.localize.trial.compiled import Combination
from egca_plugin.localize.trial.trials import Trials
from egca_plugin.program.nodes import walk
from egca_plugin.types import Call

_HALVES, _OF_A_STATEMENT = 4, 2  # patches of one fault with which the other one is looked for
_OTHER = 250  # single edits for the other fault, with each of them
_FOCUSES = 2  # failing calls beside the first one that may meet one of the faults alone
_TRACED, _CALLS = 48, 2  # single edits whose traces are looked at, and on how many calls,
_STEPS = 4_000  # each: most of those that go on for longer never end

Told = TypeVar("Told")
Focus = Callable[[Call], Workbench | None]  # the bench with this failing call in front


def of_two_faults(
    bench: Workbench, trials: Trials, calls: Sequence[Call], ranking: Ranking, focus: Focus
) -> list[Choice]:
    """Working patches of two edits. ``calls`` are those that the bench's runs trace, in order."""
    if trials.exhausted or not ranking.has_further_inputs:  # what was tried so far hangs; or nothing could convince
        return []
    trials.renew()
    choices = _apart(trials, ranking, focus) or _in_a_row(bench, trials, calls, ranking)
    trials.focus(calls[0])
    return choices


def _apart(trials: Trials, ranking: Ranking, focus: Focus) -> list[Choice]:
    """Each with inputs of its own."""
    failing = [one.call for one in trials.evidence.failing]
    for call in failing[: 1 + _FOCUSES] if len(failing) > 1 else ():
        if call != failing[0]:
            other = focus(call)
            trials.focus(call)
            found = trials.search(single_edits(other) if other is not None else (), _OTHER)
            if whole := [choice for choice in (ranking.rank(found) if found else ()) if choice.proves]:
                return whole  # one that the first call did not get to in time
        halves = _best({edits: mended for edits, mended in trials.halves().items() if len(mended) < len(failing)})
        for half, mended in halves:
            left = next(one for one in failing if one not in mended)
            other = focus(left)
            trials.focus(left)
            choices = _completed(half, single_edits(other) if other is not None else (), trials, ranking)
            if choices:
                return choices
        if halves:
            break
    return []


def _best(halves: Mapping[Combination, frozenset[Call]]) -> list[tuple[Edit, frozenset[Call]]]:
    """Those that mend most, the likeliest first among equals, and not all of one statement."""
    single = [(edits[0], mended) for edits, mended in halves.items() if len(edits) == 1]
    return _of_several(sorted(single, key=lambda one: -len(one[1])))


def _in_a_row(bench: Workbench, trials: Trials, calls: Sequence[Call], ranking: Ranking) -> list[Choice]:
    """Both on all inputs."""
    edits = single_edits(bench)
    trials.focus(calls[0])
    for half, _ in _moving_on(bench, edits[:_TRACED], trials, calls[:_CALLS]):
        choices = _completed(half, edits, trials, ranking)
        if choices:
            return choices
    return []


def _moving_on(
    bench: Workbench, edits: Sequence[Edit], trials: Trials, calls: Sequence[Call]
) -> list[tuple[Edit, float]]:
    """Those under which fewer aligned pairs differ, the fewest first."""
    left = left_over(bench, [(), *((edit,) for edit in edits)], trials.workshop, calls, _STEPS)
    (_, before), *after = left
    better = [(edit, residue) for edit, (_, residue) in zip(edits, after, strict=True) if residue < before]
    return _of_several(sorted(better, key=lambda one: one[1]))


def _of_several(halves: Sequence[tuple[Edit, Told]]) -> list[tuple[Edit, Told]]:
    seen: Counter[int] = Counter()
    best = []
    for edit, told in halves:
        seen[id(edit.statement)] += 1
        if seen[id(edit.statement)] <= _OF_A_STATEMENT:
            best.append((edit, told))
    return best[:_HALVES]


def _completed(half: Edit, edits: Sequence[Edit], trials: Trials, ranking: Ranking) -> list[Choice]:
    """``half`` with another edit that mends what it leaves."""
    pairs = [(half, edit) for edit in edits if edit.place != half.place and not _overlap(half, edit)]
    found = trials.search_combinations(pairs, _OTHER)
    found = trials.search([edit for _, edit in found], _OTHER) or found  # one that needs no other
    return [choice for choice in (ranking.rank(found) if found else ()) if _convinces(choice)]


def _overlap(one: Edit, other: Edit) -> bool:
    """Whether one takes out what the other is made in."""
    return any(
        a.old is not None and b.old is not None and any(part is b.old for part in walk(a.old))
        for a, b in ((one, other), (other, one))
    )


def _convinces(choice: Choice) -> bool:
    small = edits_size(choice.edits) <= SMALL * len(choice.edits)
    return choice.agrees == 1.0 and small and not choice.bypassed
