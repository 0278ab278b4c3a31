"""``python train.py OPTIONS``: EGCA's launcher of OpenRLHF with that command line, on this machine's CPU."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from runs import HARNESS, environment

if __name__ == "__main__":
    ray = Path(tempfile.mkdtemp(prefix="r"))  # Ray's sockets need a short path
    try:
        sys.exit(subprocess.call([sys.executable, str(HARNESS / "launch.py"), *sys.argv[1:]], env=environment(ray)))
    finally:
        shutil.rmtree(ray, ignore_errors=True)
