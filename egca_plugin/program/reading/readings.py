"""How one text is read as a program: of several ways the first that compiles. Nothing here chooses between answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice

from egca_plugin.program.reading.drafts import UNMOVED, Draft, Shift, draft, lines, margin, session
from egca_plugin.program.reading.fences import Block
from egca_plugin.program.reading.prompt import Head
from egca_plugin.program.reading.runs import Run, cuts, first_definition, shift, without_sentences
from egca_plugin.program.reading.sheet import Claim, Sheet


def read(sheet: Sheet, run: Run, claim: Claim) -> tuple[Draft, bool] | None:
    """The program that the run is, and whether the prompt's head is part of it. None where the claim does not hold."""
    compiler = sheet.compiler
    if claim is Claim.CONTINUES:
        return _first(sheet, _continuing(sheet, run)), True
    standing = _first(sheet, _standing(sheet, run))
    stands = compiler.accepts(standing)
    tried = sheet.head is not None and compiler.affords(standing)
    if claim is Claim.DEFINES:
        tried = tried and not run.block.fenced and sheet.may_be_body(run) and (not stands or sheet.begins_indented(run))
    elif claim is Claim.BODY:
        tried = tried and not stands
    else:
        tried = False
    continued = _first(sheet, _continuing(sheet, run)) if tried else None
    if continued is not None and compiler.accepts(continued):
        return continued, True
    return None if claim is Claim.BODY else (standing, False)


def _first(sheet: Sheet, ways: Iterator[Draft]) -> Draft:
    """The first that compiles, else the first."""
    first = next(ways)
    if sheet.compiler.accepts(first) or not sheet.compiler.affords(first):
        return first
    return next(filter(sheet.compiler.accepts, ways), first)


def _standing(sheet: Sheet, run: Run) -> Iterator[Draft]:
    """Ways to read a text that stands by itself."""
    whole, block = _at_margin(sheet, run.whole), run.block
    if run.whole != block and not run.mixed and sheet.compiler.accepts(whole):
        yield whole
    full = _at_margin(sheet, block)
    yield full
    if block.fenced and block.closed:
        yield _at_margin(sheet, without_sentences(sheet.completion, block))
    if block.open and sheet.compiler.is_cut_off(full):
        defines = sheet.target.defined(full.source) is not None
        for end in cuts(sheet.completion, block, margin(sheet.completion, block)):
            rest = _at_margin(sheet, replace(block, end=end))
            if not defines or sheet.target.defined(rest.source) is not None:
                yield rest
    for end in run.ends:
        yield _at_margin(sheet, replace(block, end=end))
    typed = session(sheet.completion, block) if block.fenced else None
    if typed is not None:
        yield typed


def _at_margin(sheet: Sheet, block: Block) -> Draft:
    return draft(sheet.completion, block, shift(sheet.completion, block))


def _continuing(sheet: Sheet, run: Run) -> Iterator[Draft]:
    """Ways to read a text as the rest of the function that the prompt opened."""
    opening, block, completion = sheet.head, run.block, sheet.completion
    assert opening is not None

    def made(shift: Shift, end: int = block.end) -> Draft:
        return draft(completion, replace(block, end=end), shift).behind(opening.text)

    def moved(end: int = block.end) -> Draft:  # the body alone: what is defined behind it stays where it is
        body, rest = replace(block, end=min(split, end)), replace(block, start=split, end=max(split, end))
        return draft(completion, body, inwards).followed_by(draft(completion, rest)).behind(opening.text)

    inwards = Shift(take=margin(completion, block), put=opening.indent)
    split = first_definition(completion, block)
    if opening.unended != opening.text:
        yield draft(completion, block).behind(opening.unended)
    yield from (made(UNMOVED), made(Shift(first=opening.indent)), moved(), made(inwards))
    repeated = _repeated(completion, block, opening)
    if repeated:
        yield draft(completion, replace(block, start=repeated)).behind(opening.text)
    ways: tuple[Callable[[int], Draft], ...] = (
        lambda end: made(UNMOVED, end),
        lambda end: made(Shift(first=opening.indent), end),
        lambda end: moved(max(end, split)),
    )
    for way in ways if block.open else ():
        if sheet.compiler.is_cut_off(way(block.end)):
            yield from map(way, cuts(completion, block, 0))
    yield from (made(UNMOVED, end) for end in run.ends)


def _repeated(completion: str, block: Block, opening: Head) -> int:
    """Where the block goes on behind lines that repeat the prompt's last ones, or 0."""
    given = [line.strip() for line in opening.text.splitlines() if line.strip()]
    found = list(islice(lines(completion, block, filled=True), len(given)))
    said = [completion[line.start : line.end].strip() for line in found]
    for count in range(len(said), 0, -1):
        if said[:count] == given[-count:]:
            return found[count - 1].stop
    return 0
