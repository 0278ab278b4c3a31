"""The parts of OpenRLHF's configuration that do not go with EGCA's settings."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

from egca_plugin.adapters.settings import Settings, unpraised, without_counterfactual
from egca_plugin.errors import ConfigError

LABEL = "reward_model"  # the column of `egca prepare`'s files, and of verl's, that holds a row's task
# Estimators whose advantage is one number a sample, before KL. `reinforce` discounts only where gamma is not 1.
LEVEL = ("group_norm", "rloo", "dr_grpo", "reinforce_baseline", "flash_reinforce", "reinforce")
OF_A_GROUP = ("group_norm", "rloo", "dr_grpo")  # the first divides by its deviation
WHITENED = ("reinforce_baseline", "reinforce")  # normalised over all tokens, KL and all


def check(settings: Settings, args: argparse.Namespace) -> Settings:
    """The settings of a run with OpenRLHF's ``args``. Raises ConfigError where EGCA could not work, or do anything."""
    for amiss in _against_judging(args):
        raise ConfigError(amiss)
    if not settings.enabled:
        return settings
    without_counterfactual(settings, "OpenRLHF, which learns what was sampled")
    for amiss in _against_placing(args):
        raise ConfigError(f"{amiss}. Or train with --egca off")
    estimator = args.algo.advantage.estimator
    if estimator not in OF_A_GROUP:
        settings = unpraised(
            settings,
            f"--algo.advantage.estimator {estimator}, whose advantages are not of the size of one group's, as those of "
            f"{', '.join(OF_A_GROUP)} are",
        )
    if settings.egca.bank == "checkpoints":
        return replace(settings, egca=replace(settings.egca, bank=f"{args.ckpt.path}/egca_bank"))
    return settings


def _against_judging(args: argparse.Namespace) -> Iterator[str]:
    """What keeps the samples from being judged, or their rewards from counting."""
    if not args.vllm.num_engines or args.vllm.num_engines < 1:
        yield (
            f"--vllm.num_engines: got {args.vllm.num_engines}, expected at least 1: programs are judged in the rollout "
            "workers"
        )
    if args.data.label_key != LABEL:
        yield (
            f"--data.label_key: got {args.data.label_key!r}, expected {LABEL!r}, which holds the tasks in the files of "
            "`egca prepare`"
        )
    if args.reward.model_name_or_path is not None:
        yield (
            f"--reward.model_name_or_path: got {args.reward.model_name_or_path!r}, and OpenRLHF asks no reward model "
            "beside --train.agent_func_path, which EGCA needs. Leave it out: the sandbox is the reward"
        )


def _against_placing(args: argparse.Namespace) -> Iterator[str]:
    """What keeps the credit from having an effect, or from having the right one."""
    advantage, kl = args.algo.advantage, args.algo.kl
    if advantage.estimator not in LEVEL:
        yield (
            f"--algo.advantage.estimator: got {advantage.estimator!r}, expected one of {', '.join(LEVEL)}: a critic's "
            "advantage is not one number a sample, which could be placed"
        )
    if advantage.estimator == "reinforce" and advantage.gamma != 1:
        yield (
            f"--algo.advantage.gamma: got {advantage.gamma:g}, expected 1 with the estimator reinforce: a discounted "
            "return is not one number a sample"
        )
    if args.actor.policy_loss_type != "ppo":
        yield (
            f"--actor.policy_loss_type: got {args.actor.policy_loss_type!r}, expected 'ppo': one ratio for a whole "
            "sequence averages its tokens' credit away"
        )
    if advantage.estimator in WHITENED and kl.init_coef > 0 and not kl.use_loss:
        yield (
            f"--algo.kl.init_coef: got {kl.init_coef:g}, which puts KL into the reward, and {advantage.estimator} "
            "normalises both together: add --algo.kl.use_loss, or set it to 0"
        )
