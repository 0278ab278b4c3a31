"""The rows of a training data set as they are: which of them are code, and the task of each that is.

A row is verl's: ``data_source``, ``prompt``, ``reward_model`` (``style``, ``ground_truth``), ``extra_info``. The
ground truth holds a task (``egca prepare``), or tests in a layout of :mod:`egca_plugin.tasks.layouts.verl_rows`. Any
other row is no code: the trainer's own scorer knows what to do with it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from egca_plugin.errors import TaskError
from egca_plugin.tasks import parquet
from egca_plugin.tasks.layouts import packed, solutions, verl_rows
from egca_plugin.types import Task

COLUMNS = ("data_source", "prompt", "ability", "reward_model", "extra_info", *solutions.FIELDS)
CODE_SOURCES = ("codecontests", "apps", "codeforces", "taco")  # data sources that verl scores as code
_CODE_ABILITIES = ("code", "coding")
_KEYS = tuple(f'"{key}"' for key in ("inputs", "outputs", "test_code", "assert_case", "tests"))


def task_of_row(row: Mapping[str, Any], where: str) -> Task | None:
    """The task of one row, None for a row that is no code.

    Raises TaskError, naming ``where`` and the field, for a row without a ground truth, and for one that is code by what
    it says of itself (``data_source``, ``ability``) or by its keys and cannot be read.
    """
    cell = row.get("reward_model")
    if not isinstance(cell, Mapping) or "ground_truth" not in cell:
        raise TaskError(f"{where}, reward_model: got {cell!r:.80}, expected {{style, ground_truth}}")
    field_ = f"{where}, reward_model.ground_truth"
    declared = _declares_code(row)
    truth = _as_lists(cell["ground_truth"])
    decoded = _decoded(truth, declared, field_) if isinstance(truth, str) else truth
    if isinstance(truth, str) and isinstance(decoded, str) and decoded.lstrip().startswith(("{", "[")):
        truth, decoded = decoded, _decoded(decoded, declared, field_)  # encoded twice
    if _is_ours(decoded):
        return parquet.decode(truth if isinstance(truth, str) else json.dumps(_without_none(decoded)), field_)
    task = verl_rows.task_of(decoded, _about(row, truth), field_)
    if task is None and declared:
        raise TaskError(
            f"{field_}: got {truth!r:.80}, which has no tests that are known; expected {{inputs, outputs}}, "
            "{test_code, entry_point}, {assert_case}, LiveCodeBench's tests, or a task from `egca prepare`"
        )
    return task


# --- a whole data set -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Survey:
    """What the rows of a data set are. ``kinds`` counts tasks by kind, ``others`` rows that are no code by source.

    ``bad``: the errors of the rows that are code and cannot be read, each naming its row and field. ``examples``: the
    ground truth of one row of each source in ``others``.
    """

    rows: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    references: int = 0
    others: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Any] = field(default_factory=dict)
    bad: tuple[str, ...] = ()

    def __str__(self) -> str:
        code = [f"{count} {kind}" for kind, count in sorted(self.kinds.items())]
        others = [f"{count} of {source}" for source, count in sorted(self.others.items())]
        said = [f"{', '.join(code)}, {self.references} with a reference"] if code else []
        said += [f"no code: {', '.join(others)}"] if others else []
        said += [f"{len(self.bad)} that cannot be read"] if self.bad else []
        return f"{self.rows} rows: {'; '.join(said) or 'none'}"


def survey(rows: Iterable[Mapping[str, Any]], where: str) -> Survey:
    """Read every row; ``where`` names the data set or its file. Raises nothing for a bad row."""
    count, references, bad = 0, 0, []
    kinds: Counter[str] = Counter()
    others: Counter[str] = Counter()
    examples: dict[str, Any] = {}
    for number, row in enumerate(rows):
        count += 1
        try:
            task = task_of_row(row, place(row, f"{where}, row {number}"))
        except TaskError as error:
            bad.append(str(error))
            continue
        if task is None:
            source = str(row.get("data_source"))
            others[source] += 1
            examples.setdefault(source, row["reward_model"]["ground_truth"])
        else:
            kinds[task.kind.value] += 1
            references += bool(task.reference)
    return Survey(count, kinds, references, others, examples, tuple(bad))


def place(row: Mapping[str, Any], where: str) -> str:
    """``where`` with what the row itself says of where it is from, since trainers filter and shuffle."""
    extra = row.get("extra_info")
    index = extra.get("index") if isinstance(extra, Mapping) else None
    said = [str(row["data_source"])] if row.get("data_source") else []
    said += [f"index {index}"] if index is not None else []
    return f"{where} ({', '.join(said)})" if said else where


def of_dataset(dataset: Any, size: int = 64) -> Iterator[Mapping[str, Any]]:
    """The rows of a ``datasets.Dataset``, ``size`` at a time, and of their columns only those that matter here."""
    chosen = dataset.select_columns([name for name in COLUMNS if name in dataset.column_names])
    for batch in chosen.iter(batch_size=size):
        names = list(batch)
        for values in zip(*batch.values(), strict=True):
            yield dict(zip(names, values, strict=True))


# --- one row ------------------------------------------------------------------------------------------------------


def _as_lists(value: Any) -> Any:
    """A table's cell without numpy's arrays and bytes."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return {name: _as_lists(one) for name, one in value.items()}
    return [_as_lists(one) for one in value] if isinstance(value, list | tuple) else value


def _is_ours(decoded: Any) -> bool:
    return isinstance(decoded, Mapping) and "task_id" in decoded and bool({"tests", "entry_point"} & decoded.keys())


def _without_none(truth: Mapping[str, Any]) -> dict[str, Any]:
    """Arrow gives each struct of a column the keys of all."""
    return {key: value for key, value in truth.items() if value is not None}


def _declares_code(row: Mapping[str, Any]) -> bool:
    return row.get("data_source") in CODE_SOURCES or str(row.get("ability", "")).lower() in _CODE_ABILITIES


def _decoded(text: str, declared: bool, where: str) -> Any:
    """The value of a text that is, or claims to be, tests; the text itself where it is something else."""
    if packed.looks_packed(text):
        return packed.from_pickle(text, where)
    if declared or len(text) > packed.MAX_CHARS:
        return packed.from_json(text, where)
    if not text.lstrip().startswith(("{", "[", '"{', '"[')):
        return text
    try:
        return packed.from_json(text, where)
    except TaskError:
        if any(key in text for key in (*_KEYS, *(key.replace('"', "'") for key in _KEYS))):
            raise  # tests, but broken off or in Python's spelling
        return text  # a set or an interval of mathematics


def _about(row: Mapping[str, Any], truth: Any) -> verl_rows.About:
    extra = row.get("extra_info")
    extra = extra if isinstance(extra, Mapping) else {}
    metadata = extra.get("metadata")
    if isinstance(metadata, str):
        try:
            metadata = packed.from_json(metadata, "extra_info.metadata")
        except TaskError:  # it may be anything: it is not ours to refuse
            metadata = None
    named = metadata.get("func_name") if isinstance(metadata, Mapping) else None
    return verl_rows.About(
        task_id=_task_id(row, extra, truth),
        prompt=_prompt(row.get("raw_prompt", row.get("prompt"))),
        solutions=solutions.texts(row, extra, truth),
        function=str(extra.get("fn_name") or extra.get("func_name") or named or ""),
    )


def _task_id(row: Mapping[str, Any], extra: Mapping[str, Any], truth: Any) -> str:
    """The row's own, else its source and number; with a digest of its tests, since files number anew."""
    given = row.get("task_id") or extra.get("task_id")
    if given:
        return str(given)
    text = truth if isinstance(truth, str) else json.dumps(truth, default=str)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    place = [str(part) for part in (row.get("data_source"), extra.get("split"), extra.get("index")) if part is not None]
    return "/".join([*place, digest])


def _prompt(value: Any) -> str:
    """The last message of a chat, as text; a prompt that is a text, as it is."""
    if hasattr(value, "tolist"):  # numpy
        value = value.tolist()
    if isinstance(value, list | tuple) and value:
        last = value[-1]
        value = last.get("content") if isinstance(last, Mapping) else last
    if isinstance(value, list):  # of parts, some of them pictures
        value = "".join(str(part.get("text") or "") for part in value if isinstance(part, Mapping))
    return value if isinstance(value, str) else ""
