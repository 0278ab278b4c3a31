"""How these tests judge a program with classes."""

from __future__ import annotations

from egca_plugin.judging.referee import judge
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task, Verdict


def judged(sandbox: Sandbox, source: str, body: str, reference: str = "", front: str = "", name: str = "") -> Verdict:
    """``body``: of one test in pytest source, before which the tests import the program's class."""
    name = name or source.split("class ", 1)[1].split("(")[0].split(":")[0]
    lines = "".join(f"    {line}\n" for line in body.strip().splitlines())
    tests = f"import pytest\nfrom solution import {front or name}\n\ndef test_it():\n{lines}"
    return judge(sandbox, source, Task("t/1", "", name, reference or source, tests), timeout_s=2)
