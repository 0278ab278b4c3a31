"""Every recipe with every choice that its README offers: composed, accepted by verl's own validation, and carried as
far into verl's real trainers as goes without a GPU."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from recipe_scripts import ALL, GPUS, RECIPES, prepared, start, trained

pytestmark = pytest.mark.verl
CHOICES = [
    (recipe, hardware, mode)
    for recipe in ("mbpp", "humaneval")
    for hardware in ("cpu", "one_gpu", "node", "cluster")
    for mode in ("sync", "colocate_async", "separate_async", "legacy")
    if (hardware, mode) != ("one_gpu", "separate_async")  # it needs GPUs for both sides
]


@pytest.fixture(scope="module", autouse=True)
def verl() -> ModuleType:
    return pytest.importorskip("verl")


@pytest.fixture(scope="module", autouse=True)
def no_vllm() -> Iterator[list[int]]:
    """vLLM is not on a CPU machine; verl's validation asks its module for one number, the adapter's largest rank."""
    asked: list[int] = []
    package, module = (ModuleType(f"verl.workers.rollout.vllm_rollout{end}") for end in ("", ".utils"))
    package.__path__ = []
    vars(module)["get_vllm_max_lora_rank"] = asked.append
    patch = pytest.MonkeyPatch()
    patch.setitem(sys.modules, package.__name__, package)
    patch.setitem(sys.modules, module.__name__, module)
    yield asked
    patch.undo()


@pytest.fixture(autouse=True)
def recipes_from_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EGCA_RECIPES", str(RECIPES))
    monkeypatch.chdir(tmp_path)


def compose(recipe: str, *overrides: str) -> Any:
    import hydra

    with hydra.initialize_config_dir(str(RECIPES / recipe), version_base=None):
        return hydra.compose(recipe, overrides=list(overrides))


def validate(config: Any) -> None:
    """What verl's ``main_ppo`` does first, and the dataclasses that its workers make of the parts."""
    from verl.trainer.ppo.utils import need_critic, need_reference_policy
    from verl.utils.config import omega_conf_to_dataclass, validate_config

    validate_config(config, need_reference_policy(config), need_critic(config))
    for part in (
        config.algorithm,
        config.actor_rollout_ref.rollout,
        config.actor_rollout_ref.rollout.checkpoint_engine,
    ):
        omega_conf_to_dataclass(part)


def trainer(config: Any) -> Any:
    """verl's own trainer object, as its TaskRunner makes it before it takes any GPU."""
    from omegaconf import OmegaConf
    from verl.trainer.ppo.v1 import get_trainer_cls

    OmegaConf.resolve(config)
    return get_trainer_cls(config.trainer.v1.trainer_mode)(config)


def legacy_roles(config: Any) -> set[str]:
    """The workers that verl's legacy task runner plans, and our settings' check, which its trainer does first."""
    from omegaconf import OmegaConf
    from verl.trainer.main_ppo_v0 import TaskRunner

    from egca_plugin.adapters.verl import settings

    OmegaConf.resolve(config)
    settings.check(config)
    runner = TaskRunner.__ray_metadata__.modified_class()
    runner.add_actor_rollout_worker(config)
    return {role.name for role in runner.role_worker_mapping}


@pytest.mark.parametrize(("recipe", "hardware", "mode"), CHOICES)
def test_verl_accepts_every_choice(recipe: str, hardware: str, mode: str) -> None:
    config = compose(recipe, f"hardware={hardware}", f"mode={mode}")
    validate(config)
    assert config.trainer.use_v1 == (mode != "legacy")
    if mode == "legacy":
        # The reference is in the actor's workers; with an adapter it is the actor's own base.
        assert legacy_roles(config) == {"ActorRollout" if hardware == "one_gpu" else "ActorRolloutRef"}
        return
    made = trainer(config)
    assert type(made).__module__ == "egca_plugin.adapters.verl.trainer"
    assert made.trainer_mode == mode
    assert made.use_reference_policy  # the KL loss needs it
    assert not made.use_critic


@pytest.mark.parametrize(("recipe", "script"), ALL)
def test_verl_accepts_what_every_script_hands_it(
    recipe: str, script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared(tmp_path, recipe)
    trained(tmp_path)
    given = start(recipe, script, tmp_path, GPUS[script]).stdout.splitlines()
    monkeypatch.setenv("EGCA_DATA", "data")
    config = compose(recipe, *given[given.index("--config-name") + 2 :])
    validate(config)
    total = config.trainer.nnodes * config.trainer.n_gpus_per_node
    if script == "separate_async":
        total += config.actor_rollout_ref.rollout.nnodes * config.actor_rollout_ref.rollout.n_gpus_per_node
    assert total == GPUS[script]
    test_set = {"mbpp": "data/mbpp-test.parquet", "humaneval": "data/humaneval.parquet"}[recipe]
    assert (config.data.val_files == test_set) == config.trainer.val_only == (script == "evaluate")


@pytest.mark.parametrize("recipe", ["mbpp", "humaneval"])
def test_the_node_has_the_papers_settings(recipe: str) -> None:
    config = compose(recipe, "hardware=node")
    actor = config.actor_rollout_ref.actor
    assert config.actor_rollout_ref.model.path == "deepseek-ai/deepseek-coder-6.7b-instruct"
    assert config.actor_rollout_ref.rollout.n == 16
    assert (actor.optim.optimizer, actor.optim.lr) == ("AdamW", 5e-7)
    assert (actor.use_kl_loss, actor.kl_loss_coef, config.algorithm.use_kl_in_reward) == (True, 0.05, False)
    assert (actor.clip_ratio, actor.clip_ratio_low, actor.clip_ratio_high) == (0.2, 0.2, 0.2)
    assert (config.trainer.total_epochs, config.trainer.n_gpus_per_node) == (3, 8)
    assert (actor.strategy, config.actor_rollout_ref.rollout.name) == ("fsdp2", "vllm")


def test_one_gpu_trains_an_adapter(no_vllm: list[int]) -> None:
    config = compose("mbpp", "hardware=one_gpu")
    validate(config)
    assert no_vllm[-1] == config.actor_rollout_ref.model.lora_rank == 32
    assert config.actor_rollout_ref.model.path.startswith("Qwen/Qwen2.5-Coder-0.5B")


def test_one_word_makes_it_plain_grpo_and_nothing_else_changes() -> None:
    from egca_plugin.adapters.verl import settings

    on, off = compose("mbpp"), compose("mbpp", "egca=off")
    assert settings.check(on).enabled
    assert not settings.check(off).enabled
    assert differing(on, off) == {"egca.enabled"}
    # Names follow from it, so that no run resumes from the checkpoint of the other.
    assert on.trainer.default_local_dir != off.trainer.default_local_dir
    assert trainer(off).trainer_mode == "sync"


def test_the_papers_routing_is_one_word_too() -> None:
    assert differing(compose("mbpp"), compose("mbpp", "egca=paper")) == {"egca.preset"}


def test_humaneval_trains_on_mbpp_without_its_neighbours_and_differs_in_nothing_else() -> None:
    assert differing(compose("mbpp"), compose("humaneval")) == {"data.train_files", "trainer.project_name"}


def test_a_user_changes_four_settings_of_verls_own_grpo_recipe() -> None:
    """The overrides are those of verl's GRPO examples; the data set is the user's, written by ``egca prepare``."""
    import hydra

    from egca_plugin.adapters.verl import settings

    recipe = [
        "algorithm.adv_estimator=grpo", "data.train_batch_size=1024", "data.max_prompt_length=512",
        "data.max_response_length=1024", "data.filter_overlong_prompts=True", "data.truncation=error",
        "data.train_files=train.parquet", "data.val_files=test.parquet", "algorithm.use_kl_in_reward=False",
        "actor_rollout_ref.model.path=Qwen/Qwen3-4B", "actor_rollout_ref.model.use_remove_padding=True",
        "actor_rollout_ref.actor.optim.lr=1e-6", "actor_rollout_ref.actor.ppo_mini_batch_size=256",
        "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=2", "actor_rollout_ref.actor.use_kl_loss=True",
        "actor_rollout_ref.actor.kl_loss_coef=0.001", "actor_rollout_ref.rollout.name=vllm",
        "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=2", "actor_rollout_ref.rollout.n=5",
        "actor_rollout_ref.ref.log_prob_micro_batch_size_per_gpu=2", "trainer.n_gpus_per_node=8",
    ]  # fmt: skip
    four = [
        "algorithm.adv_estimator=egca",
        "reward.reward_manager.name=egca",
        "trainer.v1.trainer_mode=egca_sync",
        "+egca.preset=verified",
    ]
    with hydra.initialize_config_module("verl.trainer.config", version_base=None):
        theirs = hydra.compose("ppo_trainer", overrides=recipe)
        ours = hydra.compose("ppo_trainer", overrides=recipe + four)
    validate(ours)
    changed = {setting.lstrip("+").partition("=")[0] for setting in four}
    assert differing(theirs, ours) == changed
    assert type(trainer(theirs)).__name__ == "PPOTrainerSync"
    assert settings.check(ours).enabled
    assert type(trainer(ours)).__name__ == "EgcaSync"


def differing(one: Any, other: Any) -> set[str]:
    """Keys with different values as they are written, that is, before names that are made of other settings follow."""
    a, b = _flat(one), _flat(other)
    return {key for key in a.keys() | b.keys() if a.get(key) != b.get(key)}


def _flat(config: Any) -> dict[str, Any]:
    from omegaconf import OmegaConf

    def walk(value: Any, path: str) -> Iterator[tuple[str, Any]]:
        if isinstance(value, dict):
            for key, item in value.items():
                yield from walk(item, f"{path}.{key}" if path else str(key))
        else:
            yield path, value

    return dict(walk(OmegaConf.to_container(config), ""))
