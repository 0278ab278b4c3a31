"""What the samples of one group are compared with: the task's references, and the group's own programs."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from egca_plugin.errors import SandboxError, TaskError
from egca_plugin.judged import Judged
from egca_plugin.program.structure import comparable
from egca_plugin.references.pool import Reference, References, nearest
from egca_plugin.references.voting import Voted, vote
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Task, Verdict

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The nearest ``references`` of a sample, and its ``verdict`` with the calls on which they are right.

    ``fleeting``: sources among them that no other run will meet. ``partial``: they fail some test themselves, so that
    nothing but a patch proves what a comparison with them finds.
    """

    references: tuple[Reference, ...]
    verdict: Verdict
    fleeting: frozenset[str] = frozenset()
    partial: bool = False


def alone(known: References, task: Task, one: Judged) -> Comparison:
    """What ``one`` is compared with whoever else is in its group: the references of its task, where the nearest is
    built like it. With nothing where that hangs on the group."""
    if one.program.compiles and not one.verdict.passed:
        found = known.nearest(task, one.program.source)
        if found and comparable(one.program.source, found[0].source, task.entry_point).comparable:
            return Comparison(found, one.verdict)
    return Comparison((), one.verdict)


class Peers:
    """One a group. ``siblings``: those of it that others may be compared with. Where nothing else is there, ``group``
    votes, and ``sandbox`` is where voting runs what judging did not; None for no voting."""

    def __init__(
        self,
        known: References,
        task: Task,
        siblings: Sequence[Reference],
        group: Sequence[Judged] = (),
        sandbox: Sandbox | None = None,
    ) -> None:
        self._known, self._task, self._group, self._sandbox = known, task, group, sandbox
        self._siblings = siblings

    def beside(self, one: Judged) -> Comparison:
        """What ``one`` is compared with; what was voted for only where there is nothing else. Raises SandboxError."""
        if not one.program.compiles or one.verdict.passed:
            return Comparison((), one.verdict)
        found = self._known.nearest(self._task, one.program.source, siblings=self._siblings)
        if found:
            return Comparison(found, one.verdict, frozenset(sibling.source for sibling in self._siblings))
        if self._voted is None:
            return Comparison((), one.verdict)
        reference = self._voted.reference
        return Comparison((reference,), self._voted.confirmed(one.verdict), frozenset({reference.source}), True)

    def nearer(self, one: Judged) -> Comparison:
        """The nearest siblings, where the first is built more like ``one`` than all that :func:`alone` names."""
        source, entry_point = one.program.source, self._task.entry_point
        own = self._known.nearest(self._task, source, limit=1)
        found = nearest(source, (*own, *self._siblings), entry_point)  # of equally near ones the first stays first
        if found[:1] == own:
            return Comparison((), one.verdict)
        siblings = tuple(reference for reference in found if reference not in own)
        return Comparison(siblings, one.verdict, frozenset(reference.source for reference in siblings))

    @cached_property
    def _voted(self) -> Voted | None:
        if self._sandbox is None:
            return None
        try:
            return vote(self._sandbox, self._group)
        except (SandboxError, TaskError):
            raise
        except Exception:  # programs are hostile: the group then has no reference, which its reasons say
            logger.exception("egca: the programs of a group could not be compared with each other")
            return None
