"""Programs on a SandboxFusion-compatible HTTP server, behind the same face that the referee judges with.

    with RemoteSandbox(SandboxConfig(url="http://sandbox:8080/run_code")) as sandbox:
        verdict = judge(sandbox, source, task)

**Weaker than the local sandbox; use it where programs must not run on this machine.** What stays: the tests, expected
values and reference never leave this process, and answers are decoded by the same strict reader. What is the server's
own affair: isolation, memory and time limits, what one program leaves for the next, and whether a program can make the
server fail, and so pass for one that could not be judged. What is lost: the fixed hash seed (a program may be unstable
for it), step budgets, traces and batches. Every call is one request that runs the program, and the calls before it,
anew: seconds where the local sandbox takes milliseconds.
"""

from __future__ import annotations

import base64
import http.client
import json
import secrets
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

import egca_plugin
from egca_plugin.config import SandboxConfig
from egca_plugin.errors import ConfigError, SandboxError
from egca_plugin.sandbox.outside.companions import Companions
from egca_plugin.sandbox.outside.link import Ending, ZygoteLost
from egca_plugin.sandbox.outside.records import Record, read
from egca_plugin.sandbox.outside.scripts import MAX_OUTPUT, ScriptResult
from egca_plugin.types import Call, CallResult, CallStatus

ATTEMPTS = 3
BACKOFF_S = 0.5  # doubled with each attempt
START_S = 1.0  # for the server's interpreter, beyond the program's own time
TRANSPORT_S = 10.0  # for the request, beyond that
MAX_ANSWER = 32 << 20
_PACKAGE = Path(egca_plugin.__file__).parent
# What the far side needs of this package, in the order of its imports.
_MODULES = {
    "egca_plugin.errors": _PACKAGE / "errors.py",
    **{f"egca_plugin.sandbox.wire.{name}": _PACKAGE / "sandbox" / "wire" / f"{name}.py"
       for name in ("rich", "hashing", "arrays", "sharing", "library", "classes", "functions", "instances", "encoding",
                    "standins", "rebuilding", "decoding")},
    "egca_plugin.sandbox.wire": _PACKAGE / "sandbox" / "wire" / "__init__.py",
    **{f"egca_plugin.sandbox.inside.{name}": _PACKAGE / "sandbox" / "inside" / f"{name}.py"
       for name in ("clock", "limits", "entry", "functions", "hearing", "probes", "script", "keeping", "child")},
}  # fmt: skip
_SCRIPT = """
import base64, os, sys, types
for package in ("egca_plugin", "egca_plugin.sandbox", "egca_plugin.sandbox.wire", "egca_plugin.sandbox.inside"):
    sys.modules[package] = types.ModuleType(package)
    sys.modules[package].__path__ = []
for name, text in {modules!r}:
    module = sys.modules.setdefault(name, types.ModuleType(name))
    package, _, last = name.rpartition(".")
    setattr(sys.modules[package], last, module)
    exec(compile(text, name, "exec"), module.__dict__)
child, clock, limits, wire = (
    sys.modules["egca_plugin.sandbox." + name] for name in ("inside.child", "inside.clock", "inside.limits", "wire")
)
answers = os.dup(1)
os.write(answers, b"\\n{mark}ready\\n")
nothing = os.open(os.devnull, os.O_RDWR)
for fd in (0, 1, 2):
    os.dup2(nothing, fd)
program = child._Program(clock.install())
limits.install()
for command in {commands!r}:
    record = (program.load if command[0] == "load" else program.call)(*command[1:])
    os.write(answers, b"\\n{mark}" + base64.b64encode(wire.encode(record)) + b"\\n")
os._exit(0)
"""


class _Flood(Exception):
    """The program sent more than anyone wants to read."""


class RemoteSandbox:
    """``config.url``: the server's ``run_code``; the rest of ``config`` are the limits that it is asked to keep.

    A context manager, like the local sandbox. Raises SandboxError on entering where the server does
    not answer, or cannot run our side of the wire.
    """

    def __init__(self, config: SandboxConfig) -> None:
        if config.url is None:
            raise ConfigError("egca.sandbox.url: got null, expected a server's run_code")
        self.url = config.url
        self.config = config
        self.companions = Companions()

    def __enter__(self) -> RemoteSandbox:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.companions.close()

    def start(self) -> None:
        """Have the server run an empty program. Raises SandboxError."""
        (record,) = self.run([("load", "", None, 0)], self.config.timeout_s)
        if record.result.status is not CallStatus.VALUE:
            raise SandboxError(f"{self.url}: an empty program ended with {record.result}; is its Python sound?")

    @contextmanager
    def lend(self, seed: int, source: str) -> Iterator[None]:
        """Nothing: whoever judges speaks to the server himself."""
        yield None

    @contextmanager
    def session(
        self, source: str | CodeType, *, timeout_s: float | None = None, seed: int = 0
    ) -> Iterator[RemoteSession]:
        """The program, for calls one by one. They raise ZygoteLost when the server fails ATTEMPTS times in a row.

        Raises TypeError for a code object, which the server's interpreter may not understand.
        """
        if not isinstance(source, str):
            raise TypeError(f"got {type(source).__name__}, expected source text: remote programs are sent as text")
        yield RemoteSession(self, source, self.config.timeout_s if timeout_s is None else timeout_s, seed)

    def run_script(
        self, program: str, stdin: bytes, /, *, cpu_s: float = 3.0, max_output: int = MAX_OUTPUT, **limits: Any
    ) -> ScriptResult:
        """Run a whole program on standard input, once. Raises ZygoteLost.

        ``cpu_s`` is the time that the server measures, ``max_output`` is held here alone; the other ``limits`` of the
        local sandbox the server does not know.
        """
        try:
            ran = self._ask(program, cpu_s + START_S, stdin.decode("utf-8", "surrogateescape"))
        except _Flood as err:
            return ScriptResult(Record.ended(Ending(CallStatus.DIED, str(err))), flooded=True)
        output = str(ran.get("stdout") or "").encode("utf-8", "surrogateescape")
        code = ran.get("return_code")
        if ran.get("status") == "TimeLimitExceeded":
            return ScriptResult(Record.ended(Ending(CallStatus.TIMEOUT, "out of time")), output[:max_output])
        if len(output) > max_output:
            ended = Record.ended(Ending(CallStatus.DIED, f"wrote more than {max_output:,} bytes"))
            return ScriptResult(ended, output[:max_output], flooded=True)
        if code == 0:
            return ScriptResult(Record(CallResult(CallStatus.VALUE)), output, exit_code=0)
        kind, _, message = (str(ran.get("stderr") or "").strip().splitlines() or [""])[-1].partition(": ")
        error_type = kind if kind.isidentifier() else "SystemExit"
        message = message if kind.isidentifier() else f"exit status {code}"
        raised = CallResult(CallStatus.EXCEPTION, error_type=error_type[:100], error_message=message[:300])
        return ScriptResult(Record(raised), output)

    def run(self, commands: list[tuple[Any, ...]], timeout_s: float) -> list[Record]:
        """The records of the commands that were answered; the last tells why if not all were. Raises ZygoteLost."""
        mark = secrets.token_hex(8)
        try:
            ran = self._ask(_SCRIPT.format(modules=_modules(), commands=commands, mark=mark), timeout_s + START_S)
        except _Flood as err:
            return [Record.ended(Ending(CallStatus.DIED, str(err)))]
        said = [line[len(mark) :] for line in str(ran.get("stdout") or "").splitlines() if line.startswith(mark)]
        late = ran.get("status") == "TimeLimitExceeded"
        if not late and said[:1] != ["ready"]:  # it failed before the program could do anything
            raise ZygoteLost(f"{self.url}: our side of the wire did not start: {str(ran.get('stderr'))[-300:]}")
        records = [_record(text) for text in said[1 : len(commands) + 1]]
        if len(records) < len(commands) and late:
            records.append(Record.ended(Ending(CallStatus.TIMEOUT, "out of time")))
        elif len(records) < len(commands):
            code = ran.get("return_code")
            records.append(Record.ended(Ending(CallStatus.DIED, f"the process exited with status {code}")))
        return records

    def _ask(self, script: str, timeout_s: float, stdin: str = "") -> dict[str, Any]:
        """What the server says of the run. Raises ZygoteLost, or _Flood."""
        answer = self._post(
            {
                "code": script,
                "language": "python",
                "compile_timeout": timeout_s,
                "run_timeout": timeout_s,
                "memory_limit_MB": self.config.memory_mb,
                "stdin": stdin,
                "files": {},
                "fetch_files": [],
            },
            timeout_s,
        )
        ran = answer.get("run_result")
        if answer.get("status") == "SandboxError" or not isinstance(ran, dict):
            raise ZygoteLost(f"{self.url}: got status {answer.get('status')!r}: {str(answer.get('message'))[:200]}")
        return ran

    def _post(self, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        request = urllib.request.Request(
            self.url, json.dumps(body).encode(), {"Content-Type": "application/json", "Accept": "application/json"}
        )
        reason = ""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(BACKOFF_S * 2 ** (attempt - 1))
            try:
                with urllib.request.urlopen(request, timeout=2 * timeout_s + TRANSPORT_S) as response:
                    text = response.read(MAX_ANSWER + 1)
                    if len(text) > MAX_ANSWER:
                        raise _Flood(f"sent more than {MAX_ANSWER:,} bytes")
                    answer = json.loads(text)
            except (urllib.error.URLError, OSError, http.client.HTTPException, ValueError) as err:
                reason = f"{type(err).__name__}: {err}"
                continue
            if isinstance(answer, dict):
                return answer
            reason = f"got {type(answer).__name__}, expected a JSON object"
        raise ZygoteLost(f"{self.url}: failed {ATTEMPTS} times: {reason}")


class RemoteSession:
    """The face of :class:`egca_plugin.sandbox.outside.api.Session`, over requests that replay what went before.

    ``timeout_s`` is the program's own time for the calls up to the last, which the server measures: a slow network or a
    busy server makes no program late.
    """

    def __init__(self, sandbox: RemoteSandbox, source: str, timeout_s: float, seed: int) -> None:
        self._sandbox, self._timeout_s = sandbox, timeout_s
        self._load = ("load", source, None, seed)
        self._calls: list[tuple[Any, ...]] = []
        self._loaded: Record | None = None
        self._ending: Ending | None = None

    @property
    def ending(self) -> Ending | None:
        return self._ending

    @property
    def loaded(self) -> Record:
        if self._loaded is None:
            self._loaded = self._run()[0]
        return self._loaded

    def send(self, one: Call) -> CallResult:
        """Raises ZygoteLost."""
        if self.loaded.result.status is not CallStatus.VALUE:
            return self.loaded.result
        self._calls.append(("call", one.function, one.arguments, one.take, one.clock, one.seeds))
        result = self._run()[-1].result
        if result.status in (CallStatus.TIMEOUT, CallStatus.DIED):
            self._ending = Ending(result.status, result.error_message)
        return result

    def restart(self) -> None:
        """Forget the calls so far."""
        self._calls.clear()
        self._ending = None

    renew = restart

    def close(self) -> None:
        """Nothing is held."""

    def disown(self) -> None:
        """Nothing is held."""

    def _run(self) -> list[Record]:
        return self._sandbox.run([self._load, *self._calls], self._timeout_s)


def _record(text: str) -> Record:
    try:
        return read(base64.b64decode(text, validate=True))
    except ValueError:
        return Record(CallResult(CallStatus.REFUSED, error_message="malformed record: not base64"))


@lru_cache(maxsize=1)
def _modules() -> list[tuple[str, str]]:
    return [(name, path.read_text(encoding="utf-8")) for name, path in _MODULES.items()]
