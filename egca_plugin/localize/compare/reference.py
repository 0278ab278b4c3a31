"""What the references do, asked once: results and traces by call, in a bounded cache, least recently used out.

Behind it stands, where the run keeps one, a folder that outlives the process (:mod:`egca_plugin.localize.saved`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from egca_plugin.config import EgcaConfig
from egca_plugin.localize import saved
from egca_plugin.localize.saved import SavedTraces, Shelf
from egca_plugin.localize.traces import Trace
from egca_plugin.program.instrument import Instrumented, instrument
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.sandbox.records import Record
from egca_plugin.sandbox.workshop import Workshop
from egca_plugin.types import Call, CallResult, RawTrace

MAX_EVENTS = 6_000  # of one traced call: past them the histories are cut
MAX_STEPS = 60_000
TIMEOUT_S = 3.0


@dataclass(eq=False)
class Known:
    """One reference program and what is known of it. ``results`` come from plain runs, ``traces`` from probed ones.

    ``shelf`` is what earlier runs kept, decoded as it is asked for.
    """

    program: Instrumented
    shelf: Shelf = field(default_factory=dict)
    results: dict[Call, CallResult] = field(default_factory=dict)
    traces: dict[Call, Trace] = field(default_factory=dict)


class ReferenceCache:
    """At most ``programs`` references, each with at most ``traces`` traced calls.

    ``disk`` is where what is found out is kept, and looked for first.
    """

    def __init__(self, programs: int = 512, traces: int = 64) -> None:
        self._programs, self._traces = programs, traces
        self._known: OrderedDict[str, Known] = OrderedDict()

    def known(self, source: str, disk: SavedTraces | None = None) -> Known:
        """The entry of a reference, made if need be. Raises SyntaxError where it does not compile."""
        known = self._known.get(source)
        if known is None:
            shelf = disk.load(source) if disk is not None else {}
            known = self._known[source] = Known(instrument(source), shelf)
            while len(self._known) > self._programs:
                self._known.popitem(last=False)
        self._known.move_to_end(source)
        return known

    def results(
        self, source: str, calls: Sequence[Call], sandbox: Sandbox, disk: SavedTraces | None = None
    ) -> dict[Call, CallResult]:
        """What the reference answers to each call."""
        known = self.known(source, disk)
        for call in calls:
            if call not in known.results and (record := _kept(known, call, traced=False)) is not None:
                known.results[call] = record.result
        missing = [call for call in calls if call not in known.results]
        if missing:
            found = dict(zip(missing, sandbox.run_calls(source, missing), strict=False))
            known.results.update(found)
            if disk is not None:
                disk.keep(source, found, {})
        return {call: known.results[call] for call in calls if call in known.results}

    def traces(
        self, source: str, calls: Sequence[Call], sandbox: Sandbox, disk: SavedTraces | None = None
    ) -> tuple[Trace, ...]:
        """The reference's traces of these calls; shorter where the run broke off."""
        known = self.known(source, disk)
        if len(known.traces) + sum(call not in known.traces for call in calls) > self._traces:
            known.traces.clear()
        for call in calls:
            if call not in known.traces and (record := _kept(known, call, traced=True)) is not None:
                known.traces[call] = _trace(record.trace(), known.program)
        missing = [call for call in calls if call not in known.traces]
        if missing:
            found = dict(zip(missing, trace_calls(known.program, missing, sandbox), strict=False))
            known.traces.update(found)
            if disk is not None:
                disk.keep(source, {}, {call: _record(trace) for call, trace in found.items()})
        return tuple(known.traces[call] for call in calls if call in known.traces)


def open_saved(config: EgcaConfig) -> SavedTraces | None:
    """The folder that ``egca.traces`` names, for traces made with this module's budgets, or None."""
    folder = saved.default_folder() if config.traces == "cache" else Path(config.traces)
    if not config.traces or folder is None:
        return None
    return SavedTraces(folder, config.traces_mb << 20, MAX_EVENTS, MAX_STEPS, TIMEOUT_S)


def warm(source: str, calls: Sequence[Call], sandbox: Sandbox, disk: SavedTraces) -> None:
    """Keep what training will ask of a reference: its answers to the tests' calls, and their traces."""
    cache = ReferenceCache(programs=1)
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
    program: Instrumented, calls: Sequence[Call], sandbox: Sandbox | Workshop, timeout_s: float = TIMEOUT_S
) -> tuple[Trace, ...]:
    """Run the calls under probes with the budgets that candidates and references share."""
    raw = sandbox.trace(program.code, calls, max_events=MAX_EVENTS, max_steps=MAX_STEPS, timeout_s=timeout_s)
    return tuple(_trace(one, program) for one in raw)


def _trace(raw: RawTrace, program: Instrumented) -> Trace:
    """A candidate can write into its own records: a trace with sites that its program has not loses its events."""
    sites = range(len(program.sites))
    return Trace(raw if all(event.site in sites for event in raw.events) else replace(raw, events=()))
