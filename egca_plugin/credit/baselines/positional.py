"""Baselines that look at positions only: the whole, the end, a random place."""

from __future__ import annotations

import random

from egca_plugin.credit.baselines.statements import abstain, lexemes, statements
from egca_plugin.localize import registry
from egca_plugin.localize.api import Case, Localizer, Reason
from egca_plugin.types import Localization, Span


class Uniform:
    """GRPO: no span, every token alike."""

    name = "uniform"

    def localize(self, case: Case) -> Localization:
        return Localization(stage=self.name)


class GrpoLambda:
    """Critic-free eligibility traces: credit decays from the end, where the reward arrives, backwards.

    GRPO-lambda weights token ``t`` of ``T`` by ``decay ** (T - t)`` with no evidence about where the fault is. Spans
    have no weights, so this keeps the statements that hold at least half of the last token's weight, the last first:
    the window of ``log(1/2) / log(decay)`` tokens that the trace concentrates on.
    """

    name = "grpo_lambda"

    def __init__(self, decay: float = 0.98) -> None:
        self.decay = decay

    def localize(self, case: Case) -> Localization:
        tokens = lexemes(case.source)
        weights = [self.decay ** (len(tokens) - 1 - index) for index in range(len(tokens))]
        first = next((token.span.start for token, weight in zip(tokens, weights, strict=True) if weight >= 0.5), 0)
        spans = [span for span in statements(case.source).values() if span.end > first]
        if not spans:
            return abstain(self.name, Reason.DOES_NOT_COMPILE)
        return Localization(spans=tuple(reversed(spans)), stage=self.name)


class RandomSpan:
    """As many characters as another localiser blames, at a random place: the control for the place of a span.

    It has the other's reason too: where that one's span is not proven, the pipeline treats both alike.
    """

    name = "random_span"

    def __init__(self, like: str = "trace") -> None:
        self.like = like

    def localize(self, case: Case) -> Localization:
        model = self._model().localize(case)
        length = sum(span.end - span.start for span in model.spans)
        if not model.spans:
            return Localization(stage=self.name, reason=model.reason)
        tokens = lexemes(case.source)
        if not tokens:
            return abstain(self.name, Reason.DOES_NOT_COMPILE)
        starts = [token.span.start for token in tokens]
        last = max((start for start in starts if start + length <= len(case.source)), default=starts[0])
        drawn = random.Random(f"{case.seed}\0{case.source}").choice([start for start in starts if start <= last])
        end = min(drawn + max(length, 1), len(case.source))
        return Localization(spans=(Span(drawn, end),), stage=self.name, reason=model.reason)

    def _model(self) -> Localizer:
        return registry.get(self.like)
