"""In which order patches are tried, and when the search may stop.

The likeliest single edits come first. If one of them is small and explains every divergence, it needs no rivals. If
not, all kinds are tried within their budgets and the best of what works is taken.
"""

from __future__ import annotations

from collections.abc import Sequence

from egca_plugin.localize.choose import Choice, rank
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
from egca_plugin.localize.trials import Trials
from egca_plugin.types import Call

_FIRST = 64  # likeliest single edits that are tried before anything else
_SINGLE, _INSERTIONS, _PAIRS, _GUARDS = 600, 200, 120, 100  # trials of each kind
_REPEATED = 200  # single edits, from the likeliest on, that are also made in two places


def find_patches(bench: Workbench, trials: Trials, calls: Sequence[Call]) -> list[Choice]:
    """Working patches, the most convincing first. ``calls`` are those that the bench's runs trace, in order."""
    single = sorted([*transplants(bench), *generic_edits(bench), *statement_edits(bench)], key=lambda edit: -edit.prior)
    found = trials.search(single, _FIRST)
    if found:
        choices = rank(bench, found, trials.sandbox, calls)
        if choices[0].explains_all:
            return choices
    found += trials.search(single, _SINGLE - _FIRST)
    found += trials.search([*missing_branches(bench), *insertions(bench)], _INSERTIONS)
    pairs = [*containers(bench), *repeated(single[:_REPEATED]), *moves(bench)]
    found += trials.search_combinations(pairs, _PAIRS)
    if not found:
        found += trials.search(guards(bench), _GUARDS)
    return rank(bench, found, trials.sandbox, calls) if found else []
