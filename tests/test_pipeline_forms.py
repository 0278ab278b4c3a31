"""The forms that tasks have beside one function with asserts: from completion to credit."""

from __future__ import annotations

from egca_plugin.config import EgcaConfig
from egca_plugin.pipeline import Assessor
from egca_plugin.program.preamble import in_front, prepared
from egca_plugin.references.store import key_of
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Credit, Kind, Mode, StdinCase, Task

SUM = Task(
    "t/sum", "", "", "n = int(input())\nprint(sum(map(int, input().split())) * n)\n", (), kind=Kind.STDIN,
    cases=(StdinCase("2\n1 2\n", ("6\n",)), StdinCase("1\n5\n", ("5\n",)), StdinCase("3\n1 1 1\n", ("9\n",))),
)  # fmt: skip
COUNTS = Task(
    "t/counts", "", "Solution.most", "class Solution:\n    def most(self, xs: List[int]) -> int:\n"
    "        return Counter(xs).most_common(1)[0][0]\n", ("assert Solution().most([1, 1, 2]) == 1",),
    preamble="from collections import Counter\nfrom typing import List\n",
)  # fmt: skip


def assessed(sandbox: Sandbox, task: Task, source: str) -> tuple[Credit, str]:
    """The credit, and the text that is blamed."""
    text = f"```python\n{source}```"
    (credit,) = Assessor(EgcaConfig(), sandbox).assess(task, [Completion(text, "g")])
    return credit, "".join(text[span.start : span.end] for span in credit.spans)


def test_a_whole_program_is_judged_by_its_output_and_blamed_like_a_function(sandbox: Sandbox) -> None:
    right, _ = assessed(sandbox, SUM, "import sys\nn, *xs = map(int, sys.stdin.read().split())\nprint(n * sum(xs))\n")
    assert right.passed
    wrong = SUM.reference.replace("* n", "+ n")
    credit, blamed = assessed(sandbox, SUM, wrong)
    assert (credit.reward, credit.mode, credit.verified) == (0.0, Mode.LOGIC, True)
    assert blamed in wrong.splitlines()[1]
    assert credit.failed is not None
    assert credit.failed.stdin in [case.stdin for case in SUM.cases if isinstance(case, StdinCase)]


def test_the_preamble_stands_in_front_of_candidate_and_reference(sandbox: Sandbox) -> None:
    assert assessed(sandbox, COUNTS, COUNTS.reference)[0].passed
    credit, blamed = assessed(sandbox, COUNTS, COUNTS.reference.replace("[0][0]", "[0][1]"))
    assert credit.verified
    assert blamed in COUNTS.reference.replace("[0][0]", "[0][1]")


def test_it_is_put_there_once_and_behind_imports_from_the_future() -> None:
    once = prepared(COUNTS, EgcaConfig())
    assert once.reference == COUNTS.preamble + COUNTS.reference
    assert prepared(once, EgcaConfig()) == once
    standard = EgcaConfig(preamble="standard")
    assert prepared(prepared(COUNTS, standard), standard) == prepared(COUNTS, standard)
    assert in_front("import a", "from __future__ import annotations\nx = a\n").splitlines()[1] == "import a"


def test_banks_tell_tasks_apart_by_their_cases() -> None:
    other = Task("t/sum", "", "", SUM.reference, (), kind=Kind.STDIN, cases=SUM.cases[:1])
    assert key_of(other) != key_of(SUM)
