"""Is this line code or prose? Asked of bare text, where nothing but the look of a line can tell.

Wrong answers are cheap: what a reading leaves out here it must leave out whole, and it must compile without.
"""

from __future__ import annotations

import keyword
import re

_WORD = r"[^\W\d]\w*"
_KEYWORDS = "|".join((*keyword.kwlist, *keyword.softkwlist))
# A line at its block's margin that can be Python. Words that also begin English sentences need their colon or end.
_CODE = re.compile(
    rf"import\s+\w|from\s+[\w.]+\s+import\b|(?:async\s+)?def\s+\w|class\s+\w+\s*[:(]|@\w|[)\]}}]|[\"'#]"
    r"|(?:async\s+)?for\b.*\bin\b.*:|(?:if|elif|while|with|match|case|except|async\s+with)\b.*:|(?:else|try|finally)\s*:"
    r"|(?:pass|break|continue)\s*(?:#.*)?$|(?:return|raise|assert|del|global|nonlocal|yield|await|print)\b"
    rf"|[^\W\d][\w.\[\]\"', :+*/%&|^@<>-]*=[^=]|{_WORD}(?:\.\w+)*(?:\[[^\]]*\])?\(.*"
)
_SIDE_BY_SIDE = re.compile(r"[\w)\]}][ \t]+[^\W\d]\w*")  # quickly: without such there is no sentence
_INNER = re.compile(r"#.*|\"[^\"]*\"|'[^']*'|\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}")
_PAIR = re.compile(rf"(?<![\w.])(?!(?:{_KEYWORDS})\b){_WORD}(?=[ \t]+(?!(?:{_KEYWORDS})\b){_WORD})")
_WORD_BEHIND_BRACKET = re.compile(rf"\x00[ \t]+(?!(?:{_KEYWORDS})\b){_WORD}")
_LONE = re.compile(rf"{_WORD}[.:!?]?|\[/?[\w ]+\]|</?\w+>")
# The first line of a program, anywhere in a text.
BEGINS_CODE = re.compile(
    rf"(?<![^\r\n])[ \t]*(?:import[ \t]|from[ \t]|(?:async[ \t]+)?def[ \t]|class[ \t]|@\w|{_WORD}[ \t]*=[^=]"
    r"|(?:return|if|for|while|try|with|print)\b)"
)
_LONGEST = 2_000  # characters of a line that is still looked at


def is_prose(line: str) -> bool:
    """Whether a line with text, its margin taken off, cannot be Python or reads like a sentence."""
    if line[0] in " \t":
        return False
    return (len(line) <= _LONGEST and not _CODE.match(line)) or is_sentence(line)


def is_sentence(line: str) -> bool:
    """Two plain words side by side, outside brackets and strings, as no Python has them, and more of that kind."""
    if len(line) > _LONGEST or line[0] == "#" or not _SIDE_BY_SIDE.search(line):
        return False
    bare = _INNER.sub("\x00", _INNER.sub("\x00", line)).strip()
    pairs = len(_PAIR.findall(bare))
    spoken = pairs == 1 and (bare[0].isupper() or bare[-1] in ".:!?")
    return pairs > 1 or spoken or bool(_WORD_BEHIND_BRACKET.search(bare))


def is_lone(line: str) -> bool:
    """One word or one marker, which Python would take for an expression."""
    return bool(_LONE.fullmatch(line.strip()))
