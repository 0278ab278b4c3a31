"""Instances of own classes: their data crosses and their behaviour as Python would have made it, never their code."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections import namedtuple
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from egca_plugin.errors import WireError
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.wire import Refusal


def crossed(value: Any, *known: type) -> Any:
    return wire.decode(wire.encode(value, objects=True), classes={one.__name__: one for one in known})


class Node:
    kind = "node"

    def __init__(self, val: Any, next: Any = None) -> None:
        self.val, self.next = val, next

    @property
    def twice(self) -> Any:
        return 2 * self.val

    def push(self) -> None:
        pass


class Slotted:
    __slots__ = ("a", "b")


@dataclasses.dataclass(order=True)
class Pair:
    x: int
    y: int = dataclasses.field(default=0, repr=False)


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: int


class Money(int):
    def __str__(self) -> str:
        return f"${int(self)}"

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


class Words(list):  # type: ignore[type-arg]
    pass


class Table(dict):  # type: ignore[type-arg]
    def __getitem__(self, key: Any) -> Any:
        raise AssertionError


class Point(NamedTuple):
    x: int

    def norm(self) -> int:
        return abs(self.x)


Plain = namedtuple("Plain", "x y")


class Color(enum.Enum):
    RED = 1
    BLUE = (2, 3)


class Level(enum.IntEnum):
    LOW = 1


class Word(str, enum.Enum):
    A = "a"


class Right(enum.Flag):
    READ = 1
    WRITE = 2


class Loud(enum.Enum):
    A = (1, [2])

    def __str__(self) -> str:
        return "A!"

    def shout(self) -> str:
        return "A!"


@pytest.mark.parametrize(
    "value",
    [Pair(1, 2), Frozen(1), {Frozen(1): [Frozen(2)]}, Plain(1, [2]), Color.BLUE, Level.LOW, Word.A,
     Right.READ | Right.WRITE, SimpleNamespace(a=1), Words("ab"), {"deep": [(Pair(1),)]}],
    ids=repr,
)  # fmt: skip
def test_instance_becomes_one_of_the_known_class(value: Any) -> None:
    back = crossed(value, Pair, Frozen, Plain, Color, Level, Word, Right, Words)
    assert type(back) is type(value)
    assert back == value


def test_stand_in_of_an_instance_has_its_attributes_and_its_classs() -> None:
    back = crossed(Node(1, Node(2)))
    assert (type(back).__name__, back.val, back.next.val, back.kind) == ("Node", 1, 2, "node")
    assert not hasattr(back, "previous")
    for name in ("twice", "push"):
        with pytest.raises(Refusal, match=f"'{name}' of the program's own class 'Node'"):
            getattr(back, name)


def test_slots_cross() -> None:
    one = Slotted()
    one.a = 1  # type: ignore[attr-defined]
    for back in (crossed(one), crossed(one, Slotted)):
        assert back.a == 1
        assert not hasattr(back, "b")


def test_stand_ins_of_one_shape_are_of_one_class() -> None:
    """So a program's dataclasses compare with each other, though not with anybody else's."""
    assert crossed(Pair(1)) == crossed(Pair(1)) < crossed(Pair(2))
    assert crossed(Pair(1)) != Pair(1)
    assert repr(crossed(Pair(1, 5))) == "Pair(x=1)"
    assert dataclasses.asdict(crossed(Pair(1))) == {"x": 1, "y": 0}
    assert {crossed(Frozen(1)), crossed(Frozen(1))} == {crossed(Frozen(1))}
    assert crossed(Color.RED) is crossed(Color.RED)
    assert crossed(Color.RED) != crossed(Color.BLUE)
    assert [one.name for one in type(crossed(Color.RED))] == ["RED", "BLUE"]


def test_subclass_of_a_builtin_type_compares_as_its_value() -> None:
    back = crossed(Money(3))
    assert (back == 3, back == 4, isinstance(back, int), type(back) is int) == (True, False, True, False)
    with pytest.raises(Refusal, match="'__str__'"):
        str(back)
    assert crossed(Words("ab")) == ["a", "b"]
    table = crossed(Table(a=1))
    assert table == {"a": 1}
    with pytest.raises(Refusal, match="'__getitem__'"):
        table["a"]


def test_namedtuple_crosses_everywhere_and_its_methods_nowhere() -> None:
    assert wire.decode(wire.encode(Plain(1, 2))).y == 2
    assert wire.decode(wire.encode([Plain(n, n) for n in range(5_000)]))[-1] == (4_999, 4_999)
    with pytest.raises(Refusal, match="'norm'"):
        crossed(Point(1)).norm()


def test_enumerations_are_real() -> None:
    assert crossed(Level.LOW) == 1
    assert crossed(Word.A) == "a"
    both = crossed(Right.READ | Right.WRITE, Right)
    assert Right.READ in both
    loud = crossed(Loud.A)
    assert (loud.name, loud.value) == ("A", (1, [2]))
    for use in (str, lambda one: one.shout()):
        with pytest.raises(Refusal):
            use(loud)


def test_a_member_is_known_by_its_name_unless_it_is_a_number_itself() -> None:
    def named(base: type, value: int) -> Any:
        return base("Shade", {"DARK": value})  # type: ignore[call-arg]

    assert crossed(named(enum.Enum, 5).DARK, ours := named(enum.Enum, 1)) is ours.DARK
    assert crossed(named(enum.IntEnum, 5).DARK, ours := named(enum.IntEnum, 1)) == 5


def test_class_that_is_built_otherwise_is_not_ours() -> None:
    other = dataclasses.make_dataclass("Pair", ["x", "z"])
    assert type(crossed(Pair(1), other)) is not other
    assert type(crossed(Node(1), type("Node", (int,), {}))).__name__ == "Node"


@pytest.mark.parametrize("value", [object(), json, Node, [].__iter__().__class__, {1: object()}])
def test_others_are_refused_by_name(value: Any) -> None:
    with pytest.raises(WireError, match="cannot cross"):
        wire.encode(value, objects=True)


def test_circles_and_long_lists() -> None:
    one = Node(1)
    one.next = [Node(2, one)]
    back = crossed(one)
    assert back.next[0].next is back
    head = None
    for n in range(10_000):
        head = Node(n, head)
    back, count = crossed(head), 0
    while back:
        back, count = back.next, count + 1
    assert count == 10_000


def test_what_would_take_too_long_to_compare_is_refused() -> None:
    node = Node(0)
    for _ in range(60):
        node = Node(node, node)
    with pytest.raises(WireError, match="counted each time"):
        crossed(node)


@pytest.mark.parametrize(
    "error",
    [ValueError("x"), KeyError(-1), OSError(2, "gone"), json.JSONDecodeError("m", "doc", 1), SystemExit(3),
     UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"), StopIteration(4), AssertionError(), RecursionError("deep")],
    ids=repr,
)  # fmt: skip
def test_exceptions_cross_whole(error: Any) -> None:
    back = crossed(error)
    assert (type(back), str(back), back.args) == (type(error), str(error), error.args)
    assert getattr(back, "errno", None) == getattr(error, "errno", None)


def test_exception_of_an_own_class() -> None:
    class Bad(ValueError):
        def __init__(self, code: int) -> None:
            super().__init__(f"code {code}")
            self.code = code

        def __str__(self) -> str:
            return f"bad {self.code}"

    error = Bad(3)
    error.__cause__ = KeyError(1)
    back, mine = crossed(error), crossed(error, Bad)
    assert (type(back).__name__, isinstance(back, ValueError), str(back), back.code) == ("Bad", True, "bad 3", 3)
    assert type(back.__cause__) is KeyError
    assert (type(mine) is Bad, str(mine)) == (True, "bad 3")
