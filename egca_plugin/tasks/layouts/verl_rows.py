"""The tests in a verl row's ``reward_model.ground_truth``, as the code sets that are published as verl rows write them.

==================  ================================================================================================
prime_code          ``{inputs, outputs[, fn_name]}`` (Eurus-2, Skywork, TACO): runs of a whole program or, with
                    ``fn_name``, calls, each input newline-joined JSON arguments and each output JSON
Skywork, LeetCode   ``{import_prefix, test_code, entry_point}``: source of ``check(candidate)``
Skywork, MBPP       ``{assert_case: [...]}``
LiveCodeBench       ``[{input, output, testtype}]``, in JSON or packed into a pickle, maybe under
                    ``public_test_cases`` and ``private_test_cases``; DeepCoder's rows are of this kind
==================  ================================================================================================

Arrow gives each row of a column the keys of all, so a key with the value None counts as absent.
"""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from egca_plugin.errors import TaskError
from egca_plugin.judging.forms.usual import asked_about
from egca_plugin.program.preamble import nodes_named
from egca_plugin.tasks.layouts import packed, solutions
from egca_plugin.tasks.layouts.cases import IMPORTS, lines_of, returns_lists
from egca_plugin.types import CallCase, Compare, Kind, StdinCase, Task

TOLERANCE = 1e-6  # absolute and relative, where expected outputs have decimal points
_DECIMAL = re.compile(r"(?<!\S)[-+]?\d+\.\d+(?:[eE][-+]?\d+)?(?!\S)")
_FIELDS = ("inputs", "outputs", "fn_name")


@dataclass(frozen=True, slots=True)
class About:
    """What the row says beside its tests. ``function``: the name to call, where the tests do not say it."""

    task_id: str
    prompt: str = ""
    solutions: tuple[str, ...] = ()
    function: str = ""


def task_of(truth: Any, about: About, where: str) -> Task | None:
    """The task of a decoded ground truth, None where it has no layout of these. Raises TaskError naming the field."""
    if isinstance(truth, list):
        return _listed(truth, about, where) if truth and all(map(_is_listed, truth)) else None
    if not isinstance(truth, Mapping):
        return None
    truth = {key: value for key, value in truth.items() if value is not None}
    if {"inputs", "outputs"} <= truth.keys():
        return in_outs(truth, about, where)
    if "test_code" in truth:
        return _checked(truth, about, where)
    if "assert_case" in truth:
        return _asserted(truth, about, where)
    if {"public_test_cases", "private_test_cases"} & truth.keys():
        return _live(truth, about, where)
    if "question_id" in truth:
        raise TaskError(
            f"{where}.question_id: got {truth['question_id']!r} and no tests: they lie in a file beside the data; "
            "put them into the row (`egca prepare` reads LiveCodeBench), or leave it out"
        )
    return None


# --- prime_code ---------------------------------------------------------------------------------------------------


def in_outs(truth: Mapping[str, Any], about: About, where: str) -> Task:
    """``{inputs, outputs[, fn_name]}``; TACO and APPS write arguments as a list in place of lines of JSON."""
    inputs, outputs = (_listed_field(truth, name, where) for name in _FIELDS[:2])
    if len(inputs) != len(outputs):
        raise TaskError(f"{where}: got {len(inputs)} inputs and {len(outputs)} outputs, expected as many")
    if not inputs:
        raise TaskError(f"{where}.inputs: got no test, expected at least one")
    name = truth.get("fn_name") or about.function
    if not name:
        runs = [(_lines(i, f"{where}.inputs[{k}]"), _lines(o, f"{where}.outputs[{k}]"))
                for k, (i, o) in enumerate(zip(inputs, outputs, strict=True))]  # fmt: skip
        return _stdin(runs, about, where)
    calls = [
        (_arguments(i, f"{where}.inputs[{k}]"), _expected(o, i, f"{where}.outputs[{k}]"))
        for k, (i, o) in enumerate(zip(inputs, outputs, strict=True))
    ]
    return _method(_function_name(name, f"{where}.fn_name"), calls, about, where)


def _stdin(runs: Sequence[tuple[str, str]], about: About, where: str) -> Task:
    decimal = any(_DECIMAL.search(output) for _, output in runs)
    return Task(
        about.task_id,
        about.prompt,
        "",
        solutions.choose(about.solutions, "", where),
        (),
        kind=Kind.STDIN,
        compare=Compare(abs=TOLERANCE, rel=TOLERANCE) if decimal else Compare(),
        cases=tuple(StdinCase(stdin, (stdout,)) for stdin, stdout in runs),
    )


def _method(name: str, calls: Sequence[tuple[list[Any], Any]], about: About, where: str) -> Task:
    reference = solutions.choose(about.solutions, name, where)
    expected = [value for _, value in calls]
    if all(isinstance(value, list) and len(value) == 1 for value in expected) and not returns_lists(
        name, f"{reference}\n{about.prompt}"
    ):
        expected = [value[0] for value in expected]
    cases = tuple(
        CallCase(_json(arguments), "{}", _json(value)) for (arguments, _), value in zip(calls, expected, strict=True)
    )
    decimal = any("." in case.expected and _has_float(json.loads(case.expected)) for case in cases)
    return Task(
        about.task_id,
        about.prompt,
        f"Solution.{name}",
        reference,
        (),
        kind=Kind.METHOD,
        preamble=IMPORTS + nodes_named(f"{about.prompt}\n{reference}"),
        compare=Compare(abs=TOLERANCE, rel=TOLERANCE) if decimal else Compare(),
        cases=cases,
    )


def _arguments(value: Any, where: str) -> list[Any]:
    """The arguments of one call: lines of JSON, none for an empty text, or a list as it is."""
    if isinstance(value, str):
        return [packed.from_json(line, where) for line in value.split("\n") if line.strip()]
    if isinstance(value, list):
        return value
    raise TaskError(f"{where}: got {_kind(value)}, expected newline-joined JSON arguments, or a list of arguments")


def _expected(value: Any, arguments: Any, where: str) -> Any:
    """An output is JSON where its input is; beside a list of arguments it is the value itself."""
    return packed.from_json(value, where) if isinstance(value, str) and isinstance(arguments, str) else value


def _lines(value: Any, where: str) -> str:
    text = lines_of(value)
    if text is None:
        raise TaskError(f"{where}: got {_kind(value)}, expected text, or a list of lines")
    return text


# --- Skywork ------------------------------------------------------------------------------------------------------


def _checked(truth: Mapping[str, Any], about: About, where: str) -> Task:
    """Tests as LeetCodeDataset writes them; ``entry_point`` is ``Solution().twoSum``, or a function's name."""
    tests, prefix = truth["test_code"], truth.get("import_prefix", "")
    if not isinstance(tests, str) or "def check(" not in tests:
        raise TaskError(f"{where}.test_code: got {_kind(tests)}, expected the source of check(candidate)")
    if not isinstance(prefix, str):
        raise TaskError(f"{where}.import_prefix: got {_kind(prefix)}, expected source text")
    given = truth.get("entry_point") or about.function
    name = _function_name(given, f"{where}.entry_point")
    in_class = "Solution" in str(given)
    return Task(
        about.task_id,
        about.prompt,
        f"Solution.{name}" if in_class else name,
        solutions.choose(about.solutions, name, where),
        tests,
        prefix,
        kind=Kind.METHOD if in_class else Kind.FUNCTION,
        preamble=prefix,
    )


def _asserted(truth: Mapping[str, Any], about: About, where: str) -> Task:
    listed = _listed_field(truth, "assert_case", where)
    tests = [one for one in listed if not isinstance(one, str) or one.strip()]
    trees = []
    for number, test in enumerate(tests):
        try:
            trees.append(ast.parse(test))
        except (SyntaxError, TypeError, ValueError, RecursionError, MemoryError) as error:
            raise TaskError(
                f"{where}.assert_case[{number}]: got {test!r:.60}, expected an assert statement ({error})"
            ) from error
    if not trees:
        raise TaskError(f"{where}.assert_case: got no test, expected at least one")
    name = about.function or _most_called(trees)
    if not name:
        raise TaskError(f"{where}.assert_case: the asserts call no function, expected calls of what the row asks for")
    reference = solutions.choose(about.solutions, name, where)
    return Task(about.task_id, about.prompt, name, reference, tuple(test.strip() for test in tests), preamble=IMPORTS)


def _most_called(tests: Sequence[ast.Module]) -> str:
    """The function that most asserts call; of several, the outermost."""
    counts: Counter[str] = Counter()
    for tree in tests:
        called = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
        names = dict.fromkeys(func.id for func in called if isinstance(func, ast.Name))
        counts.update(asked_about(names))
    return counts.most_common(1)[0][0] if counts else ""


# --- LiveCodeBench ------------------------------------------------------------------------------------------------


def _live(truth: Mapping[str, Any], about: About, where: str) -> Task:
    tests: list[Any] = []
    for name in ("public_test_cases", "private_test_cases"):
        value, place = truth.get(name, []), f"{where}.{name}"
        if isinstance(value, str):
            value = packed.from_pickle(value, place) if packed.looks_packed(value) else packed.from_json(value, place)
        if not isinstance(value, list) or not all(map(_is_listed, value)):
            raise TaskError(f"{place}: got {_kind(value)}, expected a list of {{input, output, testtype}}")
        tests += value
    metadata = truth.get("metadata") or {}
    if isinstance(metadata, str):
        metadata = packed.from_json(metadata, f"{where}.metadata")
    name = str(metadata.get("func_name") or "") if isinstance(metadata, Mapping) else ""
    return _listed(tests, replace(about, function=name or about.function), where)


def _listed(tests: Sequence[Mapping[str, Any]], about: About, where: str) -> Task:
    """``[{input, output, testtype}]``; ``type`` and ``fn_name`` where DeepCoder took the tests from PrimeIntellect."""
    if not tests:
        raise TaskError(f"{where}: got no test, expected at least one")
    first = tests[0]
    metadata = first.get("metadata")
    told = first.get("fn_name") or (metadata.get("func_name") if isinstance(metadata, Mapping) else None)
    kind = str(first.get("testtype") or first.get("type") or "")
    called = kind in ("functional", "function_call") or (not kind and bool(told))
    name = told or about.function
    if called and not name:
        raise TaskError(f"{where}[0]: a call without a name; expected fn_name, or func_name in the row's metadata")
    truth: dict[str, Any] = {"inputs": [test["input"] for test in tests], "outputs": [test["output"] for test in tests]}
    if called:
        truth["fn_name"] = name
    return in_outs(truth, replace(about, function=""), where)


def _is_listed(test: Any) -> bool:
    return isinstance(test, Mapping) and {"input", "output"} <= test.keys()


# --- fields -------------------------------------------------------------------------------------------------------


def _function_name(value: Any, where: str) -> str:
    name = str(value or "").strip().removeprefix("Solution().").removeprefix("Solution.")
    if not isinstance(value, str) or not name.isidentifier():
        raise TaskError(f"{where}: got {value!r:.60}, expected a function's name, or Solution().name")
    return name


def _listed_field(truth: Mapping[str, Any], name: str, where: str) -> list[Any]:
    value = truth[name]
    if hasattr(value, "tolist"):  # numpy
        value = value.tolist()
    if not isinstance(value, list):
        raise TaskError(f"{where}.{name}: got {_kind(value)}, expected a list")
    return value


def _has_float(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_has_float, value.values()))
    return any(map(_has_float, value)) if isinstance(value, list) else isinstance(value, float)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _kind(value: Any) -> str:
    return f"{type(value).__name__} {value!r:.60}"
