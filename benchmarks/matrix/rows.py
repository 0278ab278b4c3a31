"""The table: every run, and what no CPU can run."""

from __future__ import annotations

from benchmarks.matrix.checks import (
    agrees,
    behind_a_tool,
    files,
    finite,
    groups_differ,
    last_output_only,
    logged,
    metric,
    on_policy_in_the_first_step,
    placed,
    reasoning_keeps_its_own,
    records,
    speed_against,
    validated,
)
from benchmarks.matrix.continuation import continues
from benchmarks.matrix.row import PROMPTS, SAMPLES, STEPS, Absent, Row

_ACTOR, _ROLLOUT = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
_KL_LOSS = (f"{_ACTOR}.use_kl_loss=true", f"{_ACTOR}.kl_loss_coef=0.05")
_SMOL = {"steps": 2, "prompts": 2, "prompt_tokens": 192, "response_tokens": 32, "learning_rate": 1e-6}
_ALL = STEPS * PROMPTS * SAMPLES


def _mode(name: str) -> str:
    return f"trainer.v1.trainer_mode=egca_{name}"


def _aggregated(name: str) -> str:
    return f"{_ACTOR}.loss_agg_mode={name}"


ROWS: tuple[Row, ...] = (
    Row(
        "straight",
        ("sync", "reference model, KL in loss", "checkpoint save", "seq-mean-token-mean", "4 steps"),
        (*_KL_LOSS, _aggregated("seq-mean-token-mean"), "trainer.save_freq=2"),
        (placed, finite, metric("actor/kl_loss", lambda v: v > 0, "KL loss {:.2g}"), records(4 * PROMPTS * SAMPLES)),
        {"steps": 4},
        replay="answers",
    ),
    Row(
        "resumed",
        ("sync", "checkpoint resume at step 2 of `straight`", "bit-identical continuation of credits"),
        (
            *_KL_LOSS,
            _aggregated("seq-mean-token-mean"),
            "trainer.save_freq=2",
            "trainer.resume_mode=resume_path",
            "trainer.resume_from_path={work}/straight/checkpoints/global_step_2",
        ),
        (placed, finite, continues("straight", steps=(3, 4))),
        {"steps": 4},
        replay="answers",
    ),
    Row(
        "two_ranks",
        (
            "sync",
            "two ranks (FSDP2 on gloo)",
            "KL in reward",
            "norm_adv_by_std_in_grpo=false",
            "seq-mean-token-sum",
            "validation before and during training",
            "rollout_data_dir and validation_data_dir",
            "rollout correction: truncated importance sampling",
        ),
        (
            "trainer.n_gpus_per_node=2",
            "ray_kwargs.ray_init.num_gpus=2",
            "algorithm.use_kl_in_reward=true",
            "algorithm.norm_adv_by_std_in_grpo=false",
            "algorithm.rollout_correction.rollout_is=token",
            _aggregated("seq-mean-token-sum"),
            "trainer.rollout_data_dir={work}/two_ranks/rollouts",
            "trainer.validation_data_dir={work}/two_ranks/validation",
        ),
        (
            placed,
            finite,
            agrees(1e-4),
            records(_ALL),
            metric("actor/reward_kl_penalty", lambda v: v > 0, "KL penalty {:.2g}"),
            metric("rollout_corr/rollout_is_mean", lambda v: 0.9 < v < 1.1, "importance weights {:.3f}"),
            validated(0, STEPS),
            files("rollouts/*.jsonl", STEPS, "a dump a step"),
        ),
        {"validate": True},
    ),
    Row(
        "lora",
        (
            "sync",
            "LoRA of rank 8, merged for the rollout",
            "KL in loss against the bare base",
            "seq-mean-token-sum-norm",
            "rollout correction: rejection sampling",
        ),
        (
            "actor_rollout_ref.model.lora_rank=8",
            "actor_rollout_ref.model.lora_alpha=16",
            "actor_rollout_ref.model.lora.merge=true",
            *_KL_LOSS,
            _aggregated("seq-mean-token-sum-norm"),
            "algorithm.rollout_correction.rollout_rs=token_k1",
            "algorithm.rollout_correction.rollout_rs_threshold=0.5_2.0",
        ),
        # verl sends merged weights in bf16 (fsdp/transformer_impl.py:1082): hence not to 1e-4
        (placed, finite, agrees(3e-2), metric("actor/kl_loss", lambda v: v > 0, "KL loss {:.2g}"), records(_ALL)),
        {"learning_rate": 1e-2},
    ),
    Row(
        "remove_padding",
        ("sync", "use_remove_padding=true without flash-attn (sdpa)", "token-mean"),
        ("actor_rollout_ref.model.use_remove_padding=true", _aggregated("token-mean")),
        (placed, finite, agrees(1e-4), records(_ALL)),
    ),
    Row(
        "colocate_async",
        ("colocate_async", "sessions of one or two outputs, the last one judged", "padding rows"),
        (
            _mode("colocate_async"),
            f"{_ROLLOUT}.agent.agent_loop_config_path={{here}}/agents.yaml",
            f"{_ROLLOUT}.agent.default_agent_loop=tries_again",
        ),
        (
            placed,
            finite,
            logged("Upsampled batch from", "the batch was padded"),
            last_output_only,
        ),
        replay="answers",
    ),
    Row(
        "filter_groups",
        ("sync", "algorithm.filter_groups: groups that are rewarded alike are replaced"),
        ("algorithm.filter_groups.enable=true", "algorithm.filter_groups.metric=reward"),
        (placed, finite, records(_ALL), groups_differ),
    ),
    Row(
        "separate_async",
        ("separate_async, a trainer and a rollout process of their own", "weights over `ray_queue`"),
        (
            _mode("separate_async"),
            "trainer.v1.separate_async.parameter_sync_step=2",
            f"{_ACTOR}.ppo_mini_batch_size=2",
            f"{_ROLLOUT}.nnodes=1",
            f"{_ROLLOUT}.n_gpus_per_node=1",
            f"{_ROLLOUT}.checkpoint_engine.backend=ray_queue",
            "ray_kwargs.ray_init.num_gpus=2",
        ),
        (
            placed,
            finite,
            on_policy_in_the_first_step(1e-4),
            # A step counts as received once all its weights are loaded; without any, step 3 would be 2 behind.
            metric("training/off_policy/trajectory_staleness/max", lambda v: v <= 1, "weights {:.0f} step behind"),
        ),
        {"steps": 3},
    ),
    Row(
        "legacy",
        (
            "legacy trainer (use_v1=false)",
            "multi-turn with verl's tool loop",
            "KL in loss",
            "norm_adv_by_std_in_grpo=false",
        ),
        (
            *_KL_LOSS,
            "algorithm.norm_adv_by_std_in_grpo=false",
            f"{_ROLLOUT}.multi_turn.enable=true",
            f"{_ROLLOUT}.multi_turn.max_assistant_turns=3",
            f"{_ROLLOUT}.multi_turn.function_tool_path={{here}}/tool.py",
            f"{_ROLLOUT}.agent.default_agent_loop=tool_agent",
        ),
        (placed, finite, behind_a_tool),
        {"legacy": True, "response_tokens": 160},
        replay="tool_calls",
    ),
    Row(
        "multi_turn",
        ("sync", "multi-turn with verl's tool loop: the tool's tokens are masked"),
        (
            f"{_ROLLOUT}.multi_turn.enable=true",
            f"{_ROLLOUT}.multi_turn.max_assistant_turns=3",
            f"{_ROLLOUT}.multi_turn.function_tool_path={{here}}/tool.py",
            f"{_ROLLOUT}.agent.default_agent_loop=tool_agent",
        ),
        (placed, finite, behind_a_tool),
        {"response_tokens": 160},
        replay="tool_calls",
    ),
    Row(
        "thinking",
        ("sync", "reasoning before the program, egca.thinking=shared"),
        (),
        (placed, finite, reasoning_keeps_its_own),
        replay="thoughts",
    ),
    Row(
        "fp32",
        ("sync", "SmolLM2-135M in fp32"),
        checks=(finite, agrees(1e-3)),
        settings=_SMOL,
        real=True,
    ),
    Row(
        "bf16",
        ("sync", "SmolLM2-135M in bf16: rollout, old log-probabilities, update"),
        (f"{_ACTOR}.fsdp_config.mixed_precision.param_dtype=bf16", f"{_ROLLOUT}.dtype=bfloat16"),
        (finite, agrees(0.2), speed_against("fp32")),
        settings=_SMOL,
        real=True,
    ),
    Row(
        "reward_model",
        ("sync", "a reward model on the trainer's devices: rewards after the rollout, in one batch"),
        (
            "reward.reward_model.enable=true",
            "reward.reward_model.enable_resource_pool=false",
            "reward.reward_model.model_path={work}/model",
            "reward.reward_model.rollout.name=hf_cpu",
            "reward.reward_model.rollout.dtype=float32",
            "reward.reward_model.rollout.tensor_model_parallel_size=1",
            "reward.reward_model.rollout.free_cache_engine=false",
            "reward.custom_reward_function.path={here}/reward_fn.py",
        ),
        (
            placed,
            finite,
            agrees(1e-4),
            records(_ALL),
            metric("timing_s/reward", lambda v: v > 0, "judged after the rollout, in {:.1f} s"),  # that path only
        ),
    ),
    Row(
        "reward_model_alone",
        ("a reward model without a custom reward function",),
        ("reward.reward_model.enable=true", "reward.reward_model.model_path={work}/model"),
        refused="never asks the egca manager",
    ),
    Row(
        "gspo",
        ("sync", "GSPO-token: one detached ratio a sequence", "two optimiser steps a batch"),
        (
            f"{_ACTOR}.policy_loss.loss_mode=gspo",
            f"{_ACTOR}.clip_ratio_low=3e-4",
            f"{_ACTOR}.clip_ratio_high=4e-4",
            f"{_ACTOR}.ppo_mini_batch_size=2",
        ),
        (placed, finite, agrees(1e-4), records(_ALL)),
    ),
    Row(
        "geo_mean",
        ("a sequence-level loss",),
        (f"{_ACTOR}.policy_loss.loss_mode=geo_mean",),
        refused="token-level credit would not do what it says",
    ),
)

ABSENT: tuple[Absent, ...] = (
    Absent(
        "vllm",
        ("vLLM or SGLang rollout, nccl weight transfer, flash-attn",),
        "they need an accelerator; not run on a GPU yet",
        "every GPU recipe is composed, validated by verl and built up to the point where it takes GPUs (tests/recipes)",
    ),
)
