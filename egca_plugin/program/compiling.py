"""Does this text compile? Asked in the trusted process, of hostile text, so every bound is ours and comes first.

CPython's parser bounds its own stack, and what it builds is some hundred times as large as the text; what comes after
it (the compiler, our visitors) is bounded by nobody, so :mod:`egca_plugin.program.growth` measures the tree first.
Compiling never runs anything: constant folding is bounded by CPython itself (128-bit integers, 4096-character strings).
"""

from __future__ import annotations

import ast
import symtable
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType

from egca_plugin.program import growth
from egca_plugin.program.growth import MAX_DEPTH
from egca_plugin.types import SourceError

MAX_CHARS = 200_000
MAX_LINES = 12_000  # a statement each; past them building the tree alone takes half a second
MAX_BRACES = 20_000  # the parser takes the square of an f-string's fields
_FRAMES = 12 * MAX_DEPTH  # what visitors of a tree of MAX_DEPTH levels need; half a kilobyte of stack each
_DIGITS = 20_000  # of an integer that is written out: past them that takes more than 10 ms


def compile_error(source: str) -> SourceError | None:
    """Why ``source`` is not a program, or None when CPython compiles it. Never raises, never runs it.

    ``type`` is CPython's exception, or ``ProgramTooLarge``, ``ProgramTooDeep`` where a bound of ours refused it.
    """
    if len(source) > MAX_CHARS:
        return SourceError("ProgramTooLarge", f"{len(source)} characters, at most {MAX_CHARS} are read")
    lines = source.count("\n") + source.count("\r") - source.count("\r\n")
    if lines > MAX_LINES:
        return SourceError("ProgramTooLarge", f"{lines:,} lines, at most {MAX_LINES:,} are compiled")
    if "\0" in source:  # versions of CPython differ in class and position; agree on one
        return _at(source, source.index("\0"), "SyntaxError", "the source contains a null byte")
    if source.count("{") > MAX_BRACES:
        return SourceError("ProgramTooLarge", f"more than {MAX_BRACES} braces are not parsed")
    try:
        growth.check(parse(source))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a SyntaxWarning is the candidate's matter, even under -W error
            compile(source, "<program>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return SourceError(type(error).__name__, error.msg, *_place(source, error.lineno, error.offset))
    except UnicodeEncodeError as error:
        return _at(source, error.start, type(error).__name__, error.reason)
    except growth.TooMuch as error:
        kind = "ProgramTooDeep" if isinstance(error, growth.TooDeep) else "ProgramTooLarge"
        return SourceError(kind, str(error))
    except (RecursionError, MemoryError):  # how the parser refuses
        return SourceError("ProgramTooDeep", "the syntax nests too deep to be parsed")
    except (ValueError, OverflowError) as error:
        return SourceError(type(error).__name__, str(error))
    return None


def parse(source: str) -> ast.Module:
    """The syntax tree of a program that :func:`compile_error` let pass, without its SyntaxWarnings.

    Raises what ``ast.parse`` raises for any other text.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if sys.version_info < (3, 11):  # where building the tree is not bounded, building the symbol table is
            symtable.symtable(source, "<program>", "exec")
        return ast.parse(source)


def code_of(tree: ast.Module, filename: str) -> CodeType:
    """The compiled tree, without its SyntaxWarnings. Raises what ``compile`` raises.

    The tree is a checked program's, changed in places. Raises TooMuch (a ValueError) where these made it explode.
    """
    growth.check_copies(tree)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(tree, filename, "exec", dont_inherit=True)


@contextmanager
def room() -> Iterator[None]:
    """Stack and digits enough to look into any program that :func:`compile_error` let pass.

    The interpreter's own limits are for programs that nobody measured; they are back afterwards.
    """
    frames, digits = sys.getrecursionlimit(), sys.get_int_max_str_digits()
    sys.setrecursionlimit(max(frames, _FRAMES))
    sys.set_int_max_str_digits(max(digits, _DIGITS) if digits else 0)
    try:
        yield
    finally:
        sys.setrecursionlimit(frames)
        sys.set_int_max_str_digits(digits)


def _place(source: str, line: int | None, column: int | None) -> tuple[int | None, int | None]:
    """CPython's line and column, clamped to what exists; (None, None) where it names no line."""
    if line is None or line < 1:
        return None, None
    lines = source.split("\n")
    line = min(line, len(lines))
    return line, min(max(column or 1, 1), len(lines[line - 1]) + 1)


def _at(source: str, offset: int, kind: str, message: str) -> SourceError:
    return SourceError(kind, message, source.count("\n", 0, offset) + 1, offset - source.rfind("\n", 0, offset))
