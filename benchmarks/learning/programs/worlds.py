"""The worlds: tasks to train on, tasks held out, and the noisy corpus from which a policy has its faults."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from benchmarks.learning.programs.branches import Branches
from benchmarks.learning.programs.faults import Choose, Decisions, Faults, Pick
from benchmarks.learning.programs.lists import Lists, Spec
from benchmarks.learning.programs.vocabulary import Vocabulary, tokens_of
from egca_plugin.types import Task

TESTS = 7  # a task
_NO_NUMBER = "<->"
Row = tuple[list[int], list[int]]  # prompt and response


class Family(Protocol):
    """A parametric family of tasks."""

    def draw(self, rng: random.Random) -> Spec: ...
    def write(self, spec: Spec, choose: Choose, pick: Pick) -> str: ...
    def inputs(self, spec: Spec, rng: random.Random, count: int) -> list[tuple[object, ...]]: ...


@dataclass(frozen=True)
class World:
    """``longest``: tokens of prompt and response together. ``schooling``: the scale of the faults in each term of the
    supervised start; the last one's is the world's own.
    """

    name: str
    family: Family
    longest: int
    schooling: tuple[float, ...]
    fault_seed: int
    training: int = 240
    held_out: int = 100
    seed: int = 0

    @property
    def faults(self) -> Faults:
        """How often, and how, decisions are got wrong at the start."""
        return Faults(self.fault_seed, self.schooling[-1])

    @cached_property
    def specs(self) -> tuple[Spec, ...]:
        """All tasks, those to train on first. No two are equal, and none is a constant function."""
        rng, found = random.Random(f"{self.name} {self.seed} tasks"), dict[Spec, None]()
        while len(found) < self.training + self.held_out:
            spec = self.family.draw(rng)
            if self._interesting(spec):
                found[spec] = None
        return tuple(found)

    @cached_property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks of :attr:`specs`, as the plugin takes them."""
        return tuple(self._task(f"{self.name}-{self.seed}-{i}", spec) for i, spec in enumerate(self.specs))

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Everything that specs, programs and faulty programs of the family are made of."""
        rng, words, longest = random.Random(0), dict.fromkeys(map(str, range(16))), 0
        for _ in range(1500):
            spec = self.family.draw(rng)
            said = words_of(spec)
            longest = max(longest, len(said))
            words |= dict.fromkeys(said)
            write = self.program(spec, rng.randrange(1 << 30))
            words |= dict.fromkeys(tokens_of(write(Decisions())))
            words |= dict.fromkeys(tokens_of(write(Decisions([Faults(rng.randrange(50)).some(write, rng)]))))
        for spec in self.specs:
            longest = max(longest, len(words_of(spec)))
        return Vocabulary(sorted(words), longest + 2)

    def program(self, spec: Spec, style: int) -> _Program:
        """The program of ``spec`` in one style, given who decides."""
        return _Program(self.family, spec, style)

    def corpus(self, rows: int, term: int) -> Iterator[Row]:
        """Noisy programs for specs that are neither trained on nor held out. Faults that no test sees are none."""
        faults = Faults(self.fault_seed, self.schooling[term])
        rng, kept_out = random.Random(f"{self.name} {self.seed} corpus"), set(self.specs)
        vocabulary, made = self.vocabulary, 0
        while made < rows:
            spec = self.family.draw(rng)
            if spec in kept_out or not self._interesting(spec):
                continue
            checks = self._checks(spec)
            for _ in range(3):
                ids = vocabulary.encode(self._noisy(spec, checks, faults, rng))
                if ids is not None and vocabulary.prompt + len(ids) + 1 <= self.longest:
                    made += 1
                    yield vocabulary.ask(words_of(spec)), [*ids, vocabulary.end]

    def _noisy(
        self, spec: Spec, checks: Sequence[tuple[tuple[object, ...], object]], faults: Faults, rng: random.Random
    ) -> str:
        """A program of the corpus; where no test sees its faults, the right one of its style instead."""
        write = self.program(spec, rng.randrange(1 << 30))
        source = write(Decisions(faults.draw(write, rng)))
        return write(Decisions()) if passes(source, checks) else source

    def _task(self, name: str, spec: Spec) -> Task:
        tests = tuple(f"assert f{_arguments(xs)} == {value!r}" for xs, value in self._checks(spec))
        return Task(name, " ".join(words_of(spec)), "f", self.program(spec, 0)(Decisions()), tests)

    def _checks(self, spec: Spec) -> list[tuple[tuple[object, ...], object]]:
        """Arguments and what the reference answers."""
        function = _function(self.program(spec, 0)(Decisions()))
        inputs = self.family.inputs(spec, random.Random(f"tests {spec}"), TESTS)
        return [(arguments, function(*arguments)) for arguments in inputs]

    def _interesting(self, spec: Spec) -> bool:
        """Not a constant function, and the same one in other styles."""
        checks = self._checks(spec)
        if len({repr(value) for _, value in checks}) < 3:
            return False
        return all(passes(self.program(spec, style)(Decisions()), checks) for style in range(1, 4))


@dataclass(frozen=True, slots=True)
class _Program:
    """A ``Write``: one spec in one style."""

    family: Family
    spec: Spec
    style: int

    def __call__(self, pick: Pick) -> str:
        return self.family.write(self.spec, random.Random(self.style).choice, pick)


def words_of(spec: Spec) -> list[str]:
    """What the policy reads, two words a part, so that each stands in its place: its name and its number."""
    return [word for name, *number in spec for word in (f"<{name}>", *(number or [_NO_NUMBER]))]


def passes(source: str, checks: Sequence[tuple[tuple[object, ...], object]]) -> bool:
    """Does one of our own programs, which are harmless and end, give the expected values?"""
    try:
        function = _function(source)
        return all(repr(function(*arguments)) == repr(value) for arguments, value in checks)
    except Exception:  # noqa: BLE001 - a fault may raise anything
        return False


def _function(source: str) -> Any:
    space: dict[str, Any] = {}
    exec(compile(source, "program", "exec"), space)  # noqa: S102 - written by a family, nobody else
    return space["f"]


def _arguments(values: tuple[object, ...]) -> str:
    return f"({', '.join(map(repr, values))})"


WORLDS = {
    "long": World("long", Lists((4, 4), varied=True), 220, (2.2, 2.2, 3.2), fault_seed=11),
    "short": World("short", Lists((1, 2), varied=False), 110, (1.4,), fault_seed=12),
    "branches": World("branches", Branches((2, 3)), 130, (2.2, 3.0), fault_seed=13),
}
