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

    ``name`` is what records say: ``canonical``, ``given:1``, ``bank:3f2a91c0``.
    """

    source: str
    name: str


class References:
    """All references that there are, for the pipeline of one worker process."""

    def __init__(self, bank: Bank | None = None, given: Given | None = None) -> None:
        self.bank = bank
        self._given = given

    def pool(self, task: Task) -> tuple[Reference, ...]:
        """The references of ``task``, most trusted first; empty where there is none."""
        found = [Reference(task.reference, "canonical")] if task.reference else []
        if self._given is not None:
            found += [Reference(source, f"given:{n}") for n, source in self._given.sound(task)]
        if self.bank is not None:
            found += [Reference(source, bank_name(source)) for source in self.bank.programs(task)]
        return tuple(found)

    def nearest(self, task: Task, source: str, limit: int = 3) -> tuple[Reference, ...]:
        """The references that ``source`` is built most like."""
        return nearest(source, self.pool(task), task.entry_point, limit)


def nearest(source: str, references: Iterable[Reference], entry_point: str, limit: int = 3) -> tuple[Reference, ...]:
    """At most ``limit`` references by falling similarity of ``source`` to them; equal ones stay in their order."""
    return tuple(sorted(references, key=lambda r: -similarity(source, r.source, entry_point))[:limit])


def bank_name(source: str) -> str:
    """The name of a banked program: by its text, so that records of any step and node agree."""
    return f"bank:{sha256(source.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
