"""A pool's trusted worker process: one sandbox, one handler, payloads in and results out (see :mod:`.pool`).

Started with ``python -c``, so that the parent's ``__main__`` is not imported again as multiprocessing would do.
"""

from __future__ import annotations

import importlib
import pickle
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from egca_plugin.errors import ConfigError, EgcaError, SandboxError
from egca_plugin.sandbox.layers import address_space, die_with_parent
from egca_plugin.sandbox.outside.backend import Backend, open_backend
from egca_plugin.visible import log_visibly

Handler = Callable[[Backend, Any], Callable[[Any], Any]]


def main(fd: int) -> None:
    """Say ``("ready", None)``, then answer each payload with ``("result", value)``; or ``("raised", error)``."""
    die_with_parent()
    log_visibly()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides when to stop
    connection = Connection(fd)
    try:
        path, name, config, settings = connection.recv()
        sys.path[:] = path
        with open_backend(config) as sandbox:
            work = resolve(name)(sandbox, settings)
            limit_memory()
            connection.send(("ready", None))
            while True:
                _answer(connection, work, connection.recv())
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the parent closed the pool, or died
    except Exception as err:  # noqa: BLE001 - the process boundary: the parent raises it
        _send_error(connection, err)


def limit_memory(further_bytes: int = 4 << 30) -> None:
    """Let this process map so much more than it has: what an input makes of it past that is a MemoryError, not the end
    of the host. Only the soft limit, which the sandbox's processes replace by their own. A worker that has loaded torch
    is left alone: it maps what it never uses.
    """
    if "torch" not in sys.modules:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = address_space() + further_bytes
        resource.setrlimit(resource.RLIMIT_AS, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


def resolve(name: str) -> Handler:
    """``module:callable``. Raises ConfigError."""
    module, _, attribute = name.partition(":")
    try:
        found: Handler = vars(importlib.import_module(module))[attribute]
    except (ImportError, KeyError, ValueError) as err:
        raise ConfigError(f"handler {name!r}: got {type(err).__name__}: {err}, expected 'module:callable'") from err
    return found


def _answer(connection: Connection, work: Callable[[Any], Any], payload: Any) -> None:
    try:
        result = work(payload)
    except Exception as err:  # noqa: BLE001 - the process boundary, as above
        _send_error(connection, err)
    else:
        connection.send(("result", result))


def _send_error(connection: Connection, err: Exception) -> None:
    """Our own errors travel as they are; any other as the text of its traceback."""
    if isinstance(err, EgcaError):
        try:
            pickle.dumps(err)
        except (pickle.PicklingError, TypeError, AttributeError):
            pass
        else:
            connection.send(("raised", err))
            return
    text = "".join(traceback.format_exception(type(err), err, err.__traceback__))
    connection.send(("raised", SandboxError(f"the handler failed:\n{text}")))
