"""Which tokens of a rollout in several turns nobody sampled: what tools and the environment wrote between the turns.

Such text is no answer, though it may hold one: a tool that shows a file would pass for the model.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from egca_plugin.types import TokenSpan

logger = logging.getLogger(__name__)

_ASK, _ANSWER = {"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}


def unsampled(mask: Sequence[int]) -> tuple[TokenSpan, ...]:
    """The stretches where ``mask``, 1 for each token that was sampled, is 0."""
    edges = [k for k in range(len(mask) + 1) if (k == 0 or mask[k - 1]) != (k == len(mask) or mask[k])]
    return tuple(TokenSpan(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True))


class Turns:
    """Tells turns apart by the chat template, for frameworks that hand over ids alone.

    Sampling ends a turn by the token that ends an answer, and the next turn begins behind the generation prompt.
    """

    def __init__(self, tokenizer: Any) -> None:
        self._ends = {tokenizer.eos_token_id}
        self._prompt: list[int] = []
        try:
            asked, prompted = (_told(tokenizer, [_ASK], prompt) for prompt in (False, True))
            answered = _told(tokenizer, [_ASK, _ANSWER], False)
        except Exception as error:  # noqa: BLE001 - the boundary to a template, which is a program of the model's author
            logger.debug("egca: no chat template: %s", error)
            return
        self._prompt = _ids(tokenizer, prompted.removeprefix(asked)) if prompted.startswith(asked) else []
        self._ends |= set(_ids(tokenizer, answered.rpartition("b")[2])[:1])

    def foreign(self, ids: Sequence[int]) -> tuple[TokenSpan, ...]:
        """The stretches between an answer's end and the next turn, and what stands behind the last answer."""
        found = []
        at = 0
        while (end := next((k for k in range(at, len(ids)) if ids[k] in self._ends), len(ids))) < len(ids) - 1:
            at = self._next_turn(ids, end + 1)
            found.append(TokenSpan(end + 1, at))
        return tuple(found)

    def _next_turn(self, ids: Sequence[int], start: int) -> int:
        size = len(self._prompt)
        starts = range(start, len(ids) - size + 1) if size else ()
        return next((k + size for k in starts if list(ids[k : k + size]) == self._prompt), len(ids))


def _told(tokenizer: Any, messages: list[dict[str, str]], prompt: bool) -> str:
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=prompt))


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer.encode(text, add_special_tokens=False))
