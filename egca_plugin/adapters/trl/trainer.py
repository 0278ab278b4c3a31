"""TRL's GRPO trainer with EGCA: rewards come from the sandbox, advantages lie on the blamed tokens.

Three things of TRL's are extended: the list of reward functions, which gets one more; ``_generate``, behind which
judging and crediting begin, beside the log-probabilities that TRL computes next; and
``_generate_and_score_completions``, whose advantages, one a sample, become one a token. TRL's loss takes those
(grpo_trainer.py:3056); sampling, grouping, normalising, clipping and KL stay TRL's.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from accelerate.utils import broadcast_object_list, gather_object
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from egca_plugin.adapters import counterfactual, tensors
from egca_plugin.adapters.data import look_through
from egca_plugin.adapters.metrics import step_metrics
from egca_plugin.adapters.observer import Observer, caution
from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.samples import Placement, Placing, Row, Scope, joined, unless_lifted
from egca_plugin.adapters.settings import Settings
from egca_plugin.adapters.trl import settings
from egca_plugin.adapters.trl.judging import Judge, PoolJudge
from egca_plugin.adapters.trl.reward import Batch, SandboxReward
from egca_plugin.config import EgcaConfig
from egca_plugin.credit.praise import mended_rate, standing
from egca_plugin.errors import TaskError


class EgcaGRPOTrainer(GRPOTrainer):
    """``GRPOTrainer`` on tasks (:func:`egca_plugin.adapters.trl.dataset`, or the files of ``egca prepare``).

    ``egca``: an :class:`EgcaConfig`, a preset's name, or ``"off"`` for TRL's own GRPO with the same rewards;
    :class:`Settings` for that with records.
    ``reward_funcs``: further reward functions. TRL adds them up as it always does, ours first: with
    ``GRPOConfig.reward_weights`` w, a sample's reward is w[0] times 1 or 0 plus the sum of w[k] times theirs. The
    advantage of that sum is what is placed. A blamed sample that theirs lift above its group keeps uniform credit,
    counted as ``egca/fallback/positive_advantage``: its faulty tokens are not what deserves the praise.
    Rows that are no code are theirs alone to reward. ``judge``: who judges instead of a pool of sandboxes.

    With several processes each judges its own rows. A group may be spread over them, and siblings on another process
    are then no references.

    Raises ConfigError for settings that do not go together, TaskError for rows that nobody scores, SandboxError where
    the sandbox does not start, TokenizerError for an unknown family.
    """

    def __init__(
        self,
        model: Any,
        reward_funcs: Any = None,
        args: GRPOConfig | None = None,
        train_dataset: Any = None,
        eval_dataset: Any = None,
        *,
        egca: EgcaConfig | Settings | str | None = None,
        judge: Judge | None = None,
        reward_processing_classes: Any = None,
        **more: Any,
    ) -> None:
        chosen = settings.read(egca)
        if args is not None:
            settings.check(chosen, args)
        _check_datasets(train_dataset, eval_dataset, chosen.egca.bad_rows, alone=not _listed(reward_funcs))
        self._egca_reward = SandboxReward()
        super().__init__(
            model,
            [self._egca_reward, *_listed(reward_funcs)],
            args,
            train_dataset,
            eval_dataset,
            reward_processing_classes=(
                None if reward_processing_classes is None else [None, *_listed(reward_processing_classes)]
            ),
            **more,
        )
        self._egca = settings.check(chosen, self.args)
        if self._egca.enabled and self.accelerator.is_main_process:
            caution(self._egca.egca)
        records = self._egca.egca.records if self.accelerator.is_main_process else ""
        self._egca_observer = Observer(records, self._tokenizer)
        reader = Reader(self._tokenizer)
        self._egca_pool: PoolJudge | None = None
        if judge is None:
            largest = max(self.num_generations, self.num_generations_eval)
            judge = self._egca_pool = PoolJudge(self._egca.egca, largest_group=largest)
            weakref.finalize(self, self._egca_pool.close)
        self._egca_reward.open(reader, judge, Placing.of(self._egca.egca, self._egca.enabled))

    def close(self) -> None:
        """Stop the sandbox's processes now; they end with the trainer, or with its process, in any case."""
        if self._egca_pool is not None:
            self._egca_pool.close()

    def _generate(self, prompts: list[Any]) -> Any:
        """TRL computes log-probabilities between this and the rewards: judging and crediting begin before."""
        generated = super()._generate(prompts)
        self._egca_reward.begin(self._egca_inputs, generated[1], generated[2])
        return generated

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        training = bool(self.model.training)
        self._egca_reward.batch = batch = Batch(
            self.state.global_step,
            first=self.accelerator.process_index * len(inputs),
            group_size=self.num_generations if training else self.num_generations_eval,
            judge_only=not training,
            alone=len(self.reward_funcs) == 1,
        )
        self._egca_inputs = inputs
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        group_advantages = output["advantages"]
        rows, placement = self._egca_reward.take(), None
        sampled = self._egca_ids(rows, output)
        if training and self._egca.enabled:
            rows = self._egca_whole(rows)
            mask = output["completion_mask"] * output.get("tool_mask", 1)
            rows = unless_lifted(rows, (group_advantages > 0).tolist())
            output["advantages"], placement = _place(
                self._egca.egca, rows, group_advantages, mask, by_std=self.scale_rewards != "none"
            )
            if self._egca.egca.counterfactual:
                self._egca_learn_instead(output, rows, placement)
        self._egca_log(batch, _Part(rows, placement, group_advantages.cpu(), sampled))
        return output

    def _egca_whole(self, rows: list[Row | None]) -> list[Row | None]:
        """The rows with the rates of whole groups: the samples of one may lie on several processes."""
        if not self._egca.egca.learns_from_mended:
            return rows
        told = gather_object([standing(row.credit) if row else None for row in rows])
        first, size = self.accelerator.process_index * len(rows), self.num_generations
        groups = [[one for one in told[at : at + size] if one] for at in range(0, len(told), size)]
        rates = [mended_rate(group) for group in groups]
        return [_mended(row, rates[at // size]) for at, row in enumerate(rows, first)]

    def _egca_learn_instead(self, output: dict[str, Any], rows: Sequence[Row | None], placement: Placement) -> None:
        """With ``egca.credit=counterfactual``: put repairs' tokens where decisions were, with their chance as a factor.

        TRL knows old log-probabilities in some runs only, so the chance is asked for here.
        """
        swaps = counterfactual.swaps(rows, placement, by_std=self.scale_rewards != "none")
        output["completion_ids"], output["completion_mask"] = (
            output[name].clone() for name in ("completion_ids", "completion_mask")
        )
        for swap in swaps:
            output["completion_ids"][swap.row, swap.column] = swap.token
            output["completion_mask"][swap.row, swap.column + 1 :] = 0
            output["advantages"][swap.row] = 0
        chosen = [swap.row for swap in swaps]
        if self.accelerator.num_processes > 1:  # whose model may lie on all of them, so that all must ask alike
            chosen = list(range(len(rows)))
        chances = dict(zip(chosen, self._egca_log_probs(output, chosen), strict=True)) if chosen else {}
        for swap in swaps:
            log_prob = chances[swap.row][swap.column]
            output["advantages"][swap.row, swap.column] = swap.advantage * log_prob.exp()
            if "old_per_token_logps" in output:
                output["old_per_token_logps"][swap.row, swap.column] = log_prob

    def _egca_log_probs(self, output: Mapping[str, Any], chosen: Sequence[int]) -> torch.Tensor:
        """(len(chosen), T) of the batch's tokens, as the policy has them now."""
        ids, mask = (
            torch.cat([output[f"prompt_{name}"], output[f"completion_{name}"]], dim=1)[chosen]
            for name in ("ids", "mask")
        )
        kept, size = output["completion_ids"].shape[1], self.args.per_device_train_batch_size
        with torch.no_grad():
            found = self._get_per_token_logps_and_entropies(self.model, ids, mask, kept, batch_size=size)
        return torch.as_tensor(found[0])

    def _egca_ids(self, rows: Sequence[Row | None], output: Mapping[str, Any]) -> list[torch.Tensor]:
        """The sampled ids of each row, unpadded, where records are kept."""
        if not self._egca.egca.records:
            return []
        return [ids[: row.tokens if row else 0] for ids, row in zip(output["completion_ids"].cpu(), rows, strict=True)]

    def _egca_log(self, batch: Batch, part: _Part) -> None:
        """Metrics over the rows of all processes, the same on each; the hack alarm and the records on the first."""
        whole = _joined(gather_object([part]))
        metrics: list[dict[str, float]] = [{}]
        if self.accelerator.is_main_process:
            lost, real = sum(row is None for row in whole.rows), range(len(whole.rows))
            if batch.judge_only:
                metrics = [step_metrics(whole.rows, None, real) | {_LOST: float(lost)}]
            else:
                scope = Scope(
                    self._egca.egca,
                    self._egca.enabled,
                    whole.rows,
                    placement=whole.placement,
                    group_advantages=whole.advantages.unsqueeze(1),
                )
                keys = [f"{self._step}.{i // batch.group_size}_{i % batch.group_size}_0" for i in real]
                metrics = [self._egca_observer.observe(batch.step, scope, keys, whole.ids, real, lost)]
        broadcast_object_list(metrics)
        _append(self._metrics["eval" if batch.judge_only else "train"], metrics[0])


_LOST = "egca/lost_samples"  # in the metrics of every batch


@dataclass(frozen=True, slots=True)
class _Part:
    """One process' share of a batch, row by row. ``advantages`` are (B,), before placing; ``ids`` may be left out."""

    rows: Sequence[Row | None]
    placement: Placement | None
    advantages: torch.Tensor
    ids: Sequence[torch.Tensor]


def _joined(parts: Sequence[_Part]) -> _Part:
    """The whole batch, in the order of the processes."""
    return _Part(
        rows=[row for part in parts for row in part.rows],
        placement=joined([part.placement for part in parts if part.placement is not None]),
        advantages=torch.cat([part.advantages for part in parts]),
        ids=[ids for part in parts for ids in part.ids],
    )


def _mended(row: Row | None, rate: float) -> Row | None:
    """``row`` with the rate of its group, where it is proven."""
    if row is None or not standing(row.credit).proven:
        return row
    return replace(row, credit=replace(row.credit, mended=rate))


def _place(
    config: EgcaConfig, rows: Sequence[Row | None], advantages: torch.Tensor, mask: torch.Tensor, *, by_std: bool
) -> tuple[torch.Tensor, Placement]:
    """TRL's ``advantages`` (B,) on the blamed tokens of ``mask`` (B, T), TRL's final one: (B, T)."""
    return tensors.place_rows(advantages.unsqueeze(1).expand(mask.shape), mask, rows, config, by_std=by_std)


def _append(store: dict[str, list[float]], metrics: Mapping[str, float]) -> None:
    """One batch's metrics, behind those of the batches since TRL's last log, of which TRL logs the mean.

    A share that one batch names and another does not (``egca/abstained/<reason>``) was 0 there. Times are different:
    no sample went through that stage.
    """
    before = len(store[_LOST])
    counted = {name for name in {*store, *metrics} if name.startswith("egca/") and not name.startswith("egca/ms/")}
    for name in sorted(counted):
        store[name] += [0.0] * (before - len(store[name])) + [metrics.get(name, 0.0)]
    for name in metrics.keys() - counted:
        store[name].append(metrics[name])


def _check_datasets(train: Any, evaluation: Any, bad_rows: float, *, alone: bool) -> None:
    """Every row of what can be looked through beforehand has a scorer; a stream's rows are checked as they come."""
    named = {"train_dataset": train}
    if isinstance(evaluation, dict):
        named |= {f"eval_dataset[{name!r}]": one for name, one in evaluation.items()}
    else:
        named["eval_dataset"] = evaluation
    for name, one in named.items():
        if isinstance(one, Dataset):
            found = look_through(name, one, bad_rows)
            if found.others and alone:
                example = next(iter(found.examples.values()))
                raise TaskError(
                    f"{name}: {sum(found.others.values())} of {found.rows} rows have no tests that EGCA can read (such "
                    f"as {example!r:.60}), and no other reward function is there for them. Pass one in reward_funcs, "
                    "or leave the rows out"
                )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
