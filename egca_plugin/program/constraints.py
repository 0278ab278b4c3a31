"""Constraints: what a program must look like, derived from the reference without a model (METHOD.md, steps 1 and 2).

A constraint is a *kind* and a *value*, written ``kind=value`` (in a task's ``constraints``, say). Each kind has a
machine check and a short English phrase for the prompt. Two levels are derived:

``signature``: only what the task demands of every solution: the function, callable as the tests call it, that gives
its result in the right way, without modules that reach outside the computation.
``paper``: also how the reference solves it: recursion or loops, how deep they nest, sorting, containers, modules, and
whether arguments change.

A complexity class needs runs: the kind ``complexity`` is derived and checked by :mod:`egca_plugin.tasks.complexity`
alone, and :func:`check` lets it pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from egca_plugin.errors import TaskError
from egca_plugin.program.facts import Facts, calls_of, observe
from egca_plugin.program.reading.prompt import head
from egca_plugin.types import Task

# Classes of the kind `complexity`, from fast to slow.
COMPLEXITY = ("constant", "root", "linear", "quadratic", "cubic", "exponential")

# Modules through which a program reaches beyond its arguments; a reference that imports one allows it.
# `sys` is not among them: `sys.maxsize` is arithmetic.
OUTSIDE = frozenset(
    {
        "os", "subprocess", "socket", "ctypes", "inspect", "gc", "importlib", "__import__", "builtins", "threading",
        "multiprocessing", "concurrent", "asyncio", "signal", "shutil", "tempfile", "pathlib", "urllib", "http",
        "requests", "pickle", "marshal", "mmap", "resource", "pty", "fcntl", "atexit", "traceback", "faulthandler",
        "code", "codeop", "runpy", "site", "platform", "select", "selectors", "ssl", "ftplib", "smtplib", "webbrowser",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Constraint:
    """One demand on the function ``entry_point``; ``value`` is what its kind compares with."""

    kind: str
    value: str
    entry_point: str

    @property
    def phrase(self) -> str:
        """The demand in English, for the prompt."""
        return _KINDS[self.kind].phrase(self)

    def __str__(self) -> str:
        return f"{self.kind}={self.value}"


@dataclass(frozen=True, slots=True)
class Violation:
    """``found`` is what the program has instead."""

    constraint: Constraint
    found: str

    def __str__(self) -> str:
        return f"{self.constraint.kind}: got {self.found}, expected {self.constraint.value}"


@dataclass(frozen=True, slots=True)
class _Kind:
    """``level``: from where on it is derived. ``derive``: the value that the reference sets, None for no demand.

    ``check``: what is wrong with a program, or ``""``.
    """

    level: str
    derive: Callable[[Task, Facts], str | None]
    check: Callable[[str, Facts], str]
    phrase: Callable[[Constraint], str]


def derive(task: Task, level: str) -> tuple[Constraint, ...]:
    """The constraints of ``task``: its own where it brings any, else what its reference sets at ``level``.

    Raises TaskError for a constraint of the task that is not ``kind=value`` with a known kind.
    """
    if task.constraints:
        return tuple(parse(text, task) for text in task.constraints)
    if level == "off":
        return ()
    facts = observe(task.reference, task.entry_point)
    if not facts.defined:
        return ()
    values = {name: kind.derive(task, facts) for name, kind in _KINDS.items() if kind.level in ("signature", level)}
    return tuple(Constraint(name, value, task.entry_point) for name, value in values.items() if value is not None)


def check(constraints: Sequence[Constraint], source: str) -> tuple[Violation, ...]:
    """The constraints that the program ``source`` breaks; without the function it breaks only ``defines``."""
    violations = []
    for constraint in constraints:
        facts = observe(source, constraint.entry_point)
        if facts.defined or constraint.kind == "defines":
            found = _KINDS[constraint.kind].check(constraint.value, facts)
            if found:
                violations.append(Violation(constraint, found))
    return tuple(violations)


def parse(text: str, task: Task) -> Constraint:
    """Read ``kind=value``. Raises TaskError."""
    kind, equals, value = text.partition("=")
    if not equals or kind not in _KINDS:
        known = ", ".join(_KINDS)
        raise TaskError(f"{task.task_id}, field constraints: got {text!r}, expected kind=value with a kind of {known}")
    return Constraint(kind, value, task.entry_point)


def guided(task: Task, level: str, measured: Sequence[Constraint] = ()) -> Task:
    """The task as constraint-guided sampling asks it: its prompt says the constraints, its ``constraints`` hold them.

    ``measured`` are those that took runs; they come last, and a task that brings constraints of its own keeps to them.
    In a prompt that is code they stand in front as comments, since a completion must be able to continue it.
    """
    constraints = derive(task, level) + (() if task.constraints else tuple(measured))
    phrases = [f"- {constraint.phrase}" for constraint in constraints if constraint.phrase]
    if not phrases:
        return task
    opening = head(task.prompt, task.entry_point)
    if opening is not None and opening.text.rstrip() == task.prompt.rstrip():
        prompt = "".join(f"# {line}\n" for line in ("Constraints:", *phrases)) + task.prompt
    else:
        prompt = "\n".join([task.prompt.rstrip(), "", "Constraints:", *phrases]) + "\n"
    return replace(task, prompt=prompt, constraints=tuple(map(str, constraints)))


# --- the kinds --------------------------------------------------------------------------------------------------


def _calls(task: Task, facts: Facts) -> str | None:
    """How the tests call the function, as ``2`` or ``1,2`` or ``1+base``; by the reference where they do not say."""
    tests = task.tests if isinstance(task.tests, str) else "\n".join(task.tests)
    calls = calls_of(tests, frozenset({"candidate", task.entry_point}))
    if not calls and facts.parameters is not None:
        calls = frozenset({(facts.parameters.least, frozenset())})
    if facts.parameters is not None:
        calls = frozenset(call for call in calls if facts.parameters.accepts(*call))
    return ",".join(sorted("+".join([str(count), *sorted(names)]) for count, names in calls)) or None


def _check_calls(value: str, facts: Facts) -> str:
    if facts.parameters is None:
        return ""
    for call in value.split(","):
        count, *names = call.split("+")
        if not facts.parameters.accepts(int(count), frozenset(names)):
            return f"parameters ({', '.join(facts.parameters.names)})"
    return ""


def _phrase_calls(constraint: Constraint) -> str:
    counts = sorted({int(call.split("+")[0]) for call in constraint.value.split(",")})
    return f"It is called with {' or '.join(map(str, counts))} argument{'' if counts == [1] else 's'}."


def _among(value: str, found: frozenset[str]) -> str:
    return ", ".join(sorted(found - set(value.split(","))))


def _listed(names: frozenset[str]) -> str:
    return ",".join(sorted(names))


_RESULTS = {
    "value": "Return the result.",
    "generator": "Write a generator: yield the results one by one.",
    "coroutine": "Write a coroutine (async def).",
}
_FORMS = {
    "recursion": "Solve it by recursion.",
    "loop": "Solve it with a loop, not by recursion.",
    "straight": "Solve it without loops and without recursion.",
}

_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "defines": _Kind(
            "signature",
            lambda task, facts: task.entry_point,
            lambda value, facts: "" if facts.defined else "no such function",
            lambda c: f"Define the function `{c.value}`.",
        ),
        "calls": _Kind("signature", _calls, _check_calls, _phrase_calls),
        "result": _Kind(
            "signature",
            lambda task, facts: facts.result if facts.result in _RESULTS else None,
            # a forgotten `return` is a fault for the localiser, not another kind of function
            lambda value, facts: "" if facts.result in ("", "nothing", value) else facts.result,
            lambda c: _RESULTS[c.value],
        ),
        "outside": _Kind(
            "signature",
            lambda task, facts: _listed(facts.modules & OUTSIDE),
            lambda value, facts: _among(value, facts.modules & OUTSIDE),
            lambda c: "",
        ),
        "form": _Kind(
            "paper",
            lambda task, facts: facts.form or None,
            lambda value, facts: facts.form if facts.form and facts.form != value else "",
            lambda c: _FORMS[c.value],
        ),
        "nesting": _Kind(
            "paper",
            lambda task, facts: str(facts.nesting) if facts.nesting else None,
            lambda value, facts: str(facts.nesting) if facts.nesting > int(value) else "",
            lambda c: "Do not nest loops." if c.value == "1" else f"Nest loops at most {c.value} deep.",
        ),
        "sorts": _Kind(
            "paper",
            lambda task, facts: "yes" if facts.sorts else "no",
            lambda value, facts: "" if (value == "yes") == facts.sorts else "yes" if facts.sorts else "no",
            lambda c: "Sort." if c.value == "yes" else "Do not sort.",
        ),
        "containers": _Kind(
            "paper",
            lambda task, facts: _listed(facts.containers),
            lambda value, facts: _among(value, facts.containers),
            lambda c: f"Besides lists, use only: {c.value}." if c.value else "Use no containers but lists.",
        ),
        "modules": _Kind(
            "paper",
            lambda task, facts: _listed(facts.modules),
            lambda value, facts: _among(value, facts.modules),
            lambda c: f"Import nothing but {c.value}." if c.value else "Import nothing.",
        ),
        "mutates": _Kind(
            "paper",
            lambda task, facts: None if facts.mutates else "no",
            lambda value, facts: "yes" if facts.mutates else "",
            lambda c: "Do not change the arguments.",
        ),
        "complexity": _Kind(
            "measured",
            lambda task, facts: None,
            lambda value, facts: "",
            lambda c: f"Aim for {c.value} time or better." if c.value != "exponential" else "",
        ),
    }
)
