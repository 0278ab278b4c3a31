"""The bytes that each sampled token id stands for, one function per tokenizer family.

The family is read off the fast tokenizer's own decoder, not guessed from its name; a tokenizer of no known family is an
error, and a response whose bytes do not spell the tokenizer's own decoding is one too (the adapter counts it and keeps
plain GRPO for that sample).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import cache
from itertools import takewhile
from typing import Any, Protocol

from egca_plugin.credit.spans import AlignedText, align
from egca_plugin.errors import TokenizerError
from egca_plugin.program.reading.transcript import tells_reasoning
from egca_plugin.types import TokenSpan

_BYTE_FALLBACK = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_METASPACE = "\u2581"
_BREAK = b"\n"


class Tokenizer(Protocol):
    """What is used of a Hugging Face fast tokenizer."""

    @property
    def all_special_ids(self) -> list[int]: ...
    @property
    def backend_tokenizer(self) -> Any: ...
    @property
    def added_tokens_decoder(self) -> dict[int, Any]: ...
    def convert_ids_to_tokens(self, ids: list[int]) -> list[str | None]: ...
    def decode(self, ids: list[int], *, skip_special_tokens: bool, clean_up_tokenization_spaces: bool) -> str: ...


class TokenBytes:
    """Token ids -> bytes for one tokenizer. Raises TokenizerError when its family is unknown."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder
        self._silent = silent(tokenizer)
        self._added: dict[int, bytes] = {i: token.content.encode("utf-8") for i, token in added.items()}
        self.family, self._piece, self._strips_first_space = _family(tokenizer)
        self._pieces: dict[int, bytes] = {}

    def pieces(self, ids: Sequence[int]) -> list[bytes]:
        """Bytes of each id; :func:`silent` ones spell nothing. Raises TokenizerError for one outside the vocabulary."""
        unseen = [i for i in dict.fromkeys(ids) if i not in self._pieces]
        for i, token in zip(unseen, self._tokenizer.convert_ids_to_tokens(unseen), strict=True):
            self._pieces[i] = self._bytes(i, token)
        pieces = [self._pieces[i] for i in ids]
        if self._strips_first_space:
            for k, piece in enumerate(pieces):
                if piece:
                    pieces[k] = piece.removeprefix(b" ")
                    break
        return pieces

    def align(self, ids: Sequence[int], foreign: Sequence[TokenSpan] = ()) -> AlignedText:
        """The response's text with its maps, checked against the tokenizer's own decoding.

        ``foreign``: stretches that nobody sampled, in order; each is a line break of the text.
        """
        pieces: list[bytes] = []
        for span in foreign:
            pieces += [*self.pieces(ids[len(pieces) : span.start]), _BREAK, *[b""] * (span.end - span.start - 1)]
        aligned = align([*pieces, *self.pieces(ids[len(pieces) :])])
        decoded = decode(self._tokenizer, ids, self._silent, foreign)
        if decoded != aligned.text:
            at = next((k for k, (a, b) in enumerate(zip(decoded, aligned.text, strict=False)) if a != b), -1)
            raise TokenizerError(
                f"{self.family} tokenizer: the bytes of {len(ids)} sampled ids spell {len(aligned.text)} characters, "
                f"its decode() gives {len(decoded)}; first difference at character {at}"
            )
        return aligned

    def common(self, own: str, theirs: str) -> tuple[int, int | None] | None:
        """How many characters of ``own`` stand in front of the first token that ``theirs`` does not begin with too, and
        the id that ``theirs`` has there, None where it ends or might go on with it.

        Of texts as they are sampled, that is in the tokens that the tokenizer makes of them: ``i < n`` and ``i <= n``
        have ``i`` in common, and ``<=`` follows. None where a text spells special tokens.
        """
        first, second = self._ids(own), self._ids(theirs)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))
        if any(i in self._silent for i in first[:same]):
            return None
        follows = next(iter(second[same:]), None)
        if same == len(second) - 1 and not self.pieces(second)[same].strip():
            follows = None  # blanks at the end might be one token with more of them
        return len(b"".join(self.pieces(first)[:same]).decode("utf-8", "ignore")), follows

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _bytes(self, token_id: int, token: str | None) -> bytes:
        if token_id in self._silent:
            return b""
        if token_id in self._added:
            return self._added[token_id]
        if token is None:
            raise TokenizerError(f"token id {token_id}: not in the vocabulary of this {self.family} tokenizer")
        return self._piece(token)


def silent(tokenizer: Tokenizer) -> frozenset[int]:
    """The special tokens, which are no text, without those that tell reasoning from the answer, which are."""
    added = tokenizer.added_tokens_decoder  # id -> AddedToken
    special = frozenset(tokenizer.all_special_ids) | {i for i, token in added.items() if token.special}
    return frozenset(i for i in special if i not in added or not tells_reasoning(added[i].content))


def decode(
    tokenizer: Tokenizer,
    ids: Sequence[int],
    unsaid: frozenset[int] | None = None,
    foreign: Sequence[TokenSpan] = (),
) -> str:
    """The tokenizer's own decoding of ``ids`` without ``unsaid``, by default its :func:`silent` ones; each ``foreign``
    stretch is a line break."""
    unsaid = silent(tokenizer) if unsaid is None else unsaid
    bounds = [0, *(place for span in foreign for place in (span.start, span.end)), len(ids)]
    turns = (
        [i for i in ids[start:end] if i not in unsaid] for start, end in zip(bounds[::2], bounds[1::2], strict=True)
    )
    return _BREAK.decode().join(
        tokenizer.decode(said, skip_special_tokens=False, clean_up_tokenization_spaces=False) for said in turns
    )


def _family(tokenizer: Tokenizer) -> tuple[str, Callable[[str], bytes], bool]:
    decoder = tokenizer.backend_tokenizer.decoder
    steps = _steps(json.loads(decoder.__getstate__())) if decoder is not None else []
    kinds = [step["type"] for step in steps]
    if "ByteLevel" in kinds:
        return "byte-level", _byte_level, False
    if "Metaspace" in kinds or any(s["type"] == "Replace" and s["content"] == " " for s in steps):
        return "sentencepiece", _sentencepiece, _strips_space(steps)
    raise TokenizerError(
        f"tokenizer with decoder {kinds or None}: unknown family, expected byte-level BPE (GPT-2, Llama 3, Qwen, "
        "DeepSeek, SmolLM) or SentencePiece (Llama 2, Mistral, Gemma); EGCA cannot map its ids to bytes"
    )


def _steps(decoder: dict[str, Any]) -> list[dict[str, Any]]:
    return decoder["decoders"] if decoder["type"] == "Sequence" else [decoder]


def _strips_space(steps: list[dict[str, Any]]) -> bool:
    strip = any(s["type"] == "Strip" and s["content"] == " " and s["start"] == 1 for s in steps)
    return strip or any(s["type"] == "Metaspace" and s.get("prepend_scheme", "always") != "never" for s in steps)


def _byte_level(token: str) -> bytes:
    table = _byte_of_char()
    try:
        return bytes(table[char] for char in token)
    except KeyError as error:
        raise TokenizerError(
            f"token {token!r}: {error.args[0]!r} stands for no byte in a byte-level alphabet"
        ) from error


def _sentencepiece(token: str) -> bytes:
    fallback = _BYTE_FALLBACK.fullmatch(token)
    return bytes([int(fallback[1], 16)]) if fallback else token.replace(_METASPACE, " ").encode("utf-8")


@cache
def _byte_of_char() -> dict[str, int]:
    """GPT-2's alphabet: printable Latin-1 characters stand for themselves, the other bytes for U+0100 and up."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(0x100 + k): byte for k, byte in enumerate(others)}
