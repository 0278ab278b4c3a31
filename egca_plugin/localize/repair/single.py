"""All edits of one place, from the likeliest on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from egca_plugin.localize.repair.counterparts import counterpart_edits
from egca_plugin.localize.repair.edits import Edit
from egca_plugin.localize.repair.generic import generic_edits
from egca_plugin.localize.repair.patterns import pattern_edits
from egca_plugin.localize.repair.statement_edits import statement_edits
from egca_plugin.localize.repair.transplants import transplants
from egca_plugin.localize.repair.workbench import Workbench

_OF_ONE = 150  # of one statement, until those of the others had their turn


def single_edits(bench: Workbench) -> list[Edit]:
    """Edits of expressions and statements that ran on the failing call; what is made up for its values is not here."""
    likeliest = [*counterpart_edits(bench), *transplants(bench)]
    own = [*generic_edits(bench), *statement_edits(bench), *pattern_edits(bench)]
    return _shared(sorted([*likeliest, *own], key=lambda edit: -edit.prior))


def _shared(edits: Sequence[Edit]) -> list[Edit]:
    """The same, but a statement of very many parts does not take all the tries: what it has too many comes last."""
    seen: Counter[int] = Counter()
    early: list[Edit] = []
    late: list[Edit] = []
    for edit in edits:
        seen[id(edit.statement)] += 1
        (early if seen[id(edit.statement)] <= _OF_ONE else late).append(edit)
    return early + late
