"""Hold a scorer against programs whose verdict is known: what it calls wrong that is right, and right that is wrong.

report = run_verdicts("prime_code")
print(report.table())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from egca_plugin.conformance import scorers
from egca_plugin.conformance.run import DEADLINE_S, Host, adoption
from egca_plugin.conformance.verdicts import Program, programs
from egca_plugin.conformance.verdicts.tasks import SUM

_KNOWN = (SUM, "n = int(input())\nprint(sum(map(int, input().split())))\n")


@dataclass(frozen=True, slots=True)
class Answer:
    """``said``: True for right, False for wrong, ``crashed`` or ``hung``."""

    program: Program
    said: bool | str

    @property
    def agrees(self) -> bool:
        return self.said is self.program.right

    def what(self) -> str:
        """In words, for the table."""
        if self.agrees:
            return "ok"
        return self.said if isinstance(self.said, str) else "called right" if self.said else "called wrong"


@dataclass(frozen=True, slots=True)
class VerdictReport:
    """``answers`` are in the corpus's order."""

    scorer: str
    answers: tuple[Answer, ...]

    @property
    def failures(self) -> tuple[Answer, ...]:
        return tuple(answer for answer in self.answers if not answer.agrees)

    def summary(self) -> dict[str, int]:
        """How many programs of each kind, and how many verdicts on them are wrong."""
        counts = {}
        for name, right in (("right", True), ("wrong", False)):
            of_kind = [answer for answer in self.answers if answer.program.right is right]
            counts[name] = len(of_kind)
            counts[f"{name}, misjudged"] = sum(not answer.agrees for answer in of_kind)
        return counts

    def rows(self) -> list[tuple[str, str, str, str]]:
        """What the program is, its name, what it does, what the scorer made of it."""
        return [
            ("right" if a.program.right else "wrong", a.program.name, a.program.way, a.what()) for a in self.answers
        ]

    def table(self, *, failures_only: bool = False) -> str:
        """As Markdown, with the counts below."""
        kept = [row for row in self.rows() if not failures_only or row[3] != "ok"]
        lines = [f"| it is | program | what it does | {self.scorer} |", "|---|---|---|---|"]
        lines += ["| " + " | ".join(row) + " |" for row in kept]
        return "\n".join([*lines, "", ", ".join(f"{name}: {count}" for name, count in self.summary().items())])

    def to_json(self) -> dict[str, Any]:
        names = ("is", "name", "way", "result")
        return {
            "scorer": self.scorer,
            "summary": self.summary(),
            "programs": [dict(zip(names, row, strict=True)) for row in self.rows()],
        }


def run_verdicts(
    scorer: str,
    *,
    chosen: Sequence[Program] | None = None,
    progress: Callable[[Answer], None] | None = None,
    deadline_s: float = 3 * DEADLINE_S,
) -> VerdictReport:
    """Ask the scorer about every program. ``scorer`` is a name of :mod:`.scorers`, or ``module:function``.

    Raises ConfigError or AssetError for a scorer that cannot be loaded, or that judges no standard input.
    """
    scorers.load(scorer)  # here first, where its error can be raised
    answers = []
    with adoption(), Host(scorer, deadline_s, _KNOWN) as host:
        for program in programs() if chosen is None else chosen:
            answers.append(Answer(program, host.accepts(program.task, program.source)))
            if progress is not None:
                progress(answers[-1])
    return VerdictReport(scorer, tuple(answers))
