"""Baselines that compare texts, as methods do that share credit along common prefixes of samples (TEMPO, P2T)."""

from __future__ import annotations

from difflib import SequenceMatcher

from egca_plugin.credit.baselines.statements import Lexeme, abstain, by_lot, lexemes
from egca_plugin.localize.api import Case, Reason
from egca_plugin.types import Localization, Span


class TextDiff:
    """The tokens that differ from the nearest reference, all alike.

    Where the reference only has more, the token that stands in its place.
    """

    name = "text_diff"

    def localize(self, case: Case) -> Localization:
        tokens = lexemes(case.source)
        if not case.references:
            return abstain(self.name, Reason.NO_REFERENCE)
        reference = lexemes(case.references[0])
        matcher = SequenceMatcher(None, _texts(tokens), _texts(reference), autojunk=False)
        spans = [
            _covering(tokens, start, max(end, start + 1))
            for tag, start, end, _, _ in matcher.get_opcodes()
            if tag != "equal" and tokens
        ]
        if not spans:
            return abstain(self.name, Reason.NO_DIFFERENCE)
        return Localization(spans=by_lot(spans, case), stage=self.name)


class PrefixTree:
    """The token at which the text leaves the prefix tree of the passing programs.

    The value of a prefix is the mean reward of the programs below it, a token's credit the change of value that it
    makes. Below one failing leaf and the passing references the value changes where the leaf branches off, and only
    there.
    """

    name = "prefix_tree"

    def localize(self, case: Case) -> Localization:
        tokens = lexemes(case.source)
        if not case.references:
            return abstain(self.name, Reason.NO_REFERENCE)
        if not tokens:
            return abstain(self.name, Reason.DOES_NOT_COMPILE)
        shared = max(_common_prefix(tokens, lexemes(reference)) for reference in case.references)
        return Localization(spans=(_covering(tokens, shared, shared + 1),), stage=self.name)


def _texts(tokens: tuple[Lexeme, ...]) -> list[str]:
    return [token.text for token in tokens]


def _common_prefix(left: tuple[Lexeme, ...], right: tuple[Lexeme, ...]) -> int:
    count = 0
    while count < min(len(left), len(right)) and left[count].text == right[count].text:
        count += 1
    return count


def _covering(tokens: tuple[Lexeme, ...], start: int, end: int) -> Span:
    """Characters of tokens ``start`` to ``end``; past the last token, that token."""
    first = min(start, len(tokens) - 1)
    return Span(tokens[first].span.start, tokens[max(min(end, len(tokens)) - 1, first)].span.end)
