"""From the rows of any file to sound tasks, one at a time: the work behind ``egca prepare FILE``.

    rows → recognise → read → examine in the pool → journal → task file, verl's rows, what was refused

The journal gets a line for every row as its verdict comes, in the rows' order, and is removed when the files are
written. A run that was cut off takes from it what is still true and goes on behind it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field, replace
from itertools import chain
from pathlib import Path

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import EgcaError, TaskError
from egca_plugin.sandbox.outside.pool import Pool, WorkerLost
from egca_plugin.tasks import blobs, parquet, soundness
from egca_plugin.tasks.datafiles import Found, rows, stem
from egca_plugin.tasks.files import task_to_mapping
from egca_plugin.tasks.journal import Entry, Journal
from egca_plugin.tasks.layouts import registry
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, Unsupported, too_deep
from egca_plugin.tasks.prepared import ENDINGS, Names, Summary, write
from egca_plugin.tasks.soundness import Checked, Options

_AHEAD = 64  # rows that wait for one that takes long


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked for. ``layout``: None to recognise it by the first row; ``split``: only rows of it.

    ``keep_unsound``: keep tasks whose verdicts are in doubt, without the references that failed. ``force``: write over
    files of an earlier preparation. ``stamp``: what the verdicts depend on beside all this, such as our version; those
    of a run with another are not taken over.
    """

    source: str
    out: Path
    layout: Layout | None = None
    split: str | None = None
    options: Options = field(default_factory=Options)
    keep_unsound: bool = False
    force: bool = False
    stamp: str = ""

    @property
    def stem(self) -> str:
        """The name of every file that is written, without its ending."""
        return f"{stem(self.source)}-{self.split}" if self.split else stem(self.source)

    def file(self, ending: str) -> Path:
        """``DIR/NAME`` and the ending."""
        return self.out / f"{self.stem}{ending}"


def ingest(plan: Plan, config: SandboxConfig, on_entry: Callable[[Entry], None] = lambda entry: None) -> Summary:
    """Read, check and write everything; ``on_entry`` is told of every row as it is done.

    Raises AssetError for a source that cannot be read, TaskError where its layout is not known or no row is kept,
    EgcaError where a file is in the way, SandboxError; what was found out so far is kept then.
    """
    parquet.require()
    layout, found = _recognised(plan)
    _check_free(plan)
    plan.out.mkdir(parents=True, exist_ok=True)
    with Journal(plan.file(".partial.jsonl")) as journal:
        with Pool(
            soundness.HANDLER, config, settings=plan.options, deadline_s=soundness.DEADLINE_S, on_lost=_lost
        ) as pool:
            for entry in _entries(plan, layout, found, pool, journal):
                on_entry(entry)
        names = Names(plan.out, plan.stem, stem(plan.source))
        summary = write(journal.entries(), names, layout.name, keep_unsound=plan.keep_unsound)
        journal.remove()
    if not summary.kept:
        counts = ", ".join(f"{reason} {count}" for reason, count in summary.reasons.items())
        raise TaskError(f"{plan.source}: none of its {summary.read} rows can be kept ({counts}); {summary.first}")
    return summary


def _recognised(plan: Plan) -> tuple[Layout, Iterator[Found]]:
    """The layout, and all rows of the split. Raises AssetError, TaskError."""
    splits: Counter[str] = Counter()
    passed: list[Found] = []
    every = rows(plan.source)
    for one in every:
        splits[one.split] += 1
        if plan.split not in (None, one.split):
            continue
        passed.append(one)
        if not isinstance(one.fields, TaskError):
            layout = plan.layout or registry.recognised(one.fields.keys(), one.where)
            rest = (another for another in every if plan.split in (None, another.split))
            return layout, chain(passed, rest)
    if passed and isinstance(passed[0].fields, TaskError):
        raise passed[0].fields
    of = f" of the split {plan.split!r}, only of {', '.join(splits)}" if plan.split and splits else ""
    raise TaskError(f"{plan.source}: got no row{of}; expected at least one")


def _check_free(plan: Plan) -> None:
    """Nothing of the user's is written over, and the source never. Raises EgcaError."""
    source = Path(plan.source)
    for path in map(plan.file, ENDINGS):
        if path.exists() and source.exists() and (path.samefile(source) or source in path.parents):
            raise EgcaError(f"{path}: is what is read; expected another folder as --out")
        if path.exists() and not plan.force:
            raise EgcaError(f"{path}: is there already; expected a place for a new file, or --force to write over it")


# --- a row to its entry -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Step:
    """A row on its way: its entry so far, and the examination that is under way, if it needs one."""

    entry: Entry
    examined: Future[Checked] | None = None


def _entries(plan: Plan, layout: Layout, found: Iterator[Found], pool: Pool, journal: Journal) -> Iterator[Entry]:
    """Every row's entry, in order, as it is noted in the journal."""
    waiting: deque[_Step] = deque()
    try:
        for number, one in enumerate(found):
            waiting.append(_step(plan, layout, number, one, pool, journal))
            while waiting and (_ready(waiting[0]) or len(waiting) > _AHEAD):
                yield _noted(waiting.popleft(), plan, layout, journal)
        while waiting:
            yield _noted(waiting.popleft(), plan, layout, journal)
    finally:
        for step in waiting:
            if step.examined is not None:
                step.examined.cancel()


def _ready(step: _Step) -> bool:
    return step.examined is None or step.examined.done()


def _step(plan: Plan, layout: Layout, number: int, found: Found, pool: Pool, journal: Journal) -> _Step:
    name = f"{stem(plan.source)}/{number}"
    try:
        key = _key(found, layout, plan)
    except RecursionError:
        found = replace(found, fields=too_deep(found.where))
        key = _key(found, layout, plan)
    entry = Entry(key, found.where, found.split, name)
    known = journal.known(entry.key)
    if known is not None:
        return _Step(known)
    try:
        if isinstance(found.fields, TaskError):
            raise found.fields
        reading = layout.read(Row(found.where, name, found.fields, _folder(plan.source)))
    except Unsupported as error:
        return _Step(replace(entry, reason="unsupported", detail=str(error)))
    except TaskError as error:
        return _Step(replace(entry, reason="malformed", detail=str(error)))
    except RecursionError:
        return _Step(replace(entry, reason="malformed", detail=str(too_deep(found.where))))
    entry = replace(entry, messages=reading.messages, data_source=reading.data_source)
    return _Step(replace(entry, task_id=reading.tasks[0].task_id), pool.submit(reading))


def _folder(source: str) -> Path | None:
    path = Path(source)
    return path.parent if path.is_file() else path if path.is_dir() else None


def _key(found: Found, layout: Layout, plan: Plan) -> str:
    fields = str(found.fields) if isinstance(found.fields, TaskError) else found.fields
    said = json.dumps([plan.stamp, layout.name, asdict(plan.options), found.where, found.split, fields], default=str)
    return hashlib.sha256(said.encode()).hexdigest()


def _noted(step: _Step, plan: Plan, layout: Layout, journal: Journal) -> Entry:
    entry = step.entry
    if step.examined is not None:
        entry = _judged(entry, step.examined.result(), layout)
        if entry.task is not None:
            entry = replace(entry, task=blobs.store(entry.task, plan.file("-tests"), plan.out))
    journal.write(entry)
    return entry


def _judged(entry: Entry, checked: Checked, layout: Layout) -> Entry:
    entry = replace(entry, reason=checked.reason, detail=f"{entry.where}, {checked.detail}" if checked.reason else "")
    task = checked.task
    if task is None:
        return entry
    try:
        mapping = task_to_mapping(replace(task, extra={}))
        json.dumps([mapping, dict(task.extra), list(entry.messages)], ensure_ascii=False).encode()
    except UnicodeEncodeError as cause:
        got = f"{entry.where}: got half of a surrogate pair, {cause.object[cause.start]!r}, expected Unicode text"
        return replace(entry, reason="malformed", detail=got)
    except RecursionError:
        return replace(entry, reason="malformed", detail=str(too_deep(entry.where)))
    asked = ({"role": "user", "content": layout.instruction(task) + task.prompt},) if task.prompt else ()
    return replace(entry, task=mapping, extra=dict(task.extra), messages=entry.messages or asked)


def _lost(reading: Reading, error: WorkerLost) -> Checked:
    return Checked(None, "untestable", f"its tests bring down the process that runs them ({error})")
