"""Programs and specs as token ids. A line break with its indentation is one token; any other is written with a blank.

The text of a response is the concatenation of its ids' pieces, so spans map as in the plugin (``credit.spans.align``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import takewhile

PAD, GO, END = "<pad>", "<go>", "<end>"
_TOKEN = re.compile(r"\n *|[A-Za-z_]\w*|\d+|//|[<>=!+\-*/%]=|[^\s\w]")


def tokens_of(source: str) -> list[str]:
    """The tokens of a program of the families, which know no strings and no comments."""
    return _TOKEN.findall(source)


class Vocabulary:
    """``words`` in a fixed order; ``pieces[i]`` is the text that id ``i`` adds to a response."""

    def __init__(self, words: Iterable[str], prompt: int) -> None:
        self.words = list(dict.fromkeys((PAD, GO, END, *words)))
        self.prompt = prompt  # length of every prompt in tokens, padded in front
        self._ids = {word: i for i, word in enumerate(self.words)}
        self.pad, self._go, self.end = (self._ids[word] for word in (PAD, GO, END))
        self.pieces = [_piece(word) for word in self.words]

    def __len__(self) -> int:
        return len(self.words)

    def encode(self, source: str) -> list[int] | None:
        """Ids of a program, without the end; None where it holds a token that the policy cannot write."""
        ids = [self._ids.get(word, -1) for word in tokens_of(source)]
        return None if -1 in ids else ids

    def ask(self, words: Sequence[str]) -> list[int]:
        """The prompt of a spec's words. Raises ValueError where it is too long."""
        ids = [self._ids[word] for word in words]
        if len(ids) >= self.prompt:
            raise ValueError(f"prompt: got {len(ids)} words, expected fewer than {self.prompt}")
        return [*[self.pad] * (self.prompt - 1 - len(ids)), *ids, self._go]

    def common(self, own: str, theirs: str) -> tuple[int, int | None]:
        """How many characters of ``own`` stand in front of the first token that ``theirs`` does not begin with too, and
        the id that ``theirs`` has there."""
        first, second = (list(_TOKEN.finditer(text)) for text in (own, theirs))
        pairs = zip(first, second, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0].group() == pair[1].group(), pairs))
        follows = self._ids.get(second[same].group()) if same < len(second) else None
        return first[same].start() if same < len(first) else len(own), follows

    def text(self, ids: Sequence[int]) -> str:
        """What a response says."""
        return "".join(self.pieces[i] for i in ids)


def _piece(word: str) -> str:
    if word.startswith("<") and len(word) > 2:  # special tokens and words of specs spell nothing
        return ""
    return word if word.startswith("\n") else f"{word} "
