"""A task's checker: source of ``check(stdin, output, expected) -> bool``, for outputs of which several are right.

The checker is the task's, so it is trusted as tests are; what it reads is not. It runs in a process of its own for each
verdict, which sees three texts and nothing of the program's process, and is bounded in memory and time. One that raises
over an output has not accepted it: a checker that can accept nothing is found by ``egca preflight``, where it refuses
the reference.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

import egca_plugin
from egca_plugin.errors import SandboxError, TaskError
from egca_plugin.judging import checking

MAX_OUTPUT = 4 << 20  # bytes that a checker is asked to read
WAITING = 6  # times its CPU time a question may take by the clock
_ROOT = str(Path(egca_plugin.__file__).parent.parent)
_BOOT = "import sys; sys.path.append(sys.argv[1]); from egca_plugin.judging.checking import main; main()"


class Checker:
    """A task's ``check``, a context manager. The process starts with the first question.

    Raises TaskError for source that does not compile, fails, or defines no ``check``; SandboxError where no process can
    be had.
    """

    def __init__(self, source: str, task_id: str) -> None:
        self._source, self._task_id = source, task_id
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Checker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def difference(self, stdin: str, output: bytes, expected: tuple[str, ...]) -> str:
        """Why no expected output makes the checker accept this one; empty where one does."""
        if len(output) > MAX_OUTPUT:
            return f"the checker reads at most {MAX_OUTPUT:,} bytes, got {len(output):,}"
        reason = ""
        for one in expected or ("",):
            if self._process is None:
                self._start()
            question = tuple(text.encode("utf-8", "surrogateescape") for text in (stdin, one))
            answer = self._ask((question[0], output, question[1]))
            if answer == "":
                return ""
            reason = reason or answer
        return reason

    def _start(self) -> None:
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-s", "-B", "-c", _BOOT, _ROOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as err:
            raise SandboxError(f"no process for the checker can be started: {err}") from err
        why = self._ask((list(sys.path), self._source))
        if why:
            self._end()
            raise TaskError(f"{self._task_id}, field checker: {why}")

    def _ask(self, question: Any) -> str:
        """The answer, or what the end of the process says."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        alarm = threading.Timer(WAITING * checking.CPU_S, process.kill)
        alarm.daemon = True
        alarm.start()
        try:
            checking.write(process.stdin, question)
            answer = checking.read(process.stdout)
        except (OSError, EOFError, ValueError):
            answer = None
        finally:
            alarm.cancel()
        if isinstance(answer, str):
            return answer
        self._end()
        return f"the checker came to no end within {checking.CPU_S} s, or ended its process"

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    pass  # it died before it read the question
        process.wait()
