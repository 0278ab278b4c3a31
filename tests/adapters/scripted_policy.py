"""A policy that says what a test wants, in every process of a run: each prompt's answers in turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from egca_plugin.adapters.verl import hooks


def says(answers: Mapping[str, Sequence[str]]) -> None:
    """From the moment when verl imports the policy, ``answers`` by a part of the prompt; empty ones have no token."""
    hooks.after_import("egca_plugin.adapters.verl.policy_cpu", lambda: _replace(answers))


def _replace(answers: Mapping[str, Sequence[str]]) -> None:
    from transformers import AutoTokenizer

    from egca_plugin.adapters.verl.policy_cpu import Policy

    asked: Counter[str] = Counter()

    def generate(self: Policy, prompts: list[list[int]], sampling: Any) -> list[tuple[list[int], list[float], bool]]:
        tokenizer = AutoTokenizer.from_pretrained(self.model.config.name_or_path)
        said = []
        for prompt in prompts:
            text = tokenizer.decode(prompt)
            part = next(part for part in answers if part in text)
            answer = answers[part][asked[part] % len(answers[part])]
            asked[part] += 1
            ids = [*tokenizer(answer).input_ids, tokenizer.eos_token_id] if answer else []
            said.append((ids, [-1.0] * len(ids), True))
        return said

    Policy.generate = generate  # type: ignore[method-assign]
