"""open-r1's codeforces: ``official_tests`` a list of ``{input, output}``, and where several outputs are right a
``generated_checker``, a Python program that is given three files by name and prints 1 or 0. There are no references.
"""

from __future__ import annotations

from collections.abc import Mapping

from egca_plugin.program.compiling import compile_error
from egca_plugin.tasks.layouts import cases
from egca_plugin.tasks.layouts.layout import Layout, Reading, Row, ask, keys
from egca_plugin.types import Kind, Task

_PARTS = (("input_format", "Input"), ("output_format", "Output"), ("note", "Note"))
_USED = (
    "id", "description", "official_tests", "generated_checker", "input_mode", "time_limit", "memory_limit",
    "examples", *(name for name, _ in _PARTS),
)  # fmt: skip
# The program as a function: it opens the three texts in place of files, and says its answer on its own output.
_CHECKER = """\
_PROGRAM = {source!r}


def check(stdin, output, expected):
    import builtins, contextlib, io, os, sys

    files = {{"input.txt": stdin, "correct_output.txt": expected, "solution_output.txt": output}}
    said, usual = io.StringIO(), (sys.argv, builtins.open, io.open, os.path.exists, os.path.isfile)

    def opened(name, mode="r", *others, **named):
        text = files.get(name if isinstance(name, int) else os.fspath(name))
        if text is None:
            return usual[1](name, mode, *others, **named)
        return io.BytesIO(text.encode("utf-8", "surrogateescape")) if "b" in mode else io.StringIO(text)

    sys.argv = ["checker.py", *files]
    builtins.open = io.open = opened
    os.path.exists = os.path.isfile = lambda path: os.fspath(path) in files or usual[3](path)
    try:
        with contextlib.redirect_stdout(said):
            exec(compile(_PROGRAM, "checker.py", "exec"), {{"__name__": "__main__"}})
    except SystemExit:
        pass
    finally:
        sys.modules.pop("fileinput", None)  # which may not have come to its end
        sys.argv, builtins.open, io.open, os.path.exists, os.path.isfile = usual
    return float((said.getvalue().split() or ["0"])[-1]) > 0
"""


def read(row: Row) -> Reading:
    """Problems on files, with a dialogue or without tests that can be run are refused."""
    mode = row.maybe("input_mode") or "stdio"
    if mode != "stdio":
        raise row.unsupported("input_mode", repr(mode), "a program gets no files, only standard input")
    if row.maybe("interaction_format"):
        raise row.unsupported("interaction_format", "an interactive problem", "a test is one input and one output")
    if row.fields.get("executable") is False:
        raise row.unsupported("executable", "False", "the set itself says that these tests cannot be run")
    tests = row.sequence("official_tests")
    inputs = [test.get("input") if isinstance(test, Mapping) else None for test in tests]
    outputs = [test.get("output") if isinstance(test, Mapping) else None for test in tests]
    task = Task(
        task_id=row.id("codeforces", "id"),
        prompt=prompt(row),
        entry_point="",
        reference="",
        tests=(),
        checker=checker(row),
        limits=cases.limits(row),
        extra=row.rest("codeforces", *_USED),
    )
    tasks = cases.with_kind(task, Kind.STDIN, "", (cases.stdin_cases(row, "official_tests", inputs, outputs),))
    return Reading(tasks)


def checker(row: Row) -> str:
    """``check(stdin, output, expected)`` of the row's checker, empty where it has none. Raises TaskError."""
    source = row.maybe("generated_checker")
    if not source.strip():
        return ""
    wrong = compile_error(source)
    if wrong is not None:
        raise row.fault("generated_checker", f"what does not compile (line {wrong.line}: {wrong.message})", "Python")
    return _CHECKER.format(source=source)


def prompt(row: Row) -> str:
    """The statement with its formats, its note and its examples."""
    parts = [row.text("description")]
    parts += [f"{title}:\n{row.maybe(name).strip()}" for name, title in _PARTS if row.maybe(name).strip()]
    for example in row.sequence("examples"):
        if isinstance(example, Mapping):
            given, expected = str(example.get("input", "")).rstrip(), str(example.get("output", "")).rstrip()
            parts.append(f"Example input:\n{given}\nExample output:\n{expected}")
    return "\n\n".join(parts)


LAYOUT = Layout("codeforces", "open-r1 codeforces", (keys("description", "official_tests", "input_mode"),), read, ask)
