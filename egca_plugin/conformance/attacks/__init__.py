"""Programs that try to be scored right, escape, starve or poison: a corpus that any scorer can be held against.

``corpus()`` is all of it; :mod:`egca_plugin.conformance.run` runs it.
"""

from __future__ import annotations

from egca_plugin.conformance.attacks.corpus import Aim, Attack

__all__ = ["Aim", "Attack", "corpus"]


def corpus() -> tuple[Attack, ...]:
    """Every attack, in a fixed order. Loaded on demand: some of the programs are megabytes."""
    from egca_plugin.conformance.attacks import escaping, poisoning, printing, scoring, starving

    return scoring.ATTACKS + escaping.ATTACKS + starving.ATTACKS + poisoning.ATTACKS + printing.ATTACKS
