"""Completion -> Program, with an exact map back to the completion's characters.

The order of readings
---------------------
**Which text answers** is told from what the texts are, never from whether they are right or even compile, so that a
model gains nothing by offering several answers. Reasoning and chat template are no text at all
(:mod:`~egca_plugin.program.reading.transcript`). Of the rest, in this order:

1. what defines the entry point by ``def``, ``class`` or assignment: fenced Python before bare text before fences of
   other languages, since a fence says what is code; text that a tag or channel calls the answer before any other; then
   the last, since models draft before they answer;
2. what goes on from the prompt's own function, indented as its body is: the head goes in front, as nobody's text;
3. what binds the entry point otherwise: an import (a test imports it too, hence so late), under ``if`` or ``try``;
4. what would be such a body if decoders or habit had not taken its indentation;
5. any other code. It will fail its tests, which is what it deserves.

A whole program on standard input has no entry point: the last block that reads its input, acts and writes, else the
last that reads and acts, that acts, that is Python: a worked example comes before the program, output is no code.

**What quotes or sketches an answer is none** (:mod:`~egca_plugin.program.reading.excerpts`), for models explain their
programs piece by piece. A text whose lines of code an earlier one has, in that order, is its excerpt, unless it is all
of it, or can be a correction that only takes lines away: it leaves out nothing that it uses, and the definition goes on
to its end, or the program reads, writes and ends at the margin. A body of ``...``, ``pass`` or a docstring defines
nothing where another text gives one; nor does an assignment whose right side uses the name.

What the length limit cut off is no answer where a finished one stands before it.

**How that text is read** is what compiling decides, since the model wrote one program and only its edges are unclear:
where a fence in a docstring ends, where prose begins, how a body was indented. Of several ways the first that compiles
is taken. None leaves out code: only prose at the edges, blanks, an interpreter session's prompts and output, and the
last statement at the margin, where it lacks nothing but its end and the text ends there too. Where nothing compiles,
the text is the program as it stands.

Then what the program uses and does not bind is looked for in the other blocks of the answer (imports, helpers), and
the prompt's imports and helpers and the task's preamble go in front, behind the program's imports from ``__future__``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from egca_plugin.program.compiling import MAX_CHARS
from egca_plugin.program.reading.drafts import Compiler, Draft
from egca_plugin.program.reading.fences import blocks
from egca_plugin.program.reading.needs import binds, imports_for, with_needed
from egca_plugin.program.reading.prompt import head
from egca_plugin.program.reading.readings import read
from egca_plugin.program.reading.runs import Run, runs
from egca_plugin.program.reading.sheet import Claim, Sheet
from egca_plugin.program.reading.target import Target
from egca_plugin.program.reading.transcript import visible
from egca_plugin.types import Kind, Program, SourceError, Span, Task

_MAX_BLOCKS = 4_000  # the last so many fences and stretches between them are read


def extract(completion: str, task: Task) -> Program:
    """The program in ``completion``. Never raises: ``Program.error`` says why there is none, or why it cannot compile.

    A completion without any code gives empty source and the error ``NoProgram``.
    """
    if len(completion) > 4 * MAX_CHARS:
        message = f"the completion has {len(completion)} characters, at most {4 * MAX_CHARS} are read"
        return Program("", (), SourceError("ProgramTooLarge", message))
    compiler = Compiler()
    best: Draft | None = None
    for sheet in _sheets(completion, task, compiler):
        found = _program(sheet, task)
        if found is not None and compiler.accepts(found):
            return found.program(compiler)
        best = best or found
    if best is None:
        return Program("", (), SourceError("NoProgram", "the completion holds no Python code"))
    return best.program(compiler)


def to_completion(program: Program, span: Span) -> Span | None:
    """The smallest span of the completion that holds every sampled character of ``span``; None if there is none."""
    segments = program.segments
    first = max(bisect_right(segments, span.start, key=lambda s: s.program_start) - 1, 0)
    start = end = None
    for segment in segments[first:]:
        if segment.program_start >= span.end:
            break
        low = max(span.start - segment.program_start, 0)
        high = min(span.end - segment.program_start, segment.length)
        if low < high:
            start = segment.completion_start + low if start is None else start
            end = segment.completion_start + high
    return None if start is None or end is None else Span(start, end)


def _sheets(completion: str, task: Task, compiler: Compiler) -> Iterator[Sheet]:
    """The completion with fences in strings taken for text, then, if there are any, for fences."""
    target = Target.of(task)
    opening = head(task.prompt, task.entry_point) if target.name else None
    stretches = visible(completion)
    for strings in (True, False):
        laid = [blocks(completion, stretch, strings) for stretch in stretches]
        last = [block for some, _ in laid for block in some][-_MAX_BLOCKS:]
        found = tuple(run for block in last for run in runs(completion, block))
        yield Sheet(completion, target, opening, found, compiler)
        if not any(hidden for _, hidden in laid) or len(last) == _MAX_BLOCKS:
            return


def _program(sheet: Sheet, task: Task) -> Draft | None:
    """The answer, read, with all that belongs to it."""
    reading = _whole(sheet) if task.kind is Kind.STDIN else _answer(sheet)
    if reading is None:
        return None
    found, continues = reading
    preamble = sheet.head.preamble if sheet.head is not None and not continues else ""
    found = with_needed(sheet, _behind_prompt(sheet, found, preamble))
    found = found.behind(imports_for(sheet, found, task.setup))
    methods = sheet.target.methods(found.source)
    if methods:
        given = "".join(f"    {name} = {name}\n" for name in methods)
        found = found.with_end(f"\n\nclass {sheet.target.owner}:\n{given}")
    if sheet.target.assumed:
        found = _as_function(sheet, found, anew=bool(methods))
    return found.behind(task.preamble if task.preamble.endswith("\n") or not task.preamble else task.preamble + "\n")


def _as_function(sheet: Sheet, found: Draft, *, anew: bool) -> Draft:
    """A method under the name of the function that was asked for, where there is none, or ``anew``."""
    target, tree = sheet.target, sheet.compiler.tree(found)
    if tree is None or target.defined(found.source) is None or (target.name in binds(tree) and not anew):
        return found
    return found.with_end(f"\n\n{target.name} = {target.owner}().{target.name}\n")


def _whole(sheet: Sheet) -> tuple[Draft, bool] | None:
    """The text that is a whole program, as it is read."""
    runs = ((run, Claim.OTHER) for run in sheet.programs())
    return _finished(sheet, runs, lambda run, claim: sheet.is_whole(run))


def _answer(sheet: Sheet) -> tuple[Draft, bool] | None:
    """The text that answers, as it is read, and whether it goes on from the prompt's head."""
    runs = ((run, claim) for claim in Claim for run in sheet.candidates(claim))
    return _finished(sheet, runs, lambda run, claim: claim in (Claim.DEFINES, Claim.CONTINUES))


def _finished(
    sheet: Sheet, runs: Iterable[tuple[Run, Claim]], is_answer: Callable[[Run, Claim], bool]
) -> tuple[Draft, bool] | None:
    """The first of the texts that can be read; of one that was cut off, the next that is whole and an answer too."""
    last: tuple[Run, tuple[Draft, bool]] | None = None  # it may have been cut off
    for run, claim in runs:
        if last is not None and (run.block.open or not is_answer(run, claim)):
            continue
        reading = read(sheet, run, claim)
        if reading is None:
            continue
        if last is not None:
            return reading if _is_unfinished(sheet, last[0], last[1][0], run) else last[1]
        if not run.block.open:
            return reading
        last = run, reading
    return last[1] if last is not None else None


def _is_unfinished(sheet: Sheet, run: Run, found: Draft, other: Run) -> bool:
    """Whether the text was cut off by the length limit, or while it repeated another."""
    said, before = (sheet.completion[one.block.start : one.block.end].strip() for one in (run, other))
    return before.startswith(said) or sheet.compiler.is_cut_off(found)


def _behind_prompt(sheet: Sheet, found: Draft, preamble: str) -> Draft:
    """The prompt's imports and helpers in front, unless the answer repeats them or cannot stand behind them."""
    own = {line.strip() for line in found.source.splitlines()}
    if all(line.strip() in own for line in preamble.splitlines()):
        return found
    longer = found.behind(preamble)
    return longer if sheet.compiler.accepts(longer) else found
