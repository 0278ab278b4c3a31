"""The token of the decision: the first that would not have been sampled, had the program become its repair.

Two texts part at a character, what is sampled at a token. ``i < n`` and ``i <= n`` part behind ``<``, but the wrong
choice was the token ``<``, where ``<=`` should have been sampled; of a ``return`` that stands too deep it was the blank
in front. So both texts are given to the tokenizer from some lines before the place on, and the token at which they part
is found among those that were sampled.
"""

from __future__ import annotations

from collections.abc import Callable

from egca_plugin.credit.spans import AlignedText
from egca_plugin.types import Instead, Span, TokenSpan

_BEHIND = 80  # characters of what was sampled behind the place; a token hardly depends on more
_BEFORE = 2_000  # and at most so many of the lines before it


def parting(
    aligned: AlignedText,
    tokens: int,
    decision: Span,
    instead: Instead | None,
    common: Callable[[str, str], int | None],
) -> TokenSpan | None:
    """The token of the ``decision``; behind the text's end it is the one that ended the response, and None where
    nothing did.

    ``tokens``: of the response. ``common`` is :meth:`egca_plugin.credit.tokens.TokenBytes.common`.
    """
    at = decision.start
    if instead is not None:
        at = min(at, _character(aligned.text, at, instead, common))
    if at < len(aligned.text):
        found = aligned.tokens([Span(at, at + 1)])
        return TokenSpan(found[0].start, found[0].start + 1) if found else None
    ends = tokens and aligned.token_bytes[-2] == aligned.token_bytes[-1]
    return TokenSpan(tokens - 1, tokens) if ends else None


def _character(text: str, at: int, instead: Instead, common: Callable[[str, str], int | None]) -> int:
    """With which the first token begins that the repair has otherwise."""
    line = text.rfind("\n", 0, instead.start) + 1
    begin = text.rfind("\n", 0, max(line - 1, 0)) + 1  # a blank in front of a line may be of the token of its end
    begin = max(begin, instead.start - _BEFORE)
    same = common(text[begin : at + _BEHIND], text[begin : instead.start] + instead.text)
    return at if same is None else begin + same
