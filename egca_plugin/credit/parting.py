"""The token of the decision: the first that would not have been sampled, had the program become its repair.

Two texts part at a character, what is sampled at a token. ``i < n`` and ``i <= n`` part behind ``<``, but the wrong
choice was the token ``<``, where ``<=`` should have been sampled; of a ``return`` that stands too deep it was the blank
in front. So both texts are given to the tokenizer from some lines before the place on, and the token at which they part
is found among those that were sampled.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from egca_plugin.credit.spans import AlignedText
from egca_plugin.types import Instead, Span, TokenSpan

_BEHIND = 80  # characters of what was sampled behind the place; a token hardly depends on more
_BEFORE = 2_000  # and at most so many of the lines before it
_END = "\n"  # behind the line that a repair is told of; it may be of the token in front


Common = Callable[[str, str], "tuple[int, int | None] | None"]  # :meth:`egca_plugin.credit.tokens.TokenBytes.common`


@dataclass(frozen=True, slots=True)
class Parting:
    """``token``: the one that was wrongly sampled. ``instead``: the id that the repair has there, in the same text;
    None where that cannot be told."""

    token: TokenSpan
    instead: int | None = None


def parting(
    aligned: AlignedText,
    tokens: int,
    decision: Span,
    instead: Instead | None,
    common: Common,
) -> Parting | None:
    """The token of the ``decision``; behind the text's end it is the one that ended the response, and None where
    nothing did.

    ``tokens``: of the response.
    """
    at, follows = decision.start, None
    if instead is not None:
        there, follows = _character(aligned.text, at, instead, common)
        at, follows = min(at, there), follows if there <= at else None
    if at < len(aligned.text):
        found = aligned.tokens([Span(at, at + 1)])
        if not found:
            return None
        start = found[0].start
        whole = aligned.token_bytes[start] == aligned.char_bytes[at]  # else it was sampled in other tokens
        return Parting(TokenSpan(start, start + 1), follows if whole else None)
    ends = tokens and aligned.token_bytes[-2] == aligned.token_bytes[-1]
    return Parting(TokenSpan(tokens - 1, tokens), follows) if ends else None


def _character(text: str, at: int, instead: Instead, common: Common) -> tuple[int, int | None]:
    """With which the first token begins that the repair has otherwise, and that of the repair."""
    line = text.rfind("\n", 0, instead.start) + 1
    begin = text.rfind("\n", 0, max(line - 1, 0)) + 1  # a blank in front of a line may be of the token of its end
    begin = max(begin, instead.start - _BEFORE)
    theirs = text[begin : instead.start] + instead.text + _END * bool(instead.text)
    same = common(text[begin : at + _BEHIND], theirs)
    return (at, None) if same is None else (begin + same[0], same[1])
