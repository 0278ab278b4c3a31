"""The remote backend over real HTTP: the same verdicts, the same secrecy, failures typed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fusion_server import Server, serving

from egca_plugin.sandbox import remote
from egca_plugin.sandbox.referee import judge
from egca_plugin.sandbox.remote import RemoteSandbox
from egca_plugin.types import Outcome, Task

REFERENCE = "def f(x):\n    return x + 'SECRET OF THE REFERENCE'[:0]\n"
TASK = Task("t/1", "", "f", REFERENCE, ("assert f('a') == 'a'", "assert f('bb') == 'bb'", "assert f('') != 'EXPECTED'"))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def remote_sandbox(server: Server, monkeypatch: pytest.MonkeyPatch) -> RemoteSandbox:
    monkeypatch.setattr(remote, "BACKOFF_S", 0.01)
    server.requests.clear()
    return RemoteSandbox(server.url)


@pytest.mark.parametrize(
    ("source", "outcome", "passed"),
    [
        ("def f(x): return x", Outcome.OK, 3),
        ("print('passed')\ndef f(x): return x[:1]", Outcome.WRONG_ANSWER, 2),
        ("def f(x): return [][1]", Outcome.EXCEPTION, 0),
        ("def f(x", Outcome.COMPILE_ERROR, 0),
        ("import os\ndef f(x): os._exit(0)", Outcome.EXCEPTION, 0),
        ("class E:\n    def __eq__(self, o): return True\ndef f(x): return E()", Outcome.REFUSED, 0),
        ("def f(x):\n    while x == 'bb': pass\n    return x", Outcome.TIMEOUT, 1),
        (
            "seen = []\ndef f(x):\n    seen.append(x)\n    return x if len(seen) < 3 else 'EXPECTED'",
            Outcome.WRONG_ANSWER,
            2,
        ),
    ],
    ids=["right", "wrong", "raises", "syntax", "exits", "lies", "hangs", "keeps state"],
)
def test_same_verdicts(remote_sandbox: RemoteSandbox, source: str, outcome: Outcome, passed: int) -> None:
    verdict = judge(remote_sandbox, source, TASK, timeout_s=1.5)
    assert (verdict.outcome, verdict.tests_passed, verdict.tests_total) == (outcome, passed, 3)


def test_tests_and_reference_stay_here(remote_sandbox: RemoteSandbox, server: Server) -> None:
    judge(remote_sandbox, "def f(x): return x", TASK)
    sent = str(server.requests)
    assert server.requests
    assert "SECRET OF THE REFERENCE" not in sent
    assert "EXPECTED" not in sent


def test_changed_arguments_come_back(remote_sandbox: RemoteSandbox) -> None:
    tests = "def check(candidate):\n    xs = [2, 1]\n    candidate(xs)\n    assert xs == [1, 2]\n"
    assert judge(remote_sandbox, "def f(xs): xs.sort()", Task("t/2", "", "f", "", tests)).passed


def test_passing_failure_of_the_server_is_tried_again(remote_sandbox: RemoteSandbox, server: Server) -> None:
    server.failures = 2
    assert judge(remote_sandbox, "def f(x): return x", TASK).passed


def test_lasting_failure_is_no_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "BACKOFF_S", 0.01)
    verdict = judge(RemoteSandbox("http://127.0.0.1:9/run_code"), "def f(x): return x", TASK)
    assert verdict.outcome is Outcome.INFRASTRUCTURE
    assert "127.0.0.1:9" in verdict.detail
