"""The one place that decides the order of the stages, in two phases.

    judge (a sample, at once)    extract -> judge -> constraints -> anomalies
    credit (a group, later)      gate -> references -> localise -> map to the completion -> bank

What the first phase finds is handed to the second as a frozen value, and nothing is run twice for it. Of the second a
part hangs on one sample alone: where a reference of the task itself is built like a program, it is compared with that
first, and with its siblings only where that proves nothing and one of them is nearer. So :meth:`Assessor.ahead` may do
that part while the rest of the group is not there yet, and when it does decides on no credit.

Whatever goes wrong with a *sample* ends as a credit with a reason code, that is, as plain GRPO.
:mod:`egca_plugin.pipeline` spreads groups over worker processes, each with an :class:`Assessor` beside its own sandbox.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from egca_plugin.config import EgcaConfig
from egca_plugin.credit.assignment import assigned, reward_of
from egca_plugin.credit.blame import Blame, settled
from egca_plugin.credit.gate import Route, route
from egca_plugin.credit.praise import with_mended
from egca_plugin.credit.standing import FAILED, JUDGE_ONLY, NO_ADVANTAGE, REMOTE, awaits, gated, learnt, uncredited
from egca_plugin.errors import SandboxError, TaskError
from egca_plugin.judged import Answer, Judged
from egca_plugin.judging.anomalies import NOT_REPRODUCED, of_run
from egca_plugin.judging.checks import compile_checks
from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import DIVERGENCE, Case
from egca_plugin.localize.compare.reference import open_saved
from egca_plugin.monitor import budget
from egca_plugin.monitor.stopwatch import Stopwatch
from egca_plugin.program.compiling import room
from egca_plugin.program.constraints import Violation
from egca_plugin.program.extract import extract
from egca_plugin.program.preamble import prepared
from egca_plugin.program.structure import comparable
from egca_plugin.program.vary import may_vary
from egca_plugin.references import Bank, DirectoryStore, Given, Peers, Reference, References
from egca_plugin.references.given import load_given
from egca_plugin.references.peers import Comparison, alone
from egca_plugin.references.siblings import siblings as siblings_of
from egca_plugin.references.store import key_of
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.sandbox.outside.backend import Backend
from egca_plugin.tasks.demands import Demands, require_reference
from egca_plugin.types import Completion, Credit, Localization, Outcome, Program, SourceError, Task, Verdict

logger = logging.getLogger(__name__)
_Found = TypeVar("_Found")
_Number = TypeVar("_Number", int, float)
_NONE: Mapping[str, Answer] = MappingProxyType({})


class Assessor:
    """Takes samples through both phases. One per worker process; caches what depends on the task alone.

    Where programs run on a server (``egca.sandbox.url``) it judges and routes them; what takes a trace or a trial is
    left out: voting for a reference, constraints on complexity, and localisation, whose samples keep plain GRPO credit
    with the reason REMOTE.
    """

    def __init__(self, config: EgcaConfig, sandbox: Backend) -> None:
        self.config = config
        self._sandbox = sandbox
        self._local = sandbox if isinstance(sandbox, Sandbox) else None
        self._blame = Blame(config)
        self._saved = open_saved(config)
        self._demands = Demands(config.constraints, self._local)
        given = Given(load_given(Path(config.references)), sandbox) if config.references else None
        self._references = References(Bank(DirectoryStore(Path(config.bank))) if config.bank else None, given)

    def assess(
        self,
        task: Task,
        completions: Sequence[Completion],
        step: int | None = None,
        *,
        judge_only: bool = False,
        whole: bool = False,
    ) -> list[Credit]:
        """Both phases at once: one credit a completion, in order. Raises what they raise.

        ``judge_only``: the first alone. ``whole``: these are all of a GRPO group, rewarded by their verdicts alone.
        """
        known: dict[str, Judged] = {}
        for completion in completions:
            if completion.text not in known:
                known[completion.text] = self.judge(task, completion)
        judged = [known[completion.text] for completion in completions]
        if judge_only:
            return [uncredited(one, JUDGE_ONLY, self.config) for one in judged]
        return self.credit(task, judged, step, learnt=learnt([one.reward for one in judged]) if whole else None)

    # --- the first phase ------------------------------------------------------------------------------------------

    def judge(self, task: Task, completion: Completion) -> Judged:
        """What one completion is worth, and all that :meth:`credit` needs of it.

        Raises TaskError for a task whose tests cannot be run or whose reference does not compile, SandboxError.
        """
        require_reference(task)
        task = prepared(task, self.config)
        restarts, watch = self._restarts(), Stopwatch()
        program = _extracted(completion.text, task)
        watch.lap("extract")
        verdict = self._judge(program, task)
        watch.lap("judge")
        one = Judged(completion.text, program, verdict, reward_of(verdict, self.config.reward))
        violations = self._look(task, lambda: self._violations(task, program, verdict))
        watch.lap("gate")
        anomalies = self._look(task, lambda: self._anomalies(task, program, verdict))
        watch.lap("anomalies")
        return replace(
            one,
            violations=violations or (),
            anomalies=anomalies or (),
            failed=violations is None or anomalies is None,
            ms=watch.ms,
            restarts=self._since(restarts),
        )

    def _judge(self, program: Program, task: Task) -> Verdict:
        if not program.compiles:
            tests = len(task.cases) or compile_checks(task).total
            return Verdict(Outcome.COMPILE_ERROR, 0, tests, error=program.error)
        return judge(self._sandbox, program.source, task, check_stable=may_vary(program.source))

    def _violations(self, task: Task, program: Program, verdict: Verdict) -> tuple[Violation, ...]:
        return self._demands.broken(task, key_of(task), program, verdict)

    def _anomalies(self, task: Task, program: Program, verdict: Verdict) -> tuple[str, ...]:
        return of_run(task, program, verdict)

    # --- the second phase -----------------------------------------------------------------------------------------

    def ahead(
        self,
        task: Task,
        one: Judged,
        step: int | None = None,
        *,
        siblings: Sequence[Reference] = (),
        first: Answer | None = None,
    ) -> Answer | None:
        """What :meth:`credit` would answer of one sample that has an advantage, or None where that hangs on more.

        Without ``siblings`` what hangs on the sample alone; with those of its whole group, and with that ``first``
        answer if there was one, all but a vote. Raises TaskError, SandboxError.
        """
        task, restarts = prepared(task, self.config), self._restarts()
        if not awaits(one, self.config) or not self._drawn(task, one, step):
            return None
        if siblings:
            answer: Answer | None = self._answer(task, one, Peers(self._references, task, siblings), first)
        else:
            answer = self._ahead(task, one)
        return answer and replace(answer, restarts=_sum(first.restarts if first else {}, self._since(restarts)))

    def credit(
        self,
        task: Task,
        judged: Sequence[Judged],
        step: int | None = None,
        *,
        learnt: Collection[int] | None = None,
        ahead: Mapping[str, Answer] = _NONE,
    ) -> list[Credit]:
        """One credit a sample of one group, or of a part of one, in order.

        ``learnt``: indices of the samples that have an advantage, None for all; with ``egca.localize=advantage`` the
        others are not localised. Passing siblings serve the others as references. ``ahead``: what :meth:`ahead` has
        answered already, by the program's source; without it the credits are the same, and take longer. With
        ``egca.praise`` and ``egca.credit=counterfactual`` proven samples are told the rate at which these would pass,
        mended. Raises TaskError, SandboxError.
        """
        task, restarts = prepared(task, self.config), self._restarts()
        peers = Peers(self._references, task, siblings_of(judged), judged, self._local)
        localised, answers = self._localised(task, judged, step, learnt), dict[str, Answer]()
        credits = []
        for index, one in enumerate(judged):
            source = one.program.source
            if awaits(one, self.config) and source not in localised:
                reason = budget.REASON if self._wanted(index, learnt) else NO_ADVANTAGE
                credits.append(uncredited(one, reason, self.config))
            elif source in answers:  # a repeat
                credits.append(self._credit(one, replace(answers[source], ms={}, restarts={})))
            else:
                answers[source] = self._answer(task, one, peers, ahead.get(source))
                credits.append(self._credit(one, answers[source]))
        for index, one in enumerate(judged):
            if one.exemplary and self._look(task, partial(self._offer, task, one, step)) is None:
                credits[index] = replace(credits[index], reason=FAILED)
        if credits and (again := self._since(restarts)):  # told by one that somebody waits for
            told = next((index for index, one in enumerate(judged) if awaits(one, self.config)), 0)
            credits[told] = replace(credits[told], restarts=_sum(credits[told].restarts, again))
        return with_mended(credits) if self.config.learns_from_mended else credits

    def _localised(
        self, task: Task, judged: Sequence[Judged], step: int | None, learnt: Collection[int] | None
    ) -> frozenset[str]:
        """The programs that are localised: of those with an advantage the ones that the budget allows."""
        return frozenset(
            one.program.source
            for index, one in enumerate(judged)
            if awaits(one, self.config) and self._wanted(index, learnt) and self._drawn(task, one, step)
        )

    def _drawn(self, task: Task, one: Judged, step: int | None) -> bool:
        return budget.allows(self.config.budget, one.program.source, task.task_id, step, self.config.seed)

    def _wanted(self, index: int, learnt: Collection[int] | None) -> bool:
        return learnt is None or index in learnt or self.config.localizes_all

    def _answer(self, task: Task, one: Judged, peers: Peers, ahead: Answer | None) -> Answer:
        """Where the fault of one program is: beside its task's own references first, then beside its group."""
        first = ahead or (self._ahead(task, one) if awaits(one, self.config) else None)
        if first is None:
            watch = Stopwatch()
            return replace(self._beside(task, one, self._look(task, lambda: peers.beside(one)), watch), final=True)
        if first.final or first.found.verified or first.found.reason == FAILED:
            return first
        watch = Stopwatch(first.ms)
        compared = self._look(task, lambda: peers.nearer(one))
        if compared is None or not compared.references:
            return replace(first, final=True)
        second = self._beside(task, one, compared, watch)
        return replace(second if second.found.verified else first, ms=second.ms, final=True)

    def _ahead(self, task: Task, one: Judged) -> Answer | None:
        """Beside the references of its task alone; None where none of them is built like it."""
        watch = Stopwatch()
        compared = self._look(task, lambda: alone(self._references, task, one))
        if compared is not None and not compared.references:
            return None
        return self._beside(task, one, compared, watch)

    def _beside(self, task: Task, one: Judged, compared: Comparison | None, watch: Stopwatch) -> Answer:
        """Where the fault of one program is, beside what it is compared with; None where that stage failed."""
        chosen = self._look(task, lambda: self._route(task, one, compared.references)) if compared else None
        watch.lap("gate")
        answer = None
        if compared is not None and chosen is not None and not one.failed:
            answer = self._look(task, lambda: self._localize(task, one, chosen, compared))
        watch.lap("localize")
        if answer is None:
            return Answer(Localization(reason=FAILED), gated(one, self.config).mode, ms=watch.ms)
        if compared is not None and compared.references and not answer.found.reference:  # the gate has compared it
            return replace(answer, found=replace(answer.found, reference=compared.references[0].name), ms=watch.ms)
        return replace(answer, ms=watch.ms)

    def _route(self, task: Task, one: Judged, references: Sequence[Reference]) -> Route:
        near = comparable(one.program.source, references[0].source, task.entry_point) if references else None
        return route(one.program, one.verdict, one.violations, near, self.config.preset)

    def _localize(self, task: Task, one: Judged, chosen: Route, compared: Comparison) -> Answer:
        early = settled(one, chosen)
        if early is not None or self._local is None:
            return Answer(early or Localization(reason=REMOTE), chosen.mode)
        case = Case(
            task,
            one.program.source,
            tuple(reference.source for reference in compared.references),
            compared.verdict,
            self._local,
            self.config.seed,
            self._saved,
            compared.fleeting,
        )
        found, mode = self._blame.of(case, chosen)
        names = {reference.source: reference.name for reference in compared.references}
        found = replace(found, reference=names.get(found.reference, ""))
        if compared.partial and not found.verified and found.stage == DIVERGENCE:
            found = replace(found, spans=())
        return Answer(found, mode)

    def _credit(self, one: Judged, answer: Answer) -> Credit:
        found = answer.found
        anomalies = (*one.anomalies, *((found.reason,) if found.reason == NOT_REPRODUCED else ()))
        credit = assigned(one.text, one.program, one.verdict, answer.mode, found, self.config)
        ms, restarts = _sum(one.ms, answer.ms), _sum(one.restarts, answer.restarts)
        return replace(credit, ms=ms, anomalies=anomalies, restarts=restarts)

    def _offer(self, task: Task, one: Judged, step: int | None) -> bool:
        """To the bank, if there is one."""
        bank = self._references.bank
        if bank is not None and self._local is not None:
            bank.offer(task, one.program.source, self._local, step or 0)
        return bank is not None

    # --- both -----------------------------------------------------------------------------------------------------

    def _look(self, task: Task, stage: Callable[[], _Found]) -> _Found | None:
        """A stage after the verdict, None where it fails. Programs are hostile: that costs the sample its span alone.

        Raises TaskError and SandboxError, which are no sample's fault.
        """
        try:
            with room():
                return stage()
        except (SandboxError, TaskError):
            raise
        except Exception:  # the boundary between a sample and the run: logged in full and counted
            logger.exception("egca: %s: a sample could not be examined, plain GRPO credit", task.task_id)
            return None

    def _restarts(self) -> int:
        return self._local.restarts if self._local is not None else 0

    def _since(self, restarts: int) -> dict[str, int]:
        lost = self._restarts() - restarts
        return {"zygote": lost} if lost else {}


def _extracted(text: str, task: Task) -> Program:
    """The program in a completion; where reading it fails, which it never should, none."""
    try:
        return extract(text, task)
    except Exception:  # the boundary between a sample and the run: logged in full and counted
        logger.exception("egca: %s: a completion could not be read, so it holds no program", task.task_id)
        return Program("", (), SourceError("ExtractionFailed", "the completion could not be read"))


def _sum(one: Mapping[str, _Number], other: Mapping[str, _Number]) -> dict[str, _Number]:
    return {name: one.get(name, 0) + other.get(name, 0) for name in (*one, *other)}
