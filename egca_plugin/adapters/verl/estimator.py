"""Advantage estimator ``algorithm.adv_estimator=egca``: verl's own GRPO advantage, placed on the blamed tokens.

verl hands an estimator rewards, mask, group index and the ``algorithm`` part of the configuration, and nothing else
(ray_trainer.py:250-279). The trainer mixin therefore opens a :class:`Scope` with the batch's credits around verl's own
computation, so that the estimator can return the *final* advantages, on the final mask.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np
import torch
from verl import DataProto
from verl.trainer.ppo.core_algos import compute_grpo_outcome_advantage, register_adv_est

from egca_plugin.adapters import tensors
from egca_plugin.adapters.samples import Placing, Row, Scope, unless_lifted
from egca_plugin.adapters.verl import channel
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import FrameworkError

_scope: ContextVar[Scope | None] = ContextVar("egca_scope", default=None)


@contextmanager
def credits(scope: Scope) -> Iterator[Scope]:
    """Make ``scope`` the one that the estimator reads within the ``with`` block."""
    token = _scope.set(scope)
    try:
        yield scope
    finally:
        _scope.reset(token)


@register_adv_est("egca")
def egca_advantage(
    token_level_rewards: torch.Tensor,
    response_mask: torch.Tensor,
    config: Any = None,
    index: np.ndarray | None = None,
    non_tensor_batch: Mapping[str, Any] | None = None,
    batch: Any = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(advantages, returns), both (B, T): placed, and as verl's GRPO has them.

    ``non_tensor_batch`` and ``batch`` are for a verl that hands them to every estimator; credits found there serve
    where no scope is open. Raises FrameworkError without credits.
    """
    scope = _scope.get() or _from_columns(non_tensor_batch)
    if scope is None or not any(scope.rows):
        raise FrameworkError(
            "algorithm.adv_estimator=egca was called without credits. "
            + (
                "Set trainer.v1.trainer_mode=egca_sync (or egca_colocate_async, egca_separate_async): only these hand "
                "the credits to the estimator; with trainer.use_v1=false start egca_plugin.adapters.verl.legacy"
                if scope is None
                else "Set reward.reward_manager.name=egca: no sample of this batch carries a credit"
            )
        )
    if index is None:
        raise FrameworkError("algorithm.adv_estimator=egca needs the group index 'uid', which this batch lacks")
    advantages = _group_advantage(token_level_rewards, response_mask, index, config, scope.keys)
    scope.group_advantages = advantages
    if not scope.enabled:
        return advantages, advantages
    return place(scope, advantages, response_mask, by_std=divides_by_std(config)), advantages


def place(scope: Scope, advantages: torch.Tensor, response_mask: torch.Tensor, *, by_std: bool = True) -> torch.Tensor:
    """``advantages`` (B, T) on the blamed tokens of ``scope``, whose ``placement`` then says what was done.

    A failing sample that other rewards or its KL lift above its group keeps uniform credit.
    """
    scope.rows = unless_lifted(scope.rows, ((advantages * response_mask).sum(dim=1) > 0).tolist())
    placed, scope.placement = tensors.place_rows(
        advantages, response_mask, judged_rows(scope), scope.config, by_std=by_std, judged_in=_judged_in(scope.keys)
    )
    return placed


def divides_by_std(config: Any) -> bool:
    """Whether verl's GRPO does (``algorithm.norm_adv_by_std_in_grpo``)."""
    return True if config is None else bool(config.get("norm_adv_by_std_in_grpo", True))


def judged_rows(scope: Scope) -> list[Row | None]:
    """The credit of each row, None where it is not its own: only a session's last output was judged."""
    if scope.keys is None:
        return list(scope.rows)
    judged: list[Row | None] = [None] * len(scope.rows)
    for i in _final_rows(scope.keys):
        judged[i] = scope.rows[i]
    return judged


def _judged_in(keys: Sequence[str] | None) -> list[int] | None:
    """The row that has the verdict of each row's session: its last output."""
    if keys is None:
        return None
    last = {keys[row].rpartition("_")[0]: row for row in _final_rows(keys)}
    return [last[key.rpartition("_")[0]] for key in keys]


def _group_advantage(
    rewards: torch.Tensor, mask: torch.Tensor, index: np.ndarray, config: Any, keys: Sequence[str] | None
) -> torch.Tensor:
    """verl's GRPO, with all that verl does for the name ``grpo`` and would not do for ``egca``.

    v1/utils.py:167 computes a session's advantage from its last output alone and gives it to the others only where the
    estimator is ``grpo``; ray_trainer.py:235 passes norm_adv_by_std_in_grpo only there. The other comparisons with an
    estimator's name (gae: utils.py:100, ray_trainer.py:218; remax: ray_trainer.py:1493; gdpo: ray_trainer.py:261)
    treat ``egca`` as they treat ``grpo``.
    """
    by_std = divides_by_std(config)
    if keys is None:
        return torch.as_tensor(compute_grpo_outcome_advantage(rewards, mask, index, norm_adv_by_std_in_grpo=by_std)[0])
    from verl.trainer.ppo.v1.utils import compute_advantage_for_multi_trajectories  # v1 is imported late, by v1 itself

    data = DataProto.from_dict(
        tensors={"token_level_rewards": rewards, "response_mask": mask}, non_tensors={"uid": index}
    )
    data = compute_advantage_for_multi_trajectories(
        data, batch_keys=list(keys), adv_estimator="grpo", norm_adv_by_std_in_grpo=by_std, config=config
    )
    return torch.as_tensor(data.batch["advantages"])


def _final_rows(keys: Sequence[str]) -> list[int]:
    """Row of each session's last output, as v1/utils.py:181-189 finds it."""
    last: dict[str, tuple[int, int]] = {}
    for row, key in enumerate(keys):
        session, _, output = key.rpartition("_")
        if session not in last or last[session][0] < int(output):
            last[session] = (int(output), row)
    return [row for _, row in last.values()]


def _from_columns(columns: Mapping[str, Any] | None) -> Scope | None:
    if columns is None or channel.KEY not in columns:
        return None
    rows = [channel.unpack({channel.KEY: text}) for text in columns[channel.KEY]]
    placing = next((row.placing for row in rows if row is not None), Placing())
    settings = dataclasses.asdict(placing)
    return Scope(enabled=settings.pop("enabled"), config=EgcaConfig(**settings), rows=rows)
