"""The trusted side's hold on one :mod:`egca_plugin.judging.server`."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import egca_plugin
from egca_plugin.errors import SandboxError
from egca_plugin.judging import messages
from egca_plugin.judging.checks import Checks
from egca_plugin.judging.messages import Answer, Job, Said

START_S = 30.0
GRACE_S = 2.0
_ROOT = str(Path(egca_plugin.__file__).parent.parent)
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); sys.path.remove(''); "
    "from egca_plugin.judging import quiet; quiet.begin(); "
    "from egca_plugin.judging.server import main; main(int(sys.argv[2]))"
)
# The same order of sets in every run; symbols bound once; one arena, since each thread's would count as address space.
_SETTINGS = {
    "PYTHONHASHSEED": "0", "TZ": "UTC", "LD_BIND_NOW": "1", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}  # fmt: skip


class JudgeServer:
    """Started with the first job. Whatever the process that has it has imported or started: nothing of it is forked."""

    def __init__(self) -> None:
        self._running: _Running | None = None
        self._checks: Checks | None = None  # those that the server has

    def start(self) -> None:
        """Raises SandboxError where no server can be had."""
        if self._running is None:
            self._running, self._checks = _Running(), None

    def ask(self, job: Job, checks: Checks, descriptors: Sequence[int]) -> Answer:
        """Have ``job`` judged by ``checks``. Raises SandboxError where no server can be had."""
        self.start()
        assert self._running is not None
        try:
            job = messages.with_checks(job, None if checks is self._checks else checks)
            answer = self._running.ask(job, descriptors)
        except (OSError, EOFError) as err:
            return _obituary(self._end(), err, job)
        except BaseException:  # an interrupt: the answer is still to come, and must not be taken for the next one
            self.close()
            raise
        self._checks = checks
        if answer.last:
            self.close()
        return answer

    def close(self) -> None:
        """End it, and whatever judges. Safe to call twice."""
        self._end()

    def _end(self) -> int:
        """How the process ended, as :mod:`subprocess` tells it."""
        running, self._running = self._running, None
        return 0 if running is None else running.close()


def _obituary(code: int, err: Exception, job: Job) -> Answer:
    if code == -signal.SIGXCPU:
        return Answer(Said.SPENT, reason="the tests took too much CPU time over the answers")
    if isinstance(err, TimeoutError):
        return Answer(Said.SPENT, reason=f"the tests came to no end within {job.wall_s:g} s")
    return Answer(Said.DIED, reason=f"the judges' server ended with status {code} ({type(err).__name__}: {err})")


class _Running:
    """One server process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        try:
            self._folder = tempfile.mkdtemp(prefix="egca-judge-")
        except OSError as err:
            raise SandboxError(f"no folder can be made for what tests write: {err}; set TMPDIR to one") from err
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-s", "-B", "-c", _BOOT, _ROOT, str(theirs.fileno())],
                env={**os.environ, **_SETTINGS},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket = ours
        try:
            messages.send(ours, (self._folder, [*sys.path, _ROOT]))
            ours.settimeout(START_S)
            messages.receive(ours)
        except (OSError, EOFError) as err:
            self._process.kill()
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode(errors="replace").strip()[-500:]
            self.close()
            raise SandboxError(f"the judges' server did not start: {said or err}") from err
        except BaseException:  # an interrupt too leaves no process behind; raised again
            self.close()
            raise

    def ask(self, job: Job, descriptors: Sequence[int]) -> Answer:
        """Raises OSError or EOFError where the server is gone."""
        self._socket.settimeout(job.wall_s + GRACE_S)
        messages.send(self._socket, job, descriptors)
        answer, _ = messages.receive(self._socket)
        assert isinstance(answer, Answer)
        return answer

    def close(self) -> int:
        self._socket.close()  # which ends the server, and it the judge
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return self._process.returncode
