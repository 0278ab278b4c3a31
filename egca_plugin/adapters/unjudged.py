"""A sample that the pipeline gave no credit: it keeps its place in its group, counted, and never vanishes from it.

What cannot be judged is most often wrong (it takes the worker that tries along, say), and without it the rest of its
group looks worse than it is. So a sample whose task cannot be used gets reward 0, as does all of its group, which
teaches nothing; and one that costs every worker it meets gets reward 0 where a sound program passes at the same time.
Where not even that passes it is the sandbox that is broken, which is an error.
"""

from __future__ import annotations

from dataclasses import replace

from egca_plugin.errors import SandboxError
from egca_plugin.pipeline import Group
from egca_plugin.types import Completion, Credit, Mode, Outcome, Task

BAD_TASK = "bad_task"  # its row, its tests or its reference cannot be used
UNJUDGED = "unjudged"  # it cost every worker that tried
STAGE_FAILED = "stage_failed"  # judged; whatever came behind that failed

_SOUND = "def double(x):\n    return 2 * x\n"
CONTROL = Group(
    Task("egca/control", "Double x.", "double", _SOUND, ("assert double(3) == 6",)),
    (Completion(_SOUND),),
    judge_only=True,
)


def bad_task(error: Exception) -> Credit:
    """Reward 0 for a sample of a task that cannot be used; ``stage`` says why."""
    return Credit(Mode.CONSTRAINT, 0.0, Outcome.INFRASTRUCTURE, 0, 0, stage=str(error), reason=BAD_TASK)


def unjudged(error: Exception) -> Credit:
    """Reward 0 for a sample that could not be judged where :data:`CONTROL` could."""
    return Credit(Mode.CONSTRAINT, 0.0, Outcome.TIMEOUT, 0, 0, stage=str(error), reason=UNJUDGED)


def without_credit(group: Group) -> Group:
    """``group`` to be judged and no more, after another stage has failed."""
    return replace(group, judge_only=True)


def stage_failed(credit: Credit) -> Credit:
    """The verdict of :func:`without_credit`, with the reason for its uniform credit."""
    return replace(credit, spans=(), reason=STAGE_FAILED)


def require(credit: Credit) -> Credit:
    """``credit`` where there is one. Raises SandboxError where the pool says that it could not judge."""
    if credit.outcome is Outcome.INFRASTRUCTURE and credit.reason != BAD_TASK:
        raise SandboxError(credit.stage or "the sample could not be judged")
    return credit


def require_control(credit: Credit) -> None:
    """Raises SandboxError where :data:`CONTROL` did not pass."""
    if not require(credit).passed:
        raise SandboxError(
            f"a sound program did not pass its test ({credit.outcome.value}): the sandbox is broken, see `egca doctor`"
        )
