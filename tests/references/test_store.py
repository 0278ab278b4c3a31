"""Entries survive processes, races and broken lines."""

from __future__ import annotations

import logging
import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from egca_plugin.references.store import DirectoryStore, Entries, Entry, MemoryStore, Store, key_of
from egca_plugin.types import Task

TASK = Task("t/0", "", "f", "def f(): return 1\n", ("assert f() == 1",))


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryStore() if request.param == "memory" else DirectoryStore(tmp_path / "bank")


def test_what_is_put_in_comes_out(store: Store) -> None:
    assert store.load("aa") == ()
    entry = Entry('def f():\n    return "é\u2028\\n"\n', 7)
    assert store.update("aa", lambda entries: (*entries, entry)) == (entry,)
    assert store.load("aa") == (entry,)
    assert store.load("ab") == ()
    store.update("aa", lambda entries: ())
    assert store.load("aa") == ()


def test_another_process_sees_it(tmp_path: Path) -> None:
    """As after a resume, or in the worker next door: a second store on the same folder."""
    one, other = DirectoryStore(tmp_path), DirectoryStore(tmp_path)
    for step in range(3):
        one.update("aa", lambda entries, step=step: (*entries, Entry("x", step)))
        assert len(other.load("aa")) == step + 1


def _add(root: Path, worker: int, count: int) -> None:
    store = DirectoryStore(root)
    for step in range(count):
        added = Entry(f"worker {worker}", step)
        store.update("aa", lambda entries, added=added: (*entries, added))


def test_no_update_is_lost_between_processes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_add, args=(tmp_path, worker, 25)) for worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    entries = DirectoryStore(tmp_path).load("aa")
    assert sorted((e.source, e.step) for e in entries) == [(f"worker {w}", s) for w in range(4) for s in range(25)]
    assert not list(tmp_path.rglob("*.partial"))


def test_a_broken_line_is_left_out_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = DirectoryStore(tmp_path)
    store.update("aa", lambda entries: (Entry("good", 1),))
    (path,) = tmp_path.rglob("*.jsonl")
    path.write_text(path.read_text() + '{"version": 9, "source": "new", "step": 1}\nnonsense\n{"version": 1}\n')
    with caplog.at_level(logging.WARNING):
        assert DirectoryStore(tmp_path).load("aa") == (Entry("good", 1),)
    assert [record.getMessage().split(": ")[0] for record in caplog.records] == [f"{path}:{n}" for n in (2, 3, 4)]


def test_a_change_that_fails_changes_nothing(store: Store) -> None:
    store.update("aa", lambda entries: (Entry("kept", 1),))

    def fail(entries: Entries) -> Entries:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.update("aa", fail)
    assert store.update("aa", lambda entries: entries) == (Entry("kept", 1),)


def test_other_tests_make_another_key() -> None:
    assert key_of(TASK) == key_of(replace(TASK, prompt="said otherwise", reference=""))
    assert key_of(TASK) != key_of(replace(TASK, tests=("assert f() == 2",)))
    assert key_of(TASK) != key_of(replace(TASK, entry_point="g"))
