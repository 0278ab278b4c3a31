"""Threads for programs that start some, in a process that may start none.

A handful is started before the system call filter is put on, and waits. ``_thread.start_new_thread`` lends the program
one that is idle, the one with the largest stack first: programs start a thread for the recursion that it bears. Their
number and their stacks are bounded by what there is, whatever the program asks for.

Standard library only: this runs in the candidate's process.
"""

from __future__ import annotations

import _thread
import importlib
import os
from collections.abc import Callable, Mapping
from typing import Any

STACKS = (256 << 20, *[8 << 20] * 15)  # bytes; a page of it costs memory once it is used
OWN = 1 << 20  # what a thread maps beside its stack, amply
_start = _thread.start_new_thread
_sentinel: Callable[[], Any] = vars(_thread)["_set_sentinel"]


def lend() -> int:
    """Start the threads and have the program's come from them. Returns the bytes of address space that they take."""
    threading: Any = importlib.import_module("threading")  # not in the zygote, where every child would pay for it
    pool = _Pool()
    _thread.start_new_thread = _thread.start_new = pool.start
    vars(_thread)["_set_sentinel"], vars(_thread)["_count"] = pool.sentinel, pool.count
    threading._start_new_thread, threading._set_sentinel = pool.start, pool.sentinel
    os.cpu_count = lambda: 1  # by which executors choose how many they start
    return sum(STACKS) + OWN * len(STACKS)


class _Pool:
    def __init__(self) -> None:
        self._workers: dict[int, _Worker] = {}
        before = _thread.stack_size()
        for size in STACKS:
            _thread.stack_size(size)
            worker = _Worker(self)
            worker.ident = _start(worker.run, ())
            self._workers[worker.ident] = worker
        _thread.stack_size(before)
        self.idle = list(self._workers.values())[::-1]

    def start(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Any = None, /) -> int:
        """As ``_thread.start_new_thread``."""
        if not self.idle:
            raise RuntimeError("can't start new thread")
        worker = self.idle.pop()
        worker.do(function, args, kwargs or {})
        return worker.ident

    def count(self) -> int:
        """As ``_thread._count``: threads that run something, beside the main one."""
        return len(self._workers) - len(self.idle)

    def sentinel(self) -> Any:
        """As ``_thread._set_sentinel``: a lock that the end of the calling thread releases."""
        worker = self._workers.get(_thread.get_ident())
        if worker is None:
            return _sentinel()
        worker.sentinel = _thread.allocate_lock()
        return worker.sentinel


class _Worker:
    """A thread that runs one function after another."""

    def __init__(self, pool: _Pool) -> None:
        self._pool = pool
        self._called = _thread.allocate_lock()
        self._called.acquire()
        self._task: tuple[Callable[..., Any], tuple[Any, ...], Mapping[str, Any]] | None = None
        self.ident = 0
        self.sentinel: Any = None

    def do(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Once it is idle."""
        self._task = function, args, kwargs
        self._called.release()

    def run(self) -> None:
        while True:
            self._called.acquire()
            assert self._task is not None
            function, args, kwargs = self._task
            try:
                function(*args, **kwargs)
            except BaseException:  # noqa: BLE001 - as with any thread, it ends with its function
                pass
            del function, args, kwargs
            self._task, sentinel, self.sentinel = None, self.sentinel, None
            self._pool.idle.append(self)  # before it is joined: the next may want its stack
            if sentinel is not None and sentinel.locked():
                sentinel.release()
