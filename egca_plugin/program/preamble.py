"""What stands in front of a candidate and was not sampled: the task's preamble, and what judges such as LeetCode give.

It is in no segment of the program, so it is never credited.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from egca_plugin.config import EgcaConfig
from egca_plugin.program.compiling import parse
from egca_plugin.program.reading.drafts import Draft
from egca_plugin.types import Task

# Modules that the zygote has loaded already: they cost a run nothing. The builtins come behind, for no module to hide
# one, and the modules themselves behind their contents, for ``copy.copy`` to work.
STANDARD = """\
from bisect import *
from collections import *
from copy import *
from functools import *
from heapq import *
from itertools import *
from math import *
from operator import *
from random import *
from re import *
from string import *
from typing import *
from builtins import *
import bisect, collections, copy, functools, heapq, itertools, math, operator, os, random, re, string, sys, time, typing
"""
NODES = {
    "ListNode": """\
class ListNode:
    def __init__(self, val=0, next=None):
        self.val = val
        self.next = next
""",
    "TreeNode": """\
class TreeNode:
    def __init__(self, val=0, left=None, right=None):
        self.val = val
        self.left = left
        self.right = right
""",
}


_Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def preamble_of(task: Task, config: EgcaConfig) -> str:
    """The text to put in front of every candidate of ``task``; empty where there is none.

    With ``egca.preamble=standard``: the usual imports, and ``ListNode`` and ``TreeNode`` where the task names them;
    then the task's own, whose definitions go before ours.
    """
    if config.preamble == "none" or STANDARD in task.preamble:
        return task.preamble
    tests = task.tests if isinstance(task.tests, str) else "\n".join(task.tests)
    said = "\n".join((task.prompt, task.reference, tests, task.setup, task.preamble))
    return "".join((STANDARD, nodes_named(said), _ended(task.preamble)))


def nodes_named(text: str) -> str:
    """The definitions of those of LeetCode's nodes that ``text`` names."""
    return "".join(definition for name, definition in NODES.items() if re.search(rf"\b{name}\b", text))


def prepared(task: Task, config: EgcaConfig) -> Task:
    """The task with its whole preamble, which stands in front of its reference too. Twice is as good as once."""
    preamble = preamble_of(task, config)
    return replace(task, preamble=preamble, reference=in_front(preamble, task.reference)) if preamble else task


def without_unused(preamble: str, source: str) -> str:
    """``source`` with the functions and classes of the preamble that it does not name blanked out.

    Every other character keeps its place. LeetCodeDataset's preamble is longer than most solutions, and for the tests.
    """
    given = _ended(preamble)
    start = source.find(given) if given else -1
    if start < 0:
        return source
    lines = given.splitlines(keepends=True)
    definitions = [node for node in parse(given).body if isinstance(node, _DEFINITIONS)]
    text = source[:start] + source[start + len(given) :] + _blanked(lines, definitions)
    while used := [node for node in definitions if re.search(rf"\b{node.name}\b", text)]:
        definitions = [node for node in definitions if node not in used]
        text += "".join("".join(lines[node.lineno - 1 : node.end_lineno]) for node in used)
    return source[:start] + _blanked(lines, definitions) + source[start + len(given) :]


def _blanked(lines: Sequence[str], nodes: Sequence[_Definition]) -> str:
    gone = {
        number
        for node in nodes
        for number in range(min([node.lineno, *(x.lineno for x in node.decorator_list)]), (node.end_lineno or 0) + 1)
    }
    return "".join(
        re.sub(r"[^\r\n]", " ", line) if number in gone else line for number, line in enumerate(lines, start=1)
    )


def in_front(preamble: str, source: str) -> str:
    """``source`` with the preamble in front, unless it has it, behind its imports from ``__future__``."""
    given = _ended(preamble)
    if not source or given in source:
        return source
    whole = Draft(source, ((0, len(source)),))
    return whole.behind(given).source


def _ended(preamble: str) -> str:
    """Its last line ended."""
    return preamble if preamble.endswith("\n") or not preamble else f"{preamble}\n"
