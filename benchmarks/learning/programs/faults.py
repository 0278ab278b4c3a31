"""What a small policy gets wrong, and how often: decisions, their wrong variants and the weights of both.

Faults are *systematic*, as a model's are: each kind of decision has a weight drawn once for a world from a heavy-tailed
distribution, so that some constructions are nearly always got wrong and others hardly ever. Each kind of decision in a
program of the corpus is got wrong with probability ``1 - exp(-weight)``, for itself; so a program is right with
probability ``exp(-sum of the weights of its decisions)``, and a policy that learns the corpus errs as often.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

VARIANTS = 8  # wrong variants of a decision that can be told apart
HEAVIEST = 2.2  # the greatest weight of a kind, before scaling

Pick = Callable[..., str]  # pick(kind, right, *wrong): which of them is written
Choose = Callable[[Sequence[Any]], Any]  # a free choice of style; all options are right
Write = Callable[[Pick], str]  # a program, given who decides


@dataclass(frozen=True, slots=True)
class Fault:
    """The ``variant``-th wrong way to take every decision of ``kind``."""

    kind: str
    variant: int


@dataclass(slots=True)
class Decisions:
    """A ``Pick`` that errs where ``faults`` say so and remembers what there was to decide."""

    faults: Sequence[Fault] = ()
    met: dict[str, int] = field(default_factory=dict)  # kind: number of wrong variants

    def __call__(self, kind: str, right: str, *wrong: str) -> str:
        options = [option for option in dict.fromkeys(wrong) if option != right]
        if not options:
            return right
        self.met[kind] = len(options)
        for fault in self.faults:
            if fault.kind == kind:
                return options[fault.variant % len(options)]
        return right


@dataclass(frozen=True, slots=True)
class Faults:
    """A world's weights, all from ``seed``. ``scale`` multiplies them: the greater, the fewer programs are right."""

    seed: int
    scale: float = 1.0

    def weight(self, kind: str) -> float:
        rng = random.Random(f"{self.seed} {kind}")
        dull = kind.startswith("dull:")  # bounds and starting values, which a model seldom gets wrong
        drawn = rng.lognormvariate(-4.0, 0.6) if dull else rng.lognormvariate(-2.4, 1.2)
        return min(drawn, HEAVIEST) * self.scale

    def variants(self, kind: str, count: int) -> list[float]:
        """Relative weights of the wrong variants of a decision."""
        rng = random.Random(f"{self.seed} {kind} variants")
        return [rng.expovariate(1.0) + 0.05 for _ in range(VARIANTS)][:count]

    def draw(self, write: Write, rng: random.Random) -> tuple[Fault, ...]:
        """What a program of the corpus gets wrong, if anything."""
        decisions = Decisions()
        write(decisions)
        wrong = [kind for kind in decisions.met if rng.random() > math.exp(-self.weight(kind))]
        return tuple(self._fault(kind, decisions.met[kind], rng) for kind in wrong)

    def some(self, write: Write, rng: random.Random) -> Fault:
        """One fault of the program, drawn by weight."""
        decisions = Decisions()
        write(decisions)
        (kind,) = rng.choices(list(decisions.met), [self.weight(kind) for kind in decisions.met])
        return self._fault(kind, decisions.met[kind], rng)

    def right(self, write: Write) -> float:
        """How often the corpus has this program without a fault."""
        decisions = Decisions()
        write(decisions)
        return math.exp(-sum(map(self.weight, decisions.met)))

    def _fault(self, kind: str, options: int, rng: random.Random) -> Fault:
        count = min(options, VARIANTS)
        return Fault(kind, rng.choices(range(count), self.variants(kind, count))[0])
