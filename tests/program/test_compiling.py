"""Hostile text is refused before it costs the trusted process time, memory or stack; ordinary text is not."""

from __future__ import annotations

import ast
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.program import growth
from egca_plugin.program.compiling import code_of, compile_error, parse, room
from egca_plugin.program.growth import MAX_DEPTH

CHAINS = [
    "x = " + "-" * 1000 + "1",
    "x = " + "not " * 1000 + "1",
    "x = " + "lambda a, b: " * 1000 + "1",
    "x = a" + ".a" * 1000,
    "x = a" + "()[0]" * 1000,
    "x = 1" + "+1" * 1000,
    "x = " + "0if 1else " * 1000 + "0",  # a number may end where a word begins
    "x = 1\n\f" + "if a: pass\n" + "elif a: pass\n" * 1000,  # a form feed before a line takes no part in it
    "x = " + "[{(" * 60 + "1" + ")}]" * 60 + "\nx = 1" + "**1" * 10_000,
]


@pytest.mark.parametrize("source", CHAINS)
def test_depth_is_refused(source: str) -> None:
    error = compile_error(source)
    assert error is not None
    assert error.type == "ProgramTooDeep"


@pytest.mark.parametrize(
    "source",
    [
        "x = [" + "1, " * 5000 + "]",
        "x = 1\n" * 3000,
        "def f(): pass\n" * 1000,
        '"""' + "- a. (b) [c] {d} " * 500 + '"""',
        "# " + "(" * 3000,
        "x = 'a.b.c.(((" + "." * 3000 + "'",
        "def f(a):\n    if a == 0: return 0\n" + "    elif a == 1: return 1\n" * 300,
        "def f(a):\n    return 0" + " + a" * 300,
        "def f():\n if a: pass\n elif b: pass\n" * 200,
        "x = (1 +\n     2)\n" * 200,
        "MASK = 0x" + "f" * 5000,
        "def f(x):\n  for i in x:\n    try:\n      return i\n    finally:\n      x.close()\n" * 100,
        "TABLE = (" + "(1, 2, 3), " * 5000 + ")",
    ],
)
def test_size_without_depth_is_welcome(source: str) -> None:
    assert compile_error(source) is None


def nested_finally(depth: int) -> str:
    """Every way out of a `try` copies what its `finally` holds: 3 ** depth copies of the innermost."""
    lines = [" " * i + f"try:return 1\n{' ' * i}finally:\n" for i in range(1, depth + 1)]
    return "def f():\n" + "".join(lines) + " " * (depth + 1) + "pass\n"


EXPLODING = {
    "finally": nested_finally(18),
    "break through finally": nested_finally(16).replace("def f():", "while 1:").replace("return 1", "break"),
    "finally in finally": "".join(" " * i + f"try: pass\n{' ' * i}finally:\n" for i in range(19)) + " " * 19 + "pass",
    "functions": "def f():pass\n" * 14_000,
    "lambdas": "lambda:0\n" * 20_000,
    "tuples": ("x=" + "(" * 95 + "1," + ")," * 94 + ")\n") * 600,
    "fields of an f-string": "x=f'" + "{a}" * 66_000 + "'",
}


@pytest.mark.parametrize("name", EXPLODING)
def test_what_would_explode_in_the_compiler_is_refused_first(name: str) -> None:
    before = time.process_time()
    error = compile_error(EXPLODING[name])
    assert error is not None
    assert error.type == "ProgramTooLarge"
    assert time.process_time() - before < 2


def test_a_gigabyte_of_copies_fits_into_little_memory() -> None:
    """In a process that could not hold them: 430 characters took 1.9 GB."""
    code = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (400 << 20,) * 2)\n"
        "from egca_plugin.program.compiling import compile_error\n"
        f"print(compile_error({nested_finally(13)!r}).type)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "ProgramTooLarge"


def test_a_changed_tree_is_measured_again() -> None:
    tree = parse(nested_finally(12).replace("return 1", "pass"))
    code_of(tree, "<program>")
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            node.body = [ast.copy_location(ast.Return(), node)]
    with pytest.raises(growth.TooMuch):
        code_of(tree, "<program>")


@given(depth=st.integers(3, 6), way_out=st.sampled_from(["return 1", "break", "continue", "pass"]))
def test_copies_are_counted_as_the_compiler_makes_them(depth: int, way_out: str) -> None:
    """One more level multiplies the code as it multiplies the count."""

    def source(levels: int) -> str:
        lines = nested_finally(levels).replace("return 1", way_out).split("\n")
        return "\n".join([lines[0], " while a:", *(" " + line for line in lines[1:])])

    def emitted(levels: int) -> int:
        namespace: dict[str, Any] = {}
        exec(compile(source(levels), "", "exec"), namespace)
        return len(namespace["f"].__code__.co_code)

    def counted(levels: int) -> int:
        copies = growth._Copies(1 << 40)
        copies.block(ast.parse(source(levels)).body, ())
        return (1 << 40) - copies._left

    assert emitted(depth + 1) / emitted(depth) == pytest.approx(counted(depth + 1) / counted(depth), rel=0.3)


def test_room_lets_the_deepest_tree_be_visited_and_is_gone_afterwards() -> None:
    source = "def f(a):\n    return a" + " + a" * (MAX_DEPTH - 6) + " + 0x" + "f" * 5_000
    assert compile_error(source) is None
    limits = sys.getrecursionlimit(), sys.get_int_max_str_digits()
    with room():
        assert ast.unparse(parse(source))
    assert (sys.getrecursionlimit(), sys.get_int_max_str_digits()) == limits


@pytest.mark.parametrize(
    ("source", "line", "column"),
    [
        ("x = 1\ny = = 2\n", 2, 5),
        ("def f():\n    é = (\n", 2, 9),
        ("return 1", 1, 1),
        ("x\ny\0z", 2, 2),
        ("é = '\ud800'", 1, 6),
    ],
)
def test_positions_are_characters(source: str, line: int, column: int) -> None:
    error = compile_error(source)
    assert error is not None
    assert (error.line, error.column) == (line, column)


def test_warnings_stay_the_candidates_matter(recwarn: pytest.WarningsRecorder) -> None:
    assert compile_error("x = '\\d'\nassert (1, 'always true')\n") is None
    assert not recwarn.list
