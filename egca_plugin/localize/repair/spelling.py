"""A repair spelled as the candidate spells: the same program, and no more of it changed than need be.

What comes from the reference comes in the reference's manner. ``0 == i % 2`` mended to ``x % 2 == 0`` replaces all of
it, though nothing but ``i`` is wrong; ``0 == x % 2`` is the same comparison. So is ``lambda k: k`` the same function as
``lambda x: x``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from egca_plugin.localize.compare.units import MIRRORED, bag, dice
from egca_plugin.localize.repair.edits import Edit, free_names, renamed
from egca_plugin.localize.trial.compiled import Combination
from egca_plugin.program.nodes import clone, walk

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def as_written(edits: Combination) -> Combination:
    """The edits with what they put in spelled like what they take out; the very same where nothing changes."""
    spelled = tuple(_spelled(edit) for edit in edits)
    return edits if all(a is b for a, b in zip(spelled, edits, strict=True)) else spelled


def _spelled(edit: Edit) -> Edit:
    if edit.old is None or not isinstance(edit.new, ast.AST):
        return edit
    new = like(edit.old, edit.new)
    return edit if new is edit.new else replace(edit, new=new)


def like(old: Any, new: Any) -> Any:
    """``new`` with its comparisons turned and its bound variables named as in ``old``; itself where all is so."""
    if type(old) is not type(new) or not isinstance(new, ast.AST):
        return new
    if isinstance(new, ast.Compare):
        new = _turned(old, new)
    elif isinstance(new, (ast.Lambda, *_COMPREHENSIONS)):
        new = _named(old, new)
    fields = {name: _like_field(old.__dict__.get(name), new.__dict__.get(name)) for name in new._fields}
    if all(value is new.__dict__.get(name) for name, value in fields.items()):
        return new
    copy = clone(new)
    copy.__dict__.update(fields)
    return copy


def _like_field(old: Any, new: Any) -> Any:
    if not isinstance(new, list):
        return like(old, new)
    if not isinstance(old, list) or len(old) != len(new):
        return new
    items = [like(a, b) for a, b in zip(old, new, strict=True)]
    return new if all(a is b for a, b in zip(items, new, strict=True)) else items


def _turned(old: ast.Compare, new: ast.Compare) -> ast.Compare:
    """The comparison read from its other side, where that is more like ``old``."""
    mirrored = MIRRORED.get(type(new.ops[0]))
    if mirrored is None or len(new.ops) > 1 or len(old.ops) > 1:
        return new
    other = clone(new)
    other.left, other.ops, other.comparators = new.comparators[0], [mirrored()], [new.left]
    return other if _likeness(old, other) > _likeness(old, new) else new


def _likeness(a: ast.Compare, b: ast.Compare) -> float:
    sides = dice(bag(a.left), bag(b.left)) + dice(bag(a.comparators[0]), bag(b.comparators[0]))
    return sides + (type(a.ops[0]) is type(b.ops[0]))


def _named(old: ast.expr, new: ast.expr) -> ast.expr:
    """What ``new`` binds for itself, named as ``old`` names it, where no other variable has that name."""
    theirs, ours = list(_bound(new)), list(_bound(old))
    if theirs == ours or len(theirs) != len(ours) or len(set(ours)) < len(ours):
        return new
    taken = {part.id for part in walk(new) if isinstance(part, ast.Name)}
    taken |= {part.arg for part in walk(new) if isinstance(part, ast.arg)}
    around = set() if isinstance(new, ast.Lambda) else free_names(new.__dict__["generators"][0].iter)
    if any(name in taken and name not in theirs for name in ours) or around & set(theirs):
        return new
    return renamed(new, dict(zip(theirs, ours, strict=True)))  # type: ignore[return-value]


def _bound(node: ast.AST) -> Iterator[str]:
    """The variables of a function without a name, or of a comprehension, in the order in which they are bound."""
    if isinstance(node, ast.Lambda):
        if not (node.args.vararg or node.args.kwarg or node.args.kwonlyargs or node.args.posonlyargs):
            yield from (one.arg for one in node.args.args)
        return
    for generator in node.__dict__["generators"]:
        yield from (part.id for part in walk(generator.target) if isinstance(part, ast.Name))
