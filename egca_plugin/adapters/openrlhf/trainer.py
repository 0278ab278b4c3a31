"""OpenRLHF's trainers with EGCA's experience maker and generator in the place of its own.

OpenRLHF names both in its trainers' constructors and has no registry. A class under ``@ray.remote`` cannot be extended,
the one that was decorated can. Ray actors are made of the classes below, which their workers import: nothing is patched
there but, in the asynchronous trainer's, the names of its two halves.
"""

from __future__ import annotations

from typing import Any

import openrlhf.trainer.ppo_trainer as ppo
import openrlhf.trainer.ppo_trainer_async as ppo_async
import ray

from egca_plugin.adapters.observer import Observer, caution
from egca_plugin.adapters.openrlhf import data, versions
from egca_plugin.adapters.openrlhf.asking import AskingGenerator
from egca_plugin.adapters.openrlhf.experience import EgcaExperienceMaker
from egca_plugin.adapters.responses import Reader


def under(actor_class: Any) -> Any:
    """The class that ``@ray.remote`` decorated."""
    return actor_class.__ray_metadata__.modified_class.__ray_actor_class__


class Learning(ppo.BasePPOTrainer):
    """Of the class that makes experience: places the credit, and logs its metrics with OpenRLHF's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stock: Any = self.experience_maker  # type: ignore[has-type]
        settings = self.args.egca
        models = (
            stock.actor_model_group,
            stock.critic_model_group,
            stock.reward_model_group,
            stock.initial_model_group,
        )
        maker = EgcaExperienceMaker(*models, stock.kl_ctl, stock.strategy, stock.tokenizer)
        tokenizer = getattr(self.tokenizer, "tokenizer", self.tokenizer)  # a processor has one
        Reader(tokenizer)  # of an unknown family: said before a step is made
        maker.settings, maker.observer = settings, Observer(settings.egca.records, tokenizer)
        self.experience_maker = maker
        if settings.enabled:
            caution(settings.egca)

    def train_step(self, rollout_samples: Any, global_step: int) -> Any:
        """OpenRLHF's, which logs what it returns."""
        self.experience_maker.step = global_step + 1
        status, step = super().train_step(rollout_samples, global_step)
        return {**status, **self.experience_maker.metrics}, step


class Asking:
    """Of the class that samples: reads the data set's rows, and sends each prompt out with the settings."""

    def __init__(self, pretrain: Any, strategy: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(pretrain, strategy, *args, **kwargs)  # type: ignore[call-arg]  # a trainer's, behind this one
        stock: Any = self.samples_generator  # type: ignore[has-type]
        data.check(strategy.args, stock.prompts_dataloader, stock.eval_dataloader)
        self.samples_generator = AskingGenerator(
            stock.strategy, stock.prompts_dataloader, stock.eval_dataloader, stock.tokenizer, stock.vllm_engines
        )
        self.samples_generator.settings = strategy.args.egca


class EgcaPPOTrainer(Asking, Learning, under(ppo.PPOTrainer)):  # type: ignore[misc]
    """The synchronous trainer."""


class EgcaGenerateSamplesActor(Asking, under(ppo_async.GenerateSamplesActor)):  # type: ignore[misc]
    """The asynchronous trainer's sampling half."""


class EgcaTrainingActor(Learning, under(ppo_async.TrainingActor)):  # type: ignore[misc]
    """Its training half.

    Ray pickles a decorated class' own methods by value, and one that says ``super()`` with a copy of its class, of
    which this is no subclass. Said again here, it is found by its name. (``__init__`` is ours in any case.)
    """

    def broadcast_to_vllm(self) -> None:
        """OpenRLHF's."""
        super().broadcast_to_vllm()


class EgcaPPOTrainerAsync(under(ppo_async.PPOTrainerAsync)):  # type: ignore[misc]
    """Starts the two. It looks them up in its module, so they are put there, in the worker that it runs in."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        versions.rebind(ppo_async.__name__, "GenerateSamplesActor", ray.remote(EgcaGenerateSamplesActor))
        versions.rebind(ppo_async.__name__, "TrainingActor", ray.remote(EgcaTrainingActor))
        super().__init__(*args, **kwargs)
