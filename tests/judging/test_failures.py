"""What a failed test is told by."""

from __future__ import annotations

from dataclasses import replace

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import CallCase, FailedTest, Task

ADD = Task("t/add", "", "add", "def add(a, b): return a + b", ("assert add(1, 1) == 2", "assert add(1, b=2) == 3"))


def told(sandbox: Sandbox, body: str, task: Task = ADD) -> FailedTest | None:
    return judge(sandbox, f"def add(a, b): {body}", task).failed


def test_the_call_of_the_first_failed_test_and_its_answer_are_told(sandbox: Sandbox) -> None:
    assert told(sandbox, "return a + b") is None
    assert told(sandbox, "return a + a") == FailedTest(1, call="add(1, b=2)", got="2")
    assert told(sandbox, "return a / (b - b)") == FailedTest(
        0, call="add(1, 1)", exception="ZeroDivisionError: division by zero"
    )


def test_tests_that_are_data_tell_what_they_expect(sandbox: Sandbox) -> None:
    task = replace(ADD, tests=(), cases=(CallCase("[1, 2]", "{}", "3"),))
    assert told(sandbox, "return a * b", task) == FailedTest(0, call="add(1, 2)", expected="3", got="2")


def test_a_test_that_fails_by_itself_tells_its_own_exception(sandbox: Sandbox) -> None:
    def of(*tests: str) -> FailedTest | None:
        return told(sandbox, "return a + b", replace(ADD, tests=("assert add(0, 0) == 0", *tests)))

    assert of("assert math.pi > add(1, 2)") == FailedTest(1, exception="NameError: name 'math' is not defined")
    assert of("assert add(1, 2) < math.pi") == FailedTest(
        1, call="add(1, 2)", got="3", exception="NameError: name 'math' is not defined"
    )
    assert of("assert 1 == 2, 'never'") == FailedTest(1, exception="AssertionError: never")
    assert of("assert add(1, 2) == 2, 'never'") == FailedTest(1, call="add(1, 2)", got="3")
    raised = of("assert {}[object(), 'x' * 9999]")
    assert raised is not None
    assert raised.exception.startswith("KeyError: (<object object at 0x...>, 'xxx")
    assert len(raised.exception) <= 2000


def test_what_is_told_is_bounded_and_printable(sandbox: Sandbox) -> None:
    bodies = (
        "return '\\ud800' * 9",
        "return [['x' * 99] * 99] * 99",
        "return 1 << 100_000",
        "return type('C', (), {})()",
    )
    for body in bodies:
        found = told(sandbox, body)
        assert found is not None
        assert len(found.got.encode()) <= 2000


def test_an_iterator_is_told_by_its_items_and_no_address_is_told(sandbox: Sandbox) -> None:
    found = told(sandbox, "return (n for n in (a, b))")
    assert found is not None
    assert found.got == "iter([...])", "nobody has asked for any"
    found = told(sandbox, "raise ValueError(object())")
    assert found is not None
    assert found.exception == "ValueError: <object object at 0x...>"


def test_objects_are_told_by_their_classes(sandbox: Sandbox) -> None:
    source = "class Box:\n    size = 2\n    def __init__(self, x): self.x = x\n    def put(self, *xs): return self\n"
    for test, told in [
        ("Box(1).put(Box(2), 3) == 2", ("Box.put(<Box>, 3)", "<Box>")),
        ("Box.size == 3", ("Box.size", "2")),
        ("len(Box(1).put.__name__) == Box(2)", ("Box(2)", "<Box>")),
    ]:
        found = judge(sandbox, source, Task("t/1", "", "Box", source, (f"assert {test}",))).failed
        assert found is not None
        assert (found.call, found.got) == told
