"""How likely the line that ``trace`` blames first is a faulty one, by what the answer rests on: measured, not felt.

The figures are the development half's shares of right lines, ``(hits + 1) / (cases + 2)``, over programs of another
form than their reference: ``python -m benchmarks.localization.calibration`` makes them and tries them on the test half.
"""

from __future__ import annotations

from collections.abc import Mapping

SMALL = 3  # parts that a small patch changes

MEASURED: Mapping[str, float] = {
    "transplant": 0.98,
    "transplant, large": 0.83,
    "generic": 0.95,
    "generic, large": 0.8,
    "insertion": 0.89,
    "insertion, large": 0.89,
    "special": 0.5,
    "special, large": 0.6,
    "pair": 0.5,
    "pair, large": 0.83,
    "divergence": 0.58,
    "traceback": 0.83,
}


def grounds(stage: str, size: int) -> str:
    """The key of :data:`MEASURED`. ``size``: the parts that the proving patch changes, 0 where nothing is proved."""
    return f"{stage}, large" if size > SMALL else stage


def confidence(stage: str, size: int = 0) -> float:
    """The measured share for answers of this stage. Raises KeyError for a stage that ``trace`` does not have."""
    return MEASURED[grounds(stage, size)]
