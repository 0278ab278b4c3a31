"""What this machine has left: memory and disk, as a container sees them, and a clear refusal where it is too little."""

from __future__ import annotations

import shutil
from pathlib import Path

from egca_plugin.errors import AssetError

GIB = 1 << 30
_CGROUPS = (
    (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")),  # v2
    (Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"), Path("/sys/fs/cgroup/memory/memory.usage_in_bytes")),  # v1
)


def available_memory(
    meminfo: Path = Path("/proc/meminfo"), cgroups: tuple[tuple[Path, Path], ...] = _CGROUPS
) -> int | None:
    """Bytes that new processes may still take: the smaller of the kernel's estimate and the container's limit.

    ``None`` where the host tells neither (not Linux). Page cache counted in a container's usage can be reclaimed, so
    this errs on the careful side there.
    """
    known = []
    if meminfo.is_file():
        for line in meminfo.read_text().splitlines():
            if line.startswith("MemAvailable:"):
                known.append(int(line.split()[1]) * 1024)
    for limit, usage in cgroups:
        if limit.is_file() and usage.is_file() and limit.read_text().strip().isdigit():
            known.append(max(0, int(limit.read_text()) - int(usage.read_text())))
    return min(known) if known else None


def free_disk(path: Path) -> int:
    """Free bytes of the file system that holds ``path`` or, where it does not exist yet, its nearest parent."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


def require_memory(needed: int, purpose: str) -> None:
    """Raises AssetError where less than ``needed`` bytes of memory are available."""
    have = available_memory()
    if have is not None and have < needed:
        raise AssetError(
            f"{purpose} needs {needed / GIB:.1f} GiB of free memory; {have / GIB:.1f} GiB are available. "
            "Close other programs, raise the container's limit, or use a larger machine."
        )


def require_disk(path: Path, needed: int, purpose: str) -> None:
    """Raises AssetError where the file system of ``path`` has less than ``needed`` bytes free."""
    have = free_disk(path)
    if have < needed:
        raise AssetError(
            f"{purpose} needs {needed / GIB:.1f} GiB of free disk at {path}; {have / GIB:.1f} GiB are free. "
            "Free some space, or point XDG_CACHE_HOME or --out at a larger disk."
        )
