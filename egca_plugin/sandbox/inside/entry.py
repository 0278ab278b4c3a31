"""What a call calls: a function of the program, or something of one of its classes.

    f             the function
    Solution.f    the method, of a fresh instance
    .f            the method of the first argument
    .f?  .f=      that attribute of the first argument, to be read or set
    Solution.f?  Solution.f=    that of the class
    Solution!     whether the first argument is an instance of the class, or a class derived from it
    DRAW          the next items of an iterator, the first argument: so many as the second says
    SKIP          nothing, and None
    SESSION       several of these, one after the other: see session()

Standard library only: this runs in the candidate's process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

READ, SET, IS, DRAW, SKIP = "?", "=", "!", "#", "-"
SESSION = "__egca_session__"
VALUE, STEP, MEMBER, LIST, TUPLE = "vrmlt"  # what an argument of a step is told as
RAISED = "raised"
MAX_SHOWN = 1_000  # items of one value
MAX_WITHIN, MAX_PATH = 100, 3  # of what a result holds, and how deep
_VALUES = (int, float, complex, str, bytes, tuple, frozenset, BaseException)  # which object they are does not count
PLAIN = (type(None), bool, int, float, complex, str, bytes)
_TOLD = ("datetime", "decimal", "fractions")  # modules whose values are told by their text


def find(namespace: Mapping[str, Any], name: str) -> Callable[..., Any]:
    """What is called by ``name``. A program that has no class ``Solution``, or none with that method, may have a
    function ``f`` in its place.

    Raises NameError or AttributeError, and whatever the constructor raises.
    """
    if name == SESSION:
        return lambda steps: session(namespace, steps)
    if name in (DRAW, SKIP):
        return _drawn if name == DRAW else lambda: None
    if name[-1:] == IS:
        kind = _of(namespace, name[:-1])
        return lambda value: issubclass(value, kind) if isinstance(value, type) else isinstance(value, kind)
    if not name:
        return lambda thing, /, *args, **kwargs: thing(*args, **kwargs)
    owner, _, last = name.rpartition(".")
    if last[-1:] in (READ, SET):
        return _attribute(last[:-1], last[-1], *([_of(namespace, owner)] if owner else []))
    if name == ".__exit__":
        return _leave
    if name[:1] == ".":
        return lambda instance, /, *args, **kwargs: getattr(instance, last)(*args, **kwargs)
    if owner and owner in namespace and (hasattr(namespace[owner], last) or last not in namespace):
        found: Callable[..., Any] = getattr(namespace[owner](), last)
        return found
    function: Callable[..., Any] = _of(namespace, last, owner or last)
    return function


def _of(namespace: Mapping[str, Any], name: str, missed: str = "") -> Any:
    if name not in namespace:
        raise NameError(f"name {missed or name!r} is not defined")
    return namespace[name]


def _attribute(name: str, what: str, *owner: Any) -> Callable[..., Any]:
    """Of ``owner``, where there is one, else of the first argument."""

    def reading(instance: Any) -> Any:
        return getattr(instance, name)

    def setting(instance: Any, value: Any) -> None:
        setattr(instance, name, value)

    function: Callable[..., Any] = reading if what == READ else setting
    return (lambda *args: function(*owner, *args)) if owner else function


def _leave(instance: Any, kind: Any, error: Any, trace: Any) -> Any:
    """A ``with`` block of the tests ends, by an ``error`` or not; what else is told of that is made here."""
    return instance.__exit__(None if error is None else type(error), error, None)


def _drawn(iterator: Any, count: int) -> tuple[tuple[Any, ...], bool, Any]:
    """The items, whether these were the last, and what it returned then."""
    items: list[Any] = []
    try:
        while len(items) < count:
            items.append(next(iterator))
    except StopIteration as end:
        return tuple(items), True, end.value
    return tuple(items), False, None


# --- sessions ---


def session(namespace: Mapping[str, Any], steps: Any) -> list[Any]:
    """Calls as tests made them of a program with classes, ``(name, args, kwargs)`` each, and what each of them gave.

    An argument is ``(VALUE, v)``, the result of an earlier step ``(STEP, its number)`` or what that holds
    ``(STEP, its number, *path)``, a class ``(MEMBER, its name)`` or a member of an enumeration ``(MEMBER, the class's
    name, its own)``, or a LIST or TUPLE of these.
    """
    results: dict[Any, Any] = {}
    told: list[Any] = []
    held: list[Any] = []

    def given(kind: str, what: Any, *rest: Any) -> Any:
        if kind == VALUE:
            return what
        if kind == STEP:
            return results[(what, *rest)]
        if kind == MEMBER:
            return getattr(namespace[what], *rest) if rest else namespace[what]
        items = [given(*one) for one in what]
        return items if kind == LIST else tuple(items)

    for name, args, kwargs in steps:
        try:
            given_args = [given(*one) for one in args]
            result = find(namespace, name)(*given_args, **{key: given(*one) for key, one in kwargs.items()})
            what = shown(result, held)
        except Exception as err:  # noqa: BLE001 - the boundary: whatever the program raises is its answer
            result, what = None, (RAISED, type(err).__name__)
        results |= {(len(told), *path): thing for path, thing in within(result)}
        told.append(what)
    return list(numbered(told, {}))


def within(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """``value`` and what its lists, tuples and dicts hold, each behind the keys that lead to it."""
    yield path, value
    kind = type(value)
    if len(path) < MAX_PATH and kind in (list, tuple, dict):
        items = value.items() if kind is dict else enumerate(value)
        for (key, one), _ in zip(items, range(MAX_WITHIN)):  # noqa: B905 - as many as there are
            if type(one) not in PLAIN and type(key) in PLAIN:
                yield from within(one, (*path, key))


def numbered(told: Any, numbers: dict[int, int]) -> Any:
    """What was shown, each object by when it was first met in the place of its id."""
    match told:
        case [*items] if type(told) is list:
            return [numbered(one, numbers) for one in items]
        case ("object", str(kind), int(number)):
            return "object", kind, numbers.setdefault(number, len(numbers))
        case tuple():
            return tuple(numbered(one, numbers) for one in told)
    return told


def shown(value: Any, held: list[Any]) -> Any:
    """A result as data that two programs with other classes have alike: of an object the name of its class, and which
    it is (see :func:`numbered`). Those are ``held``, so that their ids remain theirs."""
    kind = type(value)
    if kind in PLAIN:
        return value
    if kind in (list, tuple, set, frozenset):
        items = [shown(one, held) for one, _ in zip(value, range(MAX_SHOWN))]  # noqa: B905 - as many as there are
        return items if kind is list else tuple(items) if kind is tuple else sorted(items, key=_spelled)
    if kind is dict:
        return [(shown(key, held), shown(one, held)) for key, one in value.items()]
    if hasattr(kind, "__members__"):
        return kind.__name__, value._name_
    if kind.__module__ in _TOLD:
        return _spelled(value)
    if hasattr(kind, "__next__") or callable(value):
        return "iterator" if hasattr(kind, "__next__") else "function", ""
    if isinstance(value, _VALUES):
        return "object", kind.__name__
    held.append(value)
    return "object", kind.__name__, id(value)


def _spelled(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:  # an integer of more digits than Python prints
        return type(value).__name__
