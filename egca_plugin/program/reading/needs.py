"""Names that a program uses and never binds, and the blocks of the completion that give them."""

from __future__ import annotations

import ast
import builtins
import sys
from functools import reduce

from egca_plugin.program.nodes import walk
from egca_plugin.program.reading.drafts import Draft
from egca_plugin.program.reading.excerpts import ends
from egca_plugin.program.reading.runs import Run
from egca_plugin.program.reading.sheet import Sheet
from egca_plugin.program.reading.target import Target

_GIVEN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__annotations__", "__builtins__", "__class__"}

_LIBRARIES = sys.stdlib_module_names | {"numpy"}
_MAX_ROUNDS = 4  # of looking for what the blocks that were found need themselves
_MAX_NAMES = 32
_MAX_EARLIER = 8  # blocks that are asked whether they have all of a helper


def with_needed(sheet: Sheet, found: Draft) -> Draft:
    """The program with the blocks, in the completion's order, that bind what it uses and binds nowhere.

    Other blocks (usage, output, drafts) stay out. Where all of it does not compile, the program stays as it was.
    """
    sampled = [part for part in found.parts if not isinstance(part, str)]
    if not sampled:
        return found
    start, end = sampled[0][0], sampled[-1][1]
    others = [run for run in sheet.runs if (run.block.end <= start or run.block.start >= end) and sheet.is_code(run)]
    taken: set[int] = set()
    joined = found
    for _ in range(_MAX_ROUNDS if others else 0):
        tree = sheet.compiler.tree(joined)
        names = sorted(missing(tree))[:_MAX_NAMES] if tree is not None else []
        wanted = {index for name in names if (index := _giving(sheet, others, name, end)) is not None} - taken
        if not wanted:
            break
        taken |= wanted
        before = [sheet.draft(others[at]) for at in sorted(taken) if others[at].block.start < start]
        behind = [sheet.draft(others[at]) for at in sorted(taken) if others[at].block.start >= end]
        longer = reduce(Draft.followed_by, [*before, found, *behind])
        if not sheet.compiler.accepts(longer):
            break
        joined = longer
    return joined


def imports_for(sheet: Sheet, found: Draft, setup: str) -> str:
    """The imports of the tests' ``setup`` that bind what the program uses and binds nowhere: run in one namespace, as
    those who wrote both did, it has them."""
    tree = sheet.compiler.tree(found) if "import" in setup else None
    names = missing(tree) if tree is not None else frozenset()
    try:
        given = ast.parse(setup) if names else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ""
    wanted = [one for one in given.body if isinstance(one, ast.Import | ast.ImportFrom) and _is_of_a_library(one)]
    return "".join(
        f"{ast.unparse(one)}\n" for one in wanted if names & {name for alias in one.names for name in _bound(alias)}
    )


def _is_of_a_library(node: ast.Import | ast.ImportFrom) -> bool:
    """Not of the program itself, which tests import by some name."""
    modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    return all(module.partition(".")[0] in _LIBRARIES for module in modules)


def _giving(sheet: Sheet, others: list[Run], name: str, end: int) -> int | None:
    """The last block that binds the name; one behind the answer must not define the entry point anew.

    A sketch or the first lines of a function are taken only where nothing else gives it.
    """
    sketch: int | None = None
    for index in range(len(others) - 1, -1, -1):
        run = others[index]
        if sheet.completion.find(name, run.block.start, run.block.end) < 0:
            continue
        tree = sheet.compiler.tree(sheet.draft(run))
        if tree is not None and name in binds(tree) and (run.block.start < end or not sheet.defines(run)):
            if not _is_sketch(sheet, run, others[:index], Target(name)):
                return index
            sketch = index if sketch is None else sketch
    return sketch


def _is_sketch(sheet: Sheet, run: Run, earlier: list[Run], helper: Target) -> bool:
    """Whether the block's function has no body, or not all of the body that an earlier block gives it."""
    source = sheet.source(run)
    if not helper.definitions(source):
        return False
    return helper.is_stub(source) or any(
        sheet.code(run).is_part_of(sheet.code(other)) and not ends(helper, source) & ends(helper, sheet.source(other))
        for other in earlier[-_MAX_EARLIER:]
    )


def missing(tree: ast.Module) -> frozenset[str]:
    """Names that are read somewhere and bound nowhere, not even in another scope."""
    read: set[str] = set()
    bound: set[str] = set()
    for node in walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            read.add(node.id)
        else:
            bound.update(_bound(node))
    return frozenset(read - bound - _GIVEN)


def binds(tree: ast.Module) -> frozenset[str]:
    """Names that the module's own statements bind, those under ``if``, ``try``, ``for`` and ``with`` included."""
    names: set[str] = set()
    pending: list[ast.AST] = list(tree.body)
    while pending:
        node = pending.pop()
        names.update(_bound(node))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            pending.extend(ast.iter_child_nodes(node))
    return frozenset(names)


def _bound(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            return (name,)
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return (name,)
        case ast.arg(arg=name) | ast.MatchMapping(rest=str(name)):
            return (name,)
        case ast.alias(name=name, asname=asname):
            return (asname or name.split(".")[0],)
        case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            return (name,)
        case ast.Global(names=names):
            return tuple(names)
    return ()
