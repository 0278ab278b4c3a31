"""The first character at which a program parts from its repair, formatting aside."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from egca_plugin.credit.decision import decision

LOOP = "def f(xs):\n    t = 0\n    for x in xs:\n        t = x\n    return t\n"


def parted(source: str, repaired: str) -> str | None:
    """``source`` with a bar in front of the decision."""
    found = decision(source, ast.unparse(ast.parse(repaired)))
    return None if found is None else source[: found.at] + "|" + source[found.at :]


@pytest.mark.parametrize(
    ("source", "repaired", "expected"),
    [
        (LOOP, LOOP.replace("t = x", "t = t + x"), LOOP.replace("t = x", "t = |x")),  # not what the patch replaces
        (LOOP, LOOP.replace("t = x", "t += x"), LOOP.replace("t = x", "t |= x")),
        (LOOP, LOOP.replace("    return t", "        return t"), LOOP.replace(" return", "| return")),  # another depth
        (LOOP, LOOP.replace("t = x\n", "t = x\n        t += 1\n"), LOOP.replace(" return", "| return")),  # omitted
        ("def f(n):\n    return (n>=3)\n", "def f(n):\n    return n > 3\n", "def f(n):\n    return (n>|=3)\n"),
        ("def f(n):\n    return g(n+1)\n", "def f(n):\n    return g(n)\n", "def f(n):\n    return g(n|+1)\n"),
        ("def f(n):\n    return n # c\n", "def f(n):\n    return n[1:]\n", "def f(n):\n    return n| # c\n"),
        ("def f(n):\n    return 1\n", "def f(n):\n    return 10\n", "def f(n):\n    return 1|\n"),
        ("if n < 3: r = 1\n", "if n <= 3: r = 1\n", "if n |< 3: r = 1\n"),  # the operator, not what stands behind it
        ("r = a / n\n", "r = a / nums\n", "r = a / |n\n"),
        ("def f(a,b):\n  return a,b\n", "def f(a, b):\n  return (b, a)\n", "def f(a,b):\n  return |a,b\n"),
        ('def f(s):\n  return s + "x"\n', "def f(s):\n  return s + 'y'\n", 'def f(s):\n  return s + "|x"\n'),
        ("if s: r = 1\nq = 2\n", "if s: r = 3\nq = 2\n", "if s: r = |1\nq = 2\n"),
        ("if not s: r = 1\n", "if s: r = 1\n", "if |not s: r = 1\n"),
        ("if s:\n  r = 1\nelse:\n  if t:\n    r = 2\n", "if s: r = 1\nelif t: r = 3\n",
         "if s:\n  r = 1\nelse:\n  if t:\n    r = |2\n"),
        ("r = 1; q = 2\n", "r = 1\nq = 2\nz = 3\n", "r = 1; q = 2\n|"),
        ("r = 'é'; q = (1 +\n  2)\n", "r = 'é'\nq = 1 + 3\n", "r = 'é'; q = (1 +\n  |2)\n"),
        ("r = 1", "r = 1\nq = 2\n", "r = 1|"),
        ("r = 1\nif s:\n  q = 2\n", "r = 1\n", "r = 1\n|if s:\n  q = 2\n"),  # too much
    ],
)  # fmt: skip
def test_where_the_texts_part(source: str, repaired: str, expected: str) -> None:
    assert parted(source, repaired) == expected


@pytest.mark.parametrize(
    ("source", "repaired", "goes_on"),
    [
        (LOOP, LOOP.replace("t = x", "t += x"), "\n        t| += x"),
        ("while i<n: i+=1\n", "while i <= n: i += 1\n", "while i|<= n:"),  # as densely as the source
        ("def f(n):\n    return g(n - 1)\n", "def f(n):\n    return g(n)\n", "    return g(n|)"),
        ('def f(s):\n  return s + "x"\n', "def f(s):\n  return s + 'y'\n", '  return s +| "y"'),
        (LOOP, LOOP.replace("    return t", "        return t"), "        t = x\n|        return t"),
        ("for x in y:\n  if x:\n    t = 1\n    return t\n", "for x in y:\n  if x:\n    t = 1\n  return t\n",
         "    t = 1\n|  return t"),
        ("for x in y:\n  t = 1\n  return t\n", "for x in y:\n  t = 1\n  pass\nreturn t\n", "  t = 1\n|return t"),
        ("def f():\n  r = 1\n\n\ndef g():\n  t\n", "def f():\n  r = 1\n  q = 2\ndef g():\n  t\n", "r = 1|\n  q = 2"),
        ("r = 1", "r = 1\nif r:\n  q = 2\n", "r = 1|\nif r:"),
        ("if s: r = 1; q = 2\n", "if s: r = 1; q = 3\n", "if s: r = 1; q =| 3"),
    ],
)  # fmt: skip
def test_how_the_repair_goes_on(source: str, repaired: str, goes_on: str) -> None:
    """In the layout of the source; a bar where that begins, and the line in front."""
    found = decision(source, ast.unparse(ast.parse(repaired)))
    assert found is not None
    assert source[: found.start].endswith(goes_on.partition("|")[0])
    assert found.text == goes_on.partition("|")[2]


@pytest.mark.parametrize("source", ["def f(:\n", "x = (1,\n", "\x00", ""])
def test_nothing_is_said_of_what_cannot_be_read(source: str) -> None:
    assert decision(source, "x = 1") is None or source == ""


def test_a_repair_that_changes_nothing_has_no_decision() -> None:
    assert decision("x = (1)  # one\n", "x = 1") is None


NAMES = st.sampled_from(["a", "bb", "ab", "a1"])
EXPRESSIONS = st.recursive(
    NAMES | st.sampled_from(["1", "10", "'x'", "-2"]),
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "<", ">=", "and", "in", "%"]), inner)
        | st.builds("{}({}, {})".format, NAMES, inner, inner)
        | st.builds("[{}, {}][1:]".format, inner, inner)
    ),
    max_leaves=6,
)
STATEMENTS = st.builds("{} = {}".format, NAMES, EXPRESSIONS) | st.builds("return {}".format, EXPRESSIONS)
LINES = st.lists(STATEMENTS, min_size=1, max_size=4)
PROGRAMS = LINES.map(lambda lines: "def f():\n" + "".join(f"  {line}\n" for line in lines))


def words(text: str) -> str:
    return "".join(c for c in text if not c.isspace() and c not in "()[]{},;:")


@given(PROGRAMS, PROGRAMS)
def test_what_stands_before_the_decision_stands_in_the_repair_too_whatever_the_layout(source: str, other: str) -> None:
    plain, patched = (ast.unparse(ast.parse(text)) for text in (source, other))
    found, formatted = decision(plain, patched), decision(source, patched)
    assert (found is None) == (formatted is None) == (plain == patched)
    if found is not None and formatted is not None:
        before = words(plain[: found.at])
        assert words(patched).startswith(before)
        assert words(source[: formatted.at]) == before
        assert found.start <= found.at
        assert formatted.start <= formatted.at
