"""Recorded batches of a real model: sampled once, judged and localised once, and cut into halves of a group."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from egca_plugin.adapters.verl.policy_cpu import Policy, Sampling
from egca_plugin.config import EgcaConfig
from egca_plugin.credit.tokens import TokenBytes
from egca_plugin.pipeline import Group, assess_groups
from egca_plugin.types import Completion, Task, TokenSpan

Recorded = dict[str, tuple[list[int], list[list[int]]]]  # task id: (prompt ids, sampled ids of each response)


@dataclass(frozen=True, slots=True)
class Half:
    """Half of a group: ``responses`` are sampled ids, ``rewards`` their rewards, ``spans`` the blamed token columns."""

    prompt: Sequence[int]
    responses: Sequence[Sequence[int]]
    rewards: Sequence[float]
    spans: Sequence[Sequence[TokenSpan]]

    @property
    def informative(self) -> bool:
        """Some pass, some fail, and at least one failing response has a span narrower than itself."""
        narrow = any(
            not reward and 0 < sum(s.end - s.start for s in spans) < len(ids)
            for ids, reward, spans in zip(self.responses, self.rewards, self.spans, strict=True)
        )
        return narrow and any(self.rewards)


def record(model: Path, tokenizer: Any, tasks: Sequence[Task], size: int, limit: int, kept: Path) -> Recorded:
    """``size`` responses to each task at temperature 1, of at most ``limit`` tokens; each task's kept as it is made."""
    recorded: Recorded = {}
    if kept.exists():
        recorded = dict(json.loads(line) for line in kept.read_text(encoding="utf-8").splitlines())
    missing = [task for task in tasks if task.task_id not in recorded]
    if not missing:
        return recorded
    kept.parent.mkdir(parents=True, exist_ok=True)
    policy = Policy(str(model), torch.float32, tokenizer.eos_token_id, tokenizer.pad_token_id, seed=len(recorded))
    with kept.open("a", encoding="utf-8") as file:
        for number, task in enumerate(missing):
            message = [{"role": "user", "content": task.prompt}]
            prompt = tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=True)["input_ids"]
            found = [ids for ids, _, _ in policy.generate([prompt] * size, Sampling(1.0, 1.0, 0, limit))]
            recorded[task.task_id] = (prompt, found)
            print(json.dumps([task.task_id, recorded[task.task_id]]), file=file, flush=True)
            print(f"\rsampling: {number + 1} of {len(missing)} tasks", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return recorded


def halves(recorded: Recorded, tasks: Sequence[Task], tokenizer: Any) -> dict[str, tuple[Half, Half]]:
    """The groups both of whose halves are informative, localised as training would do it (preset ``verified``)."""
    token_bytes = TokenBytes(tokenizer)
    groups, texts = [], []
    for task in tasks:
        aligned = [token_bytes.align(ids) for ids in recorded[task.task_id][1]]
        texts.append(aligned)
        groups.append(Group(task, tuple(Completion(a.text) for a in aligned)))
    found: dict[str, tuple[Half, Half]] = {}
    for number, credits in assess_groups(EgcaConfig(budget=1.0), groups):
        task_id = groups[number].task.task_id
        prompt, responses = recorded[task_id]
        spans = [a.tokens(c.spans) for a, c in zip(texts[number], credits, strict=True)]
        middle = len(responses) // 2
        first, second = (
            Half(prompt, responses[part], [c.reward for c in credits[part]], spans[part])
            for part in (slice(None, middle), slice(middle, None))
        )
        if first.informative and second.informative:
            found[task_id] = (first, second)
    return found
