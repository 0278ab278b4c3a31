"""The token of the decision, by tokenizers that learnt their tokens from Python: blanks in front, `<=` one token."""

from __future__ import annotations

import ast
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import egca_plugin
from egca_plugin.credit.decision import decision
from egca_plugin.credit.parting import parting
from egca_plugin.credit.tokens import TokenBytes
from egca_plugin.program.mutate import mutants
from egca_plugin.types import Instead, Span

tokenizers = pytest.importorskip("tokenizers", reason="the core runs without tokenizers; the adapters bring it")
transformers = pytest.importorskip("transformers")

STARTER = Path(egca_plugin.__file__).parent / "tasks" / "starter.jsonl"
LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
    r"|\s+(?!\S)|\s+"
)
FENCE = ("```python\n", "```<|end|>")


@cache
def references() -> list[str]:
    return [json.loads(line)["reference"] for line in STARTER.read_text(encoding="utf-8").splitlines()]


@cache
def tokenizer(family: str) -> Any:
    """Byte-level ones that split as GPT-2's and Llama 3's do, of 2,000 tokens."""
    backend = tokenizers.Tokenizer(tokenizers.models.BPE())
    parts = tokenizers.pre_tokenizers
    backend.pre_tokenizer = parts.ByteLevel(add_prefix_space=False)
    if family == "llama-3":
        split = parts.Split(tokenizers.Regex(LLAMA_3), "isolated")
        backend.pre_tokenizer = parts.Sequence([split, parts.ByteLevel(add_prefix_space=False, use_regex=False)])
    backend.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=2_000, special_tokens=["<|end|>"], initial_alphabet=parts.ByteLevel.alphabet()
    )
    operators = [f"if a {op} b:\n        return x {op} 1\n" for op in ("<=", ">=", "==", "!=", "//", "**", "+=", "-=")]
    backend.train_from_iterator([*references(), *operators * 40], trainer)
    return transformers.PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="<|end|>")


def blamed(family: str, wrong: str, right: str) -> tuple[int, int, list[str]]:
    """The token that is blamed, the one that would have been another one, and all that were sampled."""
    at, differs, sampled, _ = parted(family, wrong, right)
    return at, differs, sampled


def parted(family: str, wrong: str, right: str) -> tuple[int, int, list[str], bool | None]:
    """And whether what the repair is said to have there is what it has, None where nothing is said."""
    found = decision(wrong, ast.unparse(ast.parse(right)))
    assert found is not None
    tok = tokenizer(family)
    before, behind = FENCE
    sampled, better = (tok.encode(before + one + behind) for one in (wrong, right))
    reader, at = TokenBytes(tok), len(before)
    aligned = reader.align(sampled)
    instead = Instead(at + found.start, found.text) if found.text else None
    token = parting(aligned, len(sampled), Span(at + found.at, at + found.at + 1), instead, reader.common)
    assert token is not None
    assert token.token.end == token.token.start + 1
    differs = next(k for k, (own, other) in enumerate(zip(sampled, better, strict=False)) if own != other)
    told = None if token.instead is None else token.instead == better[differs]
    return token.token.start, differs, [tok.decode([one]) for one in sampled], told


LOOP = "def f(n, k):\n    t = 0\n    for i in range(n):\n        if i < k:\n            t += i\n    return t / 2\n"


@pytest.mark.parametrize("family", ["gpt-2", "llama-3"])
@pytest.mark.parametrize(
    ("right", "token"),
    [
        (LOOP.replace("i < k", "i <= k"), " <"),
        (LOOP.replace("t / 2", "t // 2"), " /"),
        (LOOP.replace("range(n)", "range(n + 1)"), "):"),
        (LOOP.replace("i < k", "not i < k"), " i"),
    ],
)
def test_the_token_that_was_wrongly_chosen_is_blamed(family: str, right: str, token: str) -> None:
    at, _, sampled = blamed(family, LOOP, right)
    assert sampled[at].rstrip("\n") == token, sampled


@pytest.mark.parametrize("family", ["gpt-2", "llama-3"])
def test_a_statement_at_another_depth_is_blamed_for_the_blanks_in_front(family: str) -> None:
    for wrong, right in (
        (LOOP, LOOP.replace("    return", "        return")),
        (LOOP, LOOP.replace("    return", "            return")),
    ):
        for one, other in ((wrong, right), (right, wrong)):
            at, differs, sampled = blamed(family, one, other)
            assert at == differs
            assert not sampled[at].strip()


@pytest.mark.parametrize("family", ["gpt-2", "llama-3"])
def test_of_mutants_the_first_token_that_differs_is_blamed(family: str) -> None:
    """Both programs in one layout, so that the tokenizer itself says which token that is."""
    checked = told = 0
    for right in references():
        right = ast.unparse(ast.parse(right)) + "\n"
        for mutant in mutants(right, 8, seed=3):
            wrong = ast.unparse(ast.parse(mutant)) + "\n"
            if wrong != right:
                at, differs, sampled, instead = parted(family, wrong, right)
                assert at == differs, (wrong, sampled[at], sampled[differs])
                assert instead is not False, (wrong, right)
                checked += 1
                told += instead is True
    assert checked > 100
    assert told > 0.9 * checked, "what the repair has in its place is told as a rule"


def test_text_that_spells_special_tokens_is_decided_by_characters() -> None:
    wrong = LOOP.replace("def f", "x = '<|end|>'\n\ndef f").replace("t = 0", "t = 1")
    reader = TokenBytes(tokenizer("gpt-2"))
    assert reader.common(wrong, wrong.replace("t = 1", "t = 0")) is None
