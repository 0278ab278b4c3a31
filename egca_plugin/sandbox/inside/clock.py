"""Determinism: a logical clock and seeded randomness, put in place before any candidate exists.

Every reading of the clock moves it on by a millisecond, and sleeping moves it without waiting: a program sees time
pass, sees the same times in every run, and sees the host's clock neither through ``time`` nor through ``datetime``,
nor in what ``os`` and ``resource`` tell of the process, nor in how long ``select`` and ``poll`` wait. Importing a
built-in module anew gives the one that is there.

Standard library only: this runs in the zygote.
"""

from __future__ import annotations

import _imp
import _random
import _thread
import ctypes
import gc
import os
import posix
import resource
import select
import sys
import time
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

_register = os.register_at_fork
os.register_at_fork = lambda **_: None  # `random` would have every child start from the system's entropy
import random  # noqa: E402

os.register_at_fork = _register

START_NS = 1_700_000_000 * 1_000_000_000
TICK_NS = 1_000_000


class Clock:
    """Stands in for the clock functions of the module ``time``; ``entropy`` for the system's randomness."""

    def __init__(self) -> None:
        self.now = START_NS
        self.entropy = random.Random(0)

    def read_ns(self) -> int:
        self.now += TICK_NS
        return self.now

    def read(self) -> float:
        return self.read_ns() / 1e9

    def sleep(self, seconds: float, /) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.now += int(seconds * 1e9)


def begins(seed: int) -> int:
    """When a program's time begins, in nanoseconds."""
    return START_NS + seed * 86_400 * 1_000_000_000


def install() -> Clock:
    """Replace the sources of nondeterminism of the standard library that programs use."""
    clock = Clock()
    replace_time(clock, time)
    replace_now(clock)
    _replace_process(clock)
    _replace_waiting(clock)
    _keep_builtins(time, posix)
    sys.modules["_uuid"] = None  # type: ignore[assignment]  # uuid1 would ask the system; without it, it asks `time`
    os.urandom = posix.urandom = random._urandom = clock.entropy.randbytes  # type: ignore[attr-defined]
    os.getrandom = posix.getrandom = lambda size, flags=0: clock.entropy.randbytes(size)
    seed = random.Random.seed

    def seeded(self: random.Random, a: Any = None, version: int = 2) -> None:
        seed(self, 0 if a is None else a, version)

    class Seeded(_random.Random):
        def __init__(self, a: Any = None) -> None:
            self.seed(a)

        def seed(self, a: Any = None, /) -> None:
            super().seed(0 if a is None else a)

    _random.Random = Seeded  # type: ignore[misc]
    random.Random.seed = seeded  # type: ignore[method-assign]
    random.seed = random._inst.seed
    random.seed(0)
    return clock


def reseed(clock: Clock, seed: int) -> None:
    """Start over: the same ``seed``, the same numbers and times."""
    clock.now = begins(seed)
    clock.entropy.seed(seed)
    random.seed(seed)
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed(seed)


def draw_anew(seeds: Iterable[tuple[str, Any]]) -> None:
    """Seed ``random`` or ``numpy.random`` as the tests did."""
    for name, seed in seeds:
        if name in sys.modules:
            sys.modules[name].seed(seed)


def replace_time(clock: Clock, module: Any) -> None:
    """In ``module``, which has what the module ``time`` has."""
    for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time"):
        setattr(module, name, clock.read)
        setattr(module, f"{name}_ns", clock.read_ns)
    module.sleep = clock.sleep
    module.clock_gettime = lambda which, /: clock.read()
    module.clock_gettime_ns = lambda which, /: clock.read_ns()
    for read in (module.localtime, module.gmtime, module.ctime):
        setattr(module, read.__name__, _at(clock, read))
    asctime, strftime, localtime = module.asctime, module.strftime, module.localtime
    module.asctime = lambda moment=None, /: asctime(localtime() if moment is None else moment)
    module.strftime = lambda form, moment=None, /: strftime(form, localtime() if moment is None else moment)


def _at(clock: Clock, read: Callable[[float], Any]) -> Callable[..., Any]:
    return lambda seconds=None, /: read(clock.read() if seconds is None else seconds)


def replace_now(clock: Clock) -> None:
    """``datetime.now`` and ``utcnow`` read the host's clock in C (``today`` asks ``time``).

    A subclass in the place of ``datetime`` would make values of two types, of which one would not cross the wire. So
    the two methods are exchanged within the type itself, which Python code cannot do: by its own dict, which the
    collector knows, and a word to the interpreter that it has changed.
    """
    try:
        from _datetime import datetime, timezone  # type: ignore[import-not-found]
    except ImportError:
        return  # the version in Python asks `time`

    def now(cls: Any, tz: Any = None) -> Any:
        return cls.fromtimestamp(clock.read(), tz)

    def utcnow(cls: Any) -> Any:
        return cls.fromtimestamp(clock.read(), timezone.utc).replace(tzinfo=None)

    (methods,) = (one for one in gc.get_referents(vars(datetime)) if type(one) is dict)
    methods["now"], methods["utcnow"] = classmethod(now), classmethod(utcnow)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime))


def _replace_process(clock: Clock) -> None:
    """What the kernel tells of this process and its host, as of a process alone on a host, by the logical clock."""

    def times() -> os.times_result:
        seconds = clock.read() - START_NS / 1e9
        return os.times_result((seconds, 0.0, 0.0, 0.0, seconds))

    def getrusage(who: int, /) -> resource.struct_rusage:
        return resource.struct_rusage((times().user, *[0] * 15))

    resource.getrusage = getrusage
    for name, answer in (("times", times), ("getpid", lambda: 2), ("getloadavg", lambda: (0.0, 0.0, 0.0))):
        setattr(os, name, answer)
        setattr(posix, name, answer)


def _replace_waiting(clock: Clock) -> None:
    """Waiting for descriptors moves the clock, as sleeping does; with threads about, of which one may write, it waits.

    Without a time limit it waits in any case.
    """
    wait_select, make_poll = select.select, select.poll

    def limit(seconds: float | None) -> float | None:
        if seconds is None or seconds < 0 or _thread._count():
            return seconds
        clock.now += int(seconds * 1e9)
        return 0

    class Poll:
        def __init__(self) -> None:
            self._poll = make_poll()
            self.register, self.modify = self._poll.register, self._poll.modify
            self.unregister = self._poll.unregister

        def poll(self, timeout: float | None = None, /) -> list[tuple[int, int]]:
            allowed = limit(None if timeout is None else timeout / 1e3)
            return self._poll.poll(None if allowed is None else allowed * 1e3)

    def select_(reading: Any, writing: Any, special: Any, timeout: float | None = None, /) -> Any:
        return wait_select(reading, writing, special, limit(timeout))

    select.select, select.poll = select_, Poll  # type: ignore[assignment,misc]


def _keep_builtins(*modules: ModuleType) -> None:
    """Whoever takes one out of ``sys.modules`` and imports it again, or makes it by hand, gets the same."""
    create, execute = _imp.create_builtin, _imp.exec_builtin
    known = {module.__name__: module for module in modules}
    _imp.create_builtin = lambda spec, /: known.get(spec.name) or create(spec)
    _imp.exec_builtin = lambda module, /: 0 if module in known.values() else execute(module)
