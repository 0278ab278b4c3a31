"""One question to any server with OpenAI's ``/chat/completions`` (vLLM, SGLang, llama.cpp), over plain HTTP."""

from __future__ import annotations

import json
import urllib.request
from dataclasses import dataclass

from egca_plugin.errors import AssetError, ConfigError

MAX_ANSWER = 1 << 20  # bytes that are read of a response


@dataclass(frozen=True, slots=True)
class ChatServer:
    """Where a model is served: ``url`` such as ``http://localhost:8000/v1``; ``key``, a bearer token, may be empty."""

    url: str
    model: str
    key: str = ""
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(f"chat server: got {self.url!r}, expected an address such as http://localhost:8000/v1")

    def ask(self, text: str, max_tokens: int = 256) -> str:
        """The answer at temperature 0. Raises AssetError where the server does not give one."""
        messages = [{"role": "user", "content": text}]
        body = {"model": self.model, "messages": messages, "temperature": 0, "max_tokens": max_tokens}
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {self.key}"} if self.key else {})
        address = f"{self.url.rstrip('/')}/chat/completions"
        request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=self.timeout_s) as response:
                answer = json.loads(response.read(MAX_ANSWER))["choices"][0]["message"]["content"]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise AssetError(
                f"{address}: no answer from model {self.model!r} ({error!r}); is the server up?"
            ) from error
        if not isinstance(answer, str):
            raise AssetError(f"{address}: got {type(answer).__name__} as the answer's content, expected text")
        return answer
