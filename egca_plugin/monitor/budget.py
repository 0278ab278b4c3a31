"""The budget ``egca.budget``: the share of a batch's failing programs that are localised.

What a program may cost is bounded in steps already, so a share of them bounds the work of a batch. Each program has its
own lot, by its text: neither the host's load, nor the order in which samples come, nor who else is in the group decides
on it, and one that is drawn can be localised before its group is complete. Every program of every task has the same
chance, so that what is left out lies evenly over tasks. A sample that is left out gets plain GRPO with the reason
:data:`REASON`.
"""

from __future__ import annotations

from random import Random

REASON = "budget_spent"


def allows(share: float, source: str, task_id: str, step: int | None, seed: int) -> bool:
    """Is this program localised in this step? ``share`` is from 0 (none) to 1 (all); ``step`` None outside training."""
    return share >= 1 or Random(f"{seed}/{step}/{task_id}/{source}").random() < share
