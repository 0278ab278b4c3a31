"""A package that the sandbox does not give is told in words, and blamed on no line."""

from __future__ import annotations

import pytest

from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.judging.imports import missing_package
from egca_plugin.judging.referee import judge
from egca_plugin.pipeline import Assessor
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Kind, Outcome, SourceError, StdinCase, Task

TASK = Task("t/1", "", "", "", (), kind=Kind.STDIN, cases=(StdinCase("1 2", ("3",)),))


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("No module named 'numpy'", "numpy"),
        ("No module named 'scipy.special'", "scipy"),  # whether or not it is installed here
        ("No module named 'pytest'", "pytest"),  # installed here, not given there
        ("No module named 'statistik'", ""),
        ("No module named 'math.x'", ""),
        ("No module named 'sympy'", ""),  # given: then something else is wrong
        ("cannot import name 'x' from 'numpy'", ""),
    ],
)
def test_which_modules_are_packages(message: str, name: str) -> None:
    config = SandboxConfig(packages=("sympy",))
    assert missing_package(SourceError("ModuleNotFoundError", message, 1), config) == name


def test_the_verdict_says_so(sandbox: Sandbox) -> None:
    verdict = judge(sandbox, "import numpy as np\nprint(np.sum(3))", TASK)
    assert (verdict.outcome, verdict.detail) == (Outcome.EXCEPTION, "numpy is not among egca.sandbox.packages")
    guarded = "try:\n    import numpy\nexcept ImportError:\n    print(sum(map(int, input().split())))"
    assert judge(sandbox, guarded, TASK).passed


def test_no_line_is_blamed(sandbox: Sandbox) -> None:
    assessor = Assessor(EgcaConfig(traces=""), sandbox)
    text = "```python\nimport {}\nprint(3)\n```"
    (missing,) = assessor.assess(TASK, [Completion(text.format("numpy"))])
    assert (missing.reward, missing.spans, missing.reason) == (0.0, (), "missing_package")
    (mistaken,) = assessor.assess(TASK, [Completion(text.format("statistik"))])
    assert mistaken.reason != "missing_package"


def test_arguments_of_an_allowed_package_reach_a_program_that_does_not_import_it() -> None:
    pytest.importorskip("numpy")
    source = "def f(rows):\n    rows[0] = 7\n    return rows.T"
    tests = "import numpy as np\ndef check(candidate):\n    a = np.array([[1, 2], [3, 4]])\n"
    tests += "    assert np.array_equal(candidate(a), [[7, 3], [7, 4]]) and a[0, 0] == 7\n"
    with Sandbox(SandboxConfig(packages=("numpy",))) as sandbox:
        verdict = judge(sandbox, source, Task("t/1", "", "f", source, tests))
    assert verdict.passed, verdict.detail
