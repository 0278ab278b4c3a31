"""In which order patches are tried, and when the search may stop.

The likeliest single edits come first. If one of them is small and explains every divergence, it needs no rivals. If
not, all kinds are tried within their budgets and the best of what works is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from egca_plugin.localize.choose import Choice, Ranking
from egca_plugin.localize.generic import generic_edits
from egca_plugin.localize.patches import Workbench, insertions, transplants
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

_SINGLE = (64, 200, 400)  # likeliest single edits first, with a look at what was found after each portion
_INSERTIONS, _PAIRS, _GUARDS = 200, 120, 100  # trials of each further kind
_REPEATED = 200  # single edits, from the likeliest on, that are also made in two places


def find_patches(bench: Workbench, trials: Trials, calls: Sequence[Call]) -> list[Choice]:
    """Working patches, the most convincing first. ``calls`` are those that the bench's runs trace, in order."""
    ranking = Ranking(bench, trials.sandbox, calls)
    single = sorted([*transplants(bench), *generic_edits(bench), *statement_edits(bench)], key=lambda edit: -edit.prior)
    found: list[Combination] = []
    for portion in _SINGLE:
        found += trials.search(single, portion)
        if found and (choices := ranking.rank(found))[0].explains_all:
            return choices
    found += trials.search([*missing_branches(bench), *insertions(bench)], _INSERTIONS)
    pairs = [*containers(bench), *repeated(single[:_REPEATED]), *moves(bench)]
    found += trials.search_combinations(pairs, _PAIRS)
    if not found:
        found += trials.search(guards(bench), _GUARDS)
    return ranking.rank(found)
