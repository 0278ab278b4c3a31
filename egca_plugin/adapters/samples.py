"""The samples of one batch as every adapter sees them: each with its credit on the tokens that were sampled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from egca_plugin.config import EgcaConfig
from egca_plugin.types import Credit, TokenSpan

if TYPE_CHECKING:  # rows are read where there is no torch
    import torch

    from egca_plugin.adapters.tensors import Placement


@dataclass(frozen=True, slots=True)
class Placing:
    """How credit is to be placed: ``enabled`` and the fields of the settings that decide it.

    It travels with every sample for a trainer that is not ours and whose estimator sees no settings of EGCA's.
    """

    enabled: bool = True
    scale: str = "conserve"
    mix: float = 1.0
    cap: float = 0.0
    thinking: str = "shared"


@dataclass(frozen=True, slots=True)
class Row:
    """One sample's credit with its spans on the response's tokens, as the trainer sees it.

    ``tokens`` counts the tokens of the response as sampled. ``fallback`` is a code where the credit could not be
    brought onto the tokens, which leaves ``spans`` empty. ``thinking``: the response's reasoning.
    """

    credit: Credit
    task_id: str
    spans: tuple[TokenSpan, ...] = ()
    tokens: int = 0
    fallback: str = ""
    thinking: tuple[TokenSpan, ...] = ()
    placing: Placing = Placing()

    @property
    def reason(self) -> str:
        """Why the credit is not narrower: the adapter's code, else the pipeline's, else empty."""
        return self.fallback or self.credit.reason


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
