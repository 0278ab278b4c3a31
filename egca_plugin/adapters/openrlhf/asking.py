"""What travels: with a prompt to the rollout workers, and with each of its samples back.

OpenRLHF hands a prompt's label to the executor and the executor's back to the trainer, and looks at neither. So both
are wrapped, and numbers, spans and settings travel as what they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from openrlhf.trainer.ppo_utils.samples_generator import SamplesGenerator

from egca_plugin.adapters.samples import Row
from egca_plugin.adapters.settings import Settings


@dataclass(frozen=True, eq=False)
class Ask:
    """A prompt's label on its way out. All its samples are made in one worker, and share this very object there.

    ``samples``: how many they are. ``step``: of the batch that it is asked for. ``judge_only``: evaluation.
    """

    label: Any
    settings: Settings
    samples: int
    step: int
    judge_only: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """A sample's label on its way back. ``row`` is None where it could not be judged.

    ``first``: where in the sequence the first sampled token stands.
    """

    label: Any
    row: Row | None
    first: int


class AskingGenerator(SamplesGenerator):
    """OpenRLHF's sample generator whose labels carry the settings, the step, and whether it is evaluation."""

    settings: Settings
    _step = 0
    _evaluates = False

    def generate_samples(self, **generate_kwargs: Any) -> Any:
        """OpenRLHF's, for the next step."""
        self._step += 1
        return super().generate_samples(**generate_kwargs)

    def generate_eval_samples(self, **generate_kwargs: Any) -> Any:
        """OpenRLHF's; nothing is learnt from these."""
        self._evaluates = True
        try:
            return super().generate_eval_samples(**generate_kwargs)
        finally:
            self._evaluates = False

    def _dispatch_prompts_to_vllm(self, prompts: Any, labels: Any, **kwargs: Any) -> Any:
        samples = int(kwargs.get("n_samples_per_prompt", self.args.rollout.n_samples_per_prompt))
        asks = [Ask(label, self.settings, samples, self._step, self._evaluates) for label in labels]
        return super()._dispatch_prompts_to_vllm(prompts, asks, **kwargs)
