"""From token spans to per-token weights of the sequence's advantage (METHOD.md, step 6 and "Conservation").

This is the formula's one statement in plain Python; :mod:`egca_plugin.adapters.tensors` is the same in torch, and a
property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from egca_plugin.types import TokenSpan


def weights(
    mask: Sequence[int],
    spans: Sequence[TokenSpan],
    *,
    scale: str = "unit",
    mix: float = 1.0,
    cap: float = 0.0,
    thinking: Sequence[TokenSpan] = (),
    thinking_credit: str = "shared",
    unlocated: float = 1.0,
) -> tuple[float, ...]:
    r"""Weight ``w_t`` of each response token; multiply the broadcast advantage ``A_i`` by it.

    With ``m`` the framework's final response mask, ``u_t`` 1 on the spans and 0 elsewhere, ``T = sum m``,
    ``S = sum m u``::

        unit:      w_t = m_t * ((1 - k) + k * u_t)              no rescaling: the sequence's mass shrinks by S / T
        conserve:  w_t = m_t * ((1 - k) + k * u_t * T / S)      sum_t w_t = T, so every mask-normalised loss
                                                                gives the sequence the mass that GRPO gives it

    ``k`` is ``mix``, lowered in a row where ``T / S`` would lift a token above ``cap`` (0: no cap). Spans that miss the
    mask altogether give ``w = m``, plain GRPO to the bit; of a failing sample ``w = m * unlocated``.

    ``thinking`` is the reasoning in front of the program, what remains of it beside the spans. ``thinking_credit``:

    - ``shared``: its tokens keep weight 1, plain GRPO, and the formula holds for the rest of the mask alone;
    - ``none``: nothing special; its mass moves to the spans like that of any other token;
    - ``credited``: it counts as blamed, with and like the spans.

    Under each of them ``conserve`` still gives ``sum_t w_t = sum m``.
    """
    blamed = _inside(mask, spans)
    if not blamed:
        return tuple(float(m) * unlocated for m in mask)
    thought = _inside(mask, thinking) - blamed
    blamed |= thought if thinking_credit == "credited" else set()
    kept = thought if thinking_credit == "shared" else set()
    peak = (sum(mask) - len(kept)) / len(blamed) if scale == "conserve" else 1.0
    k = min(mix, (cap - 1.0) / (peak - 1.0)) if cap and peak > cap else mix
    rest = 1.0 - k
    return tuple(
        float(m) if t in kept else m * (rest + k * peak) if t in blamed else m * rest for t, m in enumerate(mask)
    )


def advantages(
    advantage: float,
    mask: Sequence[int],
    spans: Sequence[TokenSpan],
    *,
    praised: Sequence[TokenSpan] = (),
    praise: float = 0.0,
    thinking: Sequence[TokenSpan] = (),
    thinking_credit: str = "shared",
    **how: Any,
) -> tuple[float, ...]:
    """``A_i * w_t`` with the weights of :func:`weights` (``how``: scale, mix, cap, unlocated), and praise on top.

    A token of ``praised`` that is neither blamed nor reasoning with its own credit gets ``praise`` more
    (:mod:`egca_plugin.credit.praise`); none where credit is uniform. So the sum over the tokens is that of the weights
    plus ``praise`` times the number of praised tokens.
    """
    w = weights(mask, spans, thinking=thinking, thinking_credit=thinking_credit, **how)
    blamed = _inside(mask, spans)
    own = _inside(mask, thinking) if thinking_credit != "none" else set()
    lifted = _inside(mask, praised) - blamed - own if blamed else set()
    return tuple(advantage * w[t] + (praise if t in lifted else 0.0) for t in range(len(w)))


def _inside(mask: Sequence[int], spans: Sequence[TokenSpan]) -> set[int]:
    return {t for span in spans for t in range(max(span.start, 0), min(span.end, len(mask))) if mask[t]}
