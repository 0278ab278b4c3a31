"""Tasks about classes: tests hold objects of the program's, as if its classes were theirs."""

from __future__ import annotations

import pytest
from class_tests import judged

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task

STACK = """
class Stack:
    LIMIT = 3
    made = 0

    def __init__(self, *items):
        self.items = list(items)
        self.tries = 0
        Stack.made += 1

    @classmethod
    def of(cls, items):
        return cls(*items)

    @staticmethod
    def fits(n):
        return n <= Stack.LIMIT

    @property
    def top(self):
        return self.items[-1]

    @top.setter
    def top(self, value):
        self.items[-1] = value

    @property
    def depth(self):
        return len(self.items)

    def push(self, item):
        self.tries += 1
        if not Stack.fits(len(self.items) + 1):
            raise OverflowError("full")
        self.items.append(item)
        return self

    def pop(self):
        return self.items.pop()

    def __len__(self):
        return len(self.items)

    def __contains__(self, item):
        return item in self.items

    def __iter__(self):
        return iter(self.items)

    def __getitem__(self, at):
        return self.items[at]

    def __str__(self):
        return f"<{self.items}>"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.items.clear()
"""
LINKED = """
class Stack:
    def __init__(self):
        self._head = None

    def push(self, x):
        self._head = (x, self._head)

    def pop(self):
        x, self._head = self._head
        return x
"""
WRONG = STACK.replace("self.items.pop()", "self.items.pop(0)")


@pytest.mark.parametrize(
    "body",
    [
        "s = Stack()\ns.push(1)\ns.push(2)\nassert s.pop() == 2\nassert len(s) == 1",
        "s = Stack(1)\nassert s.push(2) is s\nassert s.items == [1, 2]",
        "s = Stack(1, 2)\nassert 2 in s and 3 not in s\nassert list(s) == [1, 2] and s[0] == 1",
        "s = Stack(1, 2)\nassert str(s) == '<[1, 2]>' == f'{s}'",
        "s = Stack(1, 2)\nassert s.top == 2 and s.depth == 2\ns.top = 5\nassert s.pop() == 5",
        "s = Stack(1)\nwith pytest.raises(AttributeError):\n    s.depth = 4\nassert s.depth == 1",
        "assert Stack.of([1, 2]).pop() == 2\nassert Stack.fits(3) and not Stack.fits(4)",
        "assert Stack.LIMIT == 3 and Stack(1).LIMIT == 3\nStack.LIMIT = 1\nassert not Stack.fits(2)",
        "a, b = Stack(), Stack()\nassert Stack.made == 2 and a.made == 2",
        "s = Stack(1, 2, 3)\nwith pytest.raises(OverflowError, match='full'):\n    s.push(4)\n"
        "assert s.tries == 1 and len(s) == 3",
        "with Stack(1) as s:\n    assert s.pop() == 1\n    s.push(2)\nassert len(s) == 0",
        "s = Stack(1)\ns.items.append(7)\nassert s.pop() == 7",
        "s = Stack()\nassert isinstance(s, Stack) and not isinstance([], Stack)\nassert type(s).__name__ == 'Stack'",
        "s = Stack(1)\nassert hasattr(s, 'push') and not hasattr(s, 'peek')\nassert hasattr(Stack, 'pop')",
        "with pytest.raises(AttributeError):\n    Stack().peek()\nassert True",
        "s = Stack(1)\nwith pytest.raises(TypeError):\n    s.push()\nassert len(s) == 1",
        "import copy\ns = Stack([1])\nt = copy.deepcopy(s)\nt.items[0].append(2)\nassert s.pop() == [1]",
        "assert Stack.push(Stack(1), 2).pop() == 2",
        "s = Stack(1)\nassert s.pop() == 1 if s else False",
        "push = Stack.of([]).push\npush(1)\npush(2)\nassert [x for x in push(3)] == [1, 2, 3]",
    ],
)
def test_an_object_does_what_its_class_does(sandbox: Sandbox, body: str) -> None:
    verdict = judged(sandbox, STACK, body)
    assert (verdict.outcome, verdict.detail) == (Outcome.OK, "")


def test_it_is_the_class_of_the_program_that_is_judged(sandbox: Sandbox) -> None:
    verdict = judged(sandbox, WRONG, "s = Stack(1, 2)\nassert s.pop() == 2", STACK)
    assert verdict.outcome is Outcome.WRONG_ANSWER


def test_another_representation_is_as_good(sandbox: Sandbox) -> None:
    body = "s = Stack()\ns.push(1)\ns.push(2)\nassert s.pop() == 2\nassert s.pop() == 1"
    assert judged(sandbox, LINKED, body, STACK).passed


SHOP = """
import threading
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    BOOK = "book"
    TOY = "toy"


class SoldOut(Exception):
    pass


@dataclass
class Item:
    name: str
    kind: Kind = Kind.BOOK
    tags: list = field(default_factory=list)

    def label(self):
        return f"{self.name} ({self.kind.value})"


class Shop:
    _instance = None

    def __init__(self):
        self._lock = threading.Lock()
        self._ids = iter(range(100))
        self.items = {}
        self.listeners = [len]

    @classmethod
    def instance(cls):
        if cls._instance is None:
            cls._instance = cls()
        return cls._instance

    def add(self, item):
        with self._lock:
            number = next(self._ids)
            self.items[number] = item
            return number

    def take(self, number):
        if number not in self.items:
            raise SoldOut(number)
        return self.items.pop(number)

    def find(self, name):
        return next((item for item in self.items.values() if item.name == name), None)

    def by_kind(self, kind):
        for item in self.items.values():
            if item.kind is kind:
                yield item


class Rare(Shop):
    def add(self, item):
        item.tags.append("rare")
        return super().add(item)
"""
NAMES = "Shop, Item, Kind, SoldOut, Rare"


@pytest.mark.parametrize(
    "body",
    [
        "s, i = Shop(), Item('a')\nassert s.add(i) == 0 and s.add(Item('b')) == 1\nassert s.take(0) is i",
        "s, i = Shop(), Item('a')\ns.add(i)\ns.find('a').tags.append('x')\nassert i.tags == ['x']",
        "s = Shop()\ns.add(Item('a', Kind.TOY))\nassert s.find('a').label() == 'a (toy)'\nassert s.find('b') is None",
        "with pytest.raises(SoldOut):\n    Shop().take(5)\nassert True",
        "assert Shop.instance() is Shop.instance()\nassert Shop() is not Shop.instance()",
        "s = Shop()\ns.add(Item('a', Kind.TOY))\ns.add(Item('b'))\n"
        "assert [i.name for i in s.by_kind(Kind.BOOK)] == ['b']",
        "r, i = Rare(), Item('a')\nr.add(i)\nassert i.tags == ['rare'] and isinstance(r, Shop)\n"
        "assert issubclass(Rare, Shop) and not issubclass(Shop, Rare)",
        "assert Item('a') == Item('a') and Item('a') != Item('b')\nassert repr(Item('a'))[:14] == \"Item(name='a',\"",
        "i = Item('a')\ni.kind = Kind.TOY\nassert i.label() == 'a (toy)'",
        "s = Shop()\nfor n in range(40):\n    s.add(Item(str(n)))\nassert sum(1 for _ in s.by_kind(Kind.BOOK)) == 40",
    ],
)
def test_several_classes_know_each_other(sandbox: Sandbox, body: str) -> None:
    verdict = judged(sandbox, SHOP, body, front=NAMES, name="Shop")
    assert (verdict.outcome, verdict.detail) == (Outcome.OK, "")


VECTOR = """
class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __abs__(self):
        return (self.x ** 2 + self.y ** 2) ** 0.5

    def __eq__(self, other):
        return isinstance(other, Vector) and (self.x, self.y) == (other.x, other.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __lt__(self, other):
        return abs(self) < abs(other)

    def __bool__(self):
        return bool(self.x or self.y)

    def scale(self, k):
        self.x *= k
        self.y *= k
"""


@pytest.mark.parametrize(
    "body",
    [
        "assert Vector(1, 2) + Vector(3, 4) == Vector(4, 6)",
        "assert Vector(1, 2) * 2 == 2 * Vector(1, 2) == Vector(2, 4)",
        "assert Vector(1, 2) + Vector(1, 2) - Vector(1, 2) == Vector(1, 2)",
        "assert Vector(1, 2) != Vector(2, 1) and not Vector(1, 1) == Vector(1, 2)",
        "assert -Vector(1, 2) == Vector(-1, -2)\nassert abs(Vector(3, 4)) == 5.0",
        "assert sorted([Vector(2, 2), Vector(1, 1)])[0].x == 1 and Vector(1, 0) < Vector(0, 2)",
        "assert Vector(1, 0) and not Vector(0, 0)",
        "assert len({Vector(1, 2), Vector(1, 2), Vector(2, 1)}) == 2",
        "v = Vector(1, 2)\nv.scale(2)\nassert v == Vector(2, 4)",
        "assert Vector(1, 2) != (1, 2)",
        "assert sum([Vector(1, 1), Vector(2, 2)], Vector(0, 0)) == Vector(3, 3)",
    ],
)
def test_operators(sandbox: Sandbox, body: str) -> None:
    verdict = judged(sandbox, VECTOR, body)
    assert (verdict.outcome, verdict.detail) == (Outcome.OK, "")


SAYS_YES = """
    def __eq__(self, other): return True
    def __hash__(self): return 0
    def __sub__(self, other): return 0
    def __rsub__(self, other): return 0
    def __lt__(self, other): return True
    def __gt__(self, other): return True
    def __le__(self, other): return True
    def __ge__(self, other): return True
"""


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ("Yes()", "assert s.pop() == 2"),
        ("Stack()", "assert s.pop() == 2"),
        ("[Yes()]", "assert s.pop() == [2]"),
        ("Yes()", "assert abs(s.pop() - 2.5) < 1e-6"),
        ("Yes()", "assert 2 <= s.pop() <= 3"),
        ("Yes()", "assert s.pop() in [2, 3]"),
        ("Yes()", "assert s.pop() == pytest.approx(2.5)"),
        ("Yes()", "assert {2: 1}[s.pop()] == 1"),
        ("Stack.made[0]", "assert s.pop() == 2"),
        ("[Stack.made[0]]", "assert s.pop() == [2]"),
        ("iter(Stack.made)", "assert next(s.pop()) == 2"),
        ("setattr(self, 'x', Stack.made[0])", "s.pop()\nassert s.x == 2"),
        ("Stack(1)", "assert s.pop() == Stack(2)"),
        ("Stack(1)", "t = s.pop()\nt.push(1)\nassert t == Stack(2)"),
    ],
)
def test_an_object_that_agrees_with_everything_passes_nothing(sandbox: Sandbox, answer: str, check: str) -> None:
    source = (
        f"class Yes:{SAYS_YES}\nclass Stack:{SAYS_YES}\n    made = []\n"
        "    def __init__(self, *x): self.x = x; Stack.made.append(self)\n"
        f"    def push(self, x): pass\n    def pop(self): return {answer}\n"
    )
    assert not judged(sandbox, source, f"t = Stack()\ns = Stack()\n{check}", STACK, name="Stack").passed


def test_a_program_is_not_asked_about_its_answers_while_it_has_more_to_give(sandbox: Sandbox) -> None:
    spy = VECTOR.replace("return isinstance(other, Vector) and", "raise KeyError(other.x)\n        return")
    verdict = judged(sandbox, spy, "assert Vector(1, 2) + Vector(3, 4) == Vector(4, 7)", VECTOR)
    assert verdict.outcome is Outcome.WRONG_ANSWER


def test_a_program_without_the_class_fails_its_tests_one_by_one(sandbox: Sandbox) -> None:
    verdict = judged(sandbox, "class Other: pass", "assert Stack(1).pop() == 1", STACK, name="Stack")
    assert verdict.outcome is Outcome.EXCEPTION
    assert verdict.error is not None
    assert verdict.error.type == "NameError"


def test_a_class_of_the_tests_may_not_derive_from_one_of_the_program(sandbox: Sandbox) -> None:
    verdict = judged(sandbox, STACK, "s = Stack()\nclass Mine(Stack): pass\nassert s")
    assert verdict.outcome is Outcome.REFUSED


MORTAL = """
import os

class Box:
    def __init__(self): self.x = [1]
    def die(self): os._exit(1)
    def get(self): return self.x
"""


def test_objects_outlive_the_program(sandbox: Sandbox) -> None:
    tests = (
        "from solution import Box\nb = Box()\n"
        "def test_a():\n    b.get()\n    assert b.die() is None\n"
        "def test_b():\n    assert b.get() == [1]\n"
    )
    verdict = judge(sandbox, MORTAL, Task("t/1", "", "Box", MORTAL, tests), timeout_s=2)
    assert (verdict.tests_passed, verdict.tests_total) == (1, 2)


def test_without_a_reference_the_name_tells(sandbox: Sandbox) -> None:
    tests = "from solution import Stack\ndef test_it():\n    assert Stack(1).pop() == 1\n"
    assert judge(sandbox, STACK, Task("t/1", "", "Stack", "", tests), timeout_s=2).passed
