"""What is run: screening, confirmation, its replication, a smoke version; and the rule by which the default is chosen.

The rule was written before any cell was run:

    An arm may become the default where it is not worse than GRPO in any world beyond the interval: in every world the
    upper end of the paired 95% interval of its difference in held-out area is at least zero. Of those arms the one with
    the best mean difference over the worlds is chosen. GRPO is one of them, with difference zero.

It counts for the confirmation, which runs in all worlds; ``summary.chosen`` applies it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from benchmarks.learning.programs.arms import ARMS
from benchmarks.learning.programs.training import Cell, Plan

ALWAYS = ("grpo", "positives", "mass_matched")  # without which no other arm can be read
CONTROLS = (  # for comparison alone: they need what a run does not know, or say nothing of the plugin's place
    "mass_matched", "unit_random", "decision_random", "tele_half_random", "late", "oracle", "oracle_double",
    "resets_random", "resets_random_positives", "references",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Stage:
    """Every arm in every world, at every rate, with every seed."""

    worlds: tuple[str, ...]
    arms: tuple[str, ...]
    rates: tuple[float, ...]
    seeds: tuple[int, ...]
    plan: Plan = field(default_factory=Plan)

    def cells(self) -> list[Cell]:
        """Seeds outermost, so that wherever it is stopped the arms have the same seeds."""
        return [
            Cell(world, arm, rate, seed)
            for seed in self.seeds
            for world in self.worlds
            for rate in self.rates
            for arm in self.arms
        ]


STAGES = {
    "screening": Stage(("long",), tuple(ARMS), (2.5e-4, 1.25e-4), (0, 1)),
    # Twice as long: at the end of the screening no curve had levelled, and the arms' order at its end was not that of
    # their areas.
    "confirmation": Stage(
        ("long", "short", "branches"),
        (*ALWAYS, "tele_half", "tele_half_random"),
        (2.5e-4,),
        tuple(range(10, 18)),
        Plan(steps=60),
    ),
    # What the confirmation left open, on seeds that nobody had seen; reported by itself.
    "replication": Stage(
        ("long", "short", "branches"),
        ("grpo", "positives", "tele_half"),
        (2.5e-4,),
        tuple(range(18, 26)),
        Plan(steps=60),
    ),
    # Is another form of the telescoped credit above leaving failing samples out, where many pass as well? The best
    # of them, by its mean over the worlds, would have to be confirmed on seeds of its own.
    "selection": Stage(
        ("short", "branches", "long"),
        ("positives", "tele_half", "tele_half_few", "proven_tele_half", "praise_alone", "grpo"),
        (2.5e-4,),
        tuple(range(26, 32)),
        Plan(steps=60),
    ),
    # The token that a proof has in place of the decision, learnt by the chance that the policy gives it. It was tried
    # on seeds 90 and 91 of the first two worlds before.
    "choice": Stage(
        ("short", "branches", "long"),
        ("grpo", "positives", "choice"),
        (2.5e-4,),
        tuple(range(32, 38)),
        Plan(steps=60),
    ),
    "smoke": Stage(
        ("short",), ("grpo", "decision"), (2.5e-4,), (0,), Plan(groups=2, size=4, steps=2, every=1, held_out=1)
    ),
}
