"""Runs inside the candidate's process: load a program, answer calls, and know nothing else.

Commands and records are frames with a 32-bit length. Commands come from the trusted side, so marshal will do:

    ("load", program, budget | None, seed)      program: source text, or marshalled code as bytes
    ("compile", program)                        only that, to tell a death of the compiler from a death of the program
    ("call", function, arguments)               arguments: the wire form of (args, kwargs)

Every one is answered by a record, a wire value ``(status, value, arguments_after, error_type, error_base,
error_message, line, steps, events, lines)``; the status of what does not compile is "compile".

Nothing here is trusted: a candidate may patch all of it, and gains only the right to say which values it returns.
Standard library only.
"""

from __future__ import annotations

import builtins
import gc
import marshal
import os
import struct
import sys
import types
from collections.abc import Mapping
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import clock, wire
from egca_plugin.sandbox.probes import Budget, BudgetSpent, Probes

FILENAME = "<program>"
MODULE = "program"
MAX_MESSAGE = 300
_READ = 1 << 16
_count = struct.Struct("<I")
_IMMUTABLE = frozenset({type(None), bool, int, float, complex, str, bytes, range})
_NO_EVENTS: tuple[Any, ...] = ((), ())
_NONE = wire.encode(None)

Record = tuple[Any, ...]
_LOADED: Record = ("value", _NONE, b"", "", "", "", None, 0, *_NO_EVENTS)
_LOADED_FRAME = wire.encode(_LOADED)  # the one record that nearly every child sends


def serve(fd: int, ticks: clock.Clock, modules: Mapping[str, Mapping[str, Any]]) -> None:
    """Answer commands on ``fd`` until it closes. ``modules``: what each watched module held before any candidate."""
    frames = _Frames(fd)
    program = _Program(ticks)
    fresh = True
    while (frame := frames.read()) is not None:
        command, *operands = marshal.loads(frame)
        if command == "load":
            if not fresh:
                _restore(modules)
                clock.reseed(ticks, 0)
            fresh = False
            record = program.load(*operands)
        elif command == "compile":
            record = program.compile(*operands)
        else:
            record = program.call(*operands)
        frames.write(_LOADED_FRAME if record is _LOADED else wire.encode(record, max_bytes=2 * wire.MAX_BYTES))


class _Frames:
    def __init__(self, fd: int) -> None:
        self._fd, self._buffer = fd, b""
        self._os_read, self._os_write = os.read, os.write

    def read(self) -> bytes | None:
        buffer = self._buffer
        while len(buffer) < 4 or len(buffer) < (size := 4 + _count.unpack_from(buffer)[0]):
            more = self._os_read(self._fd, _READ)
            if not more:
                return None
            buffer += more
        self._buffer = buffer[size:]
        return buffer[4:size]

    def write(self, body: bytes) -> None:
        data = memoryview(_count.pack(len(body)) + body)
        while data:
            data = data[self._os_write(self._fd, data) :]


class _Program:
    """The loaded program's namespace, and its probes if it is instrumented."""

    def __init__(self, ticks: clock.Clock) -> None:
        self._clock = ticks
        self._namespace: dict[str, Any] = {}
        self._probes: Probes | None = None

    def load(self, program: str | bytes, budget: tuple[int, int, int] | None, seed: int) -> Record:
        module = types.ModuleType(MODULE)
        sys.modules[MODULE] = module
        self._namespace = module.__dict__
        self._probes = Probes(Budget(*budget)) if budget else None
        if self._probes is not None:
            self._namespace.update(self._probes.functions())
        if seed:  # the zygote's own state is that of seed 0
            clock.reseed(self._clock, seed)
        try:
            code = _compiled(program)
        except BaseException as err:  # noqa: BLE001 - the boundary: SyntaxError, ValueError, MemoryError ...
            return self._failure(err, "compile")
        try:
            exec(code, self._namespace)  # noqa: S102 - what this process is for
        except BaseException as err:  # noqa: BLE001 - the boundary: whatever the program raises is its answer
            return self._failure(err)
        return _LOADED if self._probes is None else self._record("value", _NONE)

    def compile(self, program: str | bytes) -> Record:
        try:
            _compiled(program)
        except BaseException as err:  # noqa: BLE001 - the boundary, as above
            return self._failure(err, "compile")
        return self._record("value", _NONE)

    def call(self, function: str, arguments: bytes) -> Record:
        if self._probes is not None:
            self._probes.reset()
        if function not in self._namespace:
            return self._failure(NameError(f"name {function!r} is not defined"))
        try:
            args, kwargs = wire.decode(arguments, build=self._build)
            encoded = wire.encode(self._namespace[function](*args, **kwargs))
            after = _changed(args, kwargs, arguments)
        except BaseException as err:  # noqa: BLE001 - the boundary, as above
            return self._failure(err)
        return self._record("value", encoded, after)

    def _build(self, name: str, attributes: dict[str, Any]) -> Any:
        """An instance of the program's own class ``name``, or of a bare one, with these attributes."""
        kind = self._namespace.get(name)
        instance: Any = object.__new__(kind if isinstance(kind, type) else type(name, (), {}))
        instance.__dict__.update(attributes)
        return instance

    def _record(
        self, status: str, value: bytes = b"", after: bytes = b"", error: tuple[Any, ...] = ("", "", "", None)
    ) -> Record:
        probes = self._probes
        if probes is None:
            return (status, value, after, *error, 0, *_NO_EVENTS)
        if probes.spent:
            status, value, after = "budget", b"", b""
        return (status, value, after, *error, probes.steps, tuple(probes.events), tuple(probes.lines))

    def _failure(self, err: BaseException, status: str = "exception") -> Record:
        if isinstance(err, BudgetSpent):
            return self._record("budget")
        if isinstance(err, WireError):
            return self._record("refused", error=("", "", _text(err), None))
        try:
            error = (type(err).__name__[:100], _builtin_base(err), _text(err), _line(err))
        except BaseException:  # noqa: BLE001 - a hostile exception class
            error = ("Exception", "Exception", "", None)
        if status == "exception" and isinstance(err, MemoryError):
            status = "memory"
        return self._record(status, error=error)


def _compiled(program: str | bytes) -> types.CodeType:
    if isinstance(program, bytes):
        code: types.CodeType = marshal.loads(program)  # from the trusted side
        return code
    return compile(program, FILENAME, "exec", dont_inherit=True, optimize=0)


def _changed(args: tuple[Any, ...], kwargs: dict[str, Any], before: bytes) -> bytes:
    """The arguments' wire form where the call changed them in place, else ``b""``.

    Raises WireError where what was put in there cannot cross: a change must not be hidden so.
    """
    if not kwargs and all(type(arg) in _IMMUTABLE for arg in args):
        return b""
    after = wire.encode((args, kwargs), objects=True)
    return after if after != before else b""


def _text(err: BaseException) -> str:
    try:
        return str(err)[:MAX_MESSAGE]
    except BaseException:  # noqa: BLE001 - a hostile __str__
        return ""


def _builtin_base(err: BaseException) -> str:
    """The nearest builtin exception class."""
    names = (str(kind.__name__) for kind in type(err).__mro__ if vars(builtins).get(kind.__name__) is kind)
    return next(names)


def _line(err: BaseException) -> int | None:
    """The program's line that raised, or at which it does not compile."""
    line = err.lineno if isinstance(err, SyntaxError) and err.filename == FILENAME else None
    trace = err.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == FILENAME:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def watch(modules: list[types.ModuleType]) -> dict[str, dict[str, Any]]:
    """What :func:`serve` puts back between two programs in one child."""
    return {module.__name__: dict(vars(module)) for module in [*modules, builtins]}


def _restore(modules: Mapping[str, Mapping[str, Any]]) -> None:
    """Undo what the last program did to the interpreter that its successor would notice."""
    sys.settrace(None)
    sys.setprofile(None)
    sys.setrecursionlimit(1000)
    gc.callbacks.clear()
    for name, content in modules.items():
        namespace = vars(sys.modules[name]) if name in sys.modules else {}
        namespace.update(content)
        if len(namespace) != len(content):
            for extra in [key for key in namespace if key not in content]:
                del namespace[extra]
    if "decimal" in sys.modules:
        sys.modules["decimal"].setcontext(sys.modules["decimal"].Context())
