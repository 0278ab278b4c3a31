"""Patches of what differs between two aligned statements of one build: the likeliest of all, and few."""

from __future__ import annotations

import ast

from egca_plugin.localize.compare.counterparts import FEW, Counterpart, counterparts
from egca_plugin.localize.compare.units import size
from egca_plugin.localize.repair.edits import TRANSPLANT, Edit, Place, free_names, key
from egca_plugin.localize.repair.generic import with_
from egca_plugin.localize.repair.workbench import Workbench

_WORTH = 1.0
_WIDER, _MORE = 2, 4  # times the nodes, and nodes: what is larger does the work of other statements


def counterpart_edits(bench: Workbench) -> list[Edit]:
    """Each place in which an aligned statement differs from its partner, made as it is there."""
    places = {id(place.node): place for place in bench.places}
    edits: list[Edit] = []
    for statement, met in counterparts(bench.alignment, bench.tree, bench.mapping):
        if not bench.ran(statement):
            continue
        found = [
            _edit(bench, place, new)
            for one in met
            if (place := places.get(id(one.mine))) is not None
            and (new := _made(bench, one)) is not None
            and key(new) != key(one.mine)
        ]
        edits += found if len(found) <= FEW else []
    return sorted(edits, key=lambda edit: -edit.prior)


def _edit(bench: Workbench, place: Place, new: ast.expr) -> Edit:
    prior = 0.5 * bench.near(place.statement) + _WORTH
    return Edit(TRANSPLANT, place.node, new, place.statement, place.function, prior, beside_partner=True)


def _made(bench: Workbench, one: Counterpart) -> ast.expr | None:
    """The candidate's expression with the reference's operator, or the reference's in the names that stand here."""
    if one.field:
        value = bench.rename_by_use(one.value) if isinstance(one.value, ast.AST) else one.value
        new = with_(one.mine, **{one.field: value})
        return new if bench.fits(new) else None
    new = bench.rename_by_use(one.theirs)
    if not isinstance(new, ast.expr) or size(new) > _WIDER * size(one.mine) + _MORE or not bench.fits(new):
        return None
    return None if _bypasses(one.mine, new) else new


def _bypasses(mine: ast.expr, new: ast.expr) -> bool:
    """Whether a variable gives way to what it should have been: its definition may be the fault."""
    leaf = isinstance(new, (ast.Name, ast.Constant))
    return isinstance(mine, ast.Name) and not leaf and mine.id not in free_names(new)
