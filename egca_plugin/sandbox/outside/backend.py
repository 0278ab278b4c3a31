"""Where programs run: in this machine's sandbox, or on the server that ``egca.sandbox.url`` names."""

from __future__ import annotations

from typing import TypeAlias

from egca_plugin.config import SandboxConfig
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.remote import RemoteSandbox

Backend: TypeAlias = Sandbox | RemoteSandbox


def open_backend(config: SandboxConfig) -> Backend:
    """Not yet started: a context manager that the referee can judge with; only a :class:`Sandbox` traces and tries."""
    return Sandbox(config) if config.url is None else RemoteSandbox(config)
