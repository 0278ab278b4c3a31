"""Many mixed runs: every one accounted for, and no process, descriptor or file left behind."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from benchmarks.common import table, write_result
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.types import CallStatus

TIMEOUT_S = 0.05
SETTLE_S = 30.0  # on a loaded host a killed child takes its time to go
# How often each kind of program comes in a hundred, and how it must end.
KINDS: dict[str, tuple[int, str, CallStatus]] = {
    "passes": (58, "def f(): return sorted([3, 1, 2])", CallStatus.VALUE),
    "raises": (25, "def f(): return 1 / 0", CallStatus.EXCEPTION),
    "does not compile": (4, "def f(: return", CallStatus.EXCEPTION),
    "hangs": (2, "def f():\n    while True: pass", CallStatus.TIMEOUT),
    "exits": (3, "import os\ndef f(): os._exit(0)", CallStatus.DIED),
    "crashes": (2, "import ctypes\ndef f(): ctypes.string_at(0)", CallStatus.DIED),
    "takes all memory": (2, "def f(): return bytearray(4 << 30)", CallStatus.MEMORY),
    "forks": (2, "import os\ndef f(): return os.fork()", CallStatus.EXCEPTION),
    "writes a file": (2, "def f(): return open('/tmp/egca-soak', 'w').write('x')", CallStatus.EXCEPTION),
}


def soak(runs: int, sandbox: Sandbox) -> dict[str, Any]:
    """``unexpected`` counts the runs that did not end as their kind must; the rest is measured around them."""
    order = [kind for kind, (share, _, _) in KINDS.items() for _ in range(share)]
    sandbox.run_calls("x = 1", [call("f")])
    before, began = _held(), time.monotonic()
    seen: Counter[str] = Counter()
    unexpected: Counter[str] = Counter()
    for number in range(runs):
        kind = order[number * 37 % 100]  # 37 and 100 have no common factor: every kind in its share, well mixed
        _, source, expected = KINDS[kind]
        timeout_s = TIMEOUT_S if expected is CallStatus.TIMEOUT else 10.0
        (result,) = sandbox.run_calls(source, [call("f")], timeout_s=timeout_s)
        seen[kind] += 1
        if result.status is not expected:
            unexpected[f"{kind}: {result.status.value} {result.error_message}"] += 1
    seconds = time.monotonic() - began
    return {
        "runs": runs,
        "seconds": seconds,
        "seen": dict(seen),
        "unexpected": dict(unexpected),
        "before": before,
        "after": _settled(before),
    }


def _settled(before: dict[str, int]) -> dict[str, int]:
    """What is held once the last child, which is killed but not waited for, is gone; or after SETTLE_S, if more is."""
    patience = time.monotonic() + SETTLE_S
    while True:
        held = _held()
        if time.monotonic() > patience or all(held[what] <= before[what] for what in ("processes", "descriptors")):
            return held
        time.sleep(0.05)


def _held() -> dict[str, int]:
    """What this process and its living descendants hold."""
    tree, descriptors = [os.getpid()], []
    for pid in tree:
        with suppress(FileNotFoundError, ProcessLookupError):  # it ends while it is looked at
            for task in os.listdir(f"/proc/{pid}/task"):
                tree += map(int, Path(f"/proc/{pid}/task/{task}/children").read_text().split())
            if "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                descriptors.append(len(os.listdir(f"/proc/{pid}/fd")))
    return {
        "processes": len(descriptors),
        "descriptors": sum(descriptors),
        "temporary files": len(os.listdir(tempfile.gettempdir())),
        "peak MiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
    }


@contextmanager
def _own_temporary_folder() -> Iterator[None]:
    """Other jobs of the host come and go in the common one."""
    before = os.environ.get("TMPDIR")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = None
            if before is None:
                del os.environ["TMPDIR"]
            else:
                os.environ["TMPDIR"] = before


def main(runs: int) -> None:
    with _own_temporary_folder(), Sandbox() as sandbox:
        result = soak(runs, sandbox)
    rows = [(name, result["before"][name], result["after"][name]) for name in result["before"]]
    shown = table(f"{runs:,} mixed runs", ("held", "before", "after"), rows)
    print(f"{runs:,} runs in {result['seconds']:.0f} s; unexpected: {result['unexpected'] or 'none'}")
    for row in rows:
        print(*row)
    print(write_result("sandbox_soak", settings={"runs": runs}, tables=[shown], data={"raw": result}))
