"""Records as one HTML file that needs nothing else: no network, no assets, and no trust in the text it shows.

Everything from the records is escaped by the template engine, characters that a reader could not see are written out,
and a content security policy lets run nothing but the page's own script and style, known by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from egca_plugin import __version__
from egca_plugin.errors import AssetError
from egca_plugin.report import charts, words
from egca_plugin.report.groups import task_views
from egca_plugin.report.read import Record
from egca_plugin.report.segments import Segment, segments
from egca_plugin.report.summary import summarise
from egca_plugin.report.versus import figures
from egca_plugin.types import Task
from egca_plugin.visible import visible

if TYPE_CHECKING:
    from jinja2 import Template

SHOWN = 10_000
TEXTS = 16_000_000  # characters of the programs that are listed: with it a page stays under 30 MB
CHUNK = 50  # samples, or tasks, that the page's script makes elements of at once


@dataclass(frozen=True, slots=True)
class Sample:
    """One record as the template shows it; ``number`` counts from 1 in the records, ``task`` is its task's anchor."""

    number: int
    record: Record
    segments: tuple[Segment, ...]
    why: str
    task: str


def render(
    records: Sequence[Record],
    title: str,
    shown: int = SHOWN,
    *,
    tasks: Mapping[str, Task] | None = None,
    against: Sequence[Record] = (),
) -> str:
    """The page. Of more than ``shown`` records, or more than TEXTS characters of programs, it lists as many as fit,
    evenly spread; the figures count all of them.

    ``tasks``, by id, bring in prompts and tests. ``against``: the records of another run, to be compared with. Raises
    AssetError without jinja2, ValueError for no records.
    """
    if not records:
        raise ValueError("report: got no records, expected at least one")
    summary = summarise(records)
    other = summarise(against) if against else None
    listed = _spread(len(records), min(shown, _room(records)))
    views = task_views(records, listed, tasks or {})
    anchors = {view.task_id: view.anchor for view in views}
    style, script = _asset("report.css"), _asset("report.js")
    return _template().render(
        title=title,
        version=__version__,
        summary=summary,
        modes=charts.stacked(summary.modes),
        columns=charts.columns(summary.credited_bins),
        lines=charts.lines(summary.steps, other.steps if other else ()),
        other=other,
        other_lines=charts.lines(other.steps, summary.steps) if other else (),
        figures=figures(summary, other) if other else (),
        tasks=views,
        slowest=max((time.p95 for time in summary.times), default=0.0),
        width=charts.WIDTH,
        height=charts.HEIGHT,
        chunk_size=CHUNK,
        samples=[_sample(records, at, anchors) for at in listed],
        style=style,
        script=script,
        policy=f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'",
    )


def _template() -> Template:
    try:
        import jinja2
    except ImportError as error:
        raise AssetError("the report needs jinja2: run `pip install 'egca-plugin[report]'`") from error
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"visible": visible, "reason": words.of_reason, "failed": words.of_failed}
    environment.filters["decision"] = words.of_decision
    return environment.from_string(_asset("report.html"))


def _asset(name: str) -> str:
    return (resources.files(__package__) / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """What a content security policy wants of an inline script or style: sha256 of exactly the text in the element."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _spread(n: int, shown: int) -> list[int]:
    """``shown`` indices of ``n``, evenly spread; all where there are no more."""
    return list(range(n)) if n <= shown else [at * n // shown for at in range(shown)]


def _room(records: Sequence[Record]) -> int:
    """How many records may be listed for their texts to stay within TEXTS."""
    total = sum(len(record.text or "") for record in records)
    return len(records) if total <= TEXTS else max(1, len(records) * TEXTS // total)


def _sample(records: Sequence[Record], at: int, anchors: Mapping[str, str]) -> Sample:
    record = records[at]
    cut = tuple(segments(record.text, record.credit.spans)) if record.text is not None else ()
    return Sample(at + 1, record, cut, words.of_credit(record.credit), anchors[record.task_id])
