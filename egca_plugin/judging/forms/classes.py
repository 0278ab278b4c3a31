"""The program's classes in the tests' hands, and whether a task is about classes. Pure: nothing is executed here."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from egca_plugin.judging.forms.names import FUNCTIONS, called, own_scope

_EXCEPTION = re.compile(r"(Error|Exception|Warning)$")
_VALUE = re.compile(r"(Error|Exception|Warning|Enum|Flag|TypedDict)$")
_CLASS = re.compile(r"[A-Z]\w*[a-z]\w*")
_RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex"})
_DEFINED = re.compile(r"^[ \t]*class[ \t]+(\w+)", re.M)
_RECORDS = frozenset(  # the methods of classes that hold data and do nothing
    f"__{name}__" for name in ("init", "post_init", "repr", "str", "eq", "ne", "lt", "le", "gt", "ge", "hash")
)


def named_by(
    tests: Sequence[ast.Module], entry_point: str, reference: str, wanted: frozenset[str], given: str
) -> frozenset[str]:
    """The program's classes that tests make, call and look into; empty where the task is about functions alone.

    They are the entry point, or those among ``wanted``, what tests import or use without a definition, which do more
    than hold data; else those whose methods the tests call. Not what ``given`` defines, the source that programs are
    shown or begin with. Without a reference the way that names are written tells what is a class: ``Node``, and ``BST``
    where it is called.
    """
    entry = frozenset([entry_point] if is_class(entry_point, reference) else ())
    if not reference:
        made = called(tests)
        return entry | frozenset(name for name in wanted if _CLASS.fullmatch(name) or (name.isupper() and name in made))
    module = _parsed(reference)
    known = {*_DEFINED.findall(given), entry_point.partition(".")[0]}
    acting = {name: methods for name, methods in behaviour(module).items() if name not in known}
    named = entry or frozenset(acting) & wanted
    if named:
        return named | (classes_in(module) & wanted)
    read = {node.attr for tree in tests for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return frozenset(name for name, methods in acting.items() if methods & read)


def exceptions_in(tests: Sequence[ast.Module], wanted: frozenset[str]) -> frozenset[str]:
    """Those among ``wanted`` that the tests expect to be raised, or that are named as exceptions are."""
    found = {name for name in wanted if _EXCEPTION.search(name)}
    for tree in tests:
        for node in ast.walk(tree):
            match node:
                case ast.ExceptHandler(type=ast.expr() as kinds):
                    found |= _names(kinds)
                case ast.Call(ast.Name(by) | ast.Attribute(_, by), [kinds, *_]) if by in _RAISES:
                    found |= _names(kinds)
    return frozenset(found & wanted)


def classes_in(module: ast.Module) -> frozenset[str]:
    """Those that it defines itself, but for exceptions and enumerations: these are values, and cross as such."""
    found: dict[str, list[str]] = {}
    for node in own_scope(module):
        if isinstance(node, ast.ClassDef):
            found[node.name] = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
    values: set[str] = set()
    for name, bases in found.items():  # in order, so that what one derives from is known
        if any(base in values or _VALUE.search(base) for base in bases):
            values.add(name)
    return frozenset(found.keys() - values)


def behaviour(module: ast.Module) -> dict[str, frozenset[str]]:
    """The methods of those of its classes that do more than hold what they are given.

    What tests can do with the others hangs on their attributes alone, which every right program has under these names.
    """
    own, found = classes_in(module), dict[str, frozenset[str]]()
    for node in own_scope(module):
        if isinstance(node, ast.ClassDef) and node.name in own:
            inherited = [found.get(ast.unparse(base), frozenset()) for base in node.bases]
            methods = {part.name for part in node.body if isinstance(part, FUNCTIONS)} - _RECORDS
            if methods.union(*inherited):
                found[node.name] = frozenset(methods.union(*inherited))
    return found


def is_class(entry_point: str, reference: str) -> bool:
    """Whether the entry point is a class: of the reference, or where there is none by the way that it is written."""
    if not reference:
        return entry_point[:1].isupper() and "." not in entry_point
    if not entry_point or entry_point not in reference:
        return False
    return entry_point in classes_in(_parsed(reference))


def keeps_state(reference: str) -> bool:
    """Whether it changes what lasts from test to test: attributes of its classes, or globals."""
    module = _parsed(reference)
    lasting = {"cls", *classes_in(module)}
    return any(
        isinstance(node, ast.Global)
        or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_one_of(node.value, lasting))
        for node in ast.walk(module)
    )


def _names(kinds: ast.expr) -> set[str]:
    return {node.id for node in ast.walk(kinds) if isinstance(node, ast.Name)}


def _is_one_of(owner: ast.expr, classes: set[str]) -> bool:
    """One of the classes, ``type(self)`` or ``self.__class__``."""
    if isinstance(owner, ast.Name):
        return owner.id in classes
    called = isinstance(owner, ast.Call) and isinstance(owner.func, ast.Name) and owner.func.id == "type"
    return called or (isinstance(owner, ast.Attribute) and owner.attr == "__class__")


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # judging says what is wrong with it
        return ast.Module([], [])
