"""Which of several working patches names the fault.

The best patch makes the candidate's run most like the reference's: it leaves few values that only one of the runs has,
and few aligned pairs of probes that still differ, and its results agree with the reference's on inputs beyond those of
the tests (:mod:`egca_plugin.localize.trial.inputs`). Against it speak the size of the edit, definitions that it leaves
dead (it goes around the fault), and the insertion or removal of a statement; for it, that the statement comes to look
like one of the reference's. At equal cost the earliest executed wins.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from egca_plugin.localize.compare.evidence import Expectation
from egca_plugin.localize.compare.order import Order
from egca_plugin.localize.compare.units import bag, blocks, dice, loads, size, statements, written_by
from egca_plugin.localize.confidence import SMALL
from egca_plugin.localize.credit import passed_over
from egca_plugin.localize.repair.edits import SPECIAL, Edit, narrow
from egca_plugin.localize.repair.exchanges import is_exchange
from egca_plugin.localize.repair.workbench import Workbench, parameter_names
from egca_plugin.localize.residue import left_over
from egca_plugin.localize.trial.compiled import Combination
from egca_plugin.localize.trial.trials import Trials
from egca_plugin.program.instrument import WRITE
from egca_plugin.program.nodes import walk
from egca_plugin.types import Call

_VALUES, _PAIRS = 0.5, 0.5
_SIZE, _BYPASS, _INSERTED, _REMOVED, _LIKER = 0.006, 0.15, 0.05, 0.05, 0.1
_TRUTH = 0.15
_MISPLACED = 0.1
_DISAGREES = 1.0  # what it costs to agree with the reference on no further input
_DOUBTFUL = 0.6  # agreement under which passing the tests may be luck
_FEW_LEFT = 0.15  # residue that may be left where all results agree,
_TELLING = 0.1  # and on so many of them the candidate as it was did not
_COMPARED = 12  # patches whose traces are compared,
_OF_ONE = 4  # of one statement, until those of the others had their turn
_CALLS = 3  # on so many calls

Further = Callable[[], Sequence[Expectation]]


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """A working patch with what speaks against it, the least costly first in a list."""

    edits: Combination
    cost: float
    first_event: float
    residue: float  # share of the aligned pairs that still differ
    bypassed: int  # definitions that are dead now
    agrees: float | None  # share of the further inputs on which it does as the reference does
    gained: float  # by how much that is more than it was without the patch

    @property
    def doubtful(self) -> bool:
        """It passes the tests, but differs from the reference on many inputs near theirs, or counts with truth values:
        look for a better one."""
        return any(map(_is_truth_for_number, self.edits)) or (self.agrees is not None and self.agrees < _DOUBTFUL)

    @property
    def proves(self) -> bool:
        """A special case made up for the tests proves nothing unless other inputs need it too."""
        return self.edits[0].source != SPECIAL or (not self.doubtful and self.gained > 0)

    @property
    def explains_all(self) -> bool:
        """A small change in one place after which no aligned pair differs any more, or few pairs and no result.

        Or one that makes a statement what its partner is, after which no result differs; or two results exchanged.
        """
        (edit, *more) = self.edits
        few_left = self.residue <= (_FEW_LEFT if self.agrees == 1.0 and self.gained >= _TELLING else 0.0)
        if is_exchange(self.edits):
            return few_left and not self.doubtful
        if self.doubtful or more or self.bypassed or edit.old is None or isinstance(edit.new, ast.Pass):
            return False
        if edit.beside_partner and self.agrees == 1.0 and self.gained > 0:
            return True
        wrapped = size(edit.new) > size(edit.old) + 1  # something is put around it
        return few_left and edit_size(edit) <= SMALL and not wrapped


class Ranking:
    """Orders working patches by cost; a patch is traced once, however often it is ranked.

    ``calls`` are those that the bench's runs trace, in order.
    """

    def __init__(self, bench: Workbench, trials: Trials, calls: Sequence[Call], further: Further) -> None:
        self._bench, self._trials, self._calls = bench, trials, calls[:_CALLS]
        self._further = further
        self._first = _first_events(bench)
        self._order = Order(bench.alignment, bench.tree, bench.reference.program.tree)
        self._known: dict[Combination, Choice] = {}
        self._agreement: dict[Combination, float | None] = {}

    @property
    def has_further_inputs(self) -> bool:
        """Whether a patch can be asked for more than the tests do."""
        return self._trials.has_fresh_calls and bool(self._further())

    def rank(self, found: Sequence[Combination]) -> list[Choice]:
        """The patches that agree best with the reference on further inputs, the least costly first."""
        self._ask(found)
        compared = _spread(sorted(found, key=self._early))[:_COMPARED]
        new = [edits for edits in compared if edits not in self._known]
        left = left_over(self._bench, new, self._trials.workshop, self._calls)
        for edits, (values, residue) in zip(new, left, strict=True):
            self._known[edits] = self._choice(edits, values, residue)
        return sorted((self._known[edits] for edits in compared), key=_preference)

    def _ask(self, found: Sequence[Combination]) -> None:
        unasked = [edits for edits in ((), *found) if edits not in self._agreement]  # (): the candidate as it is
        shares = self._trials.agreement(unasked, self._further()) if unasked else []
        self._agreement.update(zip(unasked, shares, strict=True))

    def _early(self, edits: Combination) -> tuple[float, ...]:
        agrees = self._agreement[edits]
        return (-round(agrees or 0.0, 1), edits_size(edits), self._began(edits), -edits[0].prior)

    def _choice(self, edits: Combination, values: float, residue: float) -> Choice:
        passed = sum(isinstance(part, ast.stmt) for node in passed_over(edits) for part in walk(node))
        bypassed = sum(_bypassed(self._bench, edit) for edit in edits) + passed
        removed = isinstance(edits[0].new, ast.Pass) and self._bench.has_partner(edits[0].statement)
        cost = _VALUES * values + _PAIRS * residue + _SIZE * edits_size(edits) + _BYPASS * bypassed
        cost += _INSERTED * sum(edit.old is None and not edit.beside_partner for edit in edits) + _REMOVED * removed
        cost += _MISPLACED * sum(map(self._misfit, edits)) + _TRUTH * sum(map(_is_truth_for_number, edits))
        cost -= _LIKER * sum(_affinity(self._bench, edit) for edit in edits)
        agrees, before = self._agreement[edits], self._agreement[()]
        cost += _DISAGREES * (1 - agrees) if agrees is not None else 0.0
        gained = agrees - before if agrees is not None and before is not None else 0.0
        return Choice(edits, cost, self._began(edits), residue, bypassed, agrees, gained)

    def _misfit(self, edit: Edit) -> float:
        if edit.origin is None or edit.block is None:
            return 0.0
        return self._order.misfit(edit.origin, edit.block, edit.index, self._bench.mapping)

    def _began(self, edits: Combination) -> float:
        return min(self._first.get(id(edit.statement), float("inf")) for edit in edits)


def _preference(choice: Choice) -> tuple[float, ...]:
    return round(choice.cost, 3), choice.first_event, choice.cost


def _spread(found: Sequence[Combination]) -> list[Combination]:
    """The same, but many ways to change one statement (a condition that is never to hold) do not hide the others."""
    seen: Counter[int] = Counter()
    early: list[Combination] = []
    late: list[Combination] = []
    for edits in found:
        seen[id(edits[0].statement)] += 1
        (early if seen[id(edits[0].statement)] <= _OF_ONE else late).append(edits)
    return early + late


def edits_size(edits: Combination) -> int:
    return sum(map(edit_size, edits))


def edit_size(edit: Edit) -> int:
    """How many parts are taken out and put in, their order aside: a changed operator counts 2, an exchange 1."""
    if edit.old is None:
        return size(edit.new)
    if isinstance(edit.new, ast.Pass):
        return 2
    old, new = narrow(edit.old, edit.new)
    before, after = Counter(bag(old)), Counter(bag(new))
    return max(1, ((before - after) + (after - before)).total())


def _first_events(bench: Workbench) -> dict[int, float]:
    """When each statement first left an event on the failing call."""
    first: dict[int, float] = {}
    sites = bench.candidate.program.sites
    for time, (site, _) in enumerate(bench.candidate.failing.events):
        first.setdefault(id(sites[site].statement), float(time))
    return first


def _bypassed(bench: Workbench, edit: Edit) -> int:
    """Definitions that nothing would read any more: such a patch goes around the fault instead of mending it.

    What a variable's own updates read (``x.append(y)``, ``x = x + y``) does not keep it alive.
    """
    if edit.old is None:
        return _overridden(edit)
    if not isinstance(edit.old, ast.expr):
        return 0
    if _guards_anew(bench, edit):
        return 1
    once = {id(edit.statement)} - _in_loops(bench.tree)  # reads nothing that it has written itself
    defined = {name for node, _ in statements(bench.tree) if id(node) not in once for name in written_by(node)}
    written = defined & {site.variable for site in bench.candidate.program.sites if site.kind == WRITE}
    before, after = _reads(edit.old), _reads(edit.new)
    own = _reads(edit.statement) - before  # an update that still reads what it updates
    kept = parameter_names(bench.tree) | (own.keys() & set(written_by(edit.statement)))
    gone = [name for name in before if name not in after and name in written - kept]
    if not gone:
        return 0
    everywhere = _reads(bench.tree)
    for node, _ in statements(bench.tree):
        for name in set(written_by(node)):
            everywhere[name] -= sum(isinstance(x, ast.Name) and x.id == name for x in loads(node))
    return sum(everywhere[name] <= before[name] for name in gone)


def _in_loops(tree: ast.Module) -> set[int]:
    loops = [node for node in walk(tree) if isinstance(node, (ast.For, ast.AsyncFor, ast.While))]
    return {id(inner) for node in loops for inner in walk(node) if isinstance(inner, ast.stmt)}


def _guards_anew(bench: Workbench, edit: Edit) -> bool:
    """Whether ``return x`` becomes ``return y if c else x`` behind an ``if`` that returns: that one is to decide."""
    old, new = edit.old, edit.new
    whole = isinstance(edit.statement, ast.Return) and edit.statement.value is old
    if old is None or not whole or not isinstance(new, ast.IfExp):
        return False
    if all(bag(old, bench.mapping) != bag(branch, bench.mapping) for branch in (new.body, new.orelse)):
        return False
    block = next((block for node in ast.walk(bench.tree) for block in blocks(node) if edit.statement in block), [])
    earlier = block[: block.index(edit.statement)] if block else []
    return any(isinstance(node, ast.If) and isinstance(node.body[-1], ast.Return) for node in earlier)


def _is_truth_for_number(edit: Edit) -> bool:
    """``count += 1`` patched to ``count += x > 2``: it works, but nobody forgot that."""
    old, new = edit.old, edit.new
    counts = isinstance(old, ast.BinOp) or (isinstance(old, ast.Constant) and type(old.value) in (int, float))
    negated = isinstance(new, ast.UnaryOp) and isinstance(new.op, ast.Not)
    return counts and (isinstance(new, (ast.Compare, ast.BoolOp)) or negated)


def _overridden(edit: Edit) -> int:
    """1 where an inserted assignment makes an earlier one of its block dead: that one is the fault."""
    if not isinstance(edit.new, ast.Assign) or edit.block is None:
        return 0
    names = set(written_by(edit.new)) - _reads(edit.new).keys()
    for node in reversed(edit.block[: edit.index]):
        if isinstance(node, ast.Assign) and names & set(written_by(node)):
            return 1
        if names & _reads(node).keys():
            return 0
    return 0


def _affinity(bench: Workbench, edit: Edit) -> float:
    """How much more the patched statement looks like one of the reference's than it did before, -1 to 1."""
    if edit.old is None or isinstance(edit.new, ast.Pass):
        return 0.0
    before = Counter(bag(edit.statement, bench.mapping))
    patched = before - Counter(bag(edit.old, bench.mapping)) + Counter(bag(edit.new, bench.mapping))
    theirs = [bag(node) for node, _ in statements(bench.reference.program.tree)]
    return max((dice(patched, x) for x in theirs), default=0.0) - max((dice(before, x) for x in theirs), default=0.0)


def _reads(node: ast.AST) -> Counter[str]:
    return Counter(part.id for part in walk(node) if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load))
