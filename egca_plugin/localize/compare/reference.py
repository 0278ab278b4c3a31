"""What the references do, asked once: results and traces by call, in a bounded cache, least recently used out.

Behind it stands, where the run keeps one, a folder that outlives the process
(:mod:`egca_plugin.localize.compare.saved`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from egca_plugin.config import EgcaConfig
from egca_plugin.localize.compare import saved
from egca_plugin.localize.compare.saved import SavedTraces, Shelf
from egca_plugin.localize.compare.traces import Trace
from egca_plugin.localize.whole import kind_of, probed
from egca_plugin.program.compiling import code_of, parse
from egca_plugin.program.hosting import hosted
from egca_plugin.program.instrument import FILENAME, Instrumented
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.records import Record
from egca_plugin.sandbox.outside.workshop import Workshop
from egca_plugin.types import Call, CallResult, Kind, RawTrace

MAX_EVENTS = 6_000  # of one traced call: past them the histories are cut
MAX_STEPS = 60_000
CPU_S = 3.0
_KEPT = 96 << 20  # bytes of what references do that a process keeps, about
_OF_ONE = 2 << 20  # of one reference
_EVENT = 120  # bytes that an event takes


Own = Callable[[str], Iterable[Call]]  # from a reference to the calls that the tests make of it


@dataclass(eq=False)
class Known:
    """One reference program and what is known of it. ``results`` come from plain runs, ``traces`` from probed ones.

    ``shelf`` is what earlier runs kept, decoded as it is asked for.
    """

    program: Instrumented
    shelf: Shelf = field(default_factory=dict)
    results: dict[Call, CallResult] = field(default_factory=dict)
    traces: dict[Call, Trace] = field(default_factory=dict)
    own: frozenset[Call] | None = None  # what the tests call it with, once somebody asked
    weight: int = 0  # bytes, about

    def weigh(self) -> int:
        calls = sum(len(call.arguments) + len(result.value) for call, result in self.results.items())
        events = sum(len(trace.events) for trace in self.traces.values())
        self.weight = len(self.program.source) + calls + _EVENT * events
        return self.weight

    def keepable(self, source: str, own: Own | None, calls: Iterable[Call]) -> frozenset[Call]:
        """Those of the calls that may be kept on disk."""
        if own is None:
            return frozenset(calls)
        if self.own is None:
            self.own = frozenset(own(source))
        return self.own.intersection(calls)


class ReferenceCache:
    """What references do, by call; about ``kept`` bytes of it, each with at most ``traces`` traced calls.

    ``disk`` is where what is found out is kept, and looked for first. Where a candidate may have chosen calls (tests
    pass on what it answers), ``own`` names those that the tests make of the reference: no others are kept there.
    """

    def __init__(self, kept: int = _KEPT, traces: int = 64) -> None:
        self._kept, self._traces = kept, traces
        self._known: OrderedDict[tuple[str, Kind], Known] = OrderedDict()

    def known(self, source: str, kind: Kind = Kind.FUNCTION, disk: SavedTraces | None = None) -> Known:
        """The entry of a reference, made if need be. Raises SyntaxError where it does not compile."""
        known = self._known.get((source, kind))
        if known is None:
            shelf = disk.load(source) if disk is not None else {}
            known = self._known[source, kind] = Known(probed(source, kind), shelf)
        self._known.move_to_end((source, kind))
        return known

    def _bound(self, known: Known, calls: Sequence[Call]) -> None:
        """Forget what weighs too much, but not what was asked now."""
        if known.weigh() > _OF_ONE:
            known.results = {call: known.results[call] for call in calls if call in known.results}
            known.traces = {call: known.traces[call] for call in calls if call in known.traces}
            known.weigh()
        while len(self._known) > 1 and sum(one.weight for one in self._known.values()) > self._kept:
            self._known.popitem(last=False)

    def results(
        self,
        source: str,
        calls: Sequence[Call],
        sandbox: Sandbox,
        disk: SavedTraces | None = None,
        own: Own | None = None,
    ) -> dict[Call, CallResult]:
        """What the reference answers to each call."""
        known = self.known(source, kind_of(calls), disk)
        for call in calls:
            if call not in known.results and (record := _kept(known, call, traced=False)) is not None:
                known.results[call] = record.result
        missing = [call for call in calls if call not in known.results]
        if missing:
            program = hosted(code_of(parse(source), FILENAME)) if kind_of(missing) is Kind.STDIN else source
            with Workshop(sandbox) as workshop:
                records = workshop.records(program, missing, budget=None, cpu_s=CPU_S)
            found = {call: record.result for call, record in zip(missing, records, strict=True)}
            known.results.update(found)
            if disk is not None:
                disk.keep(source, {call: found[call] for call in known.keepable(source, own, found)}, {})
            self._bound(known, calls)
        return {call: known.results[call] for call in calls if call in known.results}

    def traces(
        self,
        source: str,
        calls: Sequence[Call],
        sandbox: Sandbox,
        disk: SavedTraces | None = None,
        own: Own | None = None,
    ) -> tuple[Trace, ...]:
        """The reference's traces of these calls; shorter where the run broke off."""
        known = self.known(source, kind_of(calls), disk)
        if len(known.traces) + sum(call not in known.traces for call in calls) > self._traces:
            known.traces.clear()
        for call in calls:
            if call not in known.traces and (record := _kept(known, call, traced=True)) is not None:
                known.traces[call] = _trace(record.trace(), known.program)
        missing = [call for call in calls if call not in known.traces]
        if missing:
            with Workshop(sandbox) as workshop:
                found = dict(zip(missing, trace_calls(known.program, missing, workshop), strict=False))
            known.traces.update(found)
            if disk is not None:
                disk.keep(source, {}, {call: _record(found[call]) for call in known.keepable(source, own, found)})
            self._bound(known, calls)
        return tuple(known.traces[call] for call in calls if call in known.traces)


def open_saved(config: EgcaConfig) -> SavedTraces | None:
    """The folder that ``egca.traces`` names, for traces made with this module's budgets, or None."""
    folder = saved.default_folder() if config.traces == "cache" else Path(config.traces)
    if not config.traces or folder is None:
        return None
    return SavedTraces(folder, config.traces_mb << 20, MAX_EVENTS, MAX_STEPS, CPU_S)


def warm(source: str, calls: Sequence[Call], sandbox: Sandbox, disk: SavedTraces) -> None:
    """Keep what training will ask of a reference: its answers to the tests' calls, and their traces."""
    cache = ReferenceCache()
    cache.results(source, calls, sandbox, disk)
    cache.traces(source, calls, sandbox, disk)


def _kept(known: Known, call: Call, *, traced: bool) -> Record | None:
    if not known.shelf:
        return None
    return saved.record(known.shelf.get(saved.key_of(call), (b"", b""))[traced])


def _record(trace: Trace) -> Record:
    events = tuple(part for event in trace.events for part in event)
    return Record(trace.result, events, trace.lines)


def trace_calls(
    program: Instrumented, calls: Sequence[Call], workshop: Workshop, cpu_s: float = CPU_S
) -> tuple[Trace, ...]:
    """Run the calls under probes with the budgets that candidates and references share."""
    raw = workshop.trace(program.code, calls, max_events=MAX_EVENTS, max_steps=MAX_STEPS, cpu_s=cpu_s)
    return tuple(_trace(one, program) for one in raw)


def _trace(raw: RawTrace, program: Instrumented) -> Trace:
    """A candidate can write into its own records: a trace with sites that its program has not loses its events."""
    sites = range(len(program.sites))
    return Trace(raw if all(event.site in sites for event in raw.events) else replace(raw, events=()))
