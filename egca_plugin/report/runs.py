"""Two runs side by side: what the program and the reference did around the place where they part.

The localiser has compared them already and keeps only the divergence; to show more, both are run once more under the
same probes on the failing call.
"""

from __future__ import annotations

from dataclasses import dataclass

from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case
from egca_plugin.localize.compare.alignment import align
from egca_plugin.localize.compare.divergence import Difference, differences
from egca_plugin.localize.compare.evidence import distinct_calls, gather
from egca_plugin.localize.compare.reference import ReferenceCache, trace_calls
from egca_plugin.localize.compare.traces import Run
from egca_plugin.localize.compare.variables import map_variables
from egca_plugin.localize.compare.words import show
from egca_plugin.localize.whole import probed
from egca_plugin.program.extract import extract, to_completion
from egca_plugin.program.instrument import BRANCH, RETURN, WRITE, Site
from egca_plugin.program.nodes import unparse
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Program, Span, Task

BEFORE, BEHIND = 4, 2  # moments that are shown before and behind the divergence
_LONGEST = 40  # characters of an expression


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that a probe saw: ``what`` was found at ``line``. ``parts``: here the two runs part."""

    line: int
    what: str
    parts: bool = False


@dataclass(frozen=True, slots=True)
class TwoRuns:
    """The moments of both runs around the divergence; lines of the completion, and of the reference."""

    program: tuple[Moment, ...]
    reference: tuple[Moment, ...]


def compare(task: Task, text: str, sandbox: Sandbox) -> TwoRuns | None:
    """Both runs on the first failing call of the completion ``text``; None where there is nothing to compare.

    ``task`` has its preamble already (:func:`egca_plugin.program.preamble.prepared`). Raises SandboxError, TaskError.
    """
    program = extract(text, task)
    if not program.compiles or not task.reference:
        return None
    verdict = judge(sandbox, program.source, task)
    if verdict.passed or not verdict.stable:
        return None
    case = Case(task, program.source, (task.reference,), verdict, sandbox)
    calls = list(distinct_calls(case.verdict))
    cache = ReferenceCache()
    failing = gather(case.verdict, cache.results(task.reference, calls, sandbox)).failing if calls else ()
    if not failing:
        return None
    call = [failing[0].call]
    try:
        probes = probed(program.source, task.kind)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    with Workshop(sandbox) as workshop:
        mine = Run(probes, trace_calls(probes, call, workshop))
    theirs = Run(cache.known(task.reference, task.kind).program, cache.traces(task.reference, call, sandbox))
    if not mine.traces or not theirs.traces:
        return None
    mapping = map_variables(mine, theirs, task.entry_point)
    found = differences(align(mine, theirs, mapping), mine, theirs)
    return _around(found[0], mine, theirs, program, text) if found else None


def _around(difference: Difference, mine: Run, theirs: Run, program: Program, text: str) -> TwoRuns:
    here = int(difference.time + 0.5)
    times = theirs.failing.times.get(difference.reference_site.id, [])
    there = times[difference.index] if difference.index < len(times) else len(theirs.failing.events)
    shown = _moments(mine, here, parts=not difference.missing)
    placed = tuple(Moment(_line_in(program, text, one.line), one.what, one.parts) for one in shown)
    return TwoRuns(placed, _moments(theirs, there, parts=there < len(theirs.failing.events)))


def _moments(run: Run, at: int, *, parts: bool) -> tuple[Moment, ...]:
    events = run.failing.events
    window = range(max(at - BEFORE, 0), min(at + BEHIND + 1, len(events)))
    found = []
    for number in window:
        site, value = run.program.sites[events[number][0]], events[number][1]
        line = int(getattr(site.node, "lineno", site.statement.lineno))
        found.append(Moment(line, f"{_name(site)} {show(value)}", parts and number == at))
    return tuple(found)


def _name(site: Site) -> str:
    if site.kind == WRITE:
        return f"{site.variable} ="
    if site.kind == RETURN:
        return "returns"
    text = unparse(site.node)
    shortened = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
    return f"{shortened} {'?' if site.kind == BRANCH else '->'}"


def _line_in(program: Program, text: str, line: int) -> int:
    """A line of the program as a line of the completion; one that was not sampled keeps its number."""
    lines = program.source.split("\n")
    start = sum(len(one) + 1 for one in lines[: line - 1])
    span = to_completion(program, Span(start, start + max(len(lines[line - 1]), 1)))
    return line if span is None else text.count("\n", 0, span.start) + 1
