"""Functions whose tests hold objects of the program's classes as well."""

from __future__ import annotations

import pytest

from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Outcome, Task

CHAIN = """
def chain(costs):
    graph = Graph()
    for k, cost in enumerate(costs):
        graph.add(k, k + 1, cost)
    return graph
"""
REFERENCE = (
    """
class Graph:
    def __init__(self):
        self.edges = {}
    def add(self, a, b, cost):
        self.edges.setdefault(a, []).append((b, cost))
    def sources(self):
        return sorted(self.edges)

def cheapest(graph, a, b):
    if a == b:
        return 0
    return min((cost + cheapest(graph, c, b) for c, cost in graph.edges.get(a, ())), default=1000)
"""
    + CHAIN
)
OTHER_DATA = (
    """
class Graph:
    def __init__(self):
        self.costs = {}
    def add(self, a, b, cost):
        self.costs[a, b] = cost
    def sources(self):
        return sorted({a for a, _ in self.costs})

def cheapest(graph, a, b):
    best = {a: 0}
    for _ in range(10):
        for (c, d), cost in graph.costs.items():
            best[d] = min(best.get(d, 1000), best.get(c, 1000) + cost)
    return best.get(b, 1000)
"""
    + CHAIN
)
MAKES = """
from solution import Graph, cheapest

def test_the_way_round():
    graph = Graph()
    graph.add("a", "b", 1)
    graph.add("b", "c", 2)
    graph.add("a", "c", 5)
    assert cheapest(graph, "a", "c") == 3
"""
GETS = "from solution import chain\n\ndef test_it():\n    assert chain([2, 3]).sources() == [0, 1]\n"


@pytest.mark.parametrize(("entry_point", "tests"), [("cheapest", MAKES), ("chain", GETS)], ids=["made", "given"])
def test_objects_of_the_tests_are_the_programs_whatever_data_it_holds(
    sandbox: Sandbox, entry_point: str, tests: str
) -> None:
    task = Task("t/1", "", entry_point, REFERENCE, tests)
    for right in (REFERENCE, OTHER_DATA):
        assert judge(sandbox, right, task).passed
    for right in (REFERENCE, OTHER_DATA):
        wrong = right.replace("k, k + 1", "k + 1, k").replace("cost +", "1 +").replace("+ cost", "+ 1")
        assert judge(sandbox, wrong, task).outcome is Outcome.WRONG_ANSWER


def test_the_fault_of_such_a_program_is_proven(sandbox: Sandbox) -> None:
    task = Task("t/1", "", "cheapest", REFERENCE, MAKES)
    wrong = REFERENCE.replace("append((b, cost))", "append((b, 1))")
    found = TraceLocalizer().localize(Case(task, wrong, (REFERENCE,), judge(sandbox, wrong, task), sandbox))
    assert found.verified
    assert (
        "append((b, 1))" in wrong[: found.spans[0].end].splitlines()[-1] + wrong[found.spans[0].end :].splitlines()[0]
    )


def test_without_a_reference_too(sandbox: Sandbox) -> None:
    task = Task("t/1", "", "cheapest", "", MAKES)
    assert judge(sandbox, OTHER_DATA, task).passed
    assert not judge(sandbox, OTHER_DATA.replace("+ cost", "+ 1"), task).passed


def test_a_program_without_the_class_fails(sandbox: Sandbox) -> None:
    lacks = "def cheapest(graph, a, b):\n    return 3\n"
    assert judge(sandbox, lacks, Task("t/1", "", "cheapest", REFERENCE, MAKES)).outcome is Outcome.EXCEPTION


POINT = "class Point:\n    def __init__(self, x):\n        self.x = x\n\n"
MOVE = POINT + "def move(p):\n    return Point(p.x + 1)\n"
ASKS = "from solution import Point, move\n\ndef test_it():\n    assert move(Point(1)).x == 2\n"


@pytest.mark.parametrize(
    ("task", "classes"),
    [
        (Task("t/1", "", "move", MOVE, ASKS), set()),  # a record: all that tests can do is read `x`
        (Task("t/1", "", "cheapest", REFERENCE, MAKES), {"Graph"}),
        (Task("t/1", "", "chain", REFERENCE, GETS), {"Graph"}),
        (Task("t/1", "", "chain", REFERENCE, GETS.replace(".sources()", ".edges")), set()),
        (Task("t/1", "class Graph:\n    ...", "cheapest", REFERENCE, MAKES), set()),  # the program may take it as given
        (
            Task("t/1", "", "cheapest", REFERENCE, "def check(candidate):\n    assert candidate(Graph(), 1, 1) == 0"),
            set(),
        ),
        (Task("t/1", "", "cheapest", REFERENCE, ("assert cheapest(Graph(), 1, 1) == 0",)), {"Graph"}),
    ],
    ids=["record", "imported", "method called", "no method", "shown by the prompt", "check", "statement"],
)
def test_which_classes_are_the_programs(task: Task, classes: set[str]) -> None:
    assert compile_checks(task).classes == classes


UNKNOWN = {
    "a class": ("class Node:\n    def __init__(self, v, n=None): self.v, self.n = v, n\n\n"
                "def f(node): return 0 if node is None else 1 + f(node.n)\n", "assert f(Node(1, Node(2))) == 2"),
    "in capitals": ("class BST:\n    def __init__(self): self.xs = []\n    def put(self, x): self.xs.append(x)\n"
                    "    def has(self, x): return x in self.xs\n\ndef f(tree): return tree.has(2) + 1\n",
                    "tree = BST()\ntree.put(2)\nassert f(tree) == 2"),
    "an enumeration": ("from enum import Enum\nclass Way(Enum):\n    N = 0\n    E = 1\n\n"
                       "def f(way): return Way((way.value + 1) % 2)\n", "assert f(Way.N) == Way.E"),
    "an exception": ("class Poor(Exception):\n    pass\n\ndef f(x):\n    raise Poor(f'no {1 + x}')\n",
                     "try:\n    f(1)\n    assert False\nexcept Poor as error:\n    assert str(error) == 'no 2'"),
}  # fmt: skip


@pytest.mark.parametrize(("source", "statement"), UNKNOWN.values(), ids=UNKNOWN)
def test_without_a_reference_what_tests_name_is_the_programs(sandbox: Sandbox, source: str, statement: str) -> None:
    tests = (statement, "assert f is not None")
    assert judge(sandbox, source, Task("t/1", "", "f", "", tests)).tests_passed == 2
    wrong = source.replace("1 +", "2 +").replace("+ 1", "+ 2")
    assert not judge(sandbox, wrong, Task("t/1", "", "f", "", tests)).passed
    name = source.split("class ")[1].split(":")[0].split("(")[0]
    body = "".join(f"    {line}\n" for line in statement.splitlines())
    suite = f"from solution import f, {name}\n\ndef test_it():\n{body}"
    assert judge(sandbox, source, Task("t/1", "", "f", "", suite)).passed
    assert not judge(sandbox, wrong, Task("t/1", "", "f", "", suite)).passed


@pytest.mark.parametrize("name", ["LRU", "Cache"])
def test_without_a_reference_the_entry_point_is_a_class_where_it_is_written_so(sandbox: Sandbox, name: str) -> None:
    source = f"class {name}:\n    def __init__(self): self.kept = {{}}\n    def get(self, k): return self.kept.get(k)\n"
    source += "    def put(self, k, v): self.kept[k] = v\n"
    tests = (f"c = {name}()\nc.put(1, 2)\nassert c.get(1) == 2", f"assert {name}().get(1) is None")
    assert judge(sandbox, source, Task("t/1", "", name, "", tests)).passed
    assert not judge(sandbox, source.replace("= v", "= k"), Task("t/1", "", name, "", tests)).passed


def test_a_function_may_be_written_as_classes_are(sandbox: Sandbox) -> None:
    task = Task("t/1", "", "GCD", "", ("assert GCD(4, 6) == 2", "assert GCD(3, 5) == 1"))
    assert judge(sandbox, "from math import gcd as GCD", task).passed
    assert judge(sandbox, "def GCD(a, b):\n    return 2\n", task).tests_passed == 1


def test_without_a_reference_an_exception_is_what_the_program_derives_it_from(sandbox: Sandbox) -> None:
    source = "class Bank(Exception): pass\nclass Poor(Bank, ValueError): pass\n"
    source += "def pay(n):\n    raise Poor(f'short of {n}')\n"
    tests = """
import pytest
from solution import Bank, Poor, pay

@pytest.mark.parametrize("kind", [Bank, Poor, ValueError, Exception])
def test_each(kind):
    with pytest.raises(kind, match="short of 3"):
        pay(3)

def test_it_is_no_other():
    with pytest.raises(KeyError):
        try:
            pay(3)
        except (Bank, Poor):
            raise KeyError
"""
    assert judge(sandbox, source, Task("t/1", "", "pay", "", tests)).passed
    other = source.replace("(Bank, ValueError)", "(ValueError)")
    assert judge(sandbox, other, Task("t/1", "", "pay", "", tests)).tests_passed == 4
