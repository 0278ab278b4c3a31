"""The samples of one batch as every adapter sees them: each with its credit on the tokens that were sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from itertools import chain
from typing import TYPE_CHECKING

from egca_plugin.config import EgcaConfig
from egca_plugin.types import Credit, Mode, Outcome, TokenSpan

if TYPE_CHECKING:  # rows are read where there is no torch
    import torch


@dataclass(frozen=True, slots=True)
class Placing:
    """How credit is to be placed: ``enabled`` and the fields of the settings that decide it.

    It travels with every sample for a trainer that is not ours and whose estimator sees no settings of EGCA's.
    """

    enabled: bool = True
    credit: str = "span"
    scale: str = "unit"
    mix: float = 1.0
    cap: float = 0.0
    praise: float = 0.0
    unlocated: float = 1.0
    thinking: str = "shared"

    @classmethod
    def of(cls, config: EgcaConfig, enabled: bool) -> Placing:
        """What the settings of a run say."""
        names = (f.name for f in fields(cls) if f.name not in ("enabled", "praise"))
        return cls(enabled, praise=config.praise_share, **{name: getattr(config, name) for name in names})


@dataclass(frozen=True, slots=True)
class Ticket:
    """``where``: who has it; ``group`` and ``sample`` name the sample there."""

    where: str
    group: str
    sample: int


@dataclass(frozen=True, slots=True)
class Row:
    """One sample's credit with its spans on the response's tokens, as the trainer sees it.

    ``tokens`` counts the tokens of the response as sampled. ``fallback`` is a code where the credit could not be
    brought onto the tokens, which leaves ``spans`` empty. ``thinking``: the response's reasoning. ``praised``: what it
    wrote in front of its decision, which earns praise where ``credit.mended`` says how much. ``scorer``: who rewarded
    a sample that is no code; its credit says nothing but the reward. ``ticket``: where the rest of the credit of a
    sample is to be had whose group is credited later; None where there is no more. ``foreign``: tokens of the response
    that were not sampled, and whose text nobody judged. ``instead``: with ``egca.credit=counterfactual``, the id that
    the repair has in place of the one token in ``spans``, None where that cannot be told.
    """

    credit: Credit
    task_id: str
    spans: tuple[TokenSpan, ...] = ()
    tokens: int = 0
    fallback: str = ""
    thinking: tuple[TokenSpan, ...] = ()
    placing: Placing = Placing()
    scorer: str = ""
    ticket: Ticket | None = None
    praised: tuple[TokenSpan, ...] = ()
    foreign: tuple[TokenSpan, ...] = ()
    instead: int | None = None

    @classmethod
    def of_another_scorer(cls, scorer: str, reward: float, tokens: int) -> Row:
        """A sample that is no code: ``scorer``'s reward, plain GRPO credit."""
        return cls(Credit(Mode.CONSTRAINT, reward, Outcome.OK, 0, 0), "", (), tokens, scorer=scorer)

    @property
    def failing(self) -> bool:
        """Is it code that does not pass?"""
        return self.judged and not self.credit.passed

    @property
    def judged(self) -> bool:
        """Did the sandbox judge it? Else it is no code, and its credit counts for nothing."""
        return not self.scorer

    @property
    def learns_instead(self) -> bool:
        """Is the token ``instead`` known, and what a passing sample would have earned by it?"""
        return self.instead is not None and self.credit.mended > 0

    def without_rest(self, code: str) -> Row:
        """The row as it stands, where the rest of its credit cannot be had for the cause ``code``: plain GRPO."""
        return replace(self, credit=replace(self.credit, reason=code), fallback=code, ticket=None)

    def completed(self, rest: Row) -> Row:
        """``rest``, with what was lost and replaced before it."""
        restarts = {**self.credit.restarts, **rest.credit.restarts}
        return replace(rest, credit=replace(rest.credit, restarts=restarts))

    def shifted(self, by: int) -> Row:
        """The same in a grid whose response begins at column ``by``."""
        spans, thinking, praised, foreign = (
            tuple(TokenSpan(span.start + by, span.end + by) for span in each)
            for each in (self.spans, self.thinking, self.praised, self.foreign)
        )
        return replace(self, spans=spans, thinking=thinking, praised=praised, foreign=foreign)

    @property
    def reason(self) -> str:
        """Why the credit is not narrower: the adapter's code, else the pipeline's, else empty."""
        return self.fallback or self.credit.reason


@dataclass(frozen=True, slots=True)
class Placement:
    """What :func:`egca_plugin.adapters.tensors.place` did, row by row; tuples of length B.

    ``moved``: the row's advantage now lies on its spans. ``lost``: spans were given and every token of theirs is
    masked (truncated away, tool output, padding), so the row kept uniform credit. ``concentration``: T / |S|, 1.0 in
    rows that were not moved; T leaves out reasoning that keeps its own. ``mass``: what remains of the row's advantage,
    sum after / sum before, praise and ``unlocated`` aside: 1 under the scale ``conserve`` and in rows that were not
    moved, the span's share under ``unit``. ``praised``: how many tokens got praise.
    """

    moved: tuple[bool, ...]
    lost: tuple[bool, ...]
    tokens: tuple[int, ...]
    credited: tuple[int, ...]
    concentration: tuple[float, ...]
    mass: tuple[float, ...]
    praised: tuple[int, ...]


@dataclass(slots=True)
class Scope:
    """The credits of one batch, row by row; ``placement`` is filled in where they are placed.

    ``keys`` are TransferQueue's row keys ``{uid}_{session}_{index}``; None in trainers without multi-output sessions.
    """

    config: EgcaConfig
    enabled: bool
    rows: Sequence[Row | None]
    keys: Sequence[str] | None = None
    placement: Placement | None = None
    group_advantages: torch.Tensor | None = None  # (B, T), before placing


def joined(parts: Sequence[Placement]) -> Placement | None:
    """Those of several batches as that of one, in their order; None of none."""
    columns = (tuple(chain.from_iterable(getattr(part, f.name) for part in parts)) for f in fields(Placement))
    return Placement(*columns) if parts else None


def unless_lifted(rows: Sequence[Row | None], lifted: Sequence[bool]) -> list[Row | None]:
    """Spans name what is to blame: where the advantage is positive, as other rewards can make it, they go."""
    return [
        replace(row, spans=(), praised=(), fallback="positive_advantage") if row and row.spans and up else row
        for row, up in zip(rows, lifted, strict=True)
    ]
