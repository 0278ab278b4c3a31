"""What a completion says and what it thinks: reasoning, chat template and answer markers, told from the answer.

Everything here speaks in character offsets of the completion; nothing is copied or changed. One linear pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

_NAMES = r"(?:\w+:)?(?:think|thinking|thoughts?|reasoning|reflection|scratchpad|analysis|inner_monologue|\w+_think)"
_SAYS = r"(?:code|python3?|py|answer|final_answer|solution|response|program|implementation|completion|function|output)"
_ROLES = r"(?:assistant|system|user|model|tool|human|gpt|developer|ipython)"
_STARTS = r"(?=[ \t]*(?:\r|\n|\Z|`{3}|(?:async[ \t]+)?def[ \t]|import[ \t]|from[ \t]|class[ \t]|@\w))"
_BARS = r"<[|｜]"
_CODE_OR_END = re.compile(_STARTS)
_END_OF_LINE = re.compile(r"[ \t]*(?:\r|\n|\Z)")

# Everything that may change what the text behind it is. Names of the groups say what a match means.
_MARK = re.compile(
    rf"""
      (?P<quote> \"\"\" | ''' )
    | (?P<fence> (?<![^\r\n]) [ \t]* (?:`{{3}}|~{{3}}) )
    | (?P<open> <{_NAMES}> | \[THINK\] | ◁think▷ | <unused94>
              | {_BARS}(?:begin_of_(?:thought|reasoning)|START_THINKING|think|thinking|channel>thought)[|｜]?> )
    | (?P<close> </{_NAMES}> | \[/THINK\] | ◁/think▷ | <unused95>
              | {_BARS}(?:end_of_(?:thought|reasoning)|END_THINKING|/think|/thinking)[|｜]> | <channel\|> )
    | (?P<answer> <(?:answer|final_answer|solution)> | {_BARS}(?:begin_of_solution|START_RESPONSE)[|｜]>
              | \[(?:ANSWER|SOLUTION)\] {_STARTS} )
    | (?P<answered> </(?:answer|final_answer|solution)> | {_BARS}(?:end_of_solution|END_RESPONSE)[|｜]>
              | \[/(?:ANSWER|SOLUTION)\] )
    | (?P<turn> <\|im_start\|>(?:[ \t]*{_ROLES}\b)? | <\|start_header_id\|>[^<\r\n]{{0,40}}<\|end_header_id\|>
              | <\|start_of_role\|>[^<\r\n]{{0,40}}<\|end_of_role\|> | <start_of_turn>(?:[ \t]*{_ROLES}\b)?
              | {_BARS}(?:assistant|user|system|tool|observation|human)[|｜]> | <\|start\|>{_ROLES}? | \[/?INST\] )
    | (?P<token> {_BARS}[^\s<>|｜]{{1,60}}[|｜]> | {_BARS}[^\s<>|｜]{{0,60}}[|｜]?\Z | </s> | \[UNUSED_TOKEN_\d+\]
              | (?-i:\[(?:DONE|STOP|EOS|END)\]) )
    | (?P<angle> <(?:s|eos|bos|pad|unk|end_of_turn|EOT|eot|eom|eoa|file_sep|reponame|filename|gh_stars|extra_id_\d+
              |fim_\w+|issue_\w+|jupyter_\w+|commit_\w+|empty_output)> )
    | (?P<label> (?-i:\[/?[A-Z]{{3,}}(?:[ _][A-Z]+){{0,3}}\]) {_STARTS} | </?{_SAYS}>
              | (?<![^\r\n]) [^\W\d][\w \t]{{0,30}}:[ \t]* (?=(?:async[ \t]+)?def[ \t]|class[ \t]) )
    """,
    re.VERBOSE | re.IGNORECASE,
)
_FINAL = re.compile(r"<\|channel\|>[ \t]*final[^<\r\n]{0,80}(?:<\|constrain\|>[^<\r\n]{0,80})?<\|message\|>")
_CHANNEL = re.compile(r"<\|channel\|>[ \t]*\w+[^<\r\n]{0,80}(?:<\|constrain\|>[^<\r\n]{0,80})?<\|message\|>")
_CHANNEL_NAME_LEFT = re.compile(r"\s*(?:assistant)?(?:analysis|commentary)(?=[A-Z]|[ \t]to=)")
_OF_CHANNELS = frozenset({"<|channel|>", "<|constrain|>", "<|message|>"})
_FINAL_LEFT = "assistantfinal"  # what decoders leave of a final channel's tokens
_ROLE_LEFT = re.compile(r"\s*(?:assistant|final)(?=[`~]{3})")
_FOREIGN = re.compile(r"user|system|tool|human|observation|developer|ipython|\[INST\]", re.IGNORECASE)
_TESTS = re.compile(r"\[.*(?:TEST|OUTPUT|EXAMPLE|INPUT)")
_BOX = "\\boxed{"
_BRACE = re.compile(r"[{}]")
_LINES = re.compile(r"\S[^\r\n]*[\r\n]+[ \t]*\S")
_NEAR = 200  # characters of a line that are looked at to tell whether a token stands in a string


@dataclass(frozen=True, slots=True)
class Stretch:
    """Characters ``[start, end)`` that are neither reasoning nor template.

    ``answer``: a tag or a channel says that this is the answer. ``tests``: a label says that it is tests or output.
    ``open``: nothing ended it but the end of the completion, which the length limit may have been.
    """

    start: int
    end: int
    answer: bool = False
    tests: bool = False
    open: bool = False


def visible(text: str) -> tuple[Stretch, ...]:
    """What is said, in order, without what is only blank.

    Reasoning stands between tags, at the start of a line, or in a channel that is not ``final``. Reasoning that is
    never closed hides the rest; a closing tag that nothing opened ends reasoning that the prompt opened: everything
    before it is reasoning. Template in front of the answer is stepped over, behind it it ends the answer, and so does
    ``[DONE]``. Tags and tokens in string literals are text. Lines in ``\\boxed{}`` stand apart where nothing is fenced.
    """
    said = [stretch for stretch in _parts(text)[0] if text[stretch.start : stretch.end].strip()]
    if said and not any(text.find(fence, one.start, one.end) >= 0 for fence in ("```", "~~~") for one in said):
        said[-1:] = _boxed(text, said[-1])
    return tuple(said)


def _boxed(text: str, stretch: Stretch) -> Iterator[Stretch]:
    """A stretch without its last ``\\boxed{`` and the brace that closes it, if there are lines of text between them."""
    box = text.rfind(_BOX, stretch.start, stretch.end)
    inside = box + len(_BOX)
    closing = _closing(text, inside, stretch.end) if box >= 0 else None
    if closing is None or not _LINES.search(text, inside, closing):
        yield stretch
        return
    yield replace(stretch, end=box, open=False)
    yield replace(stretch, start=inside, end=closing, open=False)
    yield replace(stretch, start=closing + 1)


def _closing(text: str, start: int, end: int) -> int | None:
    """Where the brace is closed that was opened in front of ``start``."""
    depth = 1
    for brace in _BRACE.finditer(text, start, end):
        depth += 1 if brace.group() == "{" else -1
        if not depth:
            return brace.start()
    return None


def tells_reasoning(token: str) -> bool:
    """Whether ``token``, all of it, begins or ends reasoning or a channel, so that a text without it misleads."""
    mark = _MARK.fullmatch(token)
    return token in _OF_CHANNELS or (mark is not None and mark.lastgroup in ("open", "close"))


def reasoning(text: str) -> tuple[tuple[int, int], ...]:
    """The stretches ``(start, end)`` of ``text`` that are reasoning by the rules of :func:`visible`, tags included."""
    return _parts(text)[1]


@lru_cache(maxsize=16)
def _parts(text: str) -> tuple[tuple[Stretch, ...], tuple[tuple[int, int], ...]]:
    begin, channels = _channels(text)
    if begin is None:
        return (), ((0, len(text)),)
    reader = _Reader(text, begin)
    reader.read()
    thought = ((channels, begin),) if channels is not None else ()
    return tuple(reader.seen), (*thought, *reader.thought)


def _channels(text: str) -> tuple[int | None, int | None]:
    """Where the final channel begins (None: there is none, all is reasoning), and where reasoning before it does."""
    start = 1 if text.startswith("\ufeff") else 0
    finals = [match.end() for match in _FINAL.finditer(text) if not _quoted(text, match.start(), match.end())]
    if finals:
        return finals[-1], start
    if any(not _quoted(text, match.start(), match.end()) for match in _CHANNEL.finditer(text)):
        return None, start
    left = text.rfind(_FINAL_LEFT)
    if left >= 0 and not _quoted(text, left, left + len(_FINAL_LEFT)):
        return left + len(_FINAL_LEFT), start
    if _CHANNEL_NAME_LEFT.match(text, start):
        return None, start
    role = _ROLE_LEFT.match(text, start)
    return role.end() if role else start, None


class _Reader:
    """One pass over the marks of a text. ``seen`` and ``thought`` are what it found."""

    def __init__(self, text: str, start: int) -> None:
        self.text = text
        self.start = self.begin = start
        self.seen: list[Stretch] = []
        self.thought: list[tuple[int, int]] = []
        self.opened: int | None = None  # where reasoning began
        self.closed = False  # whether reasoning was opened and closed by tags
        self.answer = self.tests = self.foreign = False
        self.quote = ""
        self.last_quote = {quote: text.rfind(quote) for quote in ('"""', "'''")}

    def read(self) -> None:
        for mark in _MARK.finditer(self.text, self.start):
            kind = str(mark.lastgroup)
            if kind == "quote":
                self._quote(mark.group())
            elif kind == "fence":
                self.quote = ""
            elif self.quote and self.last_quote[self.quote] >= mark.end():
                continue  # inside a docstring
            elif self.opened is not None and kind != "close":
                continue  # inside reasoning
            elif not self._believed(kind, mark):
                continue
            elif not self._take(kind, mark):
                return
        if self.opened is not None:
            self.thought.append((self.opened, len(self.text)))
        else:
            self._see(len(self.text), is_open=True)

    def _quote(self, quote: str) -> None:
        if not self.quote:
            self.quote = quote
        elif self.quote == quote:
            self.quote = ""

    def _take(self, kind: str, mark: re.Match[str]) -> bool:
        """Act on a mark; False where it ends the answer."""
        at, behind = mark.span()
        if kind == "open":
            self._see(at)
            self.opened = at
        elif kind == "close":
            self._close(at, behind)
        elif kind in ("answer", "answered", "label"):
            self._see(at)
            self.answer = kind == "answer" or (kind == "label" and self.answer)
            self.tests = bool(_TESTS.match(mark.group())) and "/" not in mark.group()
        else:
            self._see(at)
            if self.seen and not self.foreign:
                return False
            if kind == "turn":
                self.foreign = bool(_FOREIGN.search(mark.group()))
        self.start = behind
        return True

    def _see(self, end: int, is_open: bool = False) -> None:
        if not self.foreign and self.text[self.start : end].strip():
            self.seen.append(Stretch(self.start, end, self.answer, self.tests, is_open))

    def _close(self, at: int, behind: int) -> None:
        """The end of reasoning: of what a tag opened, else of what the prompt opened, which is all so far."""
        if self.opened is None:
            if self.closed and not self.text[behind:].strip():
                self._see(at)
                return
            self.seen.clear()
            self.thought, self.opened = [], self.begin
        else:
            self.closed = True
        self.thought.append((self.opened, behind))
        self.opened, self.answer, self.tests, self.foreign = None, False, False, False

    def _believed(self, kind: str, mark: re.Match[str]) -> bool:
        at, behind = mark.span()
        if kind == "close" and self.opened is not None:
            return True
        if self._begins_line(at):
            return kind not in ("label", "answer") or bool(_CODE_OR_END.match(self.text, behind))
        if kind in ("open", "answer"):
            return at == self.start
        ends_line = bool(_END_OF_LINE.match(self.text, behind))
        if kind in ("angle", "label"):
            return ends_line and (kind != "label" or "/" in mark.group())
        if mark.group()[0] == "[" and kind == "token":
            return ends_line and self.text[at - 1] in " \t"
        return not _quoted(self.text, at, behind)

    def _begins_line(self, at: int) -> bool:
        """Nothing but blanks, or a mark that was taken, stands in front in the line."""
        before = self.text[max(at - _NEAR, self.start) : at]
        stripped = before.rstrip(" \t")
        return stripped.endswith(("\n", "\r")) or (not stripped and at - _NEAR <= self.start)


def _quoted(text: str, start: int, end: int) -> bool:
    """Whether a quote opens in front of ``text[start:end]`` and closes behind it, in the same line."""
    begin = max(start - _NEAR, text.rfind("\n", 0, start), text.rfind("\r", 0, start), 0)
    before = text[begin:start].replace("```", "")
    behind = text[end : end + _NEAR].split("\n", 1)[0].replace("```", "")
    return any(before.count(quote) % 2 and quote in behind for quote in "\"'`")
