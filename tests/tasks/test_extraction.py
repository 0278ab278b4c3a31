"""A model may name constraints; the machine decides which of them count."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from egca_plugin.errors import AssetError, ConfigError
from egca_plugin.program.constraints import Constraint, derive
from egca_plugin.tasks.chat import ChatServer
from egca_plugin.tasks.extraction import Answers, extract, kept
from egca_plugin.types import Task

REFERENCE = (
    "import math\n\ndef f(xs):\n    seen = {}\n    for x in xs:\n        seen[x] = math.sqrt(x)\n    return seen\n"
)
TASK = Task("t/0", "Roots.", "f", REFERENCE, ("assert f([]) == {}",))


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            '{"form": "loop", "nesting": 1, "containers": "dict, set"}',
            ["form=loop", "nesting=1", "containers=dict,set"],
        ),
        ('Sure: {"sorts": "no", "complexity": "linear"} Good luck.', ["sorts=no", "complexity=linear"]),
        ('{"modules": "math", "mutates": "no", "style": "nice"}', ["modules=math", "mutates=no"]),
        ('{"form": "recursion", "sorts": "yes", "modules": "", "containers": "set"}', []),  # the reference breaks them
        ('{"form": "fast", "nesting": "0", "containers": "dict,", "complexity": ["linear"]}', []),
        ("no object", []),
        ("{broken}", []),
    ],
)
def test_only_what_a_machine_can_check_is_kept(answer: str, expected: list[str]) -> None:
    measured = Constraint("complexity", "linear", "f")
    assert [str(constraint) for constraint in kept(answer, TASK, measured)] == expected


def test_a_class_that_the_reference_does_not_surely_keep_to_is_not_kept() -> None:
    for measured in (None, Constraint("complexity", "quadratic", "f")):
        assert kept('{"complexity": "linear"}', TASK, measured) == ()


def test_the_task_keeps_the_answer_and_is_not_asked_again() -> None:
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return '{"form": "loop"}'

    task = extract(TASK, ask)
    assert task.constraints[-1] == "form=loop"
    assert [str(c) for c in derive(task, "paper")] == list(task.constraints)
    assert extract(task, ask) is task
    assert len(asked) == 1
    assert REFERENCE.strip() in asked[0]


class _Model(BaseHTTPRequestHandler):
    """Answers as an OpenAI-compatible server does; what it says depends on the question."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = body["messages"][0]["content"]
        content = [] if question == "nothing" else f"{self.headers.get('Authorization')} {self.path} {question}"
        reply = json.dumps({"choices": [{"message": {"content": content}}]}).encode()
        self.send_response(500 if question == "fail" else 200)
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Model)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/v1"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_server_is_asked(address: str) -> None:
    server = ChatServer(address, "some-model", key="secret")
    assert server.ask("why") == "Bearer secret /v1/chat/completions why"


@pytest.mark.parametrize("question", ["fail", "nothing"])
def test_no_answer_is_an_error_that_names_the_server(address: str, question: str) -> None:
    with pytest.raises(AssetError, match=r"/v1/chat/completions: "):
        ChatServer(address, "some-model").ask(question)


def test_nobody_there(address: str) -> None:
    gone = replace(ChatServer(address, "some-model"), url="http://127.0.0.1:9/v1", timeout_s=2.0)
    with pytest.raises(AssetError, match="is the server up"):
        gone.ask("why")


def test_an_address_is_checked() -> None:
    with pytest.raises(ConfigError, match="expected an address such as"):
        ChatServer("localhost:8000", "some-model")


def test_answers_are_kept_and_outlive_a_killed_run(address: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    first = Answers(path, ChatServer(address, "some-model")).ask("why")
    path.write_text(path.read_text() + '\n{"question": "cut of')
    gone = ChatServer("http://127.0.0.1:9/v1", "some-model", timeout_s=2.0)
    assert Answers(path, gone).ask("why") == first
    with pytest.raises(AssetError):
        Answers(path, replace(gone, model="another")).ask("why")
    second = Answers(path, ChatServer(address, "some-model")).ask("when")
    assert [Answers(path, gone).ask(question) for question in ("why", "when")] == [first, second]
