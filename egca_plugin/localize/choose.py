"""Which of several working patches names the fault.

The best patch leaves the fewest values unexplained, that is, makes the candidate's run most like the reference's; then
the smaller edit, the one that does not bypass a live definition, and the one that runs earliest:

``cost = unexplained + 0.006 * edit size + 0.08 * bypassed definitions``
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from egca_plugin.localize.edits import Edit, key, narrow
from egca_plugin.localize.patches import Workbench, parameter_names
from egca_plugin.localize.slots import SWITCH, slotted
from egca_plugin.localize.traces import Trace
from egca_plugin.localize.trials import Combination
from egca_plugin.localize.units import size
from egca_plugin.program.instrument import WRITE
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.types import Call

_SIZE, _BYPASS = 0.006, 0.08
_COMPARED = 8  # patches whose traces are compared
_CALLS = 3  # on so many calls


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A working patch with what speaks against it, the least costly first in a list."""

    edits: Combination
    cost: float
    first_event: float


def rank(bench: Workbench, found: Sequence[Combination], sandbox: Sandbox, calls: Sequence[Call]) -> list[Choice]:
    """Order working patches by cost. ``calls`` are those that the bench's runs trace, in order."""
    first = _first_events(bench)

    def began(edits: Combination) -> float:
        return min(first.get(id(edit.statement), 1e9) for edit in edits)

    ordered = sorted(found, key=lambda edits: (edits_size(edits), began(edits), -edits[0].prior))
    compared = ordered[:_COMPARED]
    unexplained = _unexplained(bench, compared, sandbox, calls) if len(compared) > 1 else [0.0] * len(compared)
    choices = []
    for edits, values in zip(compared, unexplained, strict=True):
        bypassed = sum(_bypassed(bench, edit) for edit in edits)
        choices.append(Choice(edits, values + _SIZE * edits_size(edits) + _BYPASS * bypassed, began(edits)))
    return sorted(choices, key=lambda choice: (choice.cost, choice.first_event))


def edits_size(edits: Combination) -> int:
    return sum(map(edit_size, edits))


def edit_size(edit: Edit) -> int:
    """Nodes taken out and put in, after narrowing; an operator that changes in place counts 2."""
    if edit.old is None:
        return size(edit.new)
    old, new = narrow(edit.old, edit.new)
    if type(old) is type(new) and isinstance(old, (ast.Compare, ast.BinOp, ast.BoolOp, ast.AugAssign)):
        operands = [name for name in old._fields if name not in ("op", "ops")]
        if all(key(old.__dict__[name]) == key(new.__dict__[name]) for name in operands):
            return 2
    return size(old) + size(new)


def _first_events(bench: Workbench) -> dict[int, float]:
    """When each statement first left an event on the failing call."""
    first: dict[int, float] = {}
    sites = bench.candidate.program.sites
    for time, (site, _) in enumerate(bench.candidate.failing.events):
        first.setdefault(id(sites[site].statement), float(time))
    return first


def _unexplained(
    bench: Workbench, patches: Sequence[Combination], sandbox: Sandbox, calls: Sequence[Call]
) -> list[float]:
    """For each patch, the share of values that only one of the two runs has; what the candidate has too much weighs
    more than what it lacks."""
    calls = calls[:_CALLS]
    program = slotted(bench.tree, list(dict.fromkeys(edit for edits in patches for edit in edits)))
    switched: list[Call] = []
    for edits in patches:
        switched.append(Call(SWITCH, wire.encode((program.on(edits), {}))))
        switched += calls
    raw = sandbox.trace(program.instrumented(bench.candidate.program.source).code, switched)
    shares = []
    for index in range(len(patches)):
        start = index * (len(calls) + 1) + 1
        extra, total = 0.0, 1
        for trace, reference in zip(raw[start : start + len(calls)], bench.reference.traces):  # noqa: B905 - cut short
            mine, theirs = Trace(trace).value_counts, reference.value_counts
            extra += _surplus(mine, theirs) + 0.3 * _surplus(theirs, mine)
            total += mine.total() + theirs.total()
        shares.append(round(extra / total, 3))
    return shares


def _surplus(a: Counter[Hashable], b: Counter[Hashable]) -> int:
    return sum(count - b[value] for value, count in a.items() if count > b[value])


def _bypassed(bench: Workbench, edit: Edit) -> int:
    """Definitions that nothing would read any more: such a patch goes around the fault instead of mending it."""
    if not isinstance(edit.old, ast.expr):
        return 0
    written = {site.variable for site in bench.candidate.program.sites if site.kind == WRITE}
    before, after = _reads(edit.old), _reads(edit.new)
    everywhere = _reads(bench.tree)
    gone = [name for name in before if name not in after and name in written - parameter_names(bench.tree)]
    return sum(everywhere[name] <= before[name] for name in gone)


def _reads(node: ast.AST) -> Counter[str]:
    return Counter(part.id for part in ast.walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))
