"""The tiny policy, built once a session and a machine: every worker of pytest-xdist waits for the first."""

from __future__ import annotations

import fcntl
import os

import pytest


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> object:
    """A :class:`tiny_policy.Tiny`: model directory and parquet rows."""
    pytest.importorskip("transformers")
    import tiny_policy as builder

    base = tmp_path_factory.getbasetemp()
    home = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "egca-tiny"  # shared by the workers
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (home / "val.parquet").exists():
            builder.build(home / "model")
            builder.write_rows(home)
    return builder.Tiny(home / "model", home / "train.parquet", home / "val.parquet")
