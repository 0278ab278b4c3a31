"""What of a divergence is left under a patch: the patched program is traced and compared with the reference."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Hashable, Sequence

from egca_plugin.localize.compare.divergence import histories_agree
from egca_plugin.localize.compare.traces import NOTHING, Run, Trace
from egca_plugin.localize.repair.exchanges import is_exchange
from egca_plugin.localize.repair.workbench import Workbench
from egca_plugin.localize.trial.compiled import Combination
from egca_plugin.localize.trial.driver import SWITCH
from egca_plugin.localize.trial.slots import changes_scope, local_names, patched, slotted_under_probes
from egca_plugin.program.instrument import BRANCH, RETURN, Site, instrument_tree
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call

_EVENTS, _STEPS = 1_000, 100_000  # of each call
_CPU_S = 3.0  # for all patches


def left_over(
    bench: Workbench, patches: Sequence[Combination], workshop: Workshop, calls: Sequence[Call], steps: int = _STEPS
) -> list[tuple[float, float]]:
    """For each patch, the share of values that only one of the two runs has, and the share of pairs that differ.

    ``steps``: of one call, behind which it is taken as it is until there.
    """
    scopes = local_names(bench.tree)
    switchable = [edits for edits in patches if not any(changes_scope(edit, scopes) for edit in edits)]
    runs: dict[int, Run] = dict(zip(map(id, switchable), _runs(bench, switchable, workshop, calls, steps), strict=True))
    for edits in patches:
        if id(edits) not in runs:  # its mere presence would change the others
            program = instrument_tree(patched(bench.tree, edits), "")
            raw = workshop.trace(program.code, calls, max_events=_EVENTS, max_steps=steps, cpu_s=_CPU_S)
            runs[id(edits)] = Run(program, tuple(map(Trace, raw)))
    references = [trace.counts(_EVENTS) for trace in bench.reference.traces]
    ordered = [runs[id(edits)] for edits in patches]
    return [(_share(run, references), _residue(bench, run, edits)) for edits, run in zip(patches, ordered, strict=True)]


def _runs(
    bench: Workbench, patches: Sequence[Combination], workshop: Workshop, calls: Sequence[Call], steps: int
) -> list[Run]:
    """The traces of each patched program, all from one process."""
    if not patches:
        return []
    edits_of_all = list(dict.fromkeys(edit for edits in patches for edit in edits))
    slots, program = slotted_under_probes(bench.tree, edits_of_all)
    switched: list[Call] = []
    for edits in patches:
        switched += [Call(SWITCH, wire.encode((slots.on(edits), {}))), *calls]
    raw = workshop.trace(program.code, switched, max_events=_EVENTS, max_steps=steps, cpu_s=_CPU_S)
    width = len(calls) + 1
    starts = range(0, width * len(patches), width)
    return [Run(program, tuple(map(Trace, raw[start + 1 : start + width]))) for start in starts]


def _residue(bench: Workbench, run: Run, edits: Combination) -> float:
    """Share of the aligned pairs whose histories still differ: zero where the patch explains every divergence.

    Results that were exchanged were aligned with what they said then, and are left out.
    """
    moved = {id(edit.statement) for edit in edits} if is_exchange(edits) else set()
    probes: dict[tuple[object, ...], list[int]] = {}
    for site in run.program.sites:
        probes.setdefault(_position(site), []).append(site.id)  # a place and its alternatives, of which one is on
    differing, total = 0, 1
    for pair in bench.alignment.pairs:
        if pair.candidate_site is None or pair.reference_site is None or id(pair.candidate.statement) in moved:
            continue
        here = probes.get(_position(pair.candidate_site), [])
        for trace, reference in zip(run.traces, bench.reference.traces):  # noqa: B905 - cut short
            mine = next((trace.values[probe] for probe in here if probe in trace.values), NOTHING)
            theirs = reference.values.get(pair.reference_site.id, NOTHING)
            total += 1
            differing += not histories_agree(pair, mine, theirs)
    return differing / total


def _position(site: Site) -> tuple[object, ...]:
    """Tells a probe in every rebuilding of the same tree; what came from the reference stands beyond the last line."""
    whole = site.kind == RETURN or (site.kind == BRANCH and isinstance(site.statement, (ast.If, ast.While)))
    node = (site.statement if whole else site.node).__dict__
    return (site.kind, site.variable, node.get("lineno"), node.get("col_offset"), node.get("end_col_offset"))


def _share(run: Run, theirs: Sequence[Counter[Hashable]]) -> float:
    """What the candidate has too much weighs more than what it lacks."""
    extra, total = 0.0, 1
    for a, b in zip((trace.value_counts for trace in run.traces), theirs):  # noqa: B905 - cut short
        extra += _surplus(a, b) + 0.3 * _surplus(b, a)
        total += a.total() + b.total()
    return round(extra / total, 3)


def _surplus(a: Counter[Hashable], b: Counter[Hashable]) -> int:
    return sum(count - b[value] for value, count in a.items() if count > b[value])
