"""In which order patches are tried, and when the search may stop.

The likeliest single edits come first. If one of them is small and explains every divergence, it needs no rivals. If
not, all kinds are tried within their budgets and the best of what works is taken. Where nothing works, two faults are
looked for.
"""

from __future__ import annotations

from collections.abc import Sequence

from egca_plugin.localize.choose import Choice, Further, Ranking
from egca_plugin.localize.compare.evidence import cut_short
from egca_plugin.localize.repair.conditions import wider_and_narrower
from egca_plugin.localize.repair.counterparts import counterpart_edits
from egca_plugin.localize.repair.edits import GENERIC
from egca_plugin.localize.repair.exchanges import exchanges
from egca_plugin.localize.repair.insertions import insertions
from egca_plugin.localize.repair.missing import initial_values, missing_steps, ordered_inputs, special_cases, updates
from egca_plugin.localize.repair.single import single_edits
from egca_plugin.localize.repair.statement_edits import (
    alike,
    containers,
    guards,
    missing_branches,
    moves,
    repeated,
    simultaneous,
)
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.localize.trial.trials import Trials
from egca_plugin.localize.twofold import Focus, of_two_faults
from egca_plugin.types import Call

_COUNTERPARTS = 40  # what differs from the aligned statements, before anything else is thought of
_EXCHANGES = 20  # of the results of two branches
_LIKELIEST, _LIKELY, _SLIPS, _REST = 64, 200, 150, 250  # single edits; after each portion a look at what was found
_SLIP = 0.29  # an edit that is worth more than this undoes a common slip, wherever it is
_EXPECTED = 40  # statements that a program lacks where the alignment expects them
_STEPS = 40  # updates that a loop without end may lack
_INSERTIONS, _PAIRS, _GUARDS = 200, 120, 100  # trials of each further kind
_STARTS, _CONDITIONS, _ORDERED, _SPECIAL, _UPDATES = 120, 200, 150, 400, 150  # and of those that are made up
_SAME = 400  # single edits, from the likeliest on, that are also made in two statements
_REPEATED = 200  # single edits, from the likeliest on, that are also made in two places


def find_patches(
    bench: Workbench, trials: Trials, calls: Sequence[Call], further: Further, focus: Focus
) -> list[Choice]:
    """Working patches, the most convincing first. ``calls`` are those that the bench's runs trace, in order.
    ``focus`` is the bench for another failing call."""
    ranking = Ranking(bench, trials, calls, further)
    choices = _of_one_fault(bench, trials, ranking)
    return choices or of_two_faults(bench, trials, calls, ranking, focus)


def _of_one_fault(bench: Workbench, trials: Trials, ranking: Ranking) -> list[Choice]:
    found = trials.surviving()
    if cut_short(bench.candidate.failing.result):
        found += trials.search(missing_steps(bench), _STEPS)
    found += trials.search_combinations(exchanges(bench), _EXCHANGES)
    likeliest = counterpart_edits(bench)
    found += trials.search(likeliest, _COUNTERPARTS)
    if found and (choices := ranking.rank(found))[0].explains_all:
        return choices
    single = single_edits(bench)
    slips = [edit for edit in single if edit.source == GENERIC and edit.prior - bench.near(edit.statement) > _SLIP]
    portions = [(single, _LIKELIEST), (single, _LIKELY), (slips, _SLIPS), (single, _REST)]
    for edits, portion in portions:
        found += trials.search(edits, portion)
        if found and (choices := ranking.rank(found))[0].explains_all:
            return choices
    further_statements = [*missing_branches(bench), *insertions(bench)]
    if not found:
        found += trials.search([edit for edit in further_statements if edit.beside_partner], _EXPECTED)
    while not found and trials.deepen():
        found += trials.again()
        for edits, portion in portions:
            found += trials.search(edits, portion)
    found += trials.search(initial_values(bench, bench.candidate.failing.result), _STARTS)
    found += trials.search(further_statements, _INSERTIONS)
    pairs = [*simultaneous(bench), *containers(bench), *repeated(single[:_REPEATED]), *moves(bench)]
    found += trials.search_combinations(pairs, _PAIRS)
    choices = ranking.rank(found)
    if all(choice.doubtful for choice in choices):
        found += trials.search_combinations(alike(single[:_SAME]), _PAIRS)
        for edits, portion in (
            (updates(bench), _UPDATES),
            (wider_and_narrower(bench), _CONDITIONS),
            (ordered_inputs(bench), _ORDERED),
            (special_cases(bench, trials.evidence.failing), _SPECIAL),
            (guards(bench), _GUARDS),
        ):
            found += trials.search(edits, portion)
        choices = ranking.rank(found)
    return [choice for choice in choices if choice.proves]
