"""What a tool says between two turns is no answer, though it may hold one."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.turns import Turns, unsampled
from egca_plugin.types import Span, TokenSpan

tokenizers = pytest.importorskip("tokenizers")
transformers = pytest.importorskip("transformers")

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
TOOL = "\n<|im_start|>user\n```python\nx = 2\n```<|im_end|>\n<|im_start|>assistant\n"


@cache
def tokenizer(template: str | None = TEMPLATE) -> Any:
    """A byte is a token; ChatML's marks are special ones, and the tokenizer's own end is another."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    backend = tokenizers.Tokenizer(tokenizers.models.BPE({char: number for number, char in enumerate(alphabet)}, []))
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|endoftext|>")
    fast.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    fast.chat_template = template
    return fast


def said(text: str) -> tuple[list[int], tuple[TokenSpan, ...]]:
    ids = tokenizer().encode(text)
    return ids, Turns(tokenizer()).foreign(ids)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("x = 1<|im_end|>", "x = 1"),
        ("x = 1<|im_end|>" + TOOL + "so be it<|im_end|>", "x = 1\nso be it"),
        ("a<|im_end|>" + TOOL + "b<|im_end|>" + TOOL + "c", "a\nb\nc"),
        ("a<|im_end|>" + TOOL.partition("<|im_end|>")[0], "a\n"),  # the rollout ended with what the tool said
        ("a<|im_end|>" + TOOL, "a\n"),
        ("never ended", "never ended"),
    ],
)
def test_only_what_was_sampled_is_read(text: str, read: str) -> None:
    ids, foreign = said(text)
    assert Reader(tokenizer()).read(ids, foreign).text == read


def test_spans_count_all_tokens_of_the_response() -> None:
    ids, foreign = said("x = 1<|im_end|>" + TOOL + "y = 2<|im_end|>")
    response = Reader(tokenizer()).read(ids, foreign)
    assert response.aligned is not None
    (span,) = response.aligned.tokens([Span(response.text.index("2"), response.text.index("2") + 1)])
    assert tokenizer().decode(ids[span.start : span.end]) == "2"
    assert response.tokens == len(ids)


def test_without_a_chat_template_what_stands_behind_the_first_end_is_foreign() -> None:
    plain = Turns(tokenizer(None))
    assert plain.foreign(tokenizer().encode("a<|endoftext|>b")) == (TokenSpan(2, 3),)
    assert plain.foreign(tokenizer().encode("a<|im_end|>b")) == ()


@given(st.lists(st.integers(0, 1), max_size=12))
def test_the_stretches_of_a_mask_are_its_zeros(mask: list[int]) -> None:
    zeros = [k for span in unsampled(mask) for k in range(span.start, span.end)]
    assert zeros == [k for k, one in enumerate(mask) if not one]
    assert all(span.start < span.end for span in unsampled(mask))
