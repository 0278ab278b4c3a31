"""References' traces on disk: the same as fresh ones, shared, bounded, and read with distrust."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import replace
from pathlib import Path

import pytest

from egca_plugin.config import EgcaConfig
from egca_plugin.localize.compare import reference, saved
from egca_plugin.localize.compare.reference import ReferenceCache, open_saved
from egca_plugin.localize.compare.saved import SavedTraces, key_of
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.sandbox.outside.records import Record
from egca_plugin.types import CallResult, CallStatus

SOURCE = """
def f(xs):
    seen = {}
    for x in xs:
        seen.setdefault(x, set()).add((x, float(x), None, True, "naïve" * 60))
    return seen
"""
CALLS = (call("f", [1, 2, 2]), call("f", []), call("f", [[]]))  # the last raises


class Unused:
    """A sandbox that must not be asked."""

    def __getattr__(self, name: str) -> object:
        pytest.fail(f"the sandbox was asked to {name}")


def open_in(folder: Path) -> SavedTraces:
    found = open_saved(EgcaConfig(traces=str(folder)))
    assert found is not None
    return found


def fill(folder: Path, sandbox: Sandbox) -> Path:
    cache = ReferenceCache()
    cache.results(SOURCE, CALLS, sandbox, open_in(folder))
    cache.traces(SOURCE, CALLS, sandbox, open_in(folder))
    (file,) = folder.iterdir()
    return file


def test_another_process_finds_exactly_what_was_traced(sandbox: Sandbox, tmp_path: Path) -> None:
    fill(tmp_path, sandbox)
    fresh, later, unused = ReferenceCache(), ReferenceCache(), Unused()
    disk = open_in(tmp_path)
    assert later.results(SOURCE, CALLS, unused, disk) == fresh.results(SOURCE, CALLS, sandbox)  # type: ignore[arg-type]
    for kept, traced in zip(
        later.traces(SOURCE, CALLS, unused, disk),  # type: ignore[arg-type]
        fresh.traces(SOURCE, CALLS, sandbox),
        strict=True,
    ):
        assert [(site, repr(value)) for site, value in kept.events] == [(s, repr(v)) for s, v in traced.events]
        assert (kept.result, kept.lines, kept.times) == (traced.result, traced.lines, traced.times)
        assert kept.events
    assert later.results(SOURCE, CALLS, unused, disk)[CALLS[2]].status is CallStatus.EXCEPTION  # type: ignore[arg-type]


def test_only_calls_that_the_tests_make_are_kept_where_a_candidate_chose_some(sandbox: Sandbox, tmp_path: Path) -> None:
    chosen = [call(CALLS[0].function, [9] * 1000), *CALLS]
    cache, disk = ReferenceCache(), open_in(tmp_path)
    found = cache.results(SOURCE, chosen, sandbox, disk, lambda source: CALLS[:2])
    cache.traces(SOURCE, chosen, sandbox, disk, lambda source: CALLS[:2])
    assert len(found) == len(chosen)
    assert disk.load(SOURCE).keys() == {key_of(one) for one in CALLS[:2]}


def test_what_a_candidate_chose_is_forgotten(sandbox: Sandbox) -> None:
    """Each call keeps half a megabyte: 40 of them do not stay."""
    cache = ReferenceCache()
    for size in range(40):
        cache.results("def f(x): return x", [call("f", "x" * (500_000 + size))], sandbox)
    assert cache.known("def f(x): return x").weight < 4 << 20


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"x" + data,
    ],
    ids=["empty", "torn", "a flipped bit", "another format"],
)
def test_a_damaged_file_is_a_miss_and_is_replaced(damage: object, sandbox: Sandbox, tmp_path: Path) -> None:
    file = fill(tmp_path, sandbox)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))  # type: ignore[operator]
    assert open_in(tmp_path).load(SOURCE) == {}
    assert fill(tmp_path, sandbox).read_bytes() == whole


def test_what_decides_on_a_trace_is_part_of_the_name(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, sandbox)
    assert open_in(tmp_path).load(SOURCE)
    assert open_in(tmp_path).load(SOURCE + "\n") == {}
    with monkeypatch.context() as other:
        other.setattr(reference, "MAX_STEPS", 7)
        assert open_in(tmp_path).load(SOURCE) == {}
    with monkeypatch.context() as other:
        other.setattr(saved, "_version", lambda: b"another interpreter, or other probes")
        assert open_in(tmp_path).load(SOURCE) == {}


def test_what_depends_on_the_machines_load_is_not_kept(tmp_path: Path) -> None:
    disk = open_in(tmp_path)
    timeout = CallResult(CallStatus.TIMEOUT)
    disk.keep(SOURCE, {CALLS[0]: timeout}, {CALLS[1]: Record(replace(timeout, status=CallStatus.DIED))})
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_bounded_and_the_unread_go_first(tmp_path: Path) -> None:
    disk = SavedTraces(tmp_path, 6_000)
    for number in range(5):
        disk.keep(f"{SOURCE}#{number}", {CALLS[0]: CallResult(CallStatus.VALUE, value=b"s\0\0\0\0" + bytes(0))}, {})
    files = sorted(tmp_path.iterdir(), key=lambda file: file.stat().st_mtime_ns)
    for age, file in enumerate(files):
        os.truncate(file, 2_000)
        os.utime(file, (1_000 + age, 1_000 + age))
    disk.prune()
    assert sorted(tmp_path.iterdir()) == sorted(files[3:])


def test_a_folder_that_others_may_write_to_is_not_used(
    sandbox: Sandbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path, sandbox)
    tmp_path.chmod(0o777)
    assert open_in(tmp_path).load(SOURCE) == {}
    assert "others can write to it" in caplog.text


def test_where_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_saved(EgcaConfig(traces="")) is None
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert open_saved(EgcaConfig()) is not None
    assert (tmp_path / "egca" / "traces").stat().st_mode & 0o777 == 0o700
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))
    assert open_saved(EgcaConfig()) is None


def _write_and_read(folder: Path, number: int) -> bool:
    """One of many processes at the same file: whatever it reads is whole."""
    disk = open_in(folder)
    whole = True
    for turn in range(60):
        value = Record(CallResult(CallStatus.VALUE, value=b"N"), (number, turn) * 500)
        disk.keep(SOURCE, {}, {call("f", [number, turn]): value})
        whole &= bool(disk.load(SOURCE))  # a torn file would be a miss
    return whole


def test_many_processes_never_see_half_a_file(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert pool.starmap(_write_and_read, [(tmp_path, number) for number in range(3)]) == [True] * 3
    assert [file.suffix for file in tmp_path.iterdir()] == [".traces"], "nothing half-written is left"
