"""In which order patches are tried, and when the search may stop.

The likeliest single edits come first. If one of them is small and explains every divergence, it needs no rivals. If
not, all kinds are tried within their budgets and the best of what works is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from egca_plugin.localize.choose import Choice, Further, Ranking
from egca_plugin.localize.conditions import wider_and_narrower
from egca_plugin.localize.edits import GENERIC
from egca_plugin.localize.generic import generic_edits
from egca_plugin.localize.insertions import insertions
from egca_plugin.localize.missing import initial_values, ordered_inputs, special_cases, updates
from egca_plugin.localize.patches import Workbench, transplants
from egca_plugin.localize.statement_edits import (
    containers,
    guards,
    missing_branches,
    moves,
    repeated,
    statement_edits,
)
from egca_plugin.localize.trials import Combination, Trials
from egca_plugin.types import Call

_LIKELIEST, _LIKELY, _SLIPS, _REST = 64, 200, 150, 250  # single edits; after each portion a look at what was found
_SLIP = 0.29  # an edit that is worth more than this undoes a common slip, wherever it is
_INSERTIONS, _PAIRS, _GUARDS = 200, 120, 100  # trials of each further kind
_STARTS, _CONDITIONS, _ORDERED, _SPECIAL, _UPDATES = 120, 200, 150, 400, 150  # and of those that are made up
_REPEATED = 200  # single edits, from the likeliest on, that are also made in two places


def find_patches(bench: Workbench, trials: Trials, calls: Sequence[Call], further: Further) -> list[Choice]:
    """Working patches, the most convincing first. ``calls`` are those that the bench's runs trace, in order."""
    ranking = Ranking(bench, trials, calls, further)
    own = [*generic_edits(bench), *statement_edits(bench)]
    single = sorted([*transplants(bench), *own], key=lambda edit: -edit.prior)
    slips = [edit for edit in single if edit.source == GENERIC and edit.prior - bench.near(edit.statement) > _SLIP]
    found: list[Combination] = []
    portions = [(single, _LIKELIEST), (single, _LIKELY), (slips, _SLIPS), (single, _REST)]
    for edits, portion in portions:
        found += trials.search(edits, portion)
        if found and (choices := ranking.rank(found))[0].explains_all:
            return choices
    while not found and trials.deepen():
        found += trials.again()
        for edits, portion in portions:
            found += trials.search(edits, portion)
    found += trials.search(initial_values(bench, bench.candidate.failing.result), _STARTS)
    found += trials.search([*missing_branches(bench), *insertions(bench)], _INSERTIONS)
    pairs = [*containers(bench), *repeated(single[:_REPEATED]), *moves(bench)]
    found += trials.search_combinations(pairs, _PAIRS)
    choices = ranking.rank(found)
    if all(choice.doubtful for choice in choices):
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
