"""A scorer that follows LiveCodeBench's rules, as its cards and its users' reports tell them; none of its code.

A program on standard input becomes a function: its imports first, behind those that the judge gives, the rest as the
body, ``sys.stdin`` and ``open`` replaced by stand-ins, what it prints captured, an exit an ordinary end. The outputs
must have as many lines; each line is stripped, and must be equal or hold equal decimal numbers. Calls compare with
``==``, a tuple counting as a list. Six seconds a test, all tests or nothing. It runs the program in a bare process: for
programs of ours only.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import multiprocessing
from decimal import Decimal, InvalidOperation
from multiprocessing.connection import Connection
from unittest import mock

from egca_plugin.types import CallCase, StdinCase, Task

SECONDS = 6.0  # a test
_GIVEN = """
from collections import *
from itertools import *
from functools import *
from heapq import *
from bisect import *
from math import *
from typing import *
import collections, heapq, itertools, functools, bisect, math, random, re, string, sys
sys.setrecursionlimit(50000)
"""


def score(task: Task, program: str) -> bool:
    """Whether all tests pass."""
    return all(_in_process(program, task.entry_point, case) for case in task.cases)


def _in_process(program: str, entry_point: str, case: StdinCase | CallCase) -> bool:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, program, entry_point, case), daemon=True)
    process.start()
    theirs.close()
    try:
        return bool(ours.poll(SECONDS) and ours.recv())
    except EOFError:
        return False
    finally:
        process.kill()
        process.join()
        ours.close()


def _answer(channel: Connection, program: str, entry_point: str, case: StdinCase | CallCase) -> None:
    try:
        if isinstance(case, StdinCase):
            passed = _same_lines(_output(program, case.stdin), case.stdout[0])
        else:
            passed = _same_value(program, entry_point, case)
    except BaseException:  # noqa: BLE001 - whatever the program raises, it does not pass
        passed = False
    channel.send(passed)


def _output(program: str, stdin: str) -> str:
    """What the program prints as a function with stand-ins for its streams."""
    tree = ast.parse(program)
    tree.body = [_unguarded(node) for node in tree.body]
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    rest = [node for node in tree.body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    body = "\n".join("    " + line for node in rest for line in ast.unparse(node).splitlines())
    source = "\n".join([_GIVEN, *map(ast.unparse, imports), "def wrapped():", body or "    pass"])
    space: dict[str, object] = {"__name__": "__lcb__"}
    exec(compile(source, "<solution>", "exec"), space)  # noqa: S102 - a program of our own corpus, in its own process
    printed = io.StringIO()
    opened = mock.mock_open(read_data=stdin)
    with (
        mock.patch("sys.stdin", _Stdin(stdin)),
        mock.patch("builtins.open", opened),
        contextlib.redirect_stdout(printed),
        contextlib.suppress(SystemExit),
    ):
        space["wrapped"]()  # type: ignore[operator]
    return printed.getvalue()


class _Stdin:
    """Lines one by one, the whole text as often as it is asked for, of the bytes the first line; no iteration."""

    def __init__(self, text: str) -> None:
        self._text, self._lines = text, io.StringIO(text)
        self.buffer = mock.Mock(spec_set=["read", "readline"])
        self.buffer.read.side_effect = lambda *_: text.encode()
        self.buffer.readline.side_effect = lambda *_: text.encode().split(b"\n")[0] + b"\n"

    def read(self, *_: int) -> str:
        return self._text

    def readline(self, *_: int) -> str:
        return self._lines.readline()

    def readlines(self, *_: int) -> list[str]:
        return self._text.split("\n")


def _unguarded(node: ast.stmt) -> ast.stmt:
    """The body of ``if __name__ == "__main__"`` in its place."""
    if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test):
        return ast.If(ast.Constant(True), node.body, node.orelse)
    return node


def _same_lines(got: str, expected: str) -> bool:
    mine, theirs = ([line.strip() for line in text.strip().split("\n")] for text in (got, expected))
    return len(mine) == len(theirs) and all(a == b or _same_numbers(a, b) for a, b in zip(mine, theirs, strict=True))


def _same_numbers(one: str, other: str) -> bool:
    try:
        return [Decimal(word) for word in one.split()] == [Decimal(word) for word in other.split()]
    except InvalidOperation:
        return False


def _same_value(program: str, entry_point: str, case: CallCase) -> bool:
    space: dict[str, object] = {"__name__": "__lcb__"}
    exec(compile(_GIVEN + program, "<solution>", "exec"), space)  # noqa: S102 - as above
    kind, _, method = entry_point.rpartition(".")
    function = getattr(space[kind](), method) if kind and kind in space else space[method]  # type: ignore[operator]
    got = function(*json.loads(case.args))  # type: ignore[operator]
    return bool((list(got) if isinstance(got, tuple) else got) == json.loads(case.expected))
