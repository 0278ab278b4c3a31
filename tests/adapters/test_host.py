from __future__ import annotations

from pathlib import Path

import pytest

from egca_plugin.adapters import host
from egca_plugin.errors import AssetError


def test_a_container_limit_binds_where_it_is_lower(tmp_path: Path) -> None:
    meminfo, limit, usage = tmp_path / "meminfo", tmp_path / "max", tmp_path / "current"
    meminfo.write_text("MemTotal: 8000 kB\nMemAvailable: 4000 kB\n")
    usage.write_text("1000000\n")
    limit.write_text("3000000\n")
    assert host.available_memory(meminfo, ((limit, usage),)) == 2_000_000
    limit.write_text("max\n")
    assert host.available_memory(meminfo, ((limit, usage),)) == 4000 * 1024
    assert host.available_memory(tmp_path / "absent", ()) is None


def test_too_little_is_refused_with_both_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "available_memory", lambda: 2 * host.GIB)
    with pytest.raises(AssetError, match=r"the demo needs 12.0 GiB of free memory; 2.0 GiB are available"):
        host.require_memory(12 * host.GIB, "the demo")
    with pytest.raises(AssetError, match=r"needs 1048576.0 GiB of free disk"):
        host.require_disk(tmp_path / "not" / "yet", 1 << 50, "the demo")
    host.require_disk(tmp_path / "not" / "yet", 1, "the demo")
