"""A small server that speaks SandboxFusion's ``/run_code`` for real; no isolation, for the tests' own programs."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Server(ThreadingHTTPServer):
    """``failures``: how many requests to answer with status 503 before any is served; ``interpreter``: what runs."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.failures = 0
        self.interpreter = [sys.executable, "-I", "-S", "-"]
        self.requests: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/run_code"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.requests.append(body)
        if self.server.failures:
            self.server.failures -= 1
            self.send_error(503)
            return
        answer = json.dumps(_run(self.server.interpreter, body["code"], body["stdin"], body["run_timeout"])).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def _run(command: list[str], code: str, stdin: str, timeout_s: float) -> dict[str, Any]:
    if stdin:
        command, code = [*command[:-1], "-c", code], stdin
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, text=True, **pipes) as process:
        try:
            stdout, stderr = process.communicate(code, timeout=timeout_s)
            status = "Finished"
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            status = "TimeLimitExceeded"
    result = {
        "status": status, "execution_time": 0.0, "return_code": process.returncode, "stdout": stdout, "stderr": stderr,
    }  # fmt: skip
    outcome = "Success" if status == "Finished" and process.returncode == 0 else "Failed"
    return {"status": outcome, "message": "", "compile_result": None, "run_result": result, "files": {}}


@contextmanager
def serving() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
