"""Runs programs while the *corpus* is built: our own mutants of trusted references, in a child with limits.

Nothing here judges a rollout. The benchmark itself judges and localises in the package's sandbox.
"""

from __future__ import annotations

import contextlib
import copy
import io
import multiprocessing
import resource
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from egca_plugin.types import Task

MAX_CALLS = 25  # recorded inputs on which behaviour is compared
MEMORY_BYTES = 1 << 30  # on top of what the parent holds

Args = tuple[tuple[Any, ...], dict[str, Any]]
Answer = tuple[Any, ...]  # ("value", result, arguments after) | ("raised", type name) | ("timeout",)


class Deadline(BaseException):
    """Raised by the timer. Not an Exception, so that a program's own ``except Exception`` lets it pass."""


@contextlib.contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise :class:`Deadline` in the block after ``seconds`` of wall clock, and again every 50 ms if it was caught."""

    def fire(signum: int, frame: FrameType | None) -> None:
        raise Deadline

    old = signal.signal(signal.SIGALRM, fire)
    signal.setitimer(signal.ITIMER_REAL, seconds, 0.05)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


class Bench:
    """One task, ready to tell whether programs pass its tests and whether two programs behave alike."""

    def __init__(self, task: Task, seconds: float = 0.5) -> None:
        self.task = task
        self.seconds = seconds
        tests = task.tests if isinstance(task.tests, str) else "\n".join(task.tests)
        self._tests = compile(task.setup + "\n" + tests, "<tests>", "exec")
        self._preamble = compile(task.preamble, "<preamble>", "exec")
        self.inputs: list[Args] = []
        self.sound = self._test(compile(task.reference, "<reference>", "exec"), record=True)

    def passes(self, source: str) -> bool:
        """True where ``source`` compiles and passes every test within the deadline."""
        code = _compiled(source)
        return code is not None and self._test(code)

    def behaviour(self, source: str) -> list[Answer]:
        """What ``source`` answers to each recorded input, up to the first timeout."""
        code = _compiled(source)
        if code is None:
            return [("broken",)]
        answers: list[Answer] = []
        for inputs in self.inputs:
            answers.append(self._answer(code, inputs))
            if answers[-1] == ("timeout",):
                break
        return answers

    def _test(self, code: CodeType, record: bool = False) -> bool:
        try:
            with deadline(self.seconds * 4), quiet():
                namespace = self._namespace(code)
                candidate = self._candidate(namespace)
                if record:
                    candidate = self._recorder(candidate)
                namespace[self.task.entry_point] = candidate
                exec(self._tests, namespace)  # noqa: S102 our own mutant or a public reference, in a child with limits
                if isinstance(self.task.tests, str):
                    namespace["check"](candidate)
            return True
        except (Exception, SystemExit, Deadline):  # noqa: BLE001 whatever a mutant raises means that it fails
            return False

    def _answer(self, code: CodeType, inputs: Args) -> Answer:
        args, kwargs = copy.deepcopy(inputs)
        try:
            with deadline(self.seconds), quiet():
                result = self._candidate(self._namespace(code))(*args, **kwargs)
                return ("value", result, args)
        except (Exception, SystemExit) as error:  # noqa: BLE001 the type raised is the behaviour that is compared
            return ("raised", type(error).__name__)
        except Deadline:
            return ("timeout",)

    def _namespace(self, code: CodeType) -> dict[str, Any]:
        namespace: dict[str, Any] = {"__name__": "program"}
        exec(self._preamble, namespace)  # noqa: S102 as above
        exec(code, namespace)  # noqa: S102 as above
        return namespace

    def _candidate(self, namespace: dict[str, Any]) -> Callable[..., Any]:
        """The function, or the method of a fresh instance a call."""
        owner, _, name = self.task.entry_point.rpartition(".")
        if not owner:
            return namespace[name]  # type: ignore[no-any-return]
        return lambda *args, **kwargs: getattr(namespace[owner](), name)(*args, **kwargs)

    def _recorder(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def record(*args: Any, **kwargs: Any) -> Any:
            if len(self.inputs) < MAX_CALLS:
                self.inputs.append(copy.deepcopy((args, kwargs)))
            return function(*args, **kwargs)

        return record


def alike(left: list[Answer], right: list[Answer]) -> bool:
    """Equal answers, types included at the top."""
    if len(left) != len(right):
        return False
    for a, b in zip(left, right, strict=True):
        try:
            if a[0] != b[0] or type(a[-1]) is not type(b[-1]) or not bool(a == b):
                return False
        except (Exception, Deadline):  # noqa: BLE001 values that cannot be compared are not known to be equal
            return False
    return True


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


def _compiled(source: str) -> CodeType | None:
    try:
        return compile(source, "<program>", "exec")
    except (SyntaxError, ValueError, RecursionError):
        return None


def in_child(work: Callable[[Task], Iterator[Any]], task: Task, seconds: float) -> list[Any]:
    """What ``work(task)`` yields in a forked child of bounded memory; what came before ``seconds`` where it hangs."""
    context = multiprocessing.get_context("fork")
    receive, send = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(work, task, send), daemon=True)
    child.start()
    send.close()
    found: list[Any] = []
    try:
        while receive.poll(seconds):
            found.append(receive.recv())
    except EOFError:
        pass
    finally:
        child.kill()
        child.join()
        receive.close()
    return found


def _serve(work: Callable[[Task], Iterator[Any]], task: Task, send: Any) -> None:
    warnings.simplefilter("ignore", SyntaxWarning)  # about the programs, not about us
    ours = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()  # a fork has its parent's
    resource.setrlimit(resource.RLIMIT_AS, (ours + MEMORY_BYTES, ours + MEMORY_BYTES))
    for item in work(task):
        send.send(item)
    send.close()
