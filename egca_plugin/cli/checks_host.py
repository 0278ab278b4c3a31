"""What ``egca doctor`` looks at on the machine: memory, shared memory, and the places where files are written."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from egca_plugin.adapters.host import GIB, available_memory
from egca_plugin.cli.checks import Check, State

LEAST_GIB = 4  # verl's ten processes import torch and Ray, half a gibibyte each, before any model is loaded
DEMO_GIB = 11
SHM_GIB = 1  # data loaders, Ray's object store and NCCL pass tensors there; Docker gives 64 MiB


def host_checks() -> Iterator[Check]:
    """Memory free and allowed, ``/dev/shm``, and the folders for temporary files, Ray's session and the cache."""
    yield _memory()
    yield from _shared_memory(Path("/dev/shm"))
    yield from _folders()


def _memory() -> Check:
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < 4 * LEAST_GIB * GIB:
        found = f"a process may map {limit / GIB:.1f} GiB of addresses (ulimit -v)"
        return Check("memory", State.BAD, found, "ulimit -v unlimited: torch and Ray map far more than they use")
    free = available_memory()
    if free is None:
        return Check("memory", State.WARN, "this host does not say how much is free")
    found = f"{free / GIB:.1f} GiB free"
    if free < LEAST_GIB * GIB:
        mend = f"at least {LEAST_GIB} GiB are needed: close programs, or raise the container's limit"
        return Check("memory", State.BAD, found, mend)
    if free < DEMO_GIB * GIB:
        return Check("memory", State.WARN, found, f"`egca demo` needs {DEMO_GIB} GiB")
    return Check("memory", State.OK, found)


def _shared_memory(place: Path) -> Iterator[Check]:
    if not place.is_dir():
        yield Check("shared memory", State.WARN, f"there is no {place}", "mount a tmpfs there")
        return
    size = shutil.disk_usage(place).total
    if size < SHM_GIB * GIB:
        found = f"{size / 2**20:.0f} MiB in {place}: workers that pass tensors there end with a bus error"
        yield Check("shared memory", State.WARN, found, "docker run --shm-size=10g, or a larger tmpfs")
    else:
        yield Check("shared memory", State.OK, f"{size / GIB:.1f} GiB in {place}")


def _folders() -> Iterator[Check]:
    """TMPDIR is checked as it is named: Python goes elsewhere in silence where it cannot be used."""
    temporary = Path(os.environ.get("TMPDIR") or tempfile.gettempdir())
    yield _folder("temporary files", temporary, State.BAD, "free it, mend its rights, or point TMPDIR elsewhere")
    if os.environ.get("RAY_TMPDIR"):
        place = Path(os.environ["RAY_TMPDIR"])
        yield _folder("Ray's session", place, State.BAD, "mend its rights, or point RAY_TMPDIR elsewhere")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    mend = "point XDG_CACHE_HOME elsewhere: models and references' traces are fetched and computed anew until then"
    yield _folder("cache", cache, State.WARN, mend)


def _folder(name: str, path: Path, otherwise: State, mend: str) -> Check:
    """Can a file really be written there, or where the folder would be made?"""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"x")
    except OSError as error:
        return Check(name, otherwise, f"{path}: cannot be written ({error.strerror or error})", mend)
    return Check(name, State.OK, str(path))
