"""Real tokenizers of both families, trained on the spot, so that no hub is needed."""

from __future__ import annotations

import random

import pytest

from egca_plugin.credit.tokens import TokenBytes
from egca_plugin.errors import TokenizerError

tokenizers = pytest.importorskip("tokenizers", reason="the core runs without tokenizers; the adapters bring it")
transformers = pytest.importorskip("transformers")

TEXT = [
    "def f(x):\n    return x + 1  # naïve ✓\n",
    "for i in range(10):\n\tprint(i)\n",
    "日本語 и ещё — “quotes” 🙂",
] * 20
SPECIAL = ["<|end|>"]


def wrap(backend: object) -> object:
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>")
    fast.add_tokens(["<tool>"])
    fast.add_tokens([transformers.AddedToken("<hidden>", special=True)])
    return fast


def byte_level() -> object:
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    backend.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = tokenizers.decoders.ByteLevel()
    alphabet = tokenizers.pre_tokenizers.ByteLevel.alphabet()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=400, special_tokens=SPECIAL, initial_alphabet=alphabet)
    backend.train_from_iterator(TEXT, trainer)
    return wrap(backend)


def sentencepiece() -> object:
    characters = sorted({c for text in TEXT for c in text.replace(" ", "▁") if c.isascii() or c == "▁"})
    words = ["<unk>", "<|end|>", *(f"<0x{b:02X}>" for b in range(256)), *characters, "re", "▁r", "▁re"]
    merges = [("r", "e"), ("▁", "r"), ("▁", "re")]
    backend = tokenizers.Tokenizer(
        tokenizers.models.BPE({w: i for i, w in enumerate(words)}, merges, unk_token="<unk>", byte_fallback=True)
    )
    backend.normalizer = tokenizers.normalizers.Sequence(
        [tokenizers.normalizers.Prepend("▁"), tokenizers.normalizers.Replace(" ", "▁")]
    )
    backend.decoder = tokenizers.decoders.Sequence(
        [
            tokenizers.decoders.Replace("▁", " "),
            tokenizers.decoders.ByteFallback(),
            tokenizers.decoders.Fuse(),
            tokenizers.decoders.Strip(" ", 1, 0),
        ]
    )
    return wrap(backend)


@pytest.mark.parametrize(("build", "family"), [(byte_level, "byte-level"), (sentencepiece, "sentencepiece")])
def test_bytes_of_sampled_ids_spell_what_decode_gives(build: object, family: str) -> None:
    tokenizer = build()  # type: ignore[operator]
    table = TokenBytes(tokenizer)
    assert table.family == family
    for text in TEXT[:3]:
        aligned = table.align([*tokenizer(text, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id])
        assert text.strip() in aligned.text


def test_random_ids_that_no_text_encodes_to_are_spelled_all_the_same() -> None:
    tokenizer = byte_level()
    table, rng = TokenBytes(tokenizer), random.Random(0)  # type: ignore[arg-type]
    for _ in range(100):
        table.align([rng.randrange(len(tokenizer)) for _ in range(50)])  # type: ignore[arg-type]


def test_added_tokens_spell_their_content_and_special_ones_nothing() -> None:
    tokenizer = byte_level()
    ids = tokenizer.convert_tokens_to_ids(["<tool>", "<hidden>", "<|end|>"])  # type: ignore[attr-defined]
    assert TokenBytes(tokenizer).pieces(ids) == [b"<tool>", b"", b""]  # type: ignore[arg-type]
    assert TokenBytes(tokenizer).align(ids).text == "<tool>"  # type: ignore[arg-type]


def test_unknown_family_is_refused_by_name() -> None:
    backend = tokenizers.Tokenizer(tokenizers.models.WordPiece({"a": 0, "<|end|>": 1}, unk_token="a"))
    backend.decoder = tokenizers.decoders.WordPiece()
    with pytest.raises(TokenizerError, match=r"\['WordPiece'\]: unknown family, expected byte-level"):
        TokenBytes(wrap(backend))  # type: ignore[arg-type]


def test_an_id_outside_the_vocabulary_is_an_error() -> None:
    with pytest.raises(TokenizerError, match="99999: not in the vocabulary"):
        TokenBytes(byte_level()).pieces([99999])  # type: ignore[arg-type]
