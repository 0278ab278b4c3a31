"""Records from a file or a run's directory: what ``egca assess`` writes, and what a trainer writes during a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from egca_plugin import jsonl
from egca_plugin.errors import SampleError
from egca_plugin.monitor.records import read_credit
from egca_plugin.tasks.files import load_samples
from egca_plugin.types import Credit

PATTERN = "credits-*.jsonl"  # what RecordWriter names its files


@dataclass(frozen=True, slots=True)
class Record:
    """One judged sample.

    ``text`` is the completion, None where the line has none (``egca assess`` does not repeat its samples). ``step`` is
    the training step, None outside training. ``credited_share`` is the share of the response that carries the
    advantage: of its tokens in training, else of its characters; 1.0 where credit is uniform, None where unknown.
    """

    task_id: str
    credit: Credit
    text: str | None = None
    step: int | None = None
    credited_share: float | None = None
    where: str = ""


def load(path: Path, samples: Path | None = None) -> tuple[Record, ...]:
    """All records of a JSONL file, or of the ``credits-*.jsonl`` files of a directory in the order of their steps.

    ``samples`` brings in the completions of an ``egca assess`` run: the file that was assessed. Raises SampleError for
    an unusable line, for no record at all, and for samples that do not fit the records.
    """
    records = [record for file in files(path) for record in _file(file)]
    if not records:
        raise SampleError(f"{path}: got no record, expected at least one line of `egca assess` or of a run")
    if path.is_dir():
        records.sort(key=lambda record: -1 if record.step is None else record.step)
    return tuple(records) if samples is None else _with_texts(records, samples, path)


def files(path: Path) -> list[Path]:
    """The record files behind ``path``. Raises SampleError where there are none."""
    if path.is_file():
        return [path]
    found = live_files(path)
    if not found:
        what = f"no {PATTERN} in it" if path.is_dir() else "no such file or directory"
        raise SampleError(f"{path}: {what}; expected a credits file, or the directory given as egca.records")
    return found


def live_files(directory: Path) -> list[Path]:
    """The record files of a run: in ``directory``, or in its folder ``records`` where the recipes put them."""
    return sorted(directory.glob(PATTERN)) or sorted(directory.glob(f"records/{PATTERN}"))


def parse(line: bytes, where: str) -> Record:
    """One record from its line. Raises SampleError naming ``where``."""
    row = jsonl.parse(line, where, SampleError)
    if not isinstance(row.get("task_id"), str):
        raise SampleError(f"{where}, field task_id: missing; expected a record of `egca assess` or of a run")
    credit = read_credit(row, where)
    text = row.get("completion")
    if text is not None and not isinstance(text, str):
        raise SampleError(f"{where}, field completion: got {type(text).__name__}, expected text")
    share = _share_of_tokens(row, credit)
    return _with_text(Record(row["task_id"], credit, None, _step(row, where), share, where), text)


def _file(file: Path) -> Iterator[Record]:
    for where, line in jsonl.lines(file, SampleError):
        if line.endswith(b"\n") or not file.match(PATTERN):  # of a live run the last line may still be on its way
            yield parse(line, where)


def _step(row: Mapping[str, Any], where: str) -> int | None:
    step = row.get("step")
    if step is not None and (not isinstance(step, int) or isinstance(step, bool)):
        raise SampleError(f"{where}, field step: got {step!r}, expected the training step's number")
    return step


def _share_of_tokens(row: Mapping[str, Any], credit: Credit) -> float | None:
    tokens, credited = row.get("tokens"), row.get("credited_tokens")
    if isinstance(tokens, int) and isinstance(credited, int) and tokens > 0:
        return credited / tokens
    return None if credit.spans else 1.0


def _with_text(record: Record, text: str | None) -> Record:
    share = record.credited_share
    if share is None and text:
        covered = {at for span in record.credit.spans for at in range(span.start, min(span.end, len(text)))}
        share = len(covered) / len(text)
    return replace(record, text=text, credited_share=share)


def _with_texts(records: Sequence[Record], samples: Path, path: Path) -> tuple[Record, ...]:
    texts = list(load_samples(samples))
    if [s.task_id for s in texts] != [r.task_id for r in records]:
        raise SampleError(
            f"{samples}: its {len(texts)} samples are not those of the {len(records)} records in {path}, line by line; "
            "give the file that `egca assess` read"
        )
    return tuple(_with_text(record, sample.completion) for record, sample in zip(records, texts, strict=True))
