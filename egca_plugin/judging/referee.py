"""Judge a program by its task's tests, on the trusted side: the candidate's process only ever answers calls.

The tests run in a process of their own for each program (:mod:`egca_plugin.judging.server`), so that nothing which
one task's tests do, or which a program's answers do to them, reaches the next verdict.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Protocol

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import TaskError
from egca_plugin.judging.checks import Checks, VacuousTests, compile_checks, compile_setup
from egca_plugin.judging.client import JudgeServer
from egca_plugin.judging.imports import told
from egca_plugin.judging.messages import Answer, Job, Said
from egca_plugin.judging.stdin import Runner, judge_stdin
from egca_plugin.judging.tally import UNREACHED
from egca_plugin.sandbox.outside.api import ATTEMPTS
from egca_plugin.sandbox.outside.companions import Companions
from egca_plugin.sandbox.outside.link import Control, ZygoteLost
from egca_plugin.types import Kind, Outcome, Task, Verdict

TESTS_CPU_S = 3.0  # for the tests' own work at least, however long the answers make their loops
WALL_S = 30.0  # for the tests beyond what program and tests may compute: only one that sleeps or waits is ended by it
SERVER_PATIENCE = 10  # times that, where every call of a test is a request to a server
JUDGES = 2  # that a sample may cost


class Sessions(Runner, Protocol):
    """Where programs run: :class:`~egca_plugin.sandbox.outside.api.Sandbox`, or a remote one."""

    config: SandboxConfig
    companions: Companions

    def lend(self, seed: int, source: str, /) -> AbstractContextManager[Control | None]: ...


def judge(
    sandbox: Sessions,
    source: str,
    task: Task,
    *,
    timeout_s: float | None = None,
    check_stable: bool = False,
    seeds: Sequence[int] = (1,),
) -> Verdict:
    """The verdict on ``source``. ``timeout_s``: CPU time for the program with all its tests; None for the task's own
    limit, or else the settings'.

    ``check_stable`` runs everything again with each of ``seeds``, which are hash seeds too, and another clock; a
    program of which two runs disagree has ``stable=False``, and the worse of the two outcomes. A program over whose
    answers the tests ran out of CPU time or memory, or lost JUDGES processes, has failed them.

    Raises TaskError where the tests themselves cannot be run or assert nothing, SandboxError where no sandbox can be
    had at all.
    """
    if timeout_s is None:
        timeout_s = task.limits.time_s
    one_run = _one_run(sandbox, source, task, timeout_s)
    verdict = told(one_run(0), sandbox.config)
    if not check_stable or verdict.outcome not in (Outcome.OK, Outcome.WRONG_ANSWER, Outcome.EXCEPTION):
        return verdict
    for seed in seeds:
        again = one_run(seed)
        if again.outcome is not Outcome.INFRASTRUCTURE and not _same(verdict, again):
            return replace(again if verdict.passed else verdict, stable=False)
    return verdict


def check_setup(sandbox: Sessions, task: Task) -> None:
    """The setup must stand alone: what only the reference defines (mbpp/367's ``Node``), no candidate can know.

    Raises TaskError where it does not run, SandboxError.
    """
    if task.setup:
        _judge(sandbox, "", compile_setup(task), _job(sandbox.config, "", task, None, seed=0))


def _same(one: Verdict, other: Verdict) -> bool:
    return one.outcome is other.outcome and [c.result for c in one.calls] == [c.result for c in other.calls]


def _one_run(sandbox: Sessions, source: str, task: Task, timeout_s: float | None) -> Callable[[int], Verdict]:
    """What judges the program with a seed. Raises TaskError."""
    if task.kind is Kind.STDIN:
        return lambda seed: judge_stdin(sandbox, source, task, timeout_s=timeout_s, seed=seed)
    checks = compile_checks(task)
    if not checks.total and sandbox.config.vacuous == "fail":
        raise VacuousTests(
            f"{task.task_id}: tests: got no assertion, expected at least one; a right and a wrong program would both "
            "pass. Mend the tests, or set egca.sandbox.vacuous=allow"
        )

    def run(program: str, seed: int) -> Verdict:
        return _judge(sandbox, program, checks, _job(sandbox.config, program, task, timeout_s, seed))

    return lambda seed: _or_as_the_reference(run(source, seed), source, task, lambda other: run(other, seed))


def _or_as_the_reference(verdict: Verdict, source: str, task: Task, run: Callable[[str], Verdict]) -> Verdict:
    """A program that reaches no assertion passes where its reference reaches none either, as plain Python has it.

    Only where another answer makes the tests fail: else they would pass any program. Its ``detail`` stays.
    """
    if verdict.detail != UNREACHED or not task.reference:
        return verdict
    if source != task.reference:
        reference = run(task.reference)
        if reference.detail != UNREACHED:
            return reference if reference.outcome is Outcome.INFRASTRUCTURE else verdict
    other = run(_other(task.entry_point))
    if other.outcome is Outcome.INFRASTRUCTURE:
        return other
    if other.passed or other.detail == UNREACHED:
        return verdict
    return replace(verdict, outcome=Outcome.OK, tests_passed=verdict.tests_total, failed=None)


def _other(entry_point: str) -> str:
    """A program that gives what hardly any test expects."""
    owner, _, name = entry_point.rpartition(".")
    function = f"def {name}(*args, **kwargs): return 7.25\n"
    return f"class {owner}:\n    {function}" if owner else function


def _judge(sandbox: Sessions, source: str, checks: Checks, job: Job) -> Verdict:
    server = sandbox.companions.get(JudgeServer)
    server.start()  # a cold start is nobody's time
    began = time.perf_counter()
    reason, died = "", 0
    for _ in range(ATTEMPTS):
        try:
            answer = _ask(sandbox, server, job, checks)
        except ZygoteLost as err:
            reason = str(err)
            continue
        if answer.said is Said.DIED and (died := died + 1) < JUDGES:
            continue
        return replace(_verdict(answer, checks), ms=(time.perf_counter() - began) * 1000)
    return Verdict(Outcome.INFRASTRUCTURE, 0, checks.total, detail=f"failed {ATTEMPTS} times: {reason}")


def _job(config: SandboxConfig, source: str, task: Task, timeout_s: float | None, seed: int) -> Job:
    timeout_s = config.timeout_s if timeout_s is None else timeout_s
    patience_s = max(TESTS_CPU_S, timeout_s)
    wall_s = WALL_S + 2 * (timeout_s + 2 * patience_s)  # what was sent ahead may have to be asked again
    remote = config.url is not None
    return Job(
        source=source,
        seed=seed,
        timeout_s=timeout_s,
        memory_mb=task.limits.memory_mb or 0,
        patience_s=patience_s,
        wall_s=wall_s * SERVER_PATIENCE if remote else wall_s,
        vacuous=config.vacuous == "allow",
        config=config if remote else None,
    )


def _ask(sandbox: Sessions, server: JudgeServer, job: Job, checks: Checks) -> Answer:
    """Raises ZygoteLost."""
    named = "\n".join((job.source, *checks.packages))  # arguments may be values of packages that no program imports
    with sandbox.lend(job.seed, named) as control:
        descriptors: Sequence[int] = ()
        if control is not None:
            descriptor, loan = control.lend()
            descriptors, job = (descriptor,), replace(job, loan=loan)
        answer = server.ask(job, checks, descriptors)
        if answer.said is Said.LOST:
            raise ZygoteLost(answer.reason)
        if control is not None:
            control.take_back(answer.owes_status)
        return answer


def _verdict(answer: Answer, checks: Checks) -> Verdict:
    """What a judge said, or what its end says of the program. Raises TaskError."""
    if answer.verdict is not None:
        return answer.verdict
    if answer.said is Said.BAD_TASK:
        raise TaskError(answer.reason)
    outcome = Outcome.WRONG_ANSWER if answer.said is Said.LEFT else Outcome.TIMEOUT
    reason = f"{JUDGES} judges were lost: {answer.reason}" if answer.said is Said.DIED else answer.reason
    return Verdict(outcome, 0, checks.total, detail=reason)
