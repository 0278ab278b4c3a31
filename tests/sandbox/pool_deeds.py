"""The handler of test_pool.py, in a module that a worker can import."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from egca_plugin.sandbox.outside.api import Sandbox, call


def deeds(sandbox: Sandbox, settings: Any) -> Callable[[Any], Any]:
    """The handler of these tests: does what its payload says."""

    def do(payload: Any) -> Any:
        what, argument = payload
        if what == "double":
            return argument * 2 + (settings or 0)
        if what == "pid":
            return os.getpid(), sandbox.start().pid
        if what == "die":
            os._exit(3)
        if what == "hang":
            time.sleep(60)
        if what == "once" and not os.path.exists(argument):
            Path(argument).touch()
            os._exit(3)
        if what == "raise":
            raise argument
        if what == "allocate":
            bytearray(argument)
        if what == "sandbox":
            return sandbox.run_calls("def f(x): return x", [call("f", argument)])[0].status.value
        return what

    return do
