"""Runs inside the candidate's process: load a program, answer calls, and know nothing else.

Commands and records are frames with a 32-bit length. Commands come from the trusted side, so marshal will do:

    ("load", program, budget | None, seed)      program: source text, or marshalled code as bytes
    ("compile", program)                        only that, to tell a death of the compiler from a death of the program
    ("call", function, arguments, take, clock, seeds)  ``f``; the wire form of (args, kwargs); see keeping
    ("script", program, budget | None, seed)    run it as ``__main__`` on the descriptors 0 and 1, to its very end
    ("limit", seconds)                          of CPU time for what follows; past them the process dies, by SIGVTALRM

All but the last are answered by a record, a wire value ``(status, value, arguments_after, error_type, error_base,
error_message, line, steps, events, lines)``, and what was heard and the time where that was asked; the status of
what does not compile is "compile", and the value of a script is its exit status.

Nothing here is trusted: a candidate may patch all of it, and gains only the right to say which values it returns.
Standard library only.
"""

from __future__ import annotations

import builtins
import gc
import marshal
import os
import signal
import struct
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside import clock, functions, hearing, keeping, limits, script
from egca_plugin.sandbox.inside.probes import Budget, BudgetSpent, Probes

FILENAME = "<program>"
MODULE = "program"
MAX_MESSAGE = 300
MAX_RECORD = 2 * wire.MAX_BYTES
_READ = 1 << 16
_count = struct.Struct("<I")
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
        if command == "limit":
            signal.setitimer(signal.ITIMER_VIRTUAL, *operands)
            continue
        if command in ("load", "script"):
            if not fresh:
                _restore(modules)
                clock.reseed(ticks, 0)
            fresh = False
            record = program.load(*operands) if command == "load" else program.script(frames.write, *operands)
        elif command == "compile":
            record = program.compile(*operands)
        else:
            record = program.call(*operands)
        frames.write(_LOADED_FRAME if record is _LOADED else wire.encode(record, max_bytes=MAX_RECORD))


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
        wire.Others.owner = "the tests' own"
        wire.Sides.told, wire.Sides.made = functions.told, functions.made
        self._namespace: dict[str, Any] = {}
        self._keeper = keeping.Keeper(self._namespace)
        self._probes: Probes | None = None

    def load(self, program: str | bytes, budget: tuple[int, int, int] | None, seed: int) -> Record:
        code = self._prepare(MODULE, program, budget, seed)
        if isinstance(code, tuple):
            return code
        try:
            exec(code, self._namespace)  # noqa: S102 - what this process is for
        except BaseException as err:  # noqa: BLE001 - the boundary: whatever the program raises is its answer
            return self._failure(err)
        return _LOADED if self._probes is None else self._record("value", _NONE)

    def script(
        self, say: Callable[[bytes], None], program: str | bytes, budget: tuple[int, int, int] | None, seed: int
    ) -> Record:
        """Run it to its end. ``say`` sends the record of a traced program that ends its process itself."""
        code = self._prepare("__main__", program, budget, seed)
        if isinstance(code, tuple):
            return code
        self._namespace["__file__"] = "program.py"  # which is nowhere; programs look for input files beside it
        if self._probes is not None:
            script.before_exit(lambda status: say(wire.encode(self._exited(status, gone=True), max_bytes=MAX_RECORD)))
        raised: Record | None = None
        script.begin(further=self._probes is not None)
        try:
            exec(code, self._namespace)  # noqa: S102 - as above
        except SystemExit as err:
            status = script.exit_status(err)
            raised = self._exited(status) if status else None
        except BaseException as err:  # noqa: BLE001 - the boundary, as above
            raised = self._failure(err)
        try:
            of_thread = script.end(self._namespace)  # whatever it has left to say, after a crash too
        except BaseException as err:  # noqa: BLE001 - the boundary, as above
            return raised or self._failure(err)
        if raised is not None or of_thread is None:
            return raised or self._exited(0)
        status, _, *rest = self._failure(of_thread, "value")
        return (status, wire.encode(0), *rest)

    def _exited(self, status: int, *, gone: bool = False) -> Record:
        value = wire.encode((status,) if gone else status)  # with which the process has gone, or would have
        if not status:
            return self._record("value", value)
        return self._record("exception", value, error=("SystemExit", "BaseException", f"exit status {status}", None))

    def _prepare(
        self, name: str, program: str | bytes, budget: tuple[int, int, int] | None, seed: int
    ) -> types.CodeType | Record:
        """A fresh module ``name``, and the code that is to fill it; a record where it does not compile."""
        module = types.ModuleType(name)
        sys.modules[name] = module
        self._namespace = module.__dict__
        self._keeper = keeping.Keeper(self._namespace)
        self._probes = Probes(Budget(*budget)) if budget else None
        if self._probes is not None:
            self._namespace.update(self._probes.functions())
        if seed:  # the zygote's own state is that of seed 0
            clock.reseed(self._clock, seed)
        limits.begin()  # one frame more than will be left, since some interpreters count `exec` as one
        try:
            return _compiled(program)
        except BaseException as err:  # noqa: BLE001 - the boundary: SyntaxError, ValueError, MemoryError ...
            return self._failure(err, "compile")

    def compile(self, program: str | bytes) -> Record:
        try:
            _compiled(program)
        except BaseException as err:  # noqa: BLE001 - the boundary, as above
            return self._failure(err, "compile")
        return self._record("value", _NONE)

    def call(
        self,
        function: str,
        arguments: bytes,
        take: int | None = None,
        now: int = 0,
        seeds: tuple[tuple[str, Any], ...] = (),
    ) -> Record:
        self._clock.now = max(self._clock.now, now)
        clock.draw_anew(seeds)
        if take not in (wire.HEARD, wire.LASTING):
            return self._call(function, arguments, take)
        with hearing.Hearing() as heard:
            record = self._call(function, arguments, take)
        try:
            heard.check()
        except WireError as err:
            return self._failure(err)
        return (*record, *heard.told, self._clock.now)

    def _call(self, function: str, arguments: bytes, take: int | None) -> Record:
        if self._probes is not None:
            self._probes.reset()
        try:
            encoded, after = self._keeper.answer(function, arguments, take)
        except BaseException as err:  # noqa: BLE001 - the boundary, as above
            live = keeping.is_live(take)
            value, after = (keeping.exception(err), self._keeper.after) if live else (b"", b"")
            return self._failure(err, value=value, after=after)
        return self._record("value", encoded, after)

    def _record(
        self, status: str, value: bytes = b"", after: bytes = b"", error: tuple[Any, ...] = ("", "", "", None)
    ) -> Record:
        probes = self._probes
        if probes is None:
            return (status, value, after, *error, 0, *_NO_EVENTS)
        if probes.spent:
            status, value, after = "budget", b"", b""
        return (status, value, after, *error, probes.steps, tuple(probes.events), tuple(probes.lines))

    def _failure(self, err: BaseException, status: str = "exception", value: bytes = b"", after: bytes = b"") -> Record:
        if isinstance(err, BudgetSpent):
            return self._record("budget")
        if isinstance(err, (WireError, wire.Refusal)):
            return self._record("refused", error=("", "", _text(err), None))
        try:
            error = (type(err).__name__[:100], _builtin_base(err), _text(err), _line(err))
        except BaseException:  # noqa: BLE001 - a hostile exception class
            error = ("Exception", "Exception", "", None)
        if status == "exception" and isinstance(err, MemoryError):
            status = "memory"
        return self._record(status, value, after, error=error)


def _compiled(program: str | bytes) -> types.CodeType:
    if isinstance(program, bytes):
        code: types.CodeType = marshal.loads(program)  # from the trusted side
        return code
    return compile(program, FILENAME, "exec", dont_inherit=True, optimize=0)


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
    limits.restore()
    gc.callbacks.clear()
    for name, content in modules.items():
        namespace = vars(sys.modules[name]) if name in sys.modules else {}
        namespace.update(content)
        if len(namespace) != len(content):
            for extra in [key for key in namespace if key not in content]:
                del namespace[extra]
    if "decimal" in sys.modules:
        sys.modules["decimal"].setcontext(sys.modules["decimal"].Context())
