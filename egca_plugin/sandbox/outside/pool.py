"""Many sandboxes: N trusted worker processes behind one queue, with hard deadlines from outside.

    with Pool("egca_plugin.judging.handlers:judging", SandboxConfig()) as pool:
        verdicts = list(pool.map(payloads))

A thread owns each worker: it starts it, hands it one payload at a time, and kills and replaces it when it dies or
misses its deadline. A payload that costs two workers is given up, with WorkerLost or whatever ``on_lost`` makes of it;
the others never notice. Workers die with this process, and their zygotes and children with them.
"""

from __future__ import annotations

import asyncio
import logging
import os
import queue
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any

import egca_plugin
from egca_plugin.config import SandboxConfig
from egca_plugin.errors import EgcaError, SandboxError

ATTEMPTS = 2
START_S = 120.0
SERVER_PATIENCE = 10  # times the deadline, where every call of a test is a request to a server
GRACE_S = 2.0
_ROOT = str(Path(egca_plugin.__file__).parent.parent)
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from egca_plugin.sandbox.outside.worker import main; main(int(sys.argv[2]))"
)


logger = logging.getLogger(__name__)


class WorkerLost(SandboxError):
    """Two workers in a row died or hung over one payload."""


@dataclass(slots=True)
class _Job:
    payload: Any
    future: Future[Any] = field(default_factory=Future)
    has_slot: bool = False


class Pool:
    """``workers`` processes, each with the function that ``handler(sandbox, settings)`` returned.

    ``handler`` is ``"module:callable"``; payloads, results and settings must pickle. ``deadline_s``: wall clock for
    one payload, SERVER_PATIENCE times that with ``config.url``. ``queue_size``: payloads that may be under way before
    :meth:`submit` blocks (default: three a worker).
    """

    def __init__(
        self,
        handler: str,
        config: SandboxConfig | None = None,
        *,
        workers: int = 0,
        settings: Any = None,
        deadline_s: float = 120.0,
        queue_size: int = 0,
        on_lost: Callable[[Any, WorkerLost], Any] | None = None,
    ) -> None:
        self._config = config or SandboxConfig()
        self.workers = workers or self._config.workers or min(8, len(os.sched_getaffinity(0)))
        self._hello = (handler, self._config, settings)
        self._deadline_s = deadline_s if self._config.url is None else SERVER_PATIENCE * deadline_s
        self._on_lost = on_lost
        self._slots = threading.BoundedSemaphore(queue_size or 3 * self.workers)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._counting = threading.Lock()
        self.restarts = 0  # workers that were lost and replaced

    def __enter__(self) -> Pool:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start all workers and wait for them. Raises whatever kept one from starting, such as IsolationError."""
        if self._threads:
            return
        started: list[Future[None]] = [Future() for _ in range(self.workers)]
        self._threads = [
            threading.Thread(target=self._own_worker, args=(one,), name=f"egca-worker-{number}", daemon=True)
            for number, one in enumerate(started)
        ]
        for thread in self._threads:
            thread.start()
        try:
            for one in started:
                one.result()
        except BaseException:  # an interrupt too leaves no process behind; raised again
            self.close()
            raise

    def submit(self, payload: Any) -> Future[Any]:
        """Queue one payload; blocks while the queue is full. The future raises what the handler raised."""
        self._check_open()
        self._slots.acquire()
        job = _Job(payload, has_slot=True)
        self._jobs.put(job)
        return job.future

    def map(self, payloads: Iterable[Any]) -> Iterator[Any]:
        """Results in the order of ``payloads``, which are read only as fast as the workers go.

        Raises the first error.
        """
        for result in self.attempts(payloads):
            if isinstance(result, EgcaError):
                raise result
            yield result

    def attempts(self, payloads: Iterable[Any]) -> Iterator[Any]:
        """Like :meth:`map`, with the error that one payload met in its place: the others are done all the same."""
        waiting: deque[Future[Any]] = deque()
        try:
            for payload in payloads:
                waiting.append(self.submit(payload))
                while waiting and (waiting[0].done() or len(waiting) > 8 * self.workers):
                    yield _settled(waiting.popleft())
            while waiting:
                yield _settled(waiting.popleft())
        finally:
            for future in waiting:
                future.cancel()

    async def run(self, payload: Any) -> Any:
        """The result of one payload, for asyncio. Waits its turn without blocking the loop; cancelling gives it up."""
        self._check_open()
        job = _Job(payload)
        self._jobs.put(job)
        return await asyncio.wrap_future(job.future)

    def close(self) -> None:
        """Stop at once: payloads that still wait are cancelled, workers killed. Safe to call twice."""
        self._closing.set()
        while self._cancel_one():
            pass
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()
        self._threads = []

    def _check_open(self) -> None:
        if self._closing.is_set() or not self._threads:
            raise SandboxError("the pool is not running; use it as a context manager, or call start() first")

    def _cancel_one(self) -> bool:
        try:
            job = self._jobs.get_nowait()
        except queue.Empty:
            return False
        if job is not None:
            job.future.cancel()
            self._release(job)
        return True

    def _release(self, job: _Job) -> None:
        if job.has_slot:
            self._slots.release()

    # --- in the worker's own thread ---

    def _own_worker(self, started: Future[None]) -> None:
        """Started in this thread, which outlives it: the kernel ties PR_SET_PDEATHSIG to the starting thread."""
        try:
            worker = _Worker(self._hello, self._closing)
        except Exception as err:  # noqa: BLE001 - the thread's boundary: start() raises it
            started.set_exception(err)
            return
        started.set_result(None)
        try:
            while (job := self._jobs.get()) is not None and not self._closing.is_set():
                try:
                    if job.future.set_running_or_notify_cancel():
                        worker = self._do(job, worker)
                finally:
                    self._release(job)
        finally:
            worker.close(grace_s=GRACE_S)

    def _do(self, job: _Job, worker: _Worker) -> _Worker:
        """Settle the job's future; returns the worker that is left, which may be a new one."""
        lost = ""
        for _ in range(ATTEMPTS):
            try:
                kind, value = worker.ask(job.payload, self._deadline_s)
            except _Gone as err:
                lost = str(err)
                worker.close()
                if self._closing.is_set():
                    break
                logger.warning("egca: a worker process was lost and is replaced: %s", err)
                with self._counting:
                    self.restarts += 1
                try:
                    worker = _Worker(self._hello, self._closing)
                except SandboxError as start_error:
                    job.future.set_exception(start_error)
                    return worker
                continue
            except Exception as err:  # noqa: BLE001 - the payload does not pickle: its sender's error
                job.future.set_exception(err)
                return worker
            if kind == "result":
                job.future.set_result(value)
            else:
                job.future.set_exception(value)
            return worker
        self._give_up(job, WorkerLost(f"{ATTEMPTS} workers in a row were lost over one payload: {lost}"))
        return worker

    def _give_up(self, job: _Job, err: WorkerLost) -> None:
        if self._on_lost is None or self._closing.is_set():
            job.future.set_exception(err)
            return
        try:
            job.future.set_result(self._on_lost(job.payload, err))
        except Exception as own:  # noqa: BLE001 - the caller's function failed: its error
            job.future.set_exception(own)


def _settled(future: Future[Any]) -> Any:
    try:
        return future.result()
    except EgcaError as err:
        return err


class _Gone(Exception):
    """The worker died, hung past its deadline, or was told to stop."""


class _Worker:
    """One worker process. Raises SandboxError if it does not start."""

    def __init__(self, hello: tuple[str, SandboxConfig, Any], closing: threading.Event) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-B", "-c", _BOOT, _ROOT, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # tests and references may print; the command's output is its own
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._connection = Connection(ours.detach())
        self._closing = closing
        try:
            self._connection.send((list(sys.path), *hello))
            kind, value = self._answer(START_S)
        except (_Gone, OSError) as err:
            self.close()
            raise SandboxError(f"a worker process did not start: {err}") from err
        except BaseException:  # as in Pool.start
            self.close()
            raise
        if kind != "ready":
            self.close()
            raise value

    def ask(self, payload: Any, deadline_s: float) -> tuple[str, Any]:
        """Raises _Gone."""
        try:
            self._connection.send(payload)
        except OSError as err:
            raise _Gone(f"the worker died: {err}") from err
        return self._answer(deadline_s)

    def _answer(self, deadline_s: float) -> tuple[str, Any]:
        left = deadline_s
        while not self._connection.poll(min(left, 0.1)):
            left -= 0.1
            if left <= 0:
                raise _Gone(f"no answer within {deadline_s:g} s")
            if self._closing.is_set():
                raise _Gone("the pool was closed")
        try:
            kind, value = self._connection.recv()
        except (EOFError, OSError) as err:
            raise _Gone(f"the worker died with status {self._process.poll()}") from err
        return kind, value

    def close(self, *, grace_s: float = 0.0) -> None:
        """Kill it, after ``grace_s`` to close its sandbox and leave by itself. The kernel ends its zygote with it."""
        self._connection.close()
        try:
            self._process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
