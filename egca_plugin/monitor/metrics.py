"""Flat scalars under ``egca/`` for a trainer's loggers, from the rows of one step."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from egca_plugin.monitor.alarm import anomalous_share
from egca_plugin.types import Credit, Mode, Outcome

RESTARTS = ("zygote", "worker", "reward_worker", "credit_service")  # from the inside out: what was lost and replaced


def of_credits(credits: Sequence[Credit]) -> dict[str, float]:
    """Shares by mode and outcome, verified share, abstentions by reason, anomalies, and time by stage for one batch.

    Shares are of all samples, so that they add up; ``egca/verified`` is of the failing samples that got a span.
    ``egca/reference`` tells what the localised ones were compared with, and ``egca/restarts`` are counts, of processes.
    Every mode and outcome is present in every step, at 0 where nothing fell there: loggers draw gaps otherwise.
    """
    if not credits:
        return {}
    n = len(credits)
    modes = Counter(c.mode for c in credits)
    outcomes = Counter(c.outcome for c in credits)
    narrow = [c for c in credits if c.spans]
    metrics = {f"egca/mode/{mode.value}": modes[mode] / n for mode in Mode}
    metrics |= {f"egca/outcome/{outcome.value}": outcomes[outcome] / n for outcome in Outcome}
    metrics |= {f"egca/abstained/{r}": k / n for r, k in sorted(Counter(c.reason for c in credits if c.reason).items())}
    metrics["egca/pass_rate"] = sum(c.passed for c in credits) / n
    metrics["egca/narrow"] = len(narrow) / n
    metrics["egca/verified"] = sum(c.verified for c in narrow) / len(narrow) if narrow else 0.0
    metrics["egca/anomalous"] = anomalous_share(credits)
    compared = Counter(c.reference.partition(":")[0] for c in credits if c.reference)
    metrics |= {f"egca/reference/{kind}": count / n for kind, count in sorted(compared.items())}
    kinds = Counter(kind for c in credits for kind in c.anomalies)
    metrics |= {f"egca/anomaly/{kind}": count / n for kind, count in sorted(kinds.items())}
    restarts = Counter(dict.fromkeys(RESTARTS, 0))
    for credit in credits:
        restarts.update(credit.restarts)
    metrics |= {f"egca/restarts/{kind}": float(count) for kind, count in restarts.items()}
    return metrics | stage_times([c.ms for c in credits])


def stage_times(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """``egca/ms/<stage>/mean`` and ``/p95`` over the samples that went through the stage."""
    by_stage: defaultdict[str, list[float]] = defaultdict(list)
    for row in rows:
        for stage, ms in row.items():
            by_stage[stage].append(ms)
    metrics = {}
    for stage, times in sorted(by_stage.items()):
        times.sort()
        metrics[f"egca/ms/{stage}/mean"] = sum(times) / len(times)
        metrics[f"egca/ms/{stage}/p95"] = times[min(len(times) - 1, int(0.95 * len(times)))]
    return metrics
