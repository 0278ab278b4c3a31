"""The paper's localiser: a language model is shown both programs and the failing call, and names the faulty code.

It talks to any server with OpenAI's ``/chat/completions`` (vLLM, SGLang, llama.cpp), over plain HTTP from the standard
library. The server is asked to hold the model to the answer's form (``response_format``, which vLLM, SGLang, llama.cpp
and OpenAI know); of one that does not, fences and words around the answer are passed over. Whatever is not an answer is
an abstention with a reason.

    EGCA_DEBUGGER_URL    base address, such as http://localhost:8000/v1; unset: it always abstains
    EGCA_DEBUGGER_MODEL  the model's name, default Qwen/Qwen2.5-Coder-7B-Instruct (the paper's)
    EGCA_DEBUGGER_KEY    a bearer token, if the server wants one
    EGCA_DEBUGGER_TIMEOUT_S, EGCA_DEBUGGER_TOKENS    of one answer: seconds to wait, default 60; its length, default 256
"""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from egca_plugin.credit.baselines.statements import abstain
from egca_plugin.errors import ConfigError, WireError
from egca_plugin.localize.api import Case, Reason
from egca_plugin.program.positions import SourceMap
from egca_plugin.sandbox import wire
from egca_plugin.types import CallStatus, Localization, Span, TestedCall

MAX_VALUE = 400  # characters of a printed value in the prompt
MAX_ANSWER = 1 << 20  # bytes that are read of a response
MAX_NUMBER = 100_000  # seconds, and tokens
MAX_OBJECTS = 20  # that are looked at in an answer with words around it

FORM = {
    "type": "json_schema",
    "json_schema": {
        "name": "fault",
        "schema": {
            "type": "object",
            "properties": {"line": {"type": "integer"}, "code": {"type": "string"}},
            "required": ["line", "code"],
            "additionalProperties": False,
        },
    },
}

PROMPT = """\
A candidate program fails a test. Compare it with a correct reference and find the earliest statement or expression \
that makes it go wrong. The two may be structured differently and name things differently.

Reference:
{reference}

Candidate, with line numbers:
{candidate}

Failing call: {call}
The candidate gives: {seen}

Answer with one JSON object and nothing else: {{"line": <line number in the candidate>, "code": "<the faulty code, \
copied exactly from that line>"}}"""


@dataclass(frozen=True, slots=True)
class DebuggerSettings:
    """Where the model is served, and what one answer may take. An empty ``url`` means that there is none."""

    url: str = ""
    model: str = "Qwen/Qwen2.5-Coder-7B-Instruct"
    key: str = ""
    timeout_s: float = 60.0
    max_tokens: int = 256

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> DebuggerSettings:
        """Read the EGCA_DEBUGGER_* variables. Raises ConfigError for one that cannot be."""
        url = environment.get("EGCA_DEBUGGER_URL", "").rstrip("/")
        if url and not url.startswith(("http://", "https://")):
            raise ConfigError(f"EGCA_DEBUGGER_URL: got {url!r}, expected an address such as http://localhost:8000/v1")
        return cls(
            url,
            environment.get("EGCA_DEBUGGER_MODEL", cls().model),
            environment.get("EGCA_DEBUGGER_KEY", ""),
            _number(environment, "EGCA_DEBUGGER_TIMEOUT_S", cls().timeout_s),
            int(_number(environment, "EGCA_DEBUGGER_TOKENS", cls().max_tokens)),
        )


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "").strip() or str(default)
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 1 <= number <= MAX_NUMBER:  # what is not a number is none of these either
        raise ConfigError(f"{name}: got {text!r}, expected a number from 1 to {MAX_NUMBER}")
    return number


class Debugger:
    """Asks the model once a case, at temperature 0."""

    name = "debugger"

    def __init__(self, settings: DebuggerSettings | None = None) -> None:
        self.settings = settings or DebuggerSettings.from_environment(os.environ)

    def localize(self, case: Case) -> Localization:
        if not self.settings.url:
            return abstain(self.name, Reason.DEBUGGER_UNREACHABLE)
        if not case.references:
            return abstain(self.name, Reason.NO_REFERENCE)
        try:
            body = self._ask(prompt(case))
        except (OSError, ValueError):  # no connection, a timeout, an HTTP error; or a response that is not HTTP
            return abstain(self.name, Reason.DEBUGGER_UNREACHABLE)
        span = answered_span(body, case.source)
        return Localization(spans=(span,), stage=self.name) if span else abstain(self.name, Reason.DEBUGGER_ANSWER)

    def _ask(self, text: str) -> bytes:
        question = {
            "model": self.settings.model,
            "messages": [{"role": "user", "content": text}],
            "temperature": 0,
            "max_tokens": self.settings.max_tokens,
            "response_format": FORM,
        }
        headers = {"Content-Type": "application/json"}
        if self.settings.key:
            headers["Authorization"] = f"Bearer {self.settings.key}"
        address = f"{self.settings.url}/chat/completions"
        request = urllib.request.Request(address, json.dumps(question).encode(), headers, method="POST")
        with urllib.request.urlopen(request, timeout=self.settings.timeout_s) as response:
            return bytes(response.read(MAX_ANSWER))


def prompt(case: Case) -> str:
    """What the model is asked about a case."""
    numbered = "\n".join(f"{number:3} {line}" for number, line in enumerate(case.source.splitlines(), 1))
    failing = next((tested for tested in case.verdict.calls if not tested.passed), None)
    return PROMPT.format(
        reference=case.references[0].rstrip(),
        candidate=numbered,
        call=_call(failing) if failing else "(the tests did not get to a call)",
        seen=_seen(failing) if failing else case.verdict.detail or case.verdict.outcome.value,
    )


def answered_span(body: bytes, source: str) -> Span | None:
    """The span that a response names, or None where it holds no JSON object of the kind that was asked for."""
    try:
        content = str(json.loads(body)["choices"][0]["message"]["content"])
    except (ValueError, LookupError, TypeError):
        return None
    for answer in _objects(content):
        match answer:
            case {"line": int(line), "code": str(code), **rest} if not rest and not isinstance(line, bool):
                return _find(line, code.strip(), source)
    return None


def _objects(text: str) -> Iterator[Any]:
    """What begins with a brace and can be read, none within another."""
    decoder, at = json.JSONDecoder(), text.find("{")
    for _ in range(MAX_OBJECTS):
        if at < 0:
            return
        try:
            found, end = decoder.raw_decode(text, at)
            yield found
        except (ValueError, RecursionError):
            end = at + 1
        at = text.find("{", end)


def _find(line: int, code: str, source: str) -> Span | None:
    positions = SourceMap(source)
    if not 1 <= line <= positions.line_count or not code:
        return None
    written = positions.line_span(line)
    start = source.find(code, written.start, written.end)
    return None if start < 0 else Span(start, start + len(code))


def _call(tested: TestedCall) -> str:
    try:
        args, kwargs = wire.decode(tested.call.arguments)
    except WireError:
        return f"{tested.call.function}(...)"
    shown = [_short(arg) for arg in args] + [f"{name}={_short(value)}" for name, value in kwargs.items()]
    return f"{tested.call.function}({', '.join(shown)})"


def _seen(tested: TestedCall) -> str:
    result = tested.result
    if result.status is CallStatus.VALUE:
        try:
            return _short(wire.decode(result.value))
        except WireError:
            return "a value that cannot be shown"
    if result.status is CallStatus.EXCEPTION:
        return f"{result.error_type}: {result.error_message}"[:MAX_VALUE]
    return str(result.status.value)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= MAX_VALUE else text[:MAX_VALUE] + "..."
