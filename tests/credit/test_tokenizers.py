"""Laws of ids and bytes for the three families, in ten scripts, with added and special tokens. No hub is needed."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from egca_plugin.credit.tokens import TokenBytes, decode
from egca_plugin.program.reading.transcript import reasoning, visible
from egca_plugin.types import Span

tokenizers = pytest.importorskip("tokenizers", reason="the core runs without tokenizers; the adapters bring it")
transformers = pytest.importorskip("transformers")

SCRIPTS = {
    "Latin": "aeiouäéßñ 'z0\n\t",
    "Greek": "αβγδεζ άΩ",
    "Cyrillic": "абвгдё жЩ",
    "Hebrew": "אבגדה ש",
    "Arabic": "ابتثج حخ",
    "Devanagari": "कखगघ िीुू",
    "Thai": "กขคง ะาิีุ",
    "Han": "中文字符測試",
    "Kana and Hangul": "あいうアイウ한국어",
    "emoji": "🙂👩‍🚀🏳️‍🌈é",
}
CORPUS = [*SCRIPTS.values(), "def f(x):\n    return x + 1  # twice\n", "for i in range(10):\n\tprint(i)\n"] * 5
SPECIAL = ["<|end|>", "<|channel|>", "<|message|>", "<|return|>", "<|start|>"]  # harmony's
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _wrapped(backend: Any) -> Any:
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>")
    fast.add_tokens(["<tool>"])
    fast.add_tokens([transformers.AddedToken(token, special=True) for token in (*SPECIAL[1:], "<think>", "</think>")])
    return fast


def _byte_level(pre_tokenizer: Any) -> Any:
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    backend.pre_tokenizer = pre_tokenizer
    backend.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=420, special_tokens=SPECIAL[:1], initial_alphabet=alphabet)
    backend.train_from_iterator(CORPUS, trainer)
    return _wrapped(backend)


def _gpt2() -> Any:
    return _byte_level(tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False))


def _tiktoken() -> Any:
    """As Llama 3, Qwen and gpt-oss are converted: tiktoken's own pattern splits, bytes follow."""
    split = tokenizers.pre_tokenizers.Split(tokenizers.Regex(O200K), "isolated")
    bytes_ = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return _byte_level(tokenizers.pre_tokenizers.Sequence([split, bytes_]))


def _sentencepiece() -> Any:
    """Half of the letters have a piece, the others are spelled in bytes."""
    letters = sorted({c for text in CORPUS for c in text if not c.isspace()})[::2]
    words = ["<unk>", "<|end|>", *(f"<0x{b:02X}>" for b in range(256)), "▁", *letters, "▁a", "re", "▁re"]
    words = list(dict.fromkeys([*words, "a", "r", "e"]))
    merges = [("▁", "a"), ("r", "e"), ("▁", "re")]
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE({w: i for i, w in enumerate(words)}, merges, unk_token="<unk>", byte_fallback=True)
    )
    backend.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")]
    )
    parts = tokenizers.decoders
    backend.decoder = parts.Sequence(
        [parts.Replace("▁", " "), parts.ByteFallback(), parts.Fuse(), parts.Strip(" ", 1, 0)]
    )
    return _wrapped(backend)


FAMILIES = {"GPT-2": _gpt2, "tiktoken": _tiktoken, "SentencePiece": _sentencepiece}


@cache
def built(family: str) -> tuple[Any, TokenBytes]:
    tokenizer = FAMILIES[family]()
    return tokenizer, TokenBytes(tokenizer)


def texts() -> st.SearchStrategy[str]:
    """Of one script, or of several side by side."""
    one = st.sampled_from(list(SCRIPTS.values())).flatmap(lambda letters: st.text(letters, min_size=1, max_size=12))
    return st.lists(one, min_size=1, max_size=4).map(" ".join)


def encoded(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(text=texts())
def test_what_a_text_is_encoded_to_spells_it(family: str, text: str) -> None:
    tokenizer, table = built(family)
    aligned = table.align(encoded(tokenizer, text))
    assert aligned.text == decode(tokenizer, encoded(tokenizer, text))
    if family != "SentencePiece":  # that one takes a space in front away
        assert aligned.text == text


@pytest.mark.parametrize("family", ["GPT-2", "tiktoken"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_ids_that_no_text_encodes_to_are_spelled_as_the_tokenizer_does(family: str, data: st.DataObject) -> None:
    tokenizer, table = built(family)
    ids = data.draw(st.lists(st.integers(0, len(tokenizer) - 1), max_size=30))
    assert table.align(ids).text == decode(tokenizer, ids)


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(text=texts(), data=st.data())
def test_a_span_is_brought_onto_the_tokens_that_spell_it_and_no_others(
    family: str, text: str, data: st.DataObject
) -> None:
    tokenizer, table = built(family)
    ids = encoded(tokenizer, text)
    aligned, pieces = table.align(ids), table.pieces(ids)
    start = data.draw(st.integers(0, max(len(aligned.text) - 1, 0)))
    end = data.draw(st.integers(start, len(aligned.text)))
    blamed = aligned.text[start:end].encode()
    found = aligned.tokens([Span(start, end)])
    if not blamed:
        assert found == ()
        return
    (span,) = found
    assert blamed in b"".join(pieces[span.start : span.end])
    inside = b"".join(pieces[: span.start + 1])
    assert len(inside) > len(aligned.text[:start].encode()), "the first token reaches into the span"
    assert len(b"".join(pieces[: span.end - 1])) < len(aligned.text[:end].encode()), "and so does the last"


@pytest.mark.parametrize("family", FAMILIES)
@settings(max_examples=30, deadline=None)
@given(thought=texts(), text=texts())
def test_thinking_does_not_vanish_where_its_tokens_are_flagged_special(family: str, thought: str, text: str) -> None:
    tokenizer, table = built(family)
    ids = encoded(tokenizer, f"<think>{thought}</think>\n{text}<|end|>")
    aligned = table.align(ids)
    assert aligned.text.startswith("<think>")
    assert "</think>" in aligned.text
    assert "<|end|>" not in aligned.text, "it ends the response and says nothing"
    (start, end) = reasoning(aligned.text)[0]
    assert aligned.text[start:end].endswith("</think>")
    (span,) = aligned.tokens([Span(start, end)])
    closing = tokenizer.convert_tokens_to_ids("</think>")
    assert (span.start, ids[span.end - 1]) == (0, closing)


@pytest.mark.parametrize("family", FAMILIES)
def test_harmonys_channels_tell_the_answer_from_the_analysis(family: str) -> None:
    tokenizer, table = built(family)
    said = (
        "<|channel|>analysis<|message|>def f(x): return 0<|end|>"
        "<|start|>assistant<|channel|>final<|message|>def f(x): return x<|return|>"
    )
    aligned = table.align(encoded(tokenizer, said))
    (answer,) = visible(aligned.text)
    assert aligned.text[answer.start : answer.end].strip() == "def f(x): return x"


@pytest.mark.parametrize("family", FAMILIES)
def test_an_added_token_spells_its_content(family: str) -> None:
    tokenizer, table = built(family)
    ids = tokenizer.convert_tokens_to_ids(["<tool>", "<|end|>"])
    assert table.pieces(ids) == [b"<tool>", b""]
