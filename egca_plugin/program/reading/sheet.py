"""A completion laid out to be read: its runs of code in order, and what each of them can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from itertools import islice

from egca_plugin.program.reading.drafts import Compiler, Draft, draft, lines
from egca_plugin.program.reading.excerpts import MAX_COMPARED, Code, ends
from egca_plugin.program.reading.fences import Block
from egca_plugin.program.reading.prompt import Head
from egca_plugin.program.reading.prose import BEGINS_CODE
from egca_plugin.program.reading.runs import Run, shift
from egca_plugin.program.reading.target import Target

_BODY = re.compile(r"\b(?:return|yield|raise)\b")
_READS = re.compile(  # not what sets standard input, or gives it to another program
    r"\binput\s*\(|=\s*input\b(?!\s*[=.\[])|\biter\(\s*input\b|\bstdin\b(?!\s*=(?!=))|\bfileinput\b"
    r"|\b(?:open|fdopen|read)\(\s*0\b|/dev/(?:stdin|fd/0)|/proc/self/fd/0"
)
_DOTS = re.compile(r"([ \t]*)\.\.\.[ \t]*(?:#.*)?")
_ACTS = re.compile(
    r"^(?!(?:async[ \t]+def|def|class|import|from|elif|else|except|finally)\b|[@#)\]}\"']"
    r"|[^\W\d][\w.]*[ \t]*(?::[^=\n]+)?=(?!=)[^(\n]*$)\S",
    re.MULTILINE,
)

_WRITES = re.compile(r"\bprint\b|\bstdout\b(?!\s*=(?!=))|\bos\.write\b|\bopen\(\s*1\b")

_MAX_BODIES = 8  # texts that are tried as a body without its indentation; whether they are, only compiling tells


class Claim(Enum):
    """Why a text may be the answer, strongest first; :mod:`egca_plugin.program.extract` says why in this order."""

    DEFINES = "defines"
    CONTINUES = "continues"
    BINDS = "binds"
    BODY = "body"
    OTHER = "other"


@dataclass(frozen=True)
class Sheet:
    """``head`` is what the prompt opened, if anything. ``runs`` are in the completion's order."""

    completion: str
    target: Target
    head: Head | None
    runs: tuple[Run, ...]
    compiler: Compiler

    def candidates(self, claim: Claim) -> Iterator[Run]:
        """The runs that make this claim, most trusted first."""
        if claim in (Claim.CONTINUES, Claim.BODY) and self.head is None:
            return
        tests = {
            Claim.DEFINES: self.defines,
            Claim.CONTINUES: lambda run: self.may_be_body(run) and self.begins_indented(run),
            Claim.BINDS: self._binds,
            Claim.BODY: self.may_be_body,
            Claim.OTHER: self.is_code,
        }
        found = list(filter(tests[claim], self._trusted))
        if claim is Claim.DEFINES:
            proper = [run for run in found if not self.target.is_stub(self.source(run))]
            found = proper if proper or next(self.candidates(Claim.CONTINUES), None) is not None else found
        excerpts = self._excerpts(found, self._redefines if claim is Claim.DEFINES else self._spans)
        own = (run for run in found if run.block not in excerpts)
        yield from islice(own, _MAX_BODIES if claim is Claim.BODY else None)

    def programs(self) -> Iterator[Run]:
        """Candidates for a whole program: those that act, read input and write, act and read, act, and the others."""
        code = list(filter(self.is_code, self._trusted)) or self._other_code()
        ranks = {run.block: self._rank(run) for run in code}

        def is_program(run: Run, other: Run) -> bool:
            return ranks[run.block][:3] <= ranks[other.block][:3] and self.code(run).is_program_in(self.code(other))

        excerpts = self._excerpts(code, is_program)
        yield from sorted((run for run in code if run.block not in excerpts), key=lambda run: ranks[run.block])

    def _other_code(self) -> list[Run]:
        """Where no text is code by its fence or look: what stands in other fences and looks so, else all bare text."""
        fenced = [run for run in self._trusted if run.block.fenced and self._has(run, BEGINS_CODE)]
        return fenced or [run for run in self._trusted if not run.block.fenced]

    def is_whole(self, run: Run) -> bool:
        """Whether it acts, reads its input and writes."""
        return not any(self._rank(run)[:2])

    def _rank(self, run: Run) -> tuple[bool, bool, bool, bool, bool]:
        reads, writes = self._has(run, _READS), self._has(run, _WRITES)
        sketched = _is_sketched(self.source(run))
        return not self._acts(run), not (reads and writes), not reads, sketched, not run.block.language

    @cached_property
    def _trusted(self) -> tuple[Run, ...]:
        """Text called the answer first; then fenced Python, bare text, other fences; then the last."""

        def trust(numbered: tuple[int, Run]) -> tuple[bool, int, int]:
            number, block = numbered[0], numbered[1].block
            place = 2 if block.fenced and block.is_python else 0 if block.fenced or block.tests else 1
            return block.answer, place, number

        return tuple(run for _, run in sorted(enumerate(self.runs), key=trust, reverse=True))

    def draft(self, run: Run) -> Draft:
        """The run at the margin."""
        if run.block not in self._drafts:
            self._drafts[run.block] = draft(self.completion, run.block, shift(self.completion, run.block))
        return self._drafts[run.block]

    def source(self, run: Run) -> str:
        return self.draft(run).source

    def defines(self, run: Run) -> bool:
        return self._mentions(run) and self.target.defined(self.source(run)) is not None

    def _excerpts(self, found: list[Run], is_whole: Callable[[Run, Run], bool]) -> frozenset[Block]:
        """Of texts that make the same claim, those whose lines an earlier one has and that are no answer again."""
        given = Code.of(self.head.text).bound if self.head is not None else frozenset()
        last = sorted(found, key=lambda run: run.block.start)[-MAX_COMPARED:]
        return frozenset(
            run.block
            for at, run in enumerate(last)
            if any(
                run.block.answer <= other.block.answer
                and self.code(run).is_part_of(self.code(other))
                and (self.code(run).lacks(self.code(other), given) or not is_whole(run, other))
                for other in last[:at]
            )
        )

    def _redefines(self, run: Run, other: Run) -> bool:
        """Whether a definition goes on to where one ends in the other: no signature, first lines or simple case."""
        return bool(self._ends(run) & self._ends(other))

    def _ends(self, run: Run) -> frozenset[str]:
        if run.block not in self._endings:
            self._endings[run.block] = ends(self.target, self.source(run))
        return self._endings[run.block]

    @cached_property
    def _endings(self) -> dict[Block, frozenset[str]]:
        return {}

    def _spans(self, run: Run, other: Run) -> bool:
        return self.code(run).spans(self.code(other))

    def code(self, run: Run) -> Code:
        if run.block not in self._codes:
            self._codes[run.block] = Code.of(self.source(run))
        return self._codes[run.block]

    @cached_property
    def _codes(self) -> dict[Block, Code]:
        return {}

    def begins_indented(self, run: Run) -> bool:
        """Whether the run's first line is indented, deeper than all of it where all of it defines the entry point."""
        first = next(lines(self.completion, run.block, filled=True), None)
        if first is None or self.completion[first.start] not in " \t":
            return False
        return not (self.defines(run) and self.source(run).lstrip("\r\n")[0] not in " \t")

    @cached_property
    def _drafts(self) -> dict[Block, Draft]:
        return {}

    def _mentions(self, run: Run) -> bool:
        return self.target.mentioned(self.completion, run.block.start, run.block.end)

    def _binds(self, run: Run) -> bool:
        return self._mentions(run) and self.target.bound(self.source(run)) is not None

    def may_be_body(self, run: Run) -> bool:
        """Whether a function may end so: it returns something, or nothing stands in front of it. Output does not."""
        code = run.block.is_python or not (run.block.fenced or run.block.tests)
        return code and (run is self.runs[0] or self._has(run, _BODY))

    def is_code(self, run: Run) -> bool:
        """Whether a fence says that this is Python, or, where it says nothing, the look of a line."""
        if run.block.fenced and run.block.language:
            return run.block.is_python
        return not run.block.tests and self._has(run, BEGINS_CODE)

    def _has(self, run: Run, pattern: re.Pattern[str]) -> bool:
        return bool(pattern.search(self.completion, run.block.start, run.block.end))

    def _acts(self, run: Run) -> bool:
        return bool(_ACTS.search(self.source(run)))


def _is_sketched(source: str) -> bool:
    """Whether a line ``...`` stands for others: not where it is all of a block's body."""
    lines = [line for line in source.splitlines() if line.strip()] if "..." in source else []
    for before, line, behind in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        dots = _DOTS.fullmatch(line)
        if dots and (not before.rstrip().endswith(":") or len(behind) - len(behind.lstrip()) >= len(dots[1]) > 0):
            return True
    return False
