"""Programs on standard input before the localiser: what the judge saw of their runs, as calls of the host's function.

See :mod:`egca_plugin.program.hosting`. Everything behind this sees functions only.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from egca_plugin.errors import WireError
from egca_plugin.program.compiling import parse
from egca_plugin.program.hosting import MAIN, normal, script
from egca_plugin.program.instrument import Instrumented, instrument_tree
from egca_plugin.sandbox import wire
from egca_plugin.types import Call, CallResult, CallStatus, Compare, Kind, TestedCall, Verdict

MAX_INPUT = 200_000  # characters of an input that is traced


def parsed(source: str, kind: Kind) -> ast.Module:
    """The program's tree, of the class that says how it is run. Raises what ``ast.parse`` raises."""
    tree = parse(source)
    return script(tree) if kind is Kind.STDIN else tree


def probed(source: str, kind: Kind) -> Instrumented:
    """The program under probes. Raises SyntaxError, ValueError, RecursionError or MemoryError."""
    return instrument_tree(parsed(source, kind), source)


def kind_of(calls: Sequence[Call]) -> Kind:
    """What kind of program these calls are of."""
    return Kind.STDIN if any(call.function == MAIN for call in calls) else Kind.FUNCTION


def as_calls(verdict: Verdict, compare: Compare) -> Verdict:
    """The verdict on a whole program with its runs as calls of MAIN; those with a long input are left out."""
    if any(tested.call.function == MAIN for tested in verdict.calls):
        return verdict  # it is seen so already
    mode = compare.mode or "tokens"
    found = []
    for tested in verdict.calls:
        call = main_call(tested.call, mode)
        if call is not None:
            found.append(TestedCall(call, tested.test, tested.passed, main_result(tested.result, mode)))
    return replace(verdict, calls=tuple(found))


def main_call(one: Call, mode: str) -> Call | None:
    """The judge's call of a whole program, which holds its input, as a call of :data:`MAIN`; None for a long input."""
    try:
        given = wire.decode(one.arguments)
    except WireError:
        return None
    match given:
        case ((text,), {}):
            pass
        case _:
            return None
    if not isinstance(text, str) or len(text) > MAX_INPUT:
        return None
    return Call(MAIN, wire.encode(((text, mode), {})))


def main_result(result: CallResult, mode: str) -> CallResult:
    """What the judge saw of a run, in the form in which :data:`MAIN` answers."""
    if result.status is not CallStatus.VALUE:
        return result
    text = wire.decode(result.value)
    return CallResult(CallStatus.VALUE, wire.encode(normal(text if isinstance(text, str) else "", mode)))
