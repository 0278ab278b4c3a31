"""OpenRLHF's experience maker with credit on tokens: its advantages, moved onto the blamed ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain

import torch
from openrlhf.trainer.ppo_utils.experience import Experience
from openrlhf.trainer.ppo_utils.experience_maker import RemoteExperienceMaker

from egca_plugin.adapters import tensors
from egca_plugin.adapters.observer import Observer
from egca_plugin.adapters.openrlhf.asking import Answer
from egca_plugin.adapters.samples import Placement, Row, Scope, joined, unless_lifted
from egca_plugin.adapters.settings import Settings
from egca_plugin.errors import FrameworkError


@dataclass(frozen=True, slots=True)
class _Placed:
    """One of OpenRLHF's micro batches. ``rows`` as they were placed; ``level`` (B, T): the advantages before that."""

    index: list[int]
    rows: list[Row | None]
    placement: Placement | None
    level: torch.Tensor


class EgcaExperienceMaker(RemoteExperienceMaker):
    """``metrics`` are those of the batch made last. ``settings``, ``observer`` and ``step`` are set by the trainer."""

    settings: Settings
    observer: Observer
    step = 0
    metrics: dict[str, float]

    def make_experience_batch(self, rollout_samples: list[Experience]) -> list[Experience]:
        """OpenRLHF's, of samples whose labels are the executor's answers. Raises FrameworkError where they are not."""
        self._answers = [_answer_of(sample) for sample in rollout_samples]
        self._ids = [
            sample.sequences[0][answer.first : answer.first + (answer.row.tokens if answer.row else 0)]
            for sample, answer in zip(rollout_samples, self._answers, strict=True)
        ]
        return list(super().make_experience_batch(rollout_samples))

    @torch.no_grad()
    def compute_advantages_and_returns(self, experiences: list[Experience]) -> list[Experience]:
        """OpenRLHF's, whitening and all, then placed on its final mask. Its returns stay as they are."""
        indices = [list(experience.index) for experience in experiences]  # OpenRLHF forgets them, and `kl`
        kls = [self._kl_returns(experience) for experience in experiences]
        experiences = super().compute_advantages_and_returns(experiences)
        placed = [self._place(*one) for one in zip(experiences, indices, kls, strict=True)]
        self._observe(placed)
        return experiences

    def _kl_returns(self, experience: Experience) -> torch.Tensor | float:
        """The part of the returns that is KL, which stays where it is; 0.0 where none is in the reward."""
        coefficient = self.kl_ctl.value
        in_reward = coefficient > 0 and self.initial_model_group is not None and not self.args.algo.kl.use_loss
        if not self.settings.enabled or not in_reward:
            return 0.0
        return torch.as_tensor(self.get_cumulative_returns(-coefficient * experience.kl, experience.action_mask, 1.0))

    def _place(self, experience: Experience, index: list[int], kl: torch.Tensor | float) -> _Placed:
        """Moves ``experience``'s advantages. A sample without a verdict gets none: nothing is learnt from it."""
        level, mask = experience.advantages - kl, experience.action_mask
        answers, placement = [self._answers[i] for i in index], None
        rows = [
            one.row and one.row.shifted(one.first - 1) for one in answers
        ]  # the mask has no column for the first id
        if self.settings.enabled:
            rows = unless_lifted(rows, ((level * mask).sum(1) > 0).tolist())
            by_std = self.args.algo.advantage.estimator == "group_norm"
            moved, placement = tensors.place_rows(level, mask, rows, self.settings.egca, by_std=by_std)
            experience.advantages = torch.where(moved == level, experience.advantages, moved + kl)
        lost = torch.tensor([row is None for row in rows]).unsqueeze(1)
        experience.advantages = experience.advantages.masked_fill(lost, 0.0)
        return _Placed(index, [self._in_response(i, row) for i, row in zip(index, rows, strict=True)], placement, level)

    def _in_response(self, i: int, row: Row | None) -> Row | None:
        """``row`` with its spans where the response has them, which is how records count."""
        own = self._answers[i].row
        return own if own is None or row is None or row.spans else replace(own, spans=(), fallback=row.fallback)

    def _observe(self, placed: Sequence[_Placed]) -> None:
        order = list(chain.from_iterable(one.index for one in placed))
        rows = list(chain.from_iterable(one.rows for one in placed))
        width = max(one.level.shape[1] for one in placed)
        level = torch.cat([torch.nn.functional.pad(one.level, (0, width - one.level.shape[1])) for one in placed])
        placement = joined([one.placement for one in placed if one.placement is not None])
        scope = Scope(self.settings.egca, self.settings.enabled, rows, placement=placement, group_advantages=level)
        size = self.args.rollout.n_samples_per_prompt  # groups follow each other in the order of sampling
        keys = [f"{self.step}.{i // size}_{i % size}_0" for i in order]
        lost = sum(row is None for row in rows)
        self.metrics = self.observer.observe(
            self.step, scope, keys, [self._ids[i] for i in order], range(len(rows)), lost
        )


def _answer_of(sample: Experience) -> Answer:
    """The executor's answer, out of the label, which gets its own back."""
    (label,) = sample.labels
    if not isinstance(label, Answer):
        raise FrameworkError(
            "a sample came without a verdict: --train.agent_func_path names an executor that is not EGCA's. Leave it "
            "out, or make it one: AgentExecutor = egca_plugin.adapters.openrlhf.executor.judged(YourExecutor)"
        )
    sample.labels = [label.label]
    return label
