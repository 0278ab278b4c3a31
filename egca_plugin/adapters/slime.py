"""EGCA inside slime, by slime's own flags: functions that it looks up, in a file that imports nothing of it.

    --group-rm --custom-rm-path egca_plugin.adapters.slime.reward
    --custom-reward-post-process-path egca_plugin.adapters.slime.place
    --custom-advantage-function-path egca_plugin.adapters.slime.advantages
    --label-key LABEL              a column of tasks: `ground_truth` of `egca prepare`'s rows, or the struct around it
    --custom-config-path FILE      YAML with `egca: paper`, `egca: off`, or `egca: {scale: unit, ...}`; may be left out

slime 0.3.1 lets no key of a sample's through to its trainers but those that it knows. What travels is therefore in
``rewards``: a list for each sample, its group advantage first and the advantage of each token of the response behind it
(rollout.py, ``_convert_samples_to_train_data`` and ``_split_train_data_by_dp``).
"""

from __future__ import annotations

import logging
from argparse import Namespace
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import torch

from egca_plugin.adapters import tensors, unjudged
from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.observer import Observer
from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.samples import Placing, Row, Scope, unless_lifted
from egca_plugin.adapters.settings import Settings, unpraised, without_counterfactual
from egca_plugin.adapters.turns import unsampled
from egca_plugin.config import PRESETS, EgcaConfig
from egca_plugin.errors import ConfigError, FrameworkError, TaskError
from egca_plugin.pipeline import Group
from egca_plugin.tasks.rows import task_of_row
from egca_plugin.types import Completion, Task

logger = logging.getLogger(__name__)

KEY = "egca"  # of a sample's metadata, while the samples are in slime's rollout manager
ESTIMATORS = ("grpo", "cispo")  # whose advantage is one number a sample, and whose loss has a ratio a token


class _Worker:
    """What slime's rollout manager keeps between calls: the sandbox, the tokenizer, metrics and records."""

    def __init__(self, args: Namespace) -> None:
        from transformers import AutoTokenizer

        self.args, self.settings = args, check(args)
        tokenizer = AutoTokenizer.from_pretrained(args.hf_checkpoint, trust_remote_code=True)
        self.reader = Reader(tokenizer)
        self.judge = PoolJudge(self.settings.egca, largest_group=args.n_samples_per_prompt)
        self.observer = Observer(self.settings.egca.records, tokenizer)
        self.steps = count(1)


_workers: dict[int, _Worker] = {}  # by the identity of slime's options, of which a run has one


def _of(args: Namespace) -> _Worker:
    if id(args) not in _workers:
        _workers[id(args)] = _Worker(args)
    return _workers[id(args)]


# --- slime's calls --------------------------------------------------------------------------------------------------


async def reward(args: Namespace, samples: Any, **_: Any) -> Any:
    """``--custom-rm-path``: 1.0 for a program that passes its tests, else 0.0, of each of a prompt's samples.

    Keeps their credits in their metadata until :func:`place`. One sample alone, as slime asks in evaluation, is judged
    and nothing is learnt from it. Raises ConfigError for options that do not go together, SandboxError.
    """
    if isinstance(samples, list):
        return await _rewards(args, samples, judge_only=False)
    return (await _rewards(args, [samples], judge_only=True))[0]


def place(args: Namespace, samples: Sequence[Any]) -> tuple[list[float], list[list[float]]]:
    """``--custom-reward-post-process-path``: raw rewards, and each sample's group advantage and those of its tokens.

    The group advantage is slime's own (rollout.py, ``_post_process_rewards``). Raises FrameworkError for samples that
    :func:`reward` has not seen.
    """
    worker = _of(args)
    if any(KEY not in (sample.metadata or {}) for sample in samples):
        raise FrameworkError("a sample came without a verdict: set --custom-rm-path egca_plugin.adapters.slime.reward")
    raw = [float(sample.get_reward_value(args)) for sample in samples]
    rows: list[Row | None] = [sample.metadata.pop(KEY) for sample in samples]
    lengths = [sample.response_length for sample in samples]
    mask = torch.zeros(len(samples), max(lengths, default=0), dtype=torch.bool)
    for line, sample in zip(mask, samples, strict=True):
        shown = [0] * sample.response_length if sample.remove_sample else sample.loss_mask
        line[: sample.response_length] = torch.tensor(shown or [1] * sample.response_length, dtype=torch.bool)
    level = _group_advantages(args, raw).unsqueeze(1)
    level = level.masked_fill(torch.tensor([row is None for row in rows]).unsqueeze(1), 0.0)
    placed, scope = level.expand(mask.shape), Scope(worker.settings.egca, worker.settings.enabled, rows)
    scope.group_advantages = level
    if worker.settings.enabled:
        scope.rows = rows = unless_lifted(rows, (level[:, 0] > 0).tolist())
        by_std = bool(args.grpo_std_normalization)
        placed, scope.placement = tensors.place_rows(placed, mask, rows, worker.settings.egca, by_std=by_std)
    _observe(worker, args, samples, scope)
    lines = zip(level[:, 0].tolist(), placed.tolist(), lengths, strict=True)
    return raw, [[one, *line[:length]] for one, line, length in lines]


def advantages(args: Namespace, rollout_data: dict[str, Any]) -> None:
    """``--custom-advantage-function-path``: fills ``advantages`` and ``returns``, each a list of (T,) float32.

    ``rewards`` get their numbers back. Raises FrameworkError where they are not what :func:`place` made.
    """
    found = rollout_data["rewards"]
    if not all(isinstance(ride, list) for ride in found):
        raise FrameworkError(
            "rewards came without credit: set --custom-reward-post-process-path egca_plugin.adapters.slime.place"
        )
    rollout_data["rewards"] = [ride[0] for ride in found]
    lines = []
    for ride, kl, total in zip(found, rollout_data["kl"], rollout_data["total_lengths"], strict=True):
        line = torch.tensor(ride[1:], dtype=torch.float32, device=kl.device)
        lines.append(line if len(line) == len(kl) else _own_part(line, int(total)))
    rollout_data["advantages"], rollout_data["returns"] = lines, [line.clone() for line in lines]


# --- settings -------------------------------------------------------------------------------------------------------


def check(args: Namespace) -> Settings:
    """The settings of a run with slime's ``args``. Raises ConfigError where EGCA could not work or would do nothing."""
    settings = _read(getattr(args, "egca", None))
    without_counterfactual(settings, "slime, which learns what was sampled")
    if not getattr(args, "group_rm", False):
        raise ConfigError("--group-rm is not set: the samples of a prompt are judged together")
    for flag, name in (("custom_reward_post_process_path", "place"), ("custom_advantage_function_path", "advantages")):
        if getattr(args, flag, None) is None:
            raise ConfigError(
                f"--{flag.replace('_', '-')}: expected {__name__}.{name}, which brings the credit on tokens"
            )
    if args.advantage_estimator not in ESTIMATORS:
        raise ConfigError(
            f"--advantage-estimator: got {args.advantage_estimator!r}, expected one of {', '.join(ESTIMATORS)}: one "
            "ratio for a whole sequence averages its tokens' credit away, and others have no one number a sample"
        )
    if not getattr(args, "rewards_normalization", True):
        settings = unpraised(
            settings,
            "--disable-rewards-normalization: praise is of the size of one group's normalised advantages",
        )
    if settings.enabled and getattr(args, "normalize_advantages", False):
        raise ConfigError(
            "--normalize-advantages subtracts a mean behind the placing, which gives every token an advantage again. "
            "Leave it out"
        )
    return settings


def _read(value: Any) -> Settings:
    if value in (None, True):
        return Settings(True, EgcaConfig())
    if value in ("off", False):  # YAML reads the word off as false
        return Settings(False, EgcaConfig(localizer="uniform"))
    if value in PRESETS:
        return Settings(True, EgcaConfig(preset=value))
    if not isinstance(value, Mapping):
        raise ConfigError(f"egca: got {value!r}, expected off, one of {', '.join(PRESETS)}, or a mapping")
    return Settings(True, EgcaConfig.from_mapping(value))


# --- parts ----------------------------------------------------------------------------------------------------------


async def _rewards(args: Namespace, samples: Sequence[Any], *, judge_only: bool) -> list[float]:
    worker = _of(args)
    if any(isinstance(sample, list) for sample in samples):
        raise FrameworkError("a rollout of several samples (--custom-generate-function-path) cannot be judged as one")
    responses = [worker.reader.read(_ids(sample), unsampled(sample.loss_mask or ())) for sample in samples]
    placing = Placing.of(worker.settings.egca, worker.settings.enabled)
    task = _task(samples[0])
    if isinstance(task, TaskError):
        logger.warning("egca: samples have reward 0, their task cannot be read: %s", task)
        rows: list[Row | None] = [worker.reader.row(one, unjudged.bad_task(task), "", placing) for one in responses]
    else:
        group = Group(task, tuple(Completion(one.text) for one in responses), None, judge_only)
        credits = await worker.judge(group)
        rows = [
            None if credit is None else worker.reader.row(one, credit, task.task_id, placing)
            for credit, one in zip(credits, responses, strict=True)
        ]
    known = [row.credit.reward for row in rows if row is not None]
    mean = sum(known) / len(known)  # for one without a verdict: it moves no sibling
    for sample, row in zip(samples, rows, strict=True):
        sample.metadata = {**(sample.metadata or {}), KEY: row}
    return [mean if row is None else row.credit.reward for row in rows]


def _ids(sample: Any) -> list[int]:
    return [int(token) for token in sample.tokens[len(sample.tokens) - sample.response_length :]]


def _task(sample: Any) -> Task | TaskError:
    label = sample.label if isinstance(sample.label, Mapping) else {"ground_truth": sample.label}
    where = f"a sample of group {sample.group_index}, label"
    try:
        task = task_of_row({"reward_model": label, "prompt": sample.prompt}, where)
    except TaskError as error:
        return error
    return task or TaskError(
        f"{where}: got {sample.label!r:.80}, which has no tests; expected a task of `egca prepare`"
    )


def _group_advantages(args: Namespace, raw: Sequence[float]) -> torch.Tensor:
    """(B,) float32, as slime normalises: each group of ``n_samples_per_prompt``, or all where some are missing."""
    rewards = torch.tensor(raw, dtype=torch.float)
    if not args.rewards_normalization:
        return rewards
    size = args.n_samples_per_prompt if len(raw) == args.n_samples_per_prompt * args.rollout_batch_size else len(raw)
    groups = rewards.reshape(-1, size)
    groups = groups - groups.mean(dim=-1, keepdim=True)
    if args.grpo_std_normalization:
        groups = groups / (groups.std(dim=-1, keepdim=True) + 1e-6)
    return groups.flatten()


def _observe(worker: _Worker, args: Namespace, samples: Sequence[Any], scope: Scope) -> None:
    """Metrics to the log, records, the hack alarm."""
    step, size = next(worker.steps), args.n_samples_per_prompt
    keys = [f"{step}.{i // size}_{i % size}_0" for i in range(len(samples))]
    ids, lost = [torch.tensor(_ids(sample)) for sample in samples], sum(row is None for row in scope.rows)
    metrics = worker.observer.observe(step, scope, keys, ids, range(len(samples)), lost)
    logger.info("egca: step %d: %s", step, metrics)


def _own_part(line: torch.Tensor, total_length: int) -> torch.Tensor:
    """This rank's part of a sequence that context parallelism cuts up."""
    from slime.backends.megatron_utils.cp_utils import slice_log_prob_with_cp

    part: torch.Tensor = slice_log_prob_with_cp(line, total_length, len(line))
    return part
