"""Objects that a program has answered or changed, and what else tests of classes do with them."""

from __future__ import annotations

import class_tests
import pytest

from egca_plugin.judging.likeness import alike
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Verdict

VECTOR = """
class Vector:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y)

    def __neg__(self):
        return Vector(-self.x, -self.y)

    def __eq__(self, other):
        return isinstance(other, Vector) and (self.x, self.y) == (other.x, other.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __lt__(self, other):
        return self.x ** 2 + self.y ** 2 < other.x ** 2 + other.y ** 2

    def scale(self, k):
        self.x *= k
        self.y *= k

    def __iadd__(self, k):
        self.x += k
        return self

    def half(self):
        return Vector(self.x / 2, self.y / 2)

    def parts(self):
        return [Vector(self.x, 0), Vector(0, self.y)]

    def same(self, other):
        return self == other


class Named:
    def __init__(self, name, other):
        self.name, self.other = name, other

    def __eq__(self, other):
        return self.name == other.name

    def __hash__(self):
        return hash(self.name)
"""


def judged(sandbox: Sandbox, source: str, body: str, reference: str = "", name: str = "Vector") -> Verdict:
    """Before the test ``body`` stands an import of all that the program defines."""
    return class_tests.judged(sandbox, source, body, reference, front="*", name=name)


@pytest.mark.parametrize(
    "body",
    [
        "assert Vector(2, 4).half() == Vector(1, 2)",
        "assert Vector(1, 2) + Vector(1, 1) != Vector(2, 4)\nassert not Vector(1, 2) + Vector(1, 1) == Vector(2, 4)",
        "v = Vector(1, 2)\nv.scale(2)\nassert v in [Vector(1, 2), Vector(2, 4)] and v not in [Vector(1, 2)]",
        "assert len(set(Vector(1, 1).parts() + Vector(1, 1).parts())) == 2",
        "assert Vector(1, 2).parts()[0] in {Vector(1, 0)} and {Vector(0, 2): 'y'}[Vector(1, 2).parts()[1]] == 'y'",
        "assert sorted(Vector(3, 2).parts())[0] == Vector(0, 2) == min(Vector(3, 2).parts())",
        "assert -Vector(1, 2) != 5",
        "v = Vector(1, 2)\nv += 1\nv += 2\nassert v == Vector(4, 2)",
        "v, w = Vector(1, 2), Vector(-1, 2)\nassert hash(v) and v != w and v.same(w) is False\n"
        "assert Named('a', 1) == Named('a', 2) and len({Named('a', 1), Named('a', 2)}) == 1",
    ],
)
def test_answers_are_compared_by_their_data(sandbox: Sandbox, body: str) -> None:
    verdict = judged(sandbox, VECTOR, body)
    assert (verdict.outcome, verdict.detail) == (Outcome.OK, "")


def test_a_wrong_answer_is_one(sandbox: Sandbox) -> None:
    wrong = VECTOR.replace("self.x + other.x", "self.x - other.x")
    verdict = judged(sandbox, wrong, "assert Vector(1, 2) + Vector(3, 4) == Vector(4, 6)", VECTOR)
    assert verdict.outcome is Outcome.WRONG_ANSWER


@pytest.mark.parametrize("check", ["assert v == Vector(2, 2)", "assert v != Vector(2, 2)", "assert v == 2"])
def test_what_only_the_program_calls_equal_is_neither_right_nor_wrong(sandbox: Sandbox, check: str) -> None:
    counting = VECTOR.replace("self.x *= k", "self.x *= k\n        self.scaled = True")
    counting = counting.replace("return isinstance(other, Vector) and", "return other == 2 or")
    verdict = judged(sandbox, counting, f"v = Vector(1, 1)\nv.scale(2)\n{check}", VECTOR)
    assert (verdict.passed, verdict.outcome) == (False, Outcome.REFUSED)


TABLE = """
from collections import OrderedDict
from collections.abc import MutableMapping
from typing import Generic, TypeVar

T = TypeVar("T")


class Table(Generic[T], MutableMapping):
    __slots__ = ("kept", "left", "raised")

    def __init__(self, **kept):
        self.kept, self.left, self.raised = OrderedDict(kept), False, None

    def __getitem__(self, key):
        return self.kept[key]

    def __setitem__(self, key, value):
        self.kept[key] = value

    def __delitem__(self, key):
        del self.kept[key]

    def __iter__(self):
        return iter(self.kept)

    def __len__(self):
        return len(self.kept)

    def __eq__(self, other):
        return isinstance(other, Table) and dict(self.kept) == dict(other.kept)

    def first(self):
        return self.kept.keys()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.left, self.raised = True, kind and kind.__name__
        return kind is not None and issubclass(kind, LookupError)


class Countdown:
    def __init__(self, start):
        self.left = start

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        self.left -= 1
        return self.left + 1
"""


@pytest.mark.parametrize(
    "body",
    [
        "assert list(Table(a=1).items()) == [('a', 1)] and list(Table(a=1).values()) == [1]",
        "assert Table(a=1).keys() == {'a'} and list(Table(a=1).first()) == ['a']",
        "t = Table(a=1)\nt['b'] = 2\nassert dict(t) == {'a': 1, 'b': 2} == {**t}",
        "with Table() as t:\n    raise KeyError(3)\nassert t.left and t.raised == 'KeyError'",
        "t = Table()\nwith pytest.raises(ValueError):\n    with t:\n        raise ValueError\n"
        "assert t.raised == 'ValueError'",
        "with Table() as t:\n    t['a'] = 1\nassert t.left and t.raised is None",
        "t = Table()\nwith pytest.raises(AttributeError):\n    t.more = 1\nt.left = 5\nassert t.left == 5",
        "assert len(Table[int](a=1)) == 1\nwith pytest.raises(TypeError):\n    Countdown[int]",
        "c = Countdown(3)\nassert next(c) == 3 and c.left == 2\nassert list(c) == [2, 1] and c.left == 0",
        "c = Countdown(1)\nassert iter(c) is c and next(c) == 1\nwith pytest.raises(StopIteration):\n    next(c)",
        "assert dict(zip(Countdown(2), 'ab')) == {2: 'a', 1: 'b'}\nfor i in Countdown(4):\n    assert i",
    ],
)
def test_views_blocks_and_iterators(sandbox: Sandbox, body: str) -> None:
    verdict = judged(sandbox, TABLE, body, name="Table")
    assert (verdict.outcome, verdict.detail) == (Outcome.OK, "")


COUNTER = """
class Counter:
    every = []

    def __init__(self):
        self.value, self.log = 0, []
        Counter.every.append(self)

    @classmethod
    def add_to_all(cls, by):
        for one in cls.every:
            one.add(by)

    def adder(self):
        return lambda by: self.add(by)

    def get(self):
        return self.value

    def add(self, by=1):
        self.value += by
        self.log.append(by)
"""


@pytest.mark.parametrize(
    "body",
    [
        "c = Counter()\nCounter.add_to_all(3)\nassert c.value == 3 and c.log == [3]",
        "c = Counter()\nCounter.add_to_all(3)\nassert c.get() == 3",
        "c = Counter()\nadd = c.adder()\nadd(2)\nassert c.get() == 2 and c.log == [2]",
        "c = Counter()\nadd = c.adder()\nwith pytest.raises(TypeError):\n    add('x')\nadd(1)\nassert c.value == 1",
    ],
)
def test_a_call_may_change_objects_that_are_no_arguments(sandbox: Sandbox, body: str) -> None:
    verdict = judged(sandbox, COUNTER, body, name="Counter")
    assert (verdict.outcome, verdict.detail) == (Outcome.OK, "")


def test_threads_of_the_tests(sandbox: Sandbox) -> None:
    body = """
import threading
c = Counter()
threads = [threading.Thread(target=c.add, args=(n,)) for n in range(8)]
for one in threads:
    one.start()
for one in threads:
    one.join()
assert c.value == 28 and sorted(c.log) == list(range(8))
"""
    verdict = judged(sandbox, COUNTER, body, name="Counter")
    assert (verdict.outcome, verdict.detail) == (Outcome.OK, "")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"x": 1, "y": [2.0]}, {"y": [2], "x": True}, True),
        ([float("nan")], [float("nan")], True),
        ((1, 2), [1, 2], False),
        ({1: "a"}, {1: "a", 2: "b"}, False),
        ({(1, 2): {3}}, {(1, 2): {3.0}}, True),
        ([[1], [1, 2]], [[1], [2, 1]], False),
    ],
)
def test_the_same_data(one: object, other: object, same: bool) -> None:
    assert alike(one, other, lambda value: False) is same


def test_the_same_circle() -> None:
    class Node:
        def __init__(self, value: int) -> None:
            self.value, self.next = value, self

    def ring(*values: int) -> Node:
        nodes = [Node(value) for value in values]
        for node, following in zip(nodes, [*nodes[1:], nodes[0]], strict=True):
            node.next = following
        return nodes[0]

    def is_node(value: object) -> bool:
        return isinstance(value, Node)

    assert alike(ring(1, 2), ring(1, 2), is_node)
    assert not alike(ring(1, 2), ring(1, 3), is_node)
    assert alike(ring(*range(5000)), ring(*range(5000)), is_node)


DEEP = """
class Deep:
    def __init__(self):
        self.x = []
        for _ in range(60):
            self.x = [self.x]

    def count(self):
        return len(self.x)
"""


def test_an_object_may_hold_lists_that_are_deep(sandbox: Sandbox) -> None:
    assert judged(sandbox, DEEP, "d = Deep()\nassert d.count() == 1 == d.count()", name="Deep").passed
