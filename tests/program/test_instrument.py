"""Instrumented programs compute what the originals compute, and every probe knows its exact place."""

from __future__ import annotations

import ast
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egca_plugin.program.instrument import BRANCH, RETURN, WRITE, Instrumented, instrument
from egca_plugin.program.positions import SourceMap
from egca_plugin.tasks.layouts import humaneval
from egca_plugin.types import Task

# Where the machine has MBPP: the file of google-research, as JSON lines.
MBPP = Path(os.environ.get("EGCA_MBPP", Path(__file__).parents[3] / "shared" / "data" / "mbpp.jsonl"))
UNSOUND = {367, 927}  # MBPP references that use an undefined name


def run(code: CodeType | str, seen: list[tuple[int, Any]] | None = None) -> dict[str, Any]:
    """Execute a module with probes that record, as the sandbox provides them."""

    def value(site: int, x: Any) -> Any:
        if seen is not None:
            seen.append((site, x))
        return x

    namespace: dict[str, Any] = {"__egca_value": value, "__egca_step": lambda line: None, "__name__": "program"}
    exec(code, namespace)
    return namespace


def outcome(act: Callable[[], Any]) -> str:
    try:
        return repr(act())
    except Exception as err:  # noqa: BLE001 - whatever the program raises is its outcome
        return f"{type(err).__name__}: {err}"


def observed(source: str, call: str) -> list[tuple[str, str, Any]]:
    """(kind, source text of the probed node, value) of every event of one call."""
    program: Instrumented = instrument(source)
    seen: list[tuple[int, Any]] = []
    namespace = run(program.code, seen)
    seen.clear()
    eval(call, namespace)
    sites = program.sites
    return [(sites[i].kind, sites[i].variable or ast.unparse(sites[i].node), value) for i, value in seen]


def test_the_values_of_a_loop_are_seen_in_order() -> None:
    source = (
        "def f(xs):\n    total = 0\n    for x in xs:\n        if x > 1:\n            total += x\n    return total\n"
    )
    events = observed(source, "f([1, 2])")
    assert [value for kind, name, value in events if (kind, name) == (WRITE, "x")] == [1, 2]
    assert [value for kind, name, value in events if (kind, name) == (BRANCH, "x > 1")] == [False, True]
    assert [value for kind, name, value in events if (kind, name) == (WRITE, "total")] == [0, 2]
    assert [value for kind, _, value in events if kind == RETURN] == [2]


PROGRAMS = {
    "closure": """
def f(n):
    k = n
    def g():
        nonlocal k
        k += 1
        return k
    return g() + g()
""",
    "class": """
class A:
    __secret = 3
    def __init__(self, n):
        self.n = n
        self.__hidden = n * 2
    @property
    def double(self):
        return self.__hidden + self.__secret
class B(A):
    def __init__(self, n):
        super().__init__(n + 1)
def f(n):
    return B(n).double
""",
    "generator": """
def g(n):
    for i in range(n):
        got = yield i * i
    return

def f(n):
    return list(g(n))
""",
    "match": """
def f(n):
    match (n, [n, 2, 3]):
        case (0, _):
            return 'zero'
        case (k, [first, *rest]) if k > 1:
            return first, rest
        case _:
            return None
""",
    "try": """
def f(n):
    try:
        return 10 // n
    except ZeroDivisionError as err:
        text = str(err)
        return text
    finally:
        n = 0
""",
    "with": """
from contextlib import contextmanager
@contextmanager
def c(n):
    yield n, n + 1
def f(n):
    with c(n) as (a, b), c(b) as pair:
        return a, b, pair
""",
    "async": """
import asyncio
async def g(n):
    for i in range(n):
        yield i
    return
async def h(n):
    return [i async for i in g(n) if i % 2] + [await k(n)]
async def k(n):
    await asyncio.sleep(0)
    return n
def f(n):
    return asyncio.run(h(n))
""",
    "walrus": """
def f(n):
    return [y for x in range(n) if (y := x * 2) > 2], (z := n) + z
""",
    "globals": """
COUNT = 0
def f(n):
    global COUNT
    COUNT += n
    return COUNT, 'COUNT' in globals()
""",
    "slices": """
def f(n):
    xs = list(range(n + 5))
    xs[n:], ys = xs[::-1][:2], xs[1:-1:2]
    del xs[0]
    return xs, ys
""",
    "strings": '''
def f(n):
    """A docstring."""
    w = 3
    return f"{n:>{w}} {n!r} {n=}" "%s" % n, f.__doc__
''',
    "lambda": """
def f(n):
    return sorted(range(n), key=lambda x: (-x % 3, x)), (lambda *a, k=1: (a, k))(*[n], k=n)
""",
    "chains": """
def f(n):
    return 0 < n <= 5 != 3, n and n - 1 or 'none', not n, -n if n else +n
""",
    "else": """
def f(n):
    for i in range(n):
        if i == 3:
            break
    else:
        return 'all'
    return i
""",
    "future": '''
"""Doc."""
from __future__ import annotations
def f(n: Undefined) -> Undefined:
    return __doc__
''',
}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("argument", [0, 1, 2, 5])
def test_every_construct_keeps_its_meaning(name: str, argument: int) -> None:
    source = PROGRAMS[name].lstrip()
    plain, probed = run(source), run(instrument(source).code)
    assert outcome(lambda: probed["f"](argument)) == outcome(lambda: plain["f"](argument))


def test_a_test_is_asked_for_its_truth_once() -> None:
    source = (
        "class T:\n    asked = 0\n    def __bool__(self):\n        T.asked += 1\n        return True\n"
        "def f():\n    if T():\n        return T.asked\n"
    )
    assert run(instrument(source).code)["f"]() == 1


def test_positions_count_characters_not_bytes() -> None:
    source = "def f(s):\n    größe = 'ÄÖ' + s  # Ü\n    return größe * 2\n"
    program = instrument(source)
    places = SourceMap(source)
    (site,) = [site for site in program.sites if site.kind == WRITE]
    assert isinstance(site.node, ast.Assign)
    span = places.span(site.node.value)
    assert source[span.start : span.end] == "'ÄÖ' + s"
    assert places.line_of(span.start) == 2


@given(
    st.lists(st.sampled_from(["x = 'é'", "y = 1", "", "# ü\f", "z = '🙂' + 'a'"]), min_size=1),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_span_is_the_text_of_its_node(lines: list[str], newline: str) -> None:
    source = newline.join(lines) + newline
    places = SourceMap(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.expr):
            span = places.span(node)
            assert ast.dump(ast.parse(source[span.start : span.end], mode="eval").body) == ast.dump(
                ast.parse(ast.unparse(node), mode="eval").body
            )


# --- all references ---------------------------------------------------------------------------------------------


SLOW = {"HumanEval/32", "HumanEval/36", "HumanEval/75", "HumanEval/83"}  # seconds each under probes


def answers(code: CodeType | str, task: Task) -> list[str]:
    """What the reference answers to each call of its tests."""
    namespace = run(code)
    function, given = namespace[task.entry_point], []

    def candidate(*args: Any) -> Any:
        value = function(*args)
        given.append(repr(value)[:1000])
        return value

    random.seed(0)
    exec(str(task.tests), namespace)
    namespace["check"](candidate)
    return given


@pytest.mark.parametrize("part", range(4))
def test_humaneval_references_answer_alike(part: int) -> None:
    for task in humaneval.load()[part::4]:
        program = instrument(task.reference)
        if task.task_id not in SLOW:
            assert answers(program.code, task) == answers(task.reference, task), task.task_id


@pytest.mark.skipif(not MBPP.exists(), reason=f"no {MBPP}; set EGCA_MBPP")
def test_mbpp_references_pass_their_tests_under_probes() -> None:
    for line in MBPP.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["task_id"] not in UNSOUND:
            namespace = run(instrument(row["code"]).code)
            exec("\n".join([row["test_setup_code"], *row["test_list"]]), namespace)


# --- generated programs -----------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "n"])
ATOMS = st.one_of(NAMES, st.integers(0, 4).map(str))
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "//", "%", "<", "==", "and", "or"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        inner.map(lambda e: f"(not {e})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} else {t[2]})"),
        inner.map(lambda e: f"sum([i * {e} for i in range(3) if i != {e}])"),
        inner.map(lambda e: f"[{e}, 1, 2][{e}]"),
        inner.map(lambda e: f"(lambda q=1: q + {e})()"),
    ),
    max_leaves=5,
)


def indented(block: list[str]) -> list[str]:
    return ["    " + line for line in block]


def statement(inner: st.SearchStrategy[list[str]]) -> st.SearchStrategy[list[str]]:
    return st.one_of(
        st.tuples(EXPRESSIONS, inner, inner).map(lambda t: [f"if {t[0]}:", *indented(t[1]), "else:", *indented(t[2])]),
        st.tuples(NAMES, EXPRESSIONS, inner).map(lambda t: [f"for {t[0]} in range({t[1]} % 4):", *indented(t[2])]),
        inner.map(lambda b: ["try:", *indented(b), "except ZeroDivisionError as err:", "    a = str(err) and 3"]),
        inner.map(lambda b: ["def g(a, b=1):", "    c = n = 2", *indented(b), "    return a", "c = g(n)"]),
    )


SIMPLE = st.one_of(
    st.tuples(NAMES, EXPRESSIONS).map(lambda t: [f"{t[0]} = {t[1]}"]),
    st.tuples(NAMES, EXPRESSIONS).map(lambda t: [f"{t[0]} += {t[1]}"]),
    st.tuples(NAMES, NAMES, EXPRESSIONS).map(lambda t: [f"{t[0]}, {t[1]} = {t[1]}, {t[2]}"]),
    EXPRESSIONS.map(lambda e: [f"return {e}"]),
    st.tuples(NAMES, EXPRESSIONS).map(lambda t: [f"({t[0]} := {t[1]})"]),
)
BLOCKS = st.recursive(
    st.lists(SIMPLE, min_size=1, max_size=3).map(lambda parts: [line for part in parts for line in part]),
    lambda inner: st.lists(st.one_of(SIMPLE, statement(inner)), min_size=1, max_size=3).map(
        lambda parts: [line for part in parts for line in part]
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BLOCKS, st.integers(0, 3))
def test_generated_programs_keep_their_meaning(block: list[str], argument: int) -> None:
    source = "\n".join(["def f(n):", "    a = b = c = n", *indented(block), "    return a, b, c, n", ""])
    plain, probed = run(source), run(instrument(source).code)
    assert outcome(lambda: probed["f"](argument)) == outcome(lambda: plain["f"](argument))
