"""Does this text compile? Asked in the trusted process, of hostile text, so every bound is ours and comes first.

CPython documents that its parser and compiler may crash on pathological nesting. Before it sees a text we therefore
bound the depth of any syntax tree the text could have (:func:`depth_bound`), by one linear pass over its tokens.
Compiling never runs anything: constant folding is bounded by CPython itself (128-bit integers, 4096-character strings).
"""

from __future__ import annotations

import ast
import re
import warnings
from types import CodeType

from egca_plugin.types import SourceError

MAX_CHARS = 200_000
MAX_DEPTH = 150  # what ast.unparse and other recursive visitors handle within the default recursion limit

_TOKEN = re.compile(
    r"""
      (?P<skip>\#[^\n]* | \\\r?\n | \d\w*(?:\.\d*)? )
    | (?P<prefix>[A-Za-z]{0,3})
      (?P<string> \"\"\"(?:\\.|[^\\])*?(?:\"\"\"|\Z) | '''(?:\\.|[^\\])*?(?:'''|\Z)
                | "(?:\\.|[^"\\\n])*(?:"|(?=\n)|\Z)  | '(?:\\.|[^'\\\n])*(?:'|(?=\n)|\Z) )
    | (?P<word>[^\W\d]\w*)
    | (?P<open>[(\[{]) | (?P<close>[)\]}]) | (?P<comma>,) | (?P<end>[;\n])
    | (?P<operator>\*\*|//|<<|>>|[-+*/%@&|^~.])
    """,
    re.VERBOSE | re.DOTALL,
)
_NESTING_WORDS = frozenset({"not", "await", "if"})
_NESTING = re.compile(r"[-+*/%@&|^~.(\[{<>]|\b(?:not|await|if|lambda)\b")


def compile_error(source: str) -> SourceError | None:
    """Why ``source`` is not a program, or None when CPython compiles it. Never raises, never runs it.

    ``type`` is CPython's exception, or ``ProgramTooLarge``, ``ProgramTooDeep`` where a bound of ours refused it.
    """
    if len(source) > MAX_CHARS:
        return SourceError("ProgramTooLarge", f"{len(source)} characters, at most {MAX_CHARS} are read")
    if "\0" in source:  # versions of CPython differ in class and position; agree on one
        return _at(source, source.index("\0"), "SyntaxError", "the source contains a null byte")
    depth = depth_bound(source)
    if depth > MAX_DEPTH:
        return SourceError("ProgramTooDeep", f"the syntax may nest {depth} deep, at most {MAX_DEPTH} is parsed")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a SyntaxWarning is the candidate's matter, even under -W error
            compile(source, "<program>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return SourceError(type(error).__name__, error.msg, *_place(source, error.lineno, error.offset))
    except UnicodeEncodeError as error:
        return _at(source, error.start, type(error).__name__, error.reason)
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return SourceError(type(error).__name__, str(error))
    return None


def parse(source: str) -> ast.Module:
    """The syntax tree of a program that :func:`compile_error` let pass, without its SyntaxWarnings.

    Raises what ``ast.parse`` raises for any other text.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def code_of(tree: ast.Module, filename: str) -> CodeType:
    """The compiled tree, without its SyntaxWarnings. Raises what ``compile`` raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(tree, filename, "exec", dont_inherit=True)


def depth_bound(source: str) -> int:
    """An upper bound of the depth of the syntax tree of ``source``; stops counting above MAX_DEPTH. Linear time.

    Trees grow deep in four ways only: indented blocks, ``elif`` chains, brackets, and chains of operators, attributes,
    calls or prefix words inside one element of one bracket. The bound adds the four up where they coincide. What is
    inside an f-string counts, and so do the plain strings of a statement that has one (3.12 lets quotes nest there).
    """
    deepest, chains, lambdas = 0, [0], [0]
    elifs: dict[int, int] = {}
    blocks, formatted, at_start = 0, False, True
    for token in _TOKEN.finditer(source):
        kind, text = token.lastgroup, token.group()
        if kind == "end":
            if text == ";" or len(chains) == 1:
                chains, lambdas, formatted, at_start = [0], [0], False, text == "\n"
            continue
        if kind != "skip" and at_start:
            at_start = False
            blocks = _blocks(elifs, token.start() - source.rfind("\n", 0, token.start()) - 1, text)
        if kind == "open":
            chains[-1] += 1
            chains.append(0)
            lambdas.append(0)
        elif kind == "close" and len(chains) > 1:
            chains.pop()
            lambdas.pop()
        elif kind == "comma":
            chains[-1] = 0
        elif kind == "operator" or text in _NESTING_WORDS:
            chains[-1] += 1
        elif text == "lambda":  # its commas separate parameters, they do not end it
            lambdas[-1] += 1
        elif kind == "string":
            formatted = formatted or "f" in token["prefix"].lower()
            if formatted:
                chains[-1] += len(_NESTING.findall(text))
        deepest = max(deepest, blocks + sum(chains) + sum(lambdas))
        if deepest > MAX_DEPTH:
            break
    return deepest


def _blocks(elifs: dict[int, int], indent: int, word: str) -> int:
    """Block depth at a logical line: one a level of indentation seen open, plus the ``elif`` chains it stands in."""
    for deeper in [level for level in elifs if level > indent]:
        del elifs[deeper]
    if word == "elif":
        elifs[indent] = elifs.get(indent, 1) + 1
    elif word != "else" or indent not in elifs:
        elifs[indent] = 1
    return sum(elifs.values())


def _place(source: str, line: int | None, column: int | None) -> tuple[int | None, int | None]:
    """CPython's line and column, clamped to what exists; (None, None) where it names no line."""
    if line is None or line < 1:
        return None, None
    lines = source.split("\n")
    line = min(line, len(lines))
    return line, min(max(column or 1, 1), len(lines[line - 1]) + 1)


def _at(source: str, offset: int, kind: str, message: str) -> SourceError:
    return SourceError(kind, message, source.count("\n", 0, offset) + 1, offset - source.rfind("\n", 0, offset))
