"""One program before its tests, in a process that ends with the verdict.

A verdict is OK when the tests ran to their end and no assertion failed; an exit status, a printed word or a forged
record cannot say so. Names that the tests use beside the candidate (HumanEval's ``encode_cyclic``, MBPP's ``Pair``)
come from the reference, not from the program that is being judged; functions that they import of the program are its.

Every module imported here is paid for by each sample: see :mod:`egca_plugin.judging.server`.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, NoReturn

from egca_plugin.errors import TaskError
from egca_plugin.judging.assertions import TEST
from egca_plugin.judging.caller import ELSEWHERE, Caller, Session, World
from egca_plugin.judging.checks import Checks, Form
from egca_plugin.judging.forms.modules import blank, imported, installed
from egca_plugin.judging.forms.source import ALL
from egca_plugin.judging.heard import say_again
from egca_plugin.judging.patience import patience
from egca_plugin.judging.proxy import Remote, names
from egca_plugin.judging.sessions import Sessions
from egca_plugin.judging.tally import OUTCOMES, Halt, Tally, source_error
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.records import Record
from egca_plugin.sandbox.wire.standins import UNTOLD
from egca_plugin.types import Call, CallResult, CallStatus, Outcome, Verdict

_WHAT = {Form.SETUP: "the setup fails on its own"}


class Trial:
    """``patience_s``: this process's own CPU time for the tests' work, however long the answers make their loops.

    ``vacuous``: tests that assert nothing about the candidate may pass.
    """

    def __init__(
        self, session: Session, checks: Checks, patience_s: float, *, vacuous: bool, worlds: Sequence[World] = ()
    ) -> None:
        self._worlds = worlds
        self._checks, self._patience_s, self._vacuous = checks, patience_s, vacuous
        self._modules = {name: blank(name) for name in ("tests", "reference")}
        self._namespace: dict[str, Any] = vars(self._modules["tests"])
        take = wire.LASTING if checks.classes or checks.notes else wire.HEARD if checks.listens else wire.LIVE
        sessions = Sessions(checks.stateful) if checks.classes else None
        self._remote = Remote(
            checks.entry_point, self._send, self._namespace, take, checks.classes, self._process, sessions
        )
        self._tally = Tally(checks, self._remote)
        # Those that hear of notes are not pure, so that loggers end with the process.
        say = partial(say_again, known=self._namespace, module=next(iter(checks.modules), ""), noted=not checks.pure)
        self._caller = Caller(session, self._tally, worlds, say, pure=checks.pure)
        self._loaded = session.loaded

    def verdict(self) -> Verdict:
        """Raises TaskError where the tests themselves cannot be run, ZygoteLost."""
        if self._loaded.result.status is not CallStatus.VALUE:
            return _not_loaded(self._loaded, self._checks)
        try:
            with patience(self._patience_s, self._halt):
                finished = self._run()
        except Halt:
            finished = False
        self._ask_in_the_end()
        if self._caller.lost is not None:
            raise self._caller.lost
        if self._caller.elsewhere:
            raise TaskError(f"{self._checks.task_id}: tests: {ELSEWHERE}")
        if not self._tally.asked:
            raise TaskError(self._never_asked())
        return self._tally.verdict(finished=finished and not self._caller.dead, vacuous=self._vacuous)

    def _run(self) -> bool:
        """Whether the tests ran to their end. Raises Halt, or TaskError where they fail before they ask anything."""
        try:
            with installed(self._modules), ExitStack() as stack:
                for world in self._worlds:
                    stack.enter_context(world.installed())
                self._run_all()
        except (Halt, TaskError):
            raise
        except BaseException as err:  # the boundary to a task's code and the answers, which may raise anything
            if not self._tally.asked:
                raise TaskError(self._fails(_WHAT.get(self._checks.form, "the tests' own code fails"), err)) from err
            return self._left(err)
        return True

    def _run_all(self) -> None:
        """Reference, setup, tests."""
        remote, namespace = self._remote, self._namespace
        own = names(self._checks.entry_point, remote, self._checks.classes)
        own["candidate"] = own.get(self._checks.entry_point, remote)
        given = {**self._reference_names(), **{name: remote.of(name) for name in self._checks.others}, **own}
        given |= {name: type(name, (Exception,), {UNTOLD: True}) for name in self._checks.exceptions}
        namespace |= {TEST: self._tally, **given}
        with installed(imported(self._checks, given)):
            exec(marshal.loads(self._checks.setup), namespace)  # noqa: S102 - the task's own
            namespace |= own
            exec(marshal.loads(self._checks.code), namespace)  # noqa: S102 - the task's own
            self._run_form(namespace, own["candidate"])

    def _ask_in_the_end(self) -> None:
        """What the program could not be asked while it had answers to give."""
        name = self._remote.objects.contradicted(self._caller.aside)
        if name:
            self._tally.doubt(
                wire.Refusal(
                    f"answers of the class {name!r} that the program calls equal to others, by data that differ"
                )
            )

    def _send(self, call: Call) -> CallResult:
        return self._caller.send(call)

    def _process(self) -> int:
        return self._caller.process()

    def _run_form(self, namespace: dict[str, Any], candidate: Any) -> None:
        """What is left to do when the tests' code has run."""
        checks = self._checks
        if checks.form is Form.FUNCTION:
            namespace["check"](candidate)
        elif checks.form is Form.SUITE:
            from egca_plugin.judging.forms import suite

            suite.run(namespace, self._tally, checks.functions, checks.task_id)
        elif checks.form is Form.CASES:
            from egca_plugin.judging.forms import cases

            cases.run(candidate, checks.cases, checks.compare, checks.signature, self._tally)
        elif checks.form is Form.SETUP:
            self._tally.asked = True

    def _left(self, err: BaseException) -> bool:
        """The tests left by an exception: success is only believed of unittest's runner, or after every assertion."""
        if self._tally.leaves_in_peace(err):
            if _innermost(err) == "unittest.main" or not self._tally.unreached:
                return True
            err = AssertionError(f"the tests left before assertion {min(self._tally.unreached)} was reached")
        self._tally.abort(err)
        return False

    def _reference_names(self) -> Mapping[str, Any]:
        if not self._checks.reference:
            return {}
        namespace = vars(self._modules["reference"])
        try:
            exec(marshal.loads(self._checks.reference), namespace)  # noqa: S102 - the task's own reference
        except BaseException as err:  # the boundary to a task's code, as above
            raise TaskError(self._fails("the reference fails", err)) from err
        if ALL in self._checks.names:
            return {name: value for name, value in namespace.items() if not name.startswith("__")}
        return {name: namespace[name] for name in self._checks.names if name in namespace}

    def _halt(self) -> NoReturn:
        err = Halt(f"the tests took {self._patience_s:g} s over the answers")
        self._tally.abort(err)
        raise err

    def _fails(self, what: str, err: BaseException) -> str:
        return f"{self._checks.task_id}: {what}: {type(err).__name__}: {err}"

    def _never_asked(self) -> str:
        why = self._tally.first_failure
        name = self._checks.entry_point
        return f"{self._checks.task_id}: tests: got no call of {name!r}, expected calls of the candidate" + (
            f"; {why}" if why else ""
        )


def _not_loaded(loaded: Record, checks: Checks) -> Verdict:
    result = loaded.result
    outcome = OUTCOMES[result.status] if loaded.compiled else Outcome.COMPILE_ERROR
    if result.status is CallStatus.TIMEOUT:
        outcome = Outcome.TIMEOUT
    return Verdict(outcome, 0, checks.total, error=source_error(result), detail=result.error_message)


def _innermost(err: BaseException) -> str:
    """The module that raised it."""
    trace = err.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else str(trace.tb_frame.f_globals.get("__name__"))
