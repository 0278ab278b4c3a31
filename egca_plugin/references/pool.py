"""The references of a task, from all sources, nearest first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from egca_plugin.program.structure import similarity
from egca_plugin.references.bank import Bank
from egca_plugin.references.given import Given
from egca_plugin.types import Task


@dataclass(frozen=True, slots=True)
class Reference:
    """A whole program that passes the task's tests.

    ``name`` is what records say: ``canonical``, ``sibling:3`` (its index in the group), ``bank:3f2a91c0``, ``given:1``.
    """

    source: str
    name: str


class References:
    """All references that there are, for the pipeline of one worker process."""

    def __init__(self, bank: Bank | None = None, given: Given | None = None) -> None:
        self.bank = bank
        self._given = given

    def pool(self, task: Task, siblings: Iterable[Reference] = ()) -> tuple[Reference, ...]:
        """The references of ``task``, the passing ``siblings`` of a sample among them; empty where there is none.

        Of two with the same text the first is kept, under whose name it is known.
        """
        found = [Reference(task.reference, "canonical")] if task.reference else []
        found += siblings
        if self.bank is not None:
            found += [Reference(source, bank_name(source)) for source in self.bank.programs(task)]
        if self._given is not None:
            found += [Reference(source, f"given:{n}") for n, source in self._given.sound(task)]
        distinct: dict[str, Reference] = {}
        for one in found:
            distinct.setdefault(one.source, one)
        return tuple(distinct.values())

    def nearest(
        self, task: Task, source: str, limit: int = 3, siblings: Iterable[Reference] = ()
    ) -> tuple[Reference, ...]:
        """The references that ``source`` is built most like; of equally near ones in the order of :meth:`pool`."""
        return nearest(source, self.pool(task, siblings), task.entry_point, limit)


def nearest(source: str, references: Iterable[Reference], entry_point: str, limit: int = 3) -> tuple[Reference, ...]:
    """At most ``limit`` references by falling similarity of ``source`` to them; equal ones stay in their order."""
    return tuple(sorted(references, key=lambda r: -similarity(source, r.source, entry_point))[:limit])


def bank_name(source: str) -> str:
    """The name of a banked program: by its text, so that records of any step and node agree."""
    return f"bank:{sha256(source.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
