"""Programs whose objects would pass tests of a class by what they say of themselves, or stall or mislead the judge."""

from __future__ import annotations

from typing import Any

import pytest

from egca_plugin.errors import WireError
from egca_plugin.judging.objects import Objects, is_object
from egca_plugin.judging.referee import judge
from egca_plugin.judging.sessions import MAX_BYTES_IN_ALL, Sessions
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside import entry
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.wire import sharing
from egca_plugin.sandbox.wire.classes import Shape
from egca_plugin.types import Outcome, Task, Verdict

BOX = """
class Box:
    LIMIT = 3
    def __init__(self, *items): self.items, self.size = list(items), len(items)
    def get(self): return 2
    def put(self, x): self.size += 1
    @property
    def top(self): return 2
    @staticmethod
    def fits(n): return 2
    @staticmethod
    def fill(out): out.append(2)
"""
SAYS_YES = """
    def __eq__(self, other): return True
    def __hash__(self): return 2
    def __sub__(self, other): return 0
    def __rsub__(self, other): return 0
    def __lt__(self, other): return True
    def __contains__(self, item): return True
"""


def judged(sandbox: Sandbox, source: str, body: str, front: str = "") -> Verdict:
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    tests = f"import pytest\nfrom pytest import approx\nfrom solution import Box\n{front}\ndef test_it():\n{lines}"
    return judge(sandbox, source, Task("t/1", "", "Box", BOX, tests), timeout_s=2)


def box(members: str) -> str:
    return f"class Box:{SAYS_YES}    def __init__(self, *x): Box.last = self\n    {members}\n"


@pytest.mark.parametrize(
    ("members", "check"),
    [
        ("top = property(lambda self: self)", "assert b.top == 2"),
        ("top = property(lambda self: self)", "assert abs(b.top - 2.5) < 1"),
        ("def get(self): return self", "assert abs(b.get() - 2.5) < 1"),
        ("def __getattr__(self, name): return self.last", "assert b.LIMIT == 3"),
        ("fits = staticmethod(lambda n: Box.last)", "assert Box.fits(1) == 2"),
        ("fits = staticmethod(lambda n: [Box.last])", "assert Box.fits(1) == [2]"),
        ("fill = staticmethod(lambda out: out.append(Box.last))", "out = []\nBox.fill(out)\nassert out == [2]"),
        ("def __iter__(self): yield self", "assert list(b) == [2]"),
        ("def __init__(self, *x): self.size = self", "assert b.size == 1"),
        ("def __init__(self, *x): self.items = [self]", "assert b.items == [1]"),
        ("def put(self, x): self.size = self", "b.put(1)\nassert abs(b.size - 2) < 1"),
        ("def get(self): return self\n    def __new__(c, *x): return vars(c).get('last') or object.__new__(c)",
         "x = b.get()\nBox()\nassert x == 2"),
    ],
)  # fmt: skip
def test_an_object_of_the_tests_is_an_answer_once_it_is_given_back(sandbox: Sandbox, members: str, check: str) -> None:
    assert not judged(sandbox, box(members), f"b = Box(1)\n{check}").passed


@pytest.mark.parametrize("call", ["b.put(1)", "Box.put(b, 1)", "change(b)", "change([b])"])
def test_an_object_that_was_passed_is_no_longer_as_it_was_made(sandbox: Sandbox, call: str) -> None:
    reference = BOX + "def change(x): pass\n"
    source = "def change(x): pass\n" + box("put = change")
    tests = f"from solution import Box, change\ndef test_it():\n    b = Box(1)\n    {call}\n    assert b == 2\n"
    assert not judge(sandbox, source, Task("t/1", "", "Box", reference, tests), timeout_s=2).passed


@pytest.mark.parametrize("base", ["", "(list)", "(dict)", "(tuple)"])
def test_what_an_answer_holds_is_not_its_own_to_say(sandbox: Sandbox, base: str) -> None:
    source = f"class Yes{base}:{SAYS_YES}\n" + box("def get(self): return Yes()")
    assert judged(sandbox, source, "assert 7 in Box().get()").outcome is Outcome.REFUSED


def test_a_class_of_the_tests_says_what_its_objects_hold(sandbox: Sandbox) -> None:
    source = (
        BOX + "    def __contains__(self, x): return x in self.items\n    def twin(self): return Box(*self.items)\n"
    )
    assert judged(sandbox, source, "assert 1 in Box(1).twin() and 2 not in Box(1).twin()").passed


@pytest.mark.parametrize("name", ["__eq__", "__sub__", "__lt__", "__hash__", "__contains__"])
def test_an_operator_that_a_property_gives_is_told_no_operand(sandbox: Sandbox, name: str) -> None:
    source = f"class Yes:\n    {name} = property(lambda self: lambda *other: True)\n" + box("get = lambda self: Yes()")
    checks = {"__sub__": "Box().get() - 2 == 1", "__lt__": "Box().get() < 3", "__contains__": "2 in Box().get()"}
    assert not judged(sandbox, source, f"assert {checks.get(name, 'Box().get() in {2, True, 1}')}").passed


def test_no_program_makes_a_number_that_is_close_to_anything(sandbox: Sandbox) -> None:
    approx = "class approx:\n    expected, rel, abs, nan_ok = 0, None, float('inf'), True\n    def __init__(self):\n"
    approx += "        self.expected, self.rel, self.abs, self.nan_ok = 0, None, float('inf'), True\n"
    assert not judged(sandbox, approx + box("get = lambda self: approx()"), "assert Box().get() == 2").passed
    function = Task("t/2", "", "f", "def f(): return 2", "from pytest import approx\ndef test(): assert f() == 2\n")
    assert not judge(sandbox, approx + "def f(): return approx()", function, timeout_s=2).passed


@pytest.mark.parametrize("dies", ["os._exit(3)", "raise SystemExit(0)"])
def test_a_message_that_cannot_be_printed_fails_its_own_test(sandbox: Sandbox, dies: str) -> None:
    source = f"import os\nclass Yes:\n    def __repr__(self): {dies}\n" + box("get = lambda self: Yes()")
    verdict = judged(sandbox, source, "x = Box().get()\nassert x == [2], x\nassert Box is not None")
    assert (verdict.outcome, verdict.tests_passed) == (Outcome.WRONG_ANSWER, 1)


# --- forged bytes -----------------------------------------------------------------------------------------------------


def objects() -> Objects:
    def ask(function: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        raise AssertionError(f"{function} was asked")

    return Objects(ask, Sessions())


def u32(number: int) -> bytes:
    return number.to_bytes(4, "little")


def forged(shape: tuple[Any, ...], count: int = 1) -> bytes:
    """A list of one instance without data, behind ``count`` such classes."""
    classes = b"".join(wire.encode((shape[0], f"{shape[1]}{n}", *shape[2:])) for n in range(count))
    return b"W" + u32(count) + classes + u32(1) + u32(0) + u32(0) + b"o" + u32(0)


@pytest.mark.parametrize(
    "name",
    ["__class__", "__del__", "__init_subclass__", "__new__", "__init__", "__slots__", "__dict__", "__getattribute__",
     "__members__", "__set_name__", "__reduce_ex__", "__deepcopy__", "__module__", "__qualname__", "__classcell__"],
)  # fmt: skip
@pytest.mark.parametrize("computed", [False, True])
def test_no_method_is_what_the_interpreter_asks_of_its_own(name: str, computed: bool) -> None:
    shape = ("o", "A", "", (), (name, "fine"), (), *([(name,)] if computed else []))
    made = wire.decode(forged(shape), classes={}, make=objects().class_for)
    assert is_object(made)
    assert "fine" in vars(type(made))
    plain = wire.decode(forged(("o", "A", "", (), ("fine",), ())), classes={}, make=objects().class_for)
    assert type(vars(type(made)).get(name)) is type(vars(type(plain)).get(name))
    del made


def test_special_methods_are_never_properties() -> None:
    kind = objects().class_for(Shape("o", "A", "", (), ("__eq__", "__sub__", "x"), (), ("__eq__", "__sub__", "x")))
    assert [name for name, value in vars(kind).items() if isinstance(value, property)] == ["x"]


def test_classes_of_many_methods_are_few() -> None:
    names = tuple(f"f{n}" for n in range(500))
    with pytest.raises(WireError, match="items"):
        wire.decode(forged(("o", "A", "", (), names, ()), count=150), classes={}, make=objects().class_for)
    with pytest.raises(WireError, match="computes what it does not define"):
        wire.decode(forged(("o", "A", "", (), ("f",), (), ("f", "f"))), classes={}, make=objects().class_for)


# --- thousands of calls -----------------------------------------------------------------------------------------------


def test_identity_takes_no_longer_with_every_call() -> None:
    """What is met again is looked up: the numbers of what went before are not gone through."""
    one, nodes = [1], wire.Nodes()
    for _ in range(sharing.FEW):
        wire.encode(one, nodes=nodes)
    nodes.containers[:] = [None] * len(nodes.containers)  # which nothing looks at any more
    assert wire.encode(one, nodes=nodes).startswith(b"S")


def test_what_sessions_hold_is_bounded_with_its_results() -> None:
    sessions = Sessions()
    for _ in range(40):
        sessions.answered(sessions.asked("f", (), {}), "x" * (MAX_BYTES_IN_ALL // 10))
    told = list(sessions.tested([(test, test + 1, True) for test in range(40)]))
    assert 0 < sum(len(one.result.value) for one in told) <= MAX_BYTES_IN_ALL


def test_a_session_of_too_many_steps_is_found_out_at_once() -> None:
    sessions = Sessions()
    first = []
    sessions.answered(sessions.asked("Box", (), {}), first)
    for _ in range(5_000):
        sessions.answered(sessions.asked(".put", (first,), {}), None)
    ends = [(0, 2, True), *((test, test + 1, True) for test in range(2, 5_000))]
    assert next(sessions.tested(ends)).test == 0


def test_integers_of_too_many_digits_are_told_somehow() -> None:
    assert len(entry.shown({10**5_000, 1}, [])) == 2
    steps = [("f", (), {}), ("g", (), {}), ("h", (("r", 1),), {})]
    told = entry.session({"f": lambda: {10**5_000}, "g": lambda: 7, "h": lambda x: x}, steps)
    assert told[1:] == [7, 7]
