"""A program whose sets are gone through the other way round: what changes with that, no test may fix.

Another hash seed shows it for sets of texts; integers have the same order in every process.
"""

from __future__ import annotations

import ast

_PRELUDE = """
def __egca_backwards(base):
    class Meta(type):
        def __instancecheck__(cls, one):
            return isinstance(one, base)
    class Backwards(base, metaclass=Meta):
        def __iter__(self):
            return iter(list(base.__iter__(self))[::-1])
        def pop(self):
            if not self:
                raise KeyError("pop from an empty set")
            one = next(iter(self))
            self.remove(one)
            return one
    def kept(method):
        def same(self, *args):
            made = method(self, *args)
            return made if made is NotImplemented else Backwards(made)
        return same
    for name in ("and", "or", "sub", "xor", "rand", "ror", "rsub", "rxor"):
        setattr(Backwards, f"__{name}__", kept(getattr(base, f"__{name}__")))
    for name in ("union", "intersection", "difference", "symmetric_difference", "copy"):
        setattr(Backwards, name, kept(getattr(base, name)))
    Backwards.__name__ = Backwards.__qualname__ = base.__name__
    return Backwards
set, frozenset = __egca_backwards(set), __egca_backwards(frozenset)
"""


def backwards(source: str) -> str | None:
    """The program, or None where it makes no set."""
    tree = ast.parse(source)
    named = any(isinstance(node, ast.Name) and node.id in ("set", "frozenset") for node in ast.walk(tree))
    literals = _Literals()
    tree = ast.fix_missing_locations(literals.visit(tree))
    return _PRELUDE + ast.unparse(tree) if named or literals.found else None


class _Literals(ast.NodeTransformer):
    """``{a, b}`` and ``{x for ...}`` as calls of ``set``."""

    def __init__(self) -> None:
        self.found = False

    def _made(self, content: ast.expr) -> ast.expr:
        self.found = True
        return ast.Call(ast.Name("set", ast.Load()), [content], [])

    def visit_Set(self, node: ast.Set) -> ast.expr:
        self.generic_visit(node)
        return self._made(ast.List(node.elts, ast.Load()))

    def visit_SetComp(self, node: ast.SetComp) -> ast.expr:
        self.generic_visit(node)
        return self._made(ast.GeneratorExp(node.elt, node.generators))
