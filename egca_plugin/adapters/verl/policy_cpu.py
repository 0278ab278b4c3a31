"""The policy's copy that the CPU rollout generates with: batches in, tokens and log-probabilities out, weights in."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    DynamicCache,
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
)

from egca_plugin.errors import FrameworkError


@dataclass(frozen=True, slots=True)
class Sampling:
    """What requests must share to be generated in one batch; ``limit`` is in new tokens."""

    temperature: float
    top_p: float
    top_k: int
    limit: int


class LogprobRecorder(LogitsProcessor):
    """Keeps log p(chosen token) under the temperature-scaled distribution.

    ``generate`` calls it with raw logits, before its own temperature, top-k and top-p. A step's choice shows in the
    next call's ``input_ids``, so one (batch, vocabulary) matrix is alive at a time.
    """

    def __init__(self, temperature: float) -> None:
        self._temperature = temperature or 1.0
        self._last: torch.Tensor | None = None
        self._chosen: list[torch.Tensor] = []

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        self._take(input_ids[:, -1])
        self._last = torch.log_softmax(scores.float() / self._temperature, dim=-1)
        return scores

    def result(self, sequences: torch.Tensor) -> torch.Tensor:
        """(batch, new tokens) log-probabilities of ``sequences``, the finished output of ``generate``."""
        self._take(sequences[:, -1])
        return torch.stack(self._chosen, dim=1)

    def _take(self, tokens: torch.Tensor) -> None:
        if self._last is not None:
            self._chosen.append(self._last.gather(1, tokens[:, None]).squeeze(1))


class _Aborted(StoppingCriteria):
    """Ends the whole batch after the current token once the event is set."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    def __call__(self, input_ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self._event.is_set(), dtype=torch.bool, device=input_ids.device)


class Policy:
    """One copy of the policy's weights: generates batches, takes new weights."""

    def __init__(self, path: str, dtype: torch.dtype, eos: int, pad: int, seed: int) -> None:
        torch.manual_seed(seed)
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=dtype).eval()
        configured = self.model.generation_config.eos_token_id
        self.eos = {eos, *(configured if isinstance(configured, list) else [configured or eos])}
        self.pad = pad
        self.aborted = threading.Event()
        self._loaded: set[int] = set()

    @torch.inference_mode()
    def generate(self, prompts: list[list[int]], sampling: Sampling) -> list[tuple[list[int], list[float], bool]]:
        """(token ids, log-probabilities, finished) per prompt; not finished: aborted or out of tokens.

        A group's samples have one prompt: it is read once.
        """
        width = max(map(len, prompts))
        ids = torch.tensor([[self.pad] * (width - len(p)) + p for p in prompts])
        mask = torch.tensor([[0] * (width - len(p)) + [1] * len(p) for p in prompts])
        recorder = LogprobRecorder(sampling.temperature)
        sequences = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=self._read(prompts, ids, mask),
            generation_config=self._generation_config(sampling),
            logits_processor=LogitsProcessorList([recorder]),
            stopping_criteria=StoppingCriteriaList([_Aborted(self.aborted)]),
        )
        new, logprobs = sequences[:, width:].tolist(), recorder.result(sequences).tolist()
        return [self._cut(row, row_logprobs) for row, row_logprobs in zip(new, logprobs, strict=True)]

    def _read(self, prompts: list[list[int]], ids: torch.Tensor, mask: torch.Tensor) -> DynamicCache | None:
        """Keys and values of all but the prompts' last column, each different prompt computed once.

        None where nothing is gained, and for models with a cache of another kind.
        """
        places = {tuple(prompt): place for place, prompt in enumerate(prompts)}
        if len(places) == len(prompts) or ids.shape[1] == 1:
            return None
        once = list(places.values())
        seen = mask[once, :-1]
        positions = (seen.cumsum(-1) - 1).clamp(min=0)
        cache = self.model(
            input_ids=ids[once, :-1], attention_mask=seen, position_ids=positions, use_cache=True, logits_to_keep=1
        ).past_key_values
        if not isinstance(cache, DynamicCache):
            return None
        order = {prompt: at for at, prompt in enumerate(places)}
        cache.batch_select_indices(torch.tensor([order[tuple(prompt)] for prompt in prompts]))
        return cache

    def _generation_config(self, sampling: Sampling) -> GenerationConfig:
        chosen: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            chosen = {
                "do_sample": True,
                "temperature": sampling.temperature,
                "top_p": sampling.top_p,
                "top_k": max(sampling.top_k, 0),  # verl says -1 for none
            }
        return GenerationConfig(
            max_new_tokens=sampling.limit, eos_token_id=sorted(self.eos), pad_token_id=self.pad, **chosen
        )

    def _cut(self, row: list[int], logprobs: list[float]) -> tuple[list[int], list[float], bool]:
        ends = [k for k, token in enumerate(row) if token in self.eos]
        length = ends[0] + 1 if ends else len(row)
        return row[:length], logprobs[:length], bool(ends)

    @torch.no_grad()
    def load(self, weights: dict[str, torch.Tensor]) -> None:
        """Copy one bucket of weights. Raises FrameworkError for a name that the model does not have."""
        own = self.model.state_dict(keep_vars=True)
        for name, tensor in weights.items():
            if name not in own:
                raise FrameworkError(
                    f"weight sync: the actor sent {name!r}, which the rollout's model does not have; "
                    "actor and rollout must load the same model path"
                )
            own[name].copy_(tensor)
            self._loaded.add(own[name].data_ptr())

    def finish_load(self) -> None:
        """Raises FrameworkError unless every parameter came since the last call: no sample from stale weights."""
        stale = [name for name, p in self.model.named_parameters() if p.data_ptr() not in self._loaded]
        self._loaded.clear()
        if stale:
            raise FrameworkError(
                f"weight sync: {len(stale)} parameters were not sent by the actor, the first {stale[:3]}"
            )
