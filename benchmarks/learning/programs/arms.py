"""The arms: what the tokens of a failing sample get, and what a group's budget of samples is spent on.

Passing samples, rewards, optimiser and the random numbers are the same in every arm. One that beats GRPO by its place
must be read beside ``positives`` (failing samples get nothing) and the uniform arm of equal mass.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to give credit.

    ``place``: the tokens of a failing sample that keep its advantage: ``all``; the proven ``span``; the sampled
    ``decision``; the ``late`` end; ``oracle``, the first token after which no right program of the world can follow.
    A sample without a proven place keeps uniform credit, as in the plugin.
    ``scale``: the plugin's, ``unit`` or ``conserve``. ``negative``: factor of the failing samples' advantages.
    ``unproven``: factor of the advantages of failing samples whose place is not proven.
    ``ceiling``: in groups of which a larger share passes failing samples get nothing.
    ``elsewhere``: the same weights at a random place, and praise in front of that. ``matched``: the same mass, uniform.
    ``praise``: ``prefix`` gives the tokens in front of the proven decision ``share`` of a passing sample's advantage,
    ``rest`` all but the decision. ``enlarged``: the decision of a proven sample is blamed as a failing sample would be
    in the group in which the proven ones pass, also where all fail. ``resets``: part of the group restarts in front of
    the ``decision`` of a failing sample, or at a ``random`` place of it. ``further``: a proven sample adds a positive
    row: its ``repair``, that is the whole program as the proof mends it; the ``patch`` alone, the row's tokens that the
    sample lacks; its ``choice``, the repair's one token at the decision, weighted by the chance that the policy gives
    it there; or, as a control, the task's ``reference``. ``nthr``: negatives lowered where they harm right
    siblings. ``rate``: factor of the learning rate.
    """

    place: str = "all"
    scale: str = "unit"
    negative: float = 1.0
    unproven: float = 1.0
    ceiling: float = 1.0
    elsewhere: bool = False
    matched: bool = False
    praise: str = ""
    share: float = 1.0
    enlarged: bool = False
    resets: str = ""
    further: str = ""
    nthr: bool = False
    rate: float = 1.0

    @property
    def localises(self) -> bool:
        """Does it need the localiser?"""
        return self.place in ("span", "decision", "late") or bool(self.praise or self.resets or self.further)

    @property
    def uses_lost_groups(self) -> bool:
        """Does it learn from groups that fail altogether?"""
        return bool(self.praise or self.resets or self.further)


ARMS = {
    "grpo": Arm(),
    "positives": Arm(negative=0.0),
    "negatives_0.1": Arm(negative=0.1),
    "negatives_0.3": Arm(negative=0.3),
    "mass_matched": Arm("span", matched=True),
    "unit": Arm("span"),
    "unit_random": Arm("span", elsewhere=True),
    "conserve": Arm("span", "conserve"),
    "decision": Arm("decision"),
    "decision_conserve": Arm("decision", "conserve"),
    "decision_random": Arm("decision", elsewhere=True),
    "proven": Arm("decision", unproven=0.0),
    "proven_tele_half": Arm("decision", unproven=0.0, praise="prefix", share=0.5),
    "late": Arm("late"),
    "oracle": Arm("oracle"),
    "oracle_double": Arm("oracle", rate=2.0),
    "praise_prefix": Arm(negative=0.0, praise="prefix"),
    "praise_alone": Arm(negative=0.0, praise="prefix", share=0.5),
    "praise_half": Arm("decision", praise="rest", share=0.5),
    "tele_half": Arm("decision", praise="prefix", share=0.5),
    "tele_half_random": Arm("decision", elsewhere=True, praise="prefix", share=0.5),
    "tele_half_enlarged": Arm("decision", praise="prefix", share=0.5, enlarged=True),
    "tele_half_few": Arm("decision", praise="prefix", share=0.5, ceiling=0.5),
    "tele": Arm("decision", praise="prefix"),
    "contrast": Arm("decision", further="patch"),
    "patches": Arm(negative=0.0, further="patch"),
    "repairs": Arm(negative=0.0, further="repair"),
    "references": Arm(negative=0.0, further="reference"),
    "choice": Arm(negative=0.0, further="choice"),
    "praise_choice": Arm(negative=0.0, praise="prefix", share=0.5, further="choice"),
    "tele_half_choice": Arm("decision", praise="prefix", share=0.5, further="choice"),
    "resets": Arm(resets="decision"),
    "resets_positives": Arm(negative=0.0, resets="decision"),
    "resets_random": Arm(resets="random"),
    "resets_random_positives": Arm(negative=0.0, resets="random"),
    "nthr": Arm(nthr=True),
}
