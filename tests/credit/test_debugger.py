"""The model as debugger, against a local server that says what the test wants it to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest

from egca_plugin.credit.baselines.debugger import Debugger, DebuggerSettings, answered_span, prompt
from egca_plugin.errors import ConfigError
from egca_plugin.localize.api import Case, Reason
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Call, CallResult, CallStatus, Outcome, Task, TestedCall, Verdict

SOURCE = "def double(x):\n    y = x * 3\n    return y\n"
REFERENCE = "def double(x):\n    return x * 2\n"
TASK = Task("t", "", "double", REFERENCE, ("assert double(2) == 4",))
ANSWER = {"line": 2, "code": "x * 3"}


def failing_case() -> Case:
    call = Call("double", wire.encode(((2,), {})))
    result = CallResult(CallStatus.VALUE, wire.encode(6))
    verdict = Verdict(Outcome.WRONG_ANSWER, 0, 1, (TestedCall(call, 0, False, result),))
    return Case(TASK, SOURCE, (REFERENCE,), verdict, Sandbox())  # the sandbox is not started: nothing runs


def chat(content: str) -> bytes:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode()


class Server(BaseHTTPRequestHandler):
    """Answers every POST with ``status`` and ``body`` and keeps what it was asked."""

    status: ClassVar[int] = 200
    body: ClassVar[bytes] = b""
    asked: ClassVar[list[tuple[str, str | None, dict[str, Any]]]] = []

    def do_POST(self) -> None:
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.path, self.headers["Authorization"], question))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    Server.status, Server.body, Server.asked = 200, chat(json.dumps(ANSWER)), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_answer_becomes_a_span(url: str) -> None:
    answer = Debugger(DebuggerSettings(url, model="m", key="k")).localize(failing_case())
    assert [SOURCE[span.start : span.end] for span in answer.spans] == ["x * 3"]
    assert not answer.verified  # a model proves nothing
    ((path, authorization, question),) = Server.asked
    assert (path, authorization, question["model"], question["temperature"]) == (
        "/v1/chat/completions",
        "Bearer k",
        "m",
        0,
    )
    assert question["response_format"]["json_schema"]["schema"]["required"] == ["line", "code"]


@pytest.mark.parametrize(
    "content",
    [
        "The fault:\n```json\n" + json.dumps(ANSWER, indent=2) + "\n```",
        json.dumps(ANSWER) + " I am sure.",
        "f-strings have {braces}, sets too: {1, 2}. " + json.dumps(ANSWER),
    ],
)
def test_words_around_the_answer_are_passed_over(url: str, content: str) -> None:
    """Servers that know no ``response_format`` give a model's own words."""
    Server.body = chat(content)
    answer = Debugger(DebuggerSettings(url)).localize(failing_case())
    assert [SOURCE[span.start : span.end] for span in answer.spans] == ["x * 3"]


def test_the_prompt_holds_both_programs_and_the_failing_call() -> None:
    text = prompt(failing_case())
    assert "  2     y = x * 3" in text
    assert "return x * 2" in text
    assert "Failing call: double(2)\nThe candidate gives: 6" in text


@pytest.mark.parametrize(
    "content",
    [
        "line 2",
        '{"line": 2, "code": {"line": 2, "code": "x * 3"}}',
        "{" * 10_000,
        json.dumps({**ANSWER, "why": "because"}),
        json.dumps({"line": 2}),
        json.dumps({"line": "2", "code": "x * 3"}),
        json.dumps({"line": True, "code": "def"}),
        json.dumps({"line": 99, "code": "x * 3"}),
        json.dumps({"line": 3, "code": "x * 3"}),
        json.dumps({"line": 2, "code": " "}),
        "",
    ],
)
def test_anything_but_the_object_asked_for_is_an_abstention(url: str, content: str) -> None:
    Server.body = chat(content)
    answer = Debugger(DebuggerSettings(url)).localize(failing_case())
    assert (answer.spans, answer.reason) == ((), Reason.DEBUGGER_ANSWER.value)


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b"{}", b'{"choices": []}', b'{"choices": [{"message": 1}]}'])
def test_a_response_of_another_shape_is_an_abstention(body: bytes) -> None:
    assert answered_span(body, SOURCE) is None


def test_a_server_error_is_an_abstention(url: str) -> None:
    Server.status = 500
    answer = Debugger(DebuggerSettings(url)).localize(failing_case())
    assert answer.reason == Reason.DEBUGGER_UNREACHABLE.value


@pytest.mark.parametrize("address", ["", "http://127.0.0.1:1/v1"])
def test_no_server_is_an_abstention(address: str) -> None:
    answer = Debugger(DebuggerSettings(address)).localize(failing_case())
    assert answer.reason == Reason.DEBUGGER_UNREACHABLE.value


def test_settings_come_from_the_environment() -> None:
    settings = DebuggerSettings.from_environment({"EGCA_DEBUGGER_URL": "http://h:1/v1/", "EGCA_DEBUGGER_MODEL": "m"})
    assert (settings.url, settings.model, settings.key) == ("http://h:1/v1", "m", "")
    assert DebuggerSettings.from_environment({}).url == ""
    with pytest.raises(ConfigError, match="EGCA_DEBUGGER_URL: got 'localhost:8000'"):
        DebuggerSettings.from_environment({"EGCA_DEBUGGER_URL": "localhost:8000"})


@pytest.mark.parametrize(("text", "refused"), [("5", False), ("0.5", True), ("soon", True), ("nan", True)])
def test_what_one_answer_may_take_is_set_there_too(url: str, text: str, refused: bool) -> None:
    environment = {"EGCA_DEBUGGER_URL": url, "EGCA_DEBUGGER_TIMEOUT_S": "7", "EGCA_DEBUGGER_TOKENS": text}
    if refused:
        with pytest.raises(ConfigError, match=f"EGCA_DEBUGGER_TOKENS: got '{text}'"):
            DebuggerSettings.from_environment(environment)
        return
    settings = DebuggerSettings.from_environment(environment)
    Debugger(settings).localize(failing_case())
    assert (settings.timeout_s, Server.asked[0][2]["max_tokens"]) == (7.0, 5)
