"""What a training run looks like in the terminal: a bar, one line a step, a table at the end, a sample explained."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.panel import Panel

from egca_plugin import jsonl
from egca_plugin.cli.tables import Fitting
from egca_plugin.cli.terminal import plain
from egca_plugin.errors import SampleError
from egca_plugin.monitor.records import read_credit
from egca_plugin.report.terminal import program
from egca_plugin.types import Mode

# verl's timers (`timing_s/...` of its metrics) under the names that people know the phases by.
PHASES = {"gen": "rollout", "old_log_prob": "log-probs", "update_actor": "update", "update_weights": "weight sync"}


@dataclass(frozen=True, slots=True)
class Step:
    """The numbers of one training step; shares from 0 to 1, seconds by phase, ``total_s`` for the whole step."""

    number: int
    pass_rate: float
    modes: Mapping[str, float]
    credited: float
    verified: float
    seconds: Mapping[str, float]
    total_s: float

    @classmethod
    def of(cls, number: int, metrics: Mapping[str, float]) -> Step:
        """From verl's metrics of a step; a metric that is not there (EGCA off, say) counts as 0."""
        return cls(
            number,
            metrics.get("egca/pass_rate", 0.0),
            {mode.value: metrics.get(f"egca/mode/{mode.value}", 0.0) for mode in Mode},
            metrics.get("egca/credited_tokens", 0.0),
            metrics.get("egca/verified", 0.0),
            {name: metrics[f"timing_s/{key}"] for key, name in PHASES.items() if f"timing_s/{key}" in metrics},
            metrics.get("timing_s/step", 0.0),
        )

    def line(self, steps: int) -> str:
        """The step in one line."""
        modes = ", ".join(f"{mode} {share:.0%}" for mode, share in self.modes.items())
        phases = ", ".join(f"{name} {s:.0f}" for name, s in self.seconds.items())
        return (
            f"step {self.number}/{steps}: pass {self.pass_rate:.0%} | {modes} | "
            f"credited tokens {self.credited:.0%} | {self.total_s:.0f} s ({phases})"
        )


def steps_table(steps: Sequence[Step]) -> Fitting:
    """One row a step."""
    modes = (mode.value for mode in Mode)
    columns = ("step", "pass", *modes, "credited tokens", "verified", *PHASES.values(), "total s")
    table = Fitting("Training steps", columns)
    for step in steps:
        table.add_row(
            str(step.number),
            f"{step.pass_rate:.0%}",
            *(f"{share:.0%}" for share in step.modes.values()),
            f"{step.credited:.0%}",
            f"{step.verified:.0%}",
            *(f"{step.seconds[name]:.0f}" if name in step.seconds else "-" for name in PHASES.values()),
            f"{step.total_s:.0f}",
        )
    return table


# --- the records --------------------------------------------------------------------------------------------------


def read_records(folder: Path) -> list[dict[str, Any]]:
    """All records of a run, in the order of their files and lines. Raises SampleError for an unusable line."""
    return [row for path in sorted(folder.glob("credits-*.jsonl")) for _, row in jsonl.rows(path, SampleError)]


def records_table(records: Sequence[Mapping[str, Any]]) -> Fitting:
    """Samples by mode: how many, with a span, verified, the share of their tokens that is credited, and why not."""
    why = "stayed plain GRPO because"
    columns = ("mode", "samples", "with a span", "verified", "credited tokens", why)
    table = Fitting(f"{len(records)} samples", columns, texts=("mode", why))
    for mode in Mode:
        rows = [record for record in records if record["mode"] == mode.value]
        if rows:
            tokens = sum(record["tokens"] for record in rows)
            credited = sum(record["credited_tokens"] or 0 for record in rows)
            reasons = Counter(record["reason"] or record["fallback"] for record in rows).most_common()
            table.add_row(
                mode.value,
                str(len(rows)),
                str(sum(bool(record["span"]) for record in rows)),
                str(sum(record["verified"] for record in rows)),
                f"{credited / max(tokens, 1):.0%}",
                plain(", ".join(f"{reason} {count}" for reason, count in reasons if reason) or "-"),
            )
    return table


def best_example(records: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The sample that shows most: a verified logic error with an advantage and a narrow span, else any with a span."""
    with_span = [record for record in records if record["span"] and record["moved"]]
    return min(
        with_span,
        key=lambda r: (
            not r["verified"],
            r["mode"] != Mode.LOGIC.value,
            not r["group_advantage"],
            r["credited_tokens"],
        ),
        default=None,
    )


def example(record: Mapping[str, Any]) -> Panel:
    """The completion with the credited characters marked, and what the evidence was."""
    credit = read_credit(record, f"a record of {record['task_id']}")
    notes = [f"credited tokens: {' '.join(repr(text) for text in record['credited_text'])}"]
    if credit.patch:
        notes.insert(0, f"patch that makes every test pass: {credit.patch}")
    if credit.divergence:
        notes.insert(0, credit.divergence.message)
    title = f"{record['task_id']}, step {record['step']}: {credit.mode.value}, {credit.outcome.value}"
    shown = Group(program(credit, record["completion"]), plain("\n" + "\n".join(notes), "dim"))
    return Panel(shown, title=plain(title), title_align="left", expand=False)
