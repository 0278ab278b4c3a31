"""The controls that EGCA itself does not offer, made from its conserving advantages after the fact.

Each takes placed advantages ``A_i * w`` and gives those of an arm without which a comparison proves nothing.
"""

from __future__ import annotations

import torch

CONTROLS = ("mass_matched", "positives_only", "random", "wrong_20")


def transform(control: str, placed: torch.Tensor, mask: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """(B, T) advantages of ``control`` from conserving ones; only rows with a negative sum change.

    ``mass_matched``: uniform, with the mass that the scale ``unit`` would leave on the span. ``positives_only``: zero.
    ``random``: the span moved to a random place. ``wrong_20``: the same in a fifth of the rows. Raises ValueError for
    an unknown control.
    """
    if control not in CONTROLS:
        raise ValueError(f"control: got {control!r}, expected one of {', '.join(CONTROLS)}")
    out = placed.clone()
    for row in ((placed * mask).sum(dim=1) < 0).nonzero().flatten().tolist():
        where = mask[row].nonzero().flatten()
        own = placed[row, where]
        span = int((own != 0).sum())
        if control == "positives_only":
            out[row] = 0
        elif control == "mass_matched":
            out[row, where] = own.sum() / len(own) * span / len(own)
        elif control == "random" or torch.rand(1, generator=generator).item() < 0.2:
            shift = int(torch.randint(len(own), (1,), generator=generator))
            out[row, where] = own.roll(shift)
    return out
