"""Faults in a program's classes: the tests' calls are made again as one session, of programs that hold other things."""

from __future__ import annotations

import pytest

from egca_plugin.judging.referee import judge
from egca_plugin.localize.api import Case
from egca_plugin.localize.trace import TraceLocalizer
from egca_plugin.localize.trial.inputs import neighbours
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.inside.entry import SESSION
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Localization, Task, Verdict

BANK = """
class Account:
    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        self.history = []

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        self.history.append(("deposit", amount))

    def withdraw(self, amount):
        if amount > self.balance:
            raise ValueError("insufficient funds")
        self.balance -= amount
        self.history.append(("withdraw", amount))


class Bank:
    def __init__(self):
        self._accounts = {}

    def open(self, owner, balance=0):
        account = Account(owner, balance)
        self._accounts[owner] = account
        return account

    def transfer(self, source, target, amount):
        self._accounts[source].withdraw(amount)
        self._accounts[target].deposit(amount)

    def total(self):
        return sum(account.balance for account in self._accounts.values())
"""
TESTS = """
import pytest
from solution import Account, Bank

def test_open():
    bank = Bank()
    a = bank.open("a", 10)
    assert a.balance == 10
    assert bank.total() == 10

def test_transfer():
    bank = Bank()
    a, b = bank.open("a", 10), bank.open("b")
    bank.transfer("a", "b", 4)
    assert a.balance == 6
    assert b.balance == 4
    with pytest.raises(ValueError):
        bank.transfer("a", "b", 40)
    assert bank.total() == 10

def test_history():
    a = Account("x", 5)
    a.deposit(3)
    a.withdraw(2)
    assert a.history == [("deposit", 3), ("withdraw", 2)]
"""
TASK = Task("bank", "", "Bank", BANK, TESTS)
LISTED = """
class Account:
    def __init__(self, owner, balance=0):
        self.owner, self.balance, self.history = owner, balance, []

    def deposit(self, amount):
        if not amount > 0:
            raise ValueError
        self.balance += amount
        self.history += [("deposit", amount)]

    def withdraw(self, amount):
        if amount > self.balance:
            raise ValueError
        self.balance -= amount
        self.history += [("withdraw", amount)]


class Bank:
    def __init__(self):
        self.all = []

    def _find(self, owner):
        for account in self.all:
            if account.owner == owner:
                return account

    def open(self, owner, balance=0):
        self.all.append(Account(owner, balance))
        return self.all[-1]

    def transfer(self, source, target, amount):
        self._find(source).withdraw(amount)
        self._find(target).deposit(amount)

    def total(self):
        return sum(account.balance for account in self.all)
"""


def localized(sandbox: Sandbox, candidate: str) -> tuple[Verdict, Localization]:
    verdict = judge(sandbox, candidate, TASK)
    return verdict, TraceLocalizer().localize(Case(TASK, candidate, (BANK,), verdict, sandbox))


@pytest.mark.parametrize("program", [BANK, LISTED])
@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("self.balance -= amount", "self.balance += amount"),
        ('("withdraw", amount)', '("withdraw", -amount)'),
        ("sum(account.balance for", "max(account.balance for"),
        ("Account(owner, balance)", "Account(owner, 0)"),
        ("amount > self.balance", "amount > 10 * self.balance"),
    ],
)
def test_a_fault_in_a_method_is_found_and_proven(sandbox: Sandbox, program: str, right: str, wrong: str) -> None:
    candidate = program.replace(right, wrong)
    verdict, answer = localized(sandbox, candidate)
    assert (verdict.passed, answer.verified) == (False, True)
    faulty = [number for number, line in enumerate(candidate.splitlines()) if wrong in line]
    assert [candidate.count("\n", 0, span.start) for span in answer.spans] == faulty[-1:]


def test_a_session_is_data_that_any_program_can_be_given(sandbox: Sandbox) -> None:
    verdict = judge(sandbox, BANK, TASK)
    assert {tested.call.function for tested in verdict.calls} == {SESSION}
    ((steps,), _) = wire.decode(verdict.calls[1].call.arguments)
    assert steps == [
        ("Bank", (), {}),
        (".open", (("r", 0), ("v", "a"), ("v", 10)), {}),
        (".balance?", (("r", 1),), {}),
        (".total", (("r", 0),), {}),
    ]
    assert wire.decode(verdict.calls[1].result.value) == [("object", "Bank", 0), ("object", "Account", 1), 10, 10]
    again = judge(sandbox, LISTED, TASK)
    assert [tested.call for tested in again.calls] == [tested.call for tested in verdict.calls]


def test_the_program_gives_alone_what_it_gave_the_tests(sandbox: Sandbox) -> None:
    for tested in judge(sandbox, LISTED, TASK).calls:
        (result,) = sandbox.run_calls(LISTED, [tested.call], timeout_s=2)
        assert result.value == tested.result.value


def test_inputs_near_a_session_have_its_steps(sandbox: Sandbox) -> None:
    session = judge(sandbox, BANK, TASK).calls[-1].call
    ((steps,), _) = wire.decode(session.arguments)
    near = [wire.decode(call.arguments)[0][0] for call in neighbours([session], 8)]
    assert len(near) == 8
    assert all([step[0] for step in one] == [step[0] for step in steps] and one != steps for one in near)


SHELF = """
class Book:
    def __init__(self, name):
        self.name = name


class Shelf:
    def __init__(self, names):
        self.held = [Book(name) for name in names]

    def books(self):
        return list(self.held)

    def take(self, book):
        self.held.remove(book)
        return self.held[0]
"""


def test_what_a_result_holds_may_be_an_argument_and_which_object_it_is_counts(sandbox: Sandbox) -> None:
    tests = (
        "from solution import Shelf\n\ndef test_take():\n    shelf = Shelf(['a', 'b', 'c'])\n"
        "    books = shelf.books()\n    assert shelf.take(books[0]) is books[1]\n"
    )
    task = Task("shelf", "", "Shelf", SHELF, tests)
    wrong = SHELF.replace("self.held[0]", "self.held[-1]")
    verdict = judge(sandbox, wrong, task)
    ((steps,), _) = wire.decode(verdict.calls[0].call.arguments)
    assert steps[-1] == (".take", (("r", 0), ("r", 1, 0)), {})
    assert TraceLocalizer().localize(Case(task, wrong, (SHELF,), verdict, sandbox)).verified


TICKETS = """
class Ticket:
    sold = 0

    def __init__(self):
        Ticket.sold += 1
        self.number = Ticket.sold


class Roll:
    def __init__(self, count):
        self.tickets = [Ticket() for _ in range(count)]

    def __iter__(self):
        for ticket in self.tickets:
            yield ticket.number

    def pairs(self):
        for one, other in zip(self.tickets, self.tickets[1:]):
            yield one, other
"""
SOLD = """
from solution import Roll, Ticket

def test_roll():
    assert list(Roll(3)) == [1, 2, 3]

def test_next():
    assert Ticket().number == 4
    assert sum(1 for _ in Roll(2)) == 2
    assert [b.number - a.number for a, b in Roll(3).pairs()] == [1, 1]
"""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("yield ticket.number", "yield ticket.number - 1"), ("Ticket.sold += 1", "Ticket.sold += 2"),
     ("yield one, other", "yield other, one"), ("range(count)", "range(count + 1)")],
)  # fmt: skip
def test_items_of_iterators_and_what_lasts_from_test_to_test_are_told(sandbox: Sandbox, right: str, wrong: str) -> None:
    task = Task("tickets", "", "Roll", TICKETS, SOLD)
    candidate = TICKETS.replace(right, wrong)
    verdict = judge(sandbox, candidate, task)
    answer = TraceLocalizer().localize(Case(task, candidate, (TICKETS,), verdict, sandbox))
    assert (verdict.passed, answer.verified) == (False, True)
