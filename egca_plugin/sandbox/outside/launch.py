"""Starting a zygote."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import egca_plugin
from egca_plugin.errors import SandboxError, WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.link import ANSWER_S, Control, Loan

START_S = 30.0
_ROOT = str(Path(egca_plugin.__file__).parent.parent)
# Symbols are bound at once, not by each child anew at its first use of them; threads share one heap, since one for each
# would be 64 MB of a child's address space; no package starts threads, which would not be there in a child.
_SETTINGS = {
    "TZ": "UTC", "LD_BIND_NOW": "1", "MALLOC_ARENA_MAX": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1", "NUMEXPR_NUM_THREADS": "1",
}  # fmt: skip
_BOOT = (
    "import sys; sys.path.append(sys.argv[1]); sys.path.remove(''); "
    "from egca_plugin.sandbox.zygote import main; main(int(sys.argv[2]))"
)


class Zygote(Control):
    """One zygote process. ``seed`` is the hash seed of all its children."""

    def __init__(self, settings: Mapping[str, Any], seed: int = 0) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-S", "-s", "-B", "-c", _BOOT, _ROOT, str(theirs.fileno())],
                env={"PYTHONHASHSEED": str(seed), **_SETTINGS},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        super().__init__(ours, Loan(self._process.pid, settings["cpu_s"], owes_status=False))
        ours.settimeout(START_S)
        # PR_SET_PDEATHSIG follows the *thread* that started a process, so it is safe from the main thread only; from
        # another, the zygote still sees its control socket close.
        mortal = threading.current_thread() is threading.main_thread()
        try:
            ours.send(wire.encode({**settings, "die_with_parent": mortal}))
            self.hello = self._read_hello()
        except BaseException:  # an interrupt too leaves no zygote behind; raised again
            self.close()
            raise

    def _read_hello(self) -> Mapping[str, Any]:
        try:
            hello = wire.decode(self._socket.recv(1 << 16))
        except (OSError, WireError) as err:
            self._process.kill()
            assert self._process.stderr is not None
            said = self._process.stderr.read().decode(errors="replace").strip()[-500:]
            raise SandboxError(f"the zygote did not start: {said or err}") from err
        if "error" in hello:
            raise SandboxError(f"the zygote could not shut itself in: {hello['error']}")
        self._socket.settimeout(ANSWER_S)
        return dict(hello)

    def close(self) -> None:
        """End the zygote and with it any child. Safe to call twice."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
