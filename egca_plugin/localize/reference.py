"""What the references do, asked once: results and traces by call, in a bounded cache, least recently used out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from egca_plugin.localize.traces import Trace
from egca_plugin.program.instrument import Instrumented, instrument
from egca_plugin.sandbox.api import Sandbox
from egca_plugin.types import Call, CallResult

MAX_EVENTS = 6_000  # of one traced call: past them the histories are cut
MAX_STEPS = 60_000
TIMEOUT_S = 3.0


@dataclass(eq=False)
class Known:
    """One reference program and what is known of it. ``results`` come from plain runs, ``traces`` from probed ones."""

    program: Instrumented
    results: dict[Call, CallResult] = field(default_factory=dict)
    traces: dict[Call, Trace] = field(default_factory=dict)


class ReferenceCache:
    """At most ``programs`` references, each with at most ``traces`` traced calls."""

    def __init__(self, programs: int = 512, traces: int = 64) -> None:
        self._programs, self._traces = programs, traces
        self._known: OrderedDict[str, Known] = OrderedDict()

    def known(self, source: str) -> Known:
        """The entry of a reference, made if need be. Raises SyntaxError where it does not compile."""
        known = self._known.get(source)
        if known is None:
            known = self._known[source] = Known(instrument(source))
            while len(self._known) > self._programs:
                self._known.popitem(last=False)
        self._known.move_to_end(source)
        return known

    def results(self, source: str, calls: Sequence[Call], sandbox: Sandbox) -> dict[Call, CallResult]:
        """What the reference answers to each call."""
        known = self.known(source)
        missing = [call for call in calls if call not in known.results]
        if missing:
            known.results.update(zip(missing, sandbox.run_calls(source, missing), strict=False))
        return {call: known.results[call] for call in calls if call in known.results}

    def traces(self, source: str, calls: Sequence[Call], sandbox: Sandbox) -> tuple[Trace, ...]:
        """The reference's traces of these calls; shorter where the run broke off."""
        known = self.known(source)
        missing = [call for call in calls if call not in known.traces]
        if missing:
            if len(known.traces) + len(missing) > self._traces:
                known.traces.clear()
                missing = list(calls)
            raw = trace_calls(known.program, missing, sandbox)
            known.traces.update(zip(missing, raw, strict=False))
        return tuple(known.traces[call] for call in calls if call in known.traces)


def trace_calls(program: Instrumented, calls: Sequence[Call], sandbox: Sandbox) -> tuple[Trace, ...]:
    """Run the calls under probes with the budgets that candidates and references share.

    A candidate can write into its own records: a trace with sites that the program does not have loses its events.
    """
    raw = sandbox.trace(program.code, calls, max_events=MAX_EVENTS, max_steps=MAX_STEPS, timeout_s=TIMEOUT_S)
    sites = range(len(program.sites))
    return tuple(
        Trace(one if all(event.site in sites for event in one.events) else replace(one, events=())) for one in raw
    )
