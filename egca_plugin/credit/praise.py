"""What a proven sample wrote in front of its decision was right so far: how much praise that has earned.

The telescoped advantage (``docs/credit.md``): the tokens in front of the decision have earned ``V(prefix) - V(start)``
together, which is positive wherever a program was well begun. A program that one small change mends is right up to
there, so each of them gets a share of what a token of a passing program gets, ``A+``, in the group enlarged by the
mended ones: of P passing samples of G and n proven ones

    r  = (P + n) / (G + n)                  the rate at which the enlarged group passes
    A+ = (1 - r) / sqrt(r (1 - r))          GRPO's advantage of a passing sample there
    A+ = 1 - r                              the same without division by the deviation (Dr. GRPO)

Where a whole group fails, plain GRPO learns nothing from it, and praise does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from egca_plugin.types import Credit


def with_mended(credits: Sequence[Credit]) -> list[Credit]:
    """The credits of one group, or of what of it is credited together: those of proven samples with the rate ``r``.

    A sample alone is no group, and earns none: nothing is known of the rate at which its task is passed.
    """
    told = [standing(credit) for credit in credits]
    rate = mended_rate(told)
    if not rate:
        return list(credits)
    return [replace(credit, mended=rate) if one.proven else credit for credit, one in zip(credits, told, strict=True)]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the rate needs of one sample; small, so that processes that share a group can tell each other."""

    passed: bool
    proven: bool


def standing(credit: Credit) -> Standing:
    """Of a sample's credit; proven is what is mended by one change at a known decision."""
    proven = credit.verified and credit.decision is not None and not credit.passed
    return Standing(credit.passed, proven)


def mended_rate(group: Sequence[Standing]) -> float:
    """``r`` of a group; 0 where nobody is proven, and of a sample alone."""
    proven = sum(one.proven for one in group)
    if len(group) < 2 or not proven:
        return 0.0
    return (sum(one.passed for one in group) + proven) / (len(group) + proven)


def of_passing(rate: float, *, by_std: bool = True) -> float:
    """``A+``, the advantage of a passing sample in a group that passes at ``rate`` (above 0, at most 1)."""
    return float(((1 - rate) / rate) ** 0.5) if by_std else 1 - rate
