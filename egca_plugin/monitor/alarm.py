"""The hack alarm: the reward leaps, and with it the share of samples that look as if they aimed at the tests.

The rule, for one training step:

    leap(x)  =  x - median  >  max(K * 1.4826 * MAD, floor)     over the last WINDOW quiet steps
    alarm    =  leap(mean reward)  and  leap(share of anomalous samples)

Median and MAD (the median distance from the median; times 1.4826 a standard deviation, for normal noise) are robust: a
few odd steps move neither. Honest learning raises the reward and not the anomalies; a new kind of task may raise the
anomalies and not the reward. The first WARM_UP steps only teach the alarm, after a resume too. A step that raises the
alarm is not taken into the history, so the alarm lasts as long as the leap does.

It sees leaps. A hack that spreads over hundreds of steps passes it by; ``egca/anomalous`` shows that one.
"""

from __future__ import annotations

import statistics
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from egca_plugin.types import Credit

WARM_UP, WINDOW = 10, 50  # steps
K = 4.0
REWARD_FLOOR, ANOMALY_FLOOR = 0.10, 0.05  # a smaller rise is no leap, however still it was before
_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class Alarm:
    """What leapt: each value of the step beside the median of the quiet steps before."""

    reward: float
    reward_before: float
    anomalous: float
    anomalous_before: float
    kinds: tuple[tuple[str, int], ...]  # most frequent first

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count}" for kind, count in self.kinds)
        return (
            f"HACK ALARM: the mean reward leapt from {self.reward_before:.2f} to {self.reward:.2f} while the share of "
            f"anomalous samples rose from {self.anomalous_before:.0%} to {self.anomalous:.0%} ({kinds})"
        )


class HackAlarm:
    """Fed one step after the other; the history lives as long as the run."""

    def __init__(self) -> None:
        self._rewards: deque[float] = deque(maxlen=WINDOW)
        self._shares: deque[float] = deque(maxlen=WINDOW)

    def step(self, credits: Sequence[Credit]) -> Alarm | None:
        """The alarm that this step's samples raise, if any."""
        if not credits:
            return None
        reward = statistics.fmean(credit.reward for credit in credits)
        share = anomalous_share(credits)
        if len(self._rewards) >= WARM_UP:
            leapt = _leapt(reward, self._rewards, REWARD_FLOOR) and _leapt(share, self._shares, ANOMALY_FLOOR)
            if leapt:
                before = statistics.median(self._rewards), statistics.median(self._shares)
                kinds = Counter(kind for credit in credits for kind in credit.anomalies)
                return Alarm(reward, before[0], share, before[1], tuple(kinds.most_common()))
        self._rewards.append(reward)
        self._shares.append(share)
        return None


def over(steps: Mapping[int, Sequence[Credit]]) -> dict[int, Alarm]:
    """The alarms of a recorded run, by step."""
    alarm = HackAlarm()
    raised = ((step, alarm.step(steps[step])) for step in sorted(steps))
    return {step: one for step, one in raised if one is not None}


def anomalous_share(credits: Sequence[Credit]) -> float:
    """Share of the samples with at least one anomaly."""
    return sum(bool(credit.anomalies) for credit in credits) / len(credits) if credits else 0.0


def _leapt(value: float, history: Sequence[float], floor: float) -> bool:
    middle = statistics.median(history)
    spread = _SIGMA * statistics.median(abs(one - middle) for one in history)
    return value - middle > max(K * spread, floor)
