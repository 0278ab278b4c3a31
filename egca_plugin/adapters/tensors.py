"""The one place that turns credit into advantages: group advantage times conserving weights, vectorised in torch.

The formula is stated in :mod:`egca_plugin.credit.weights`; a property test holds the two together. Nothing here knows a
framework: a batch is right-aligned or left-aligned as its mask says, and spans count columns of that grid.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from egca_plugin.adapters.samples import Placement, Row
from egca_plugin.config import EgcaConfig
from egca_plugin.credit.praise import of_passing
from egca_plugin.types import TokenSpan


def place(
    advantages: torch.Tensor,
    response_mask: torch.Tensor,
    spans: Sequence[Sequence[TokenSpan]],
    *,
    scale: str = "unit",
    mix: float = 1.0,
    cap: float = 0.0,
    thinking: Sequence[Sequence[TokenSpan]] | None = None,
    thinking_credit: str = "shared",
    praised: Sequence[Sequence[TokenSpan]] | None = None,
    praise: Sequence[float] | None = None,
) -> tuple[torch.Tensor, Placement]:
    """Move each row's advantage onto its spans.

    ``advantages`` and ``response_mask`` are (B, T), the mask being the framework's *final* one; ``spans[i]`` holds the
    blamed columns of row ``i`` and is empty for uniform credit, ``thinking[i]`` those of its reasoning. The columns
    ``praised[i]`` that are not blamed, nor reasoning that keeps its own, get the advantage ``praise[i]`` on top, where
    the row was moved. Returns new advantages (B, T) of the same dtype, and what was done. Rows without a usable span
    (none given, none inside the mask, or all of the mask) come back bit for bit. Raises ValueError where the shapes
    disagree.
    """
    thinking = [()] * len(spans) if thinking is None else thinking
    praised = [()] * len(spans) if praised is None else praised
    praise = [0.0] * len(spans) if praise is None else praise
    if (
        advantages.shape != response_mask.shape
        or advantages.dim() != 2
        or not (len(spans) == len(thinking) == len(advantages))
    ):
        raise ValueError(
            f"place: advantages {tuple(advantages.shape)}, response_mask {tuple(response_mask.shape)} and "
            f"{len(spans)} rows of spans, {len(thinking)} of thinking; expected (B, T), (B, T), B and B"
        )
    mask = response_mask.bool()
    blamed = _columns(spans, mask) & mask
    found = blamed.any(dim=1)
    thought = _columns(thinking, mask) & mask & ~blamed & found.unsqueeze(1)
    blamed = blamed | thought if thinking_credit == "credited" else blamed
    kept = thought if thinking_credit == "shared" else torch.zeros_like(thought)
    total, hit = (mask & ~kept).sum(dim=1), blamed.sum(dim=1)
    moved = found & (hit < total)
    weights = _weights(blamed, total, hit, scale, mix, cap).to(advantages.dtype)
    here = moved.unsqueeze(1) & ~kept
    placed = torch.where(here, advantages * mask * weights, advantages)
    lifted = _columns(praised, mask) & mask & ~blamed & here
    more = torch.tensor(praise, dtype=placed.dtype, device=mask.device).unsqueeze(1)
    placed = torch.where(lifted, placed + more, placed)

    # Of a row without an advantage (its group agrees) what would remain of one that is the same on all tokens.
    like = torch.where((advantages * mask).double().sum(dim=1, keepdim=True) == 0, torch.ones_like(placed), advantages)
    before, after = ((a * mask).double().sum(dim=1) for a in (like, torch.where(here, like * weights, like)))
    kept_mass = torch.where(moved, after / torch.where(before == 0, 1.0, before), 1.0)
    given = torch.tensor([len(row) > 0 for row in spans], dtype=torch.bool, device=mask.device)
    ratio = torch.where(moved, total / hit.clamp(min=1), 1.0)
    return placed, Placement(
        moved=tuple(moved.tolist()),
        lost=tuple((given & ~found & mask.any(dim=1)).tolist()),
        tokens=tuple(mask.sum(dim=1).tolist()),
        credited=tuple(torch.where(moved, hit, mask.sum(dim=1)).tolist()),
        concentration=tuple(ratio.tolist()),
        mass=tuple(kept_mass.tolist()),
        praised=tuple(lifted.sum(dim=1).tolist()),
    )


def place_rows(
    advantages: torch.Tensor,
    response_mask: torch.Tensor,
    rows: Sequence[Row | None],
    config: EgcaConfig,
    *,
    by_std: bool = True,
    judged_in: Sequence[int] | None = None,
) -> tuple[torch.Tensor, Placement]:
    """:func:`place` for the samples of a batch, None for one without a credit, as the settings have it.

    Rows of failing samples that no span reaches keep ``egca.unlocated`` of what is negative, with
    ``egca.credit=counterfactual`` no failing one keeps any. ``by_std``: the framework
    divides a group's advantages by their deviation; praise is of the same size. ``judged_in``: the row that has each
    row's verdict, where a sample has several; None: its own.
    """
    mended = [row.credit.mended if row and row.praised else 0.0 for row in rows]
    placed, done = place(
        advantages,
        response_mask,
        [row.spans if row else () for row in rows],
        scale=config.scale,
        mix=config.mix,
        cap=config.cap,
        thinking=[row.thinking if row else () for row in rows],
        thinking_credit=config.thinking,
        praised=[row.praised if row and row.credit.mended else () for row in rows],
        praise=[config.praise_share * of_passing(rate, by_std=by_std) if rate else 0.0 for rate in mended],
    )
    left = 0.0 if config.counterfactual else config.unlocated
    if left == 1:
        return placed, done
    bare = [
        bool(row and row.failing and (config.counterfactual or lost or not row.spans))
        for row, lost in zip(rows, done.lost, strict=True)
    ]
    weak = torch.tensor([bare[i] for i in judged_in or range(len(rows))], dtype=torch.bool, device=placed.device)
    return torch.where(weak.unsqueeze(1) & (placed < 0), placed * left, placed), done


def _columns(spans: Sequence[Sequence[TokenSpan]], like: torch.Tensor) -> torch.Tensor:
    """(B, T) bool, True on every row's spans; columns beyond the grid are dropped."""
    out = torch.zeros(like.shape, dtype=torch.bool)
    for row, row_spans in zip(out, spans, strict=True):
        for span in row_spans:
            row[max(span.start, 0) : max(span.end, 0)] = True
    return out.to(like.device)


def _weights(
    blamed: torch.Tensor, total: torch.Tensor, hit: torch.Tensor, scale: str, mix: float, cap: float
) -> torch.Tensor:
    """(B, T) float64 weights ``(1 - k) + k * u_t * peak`` of :func:`egca_plugin.credit.weights.weights`."""
    peak = total.double() / hit.clamp(min=1) if scale == "conserve" else torch.ones_like(total, dtype=torch.float64)
    moved_share = torch.full_like(peak, mix)
    if cap:
        capped = ((cap - 1.0) / (peak - 1.0).clamp(min=1e-12)).clamp(max=mix)
        moved_share = torch.where(peak > cap, capped, moved_share)
    rest = (1.0 - moved_share).unsqueeze(1)
    return rest + blamed * (moved_share * peak).unsqueeze(1)
