"""A session's time is CPU time, and one for all the processes that a program needs."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from egca_plugin.sandbox.outside.link import Order
from egca_plugin.sandbox.outside.session import Session


class Control:
    """Notes what is ordered; each child is said to have spent 0.2 s."""

    def __init__(self) -> None:
        self.orders: list[Order] = []

    def run(self, order: Order) -> Any:
        self.orders.append(order)
        return SimpleNamespace(send=lambda *frames: None, close=lambda: None, ending=None)

    def spent(self) -> float:
        return 0.2


def test_a_restart_gets_what_is_left() -> None:
    control: Any = Control()
    session = Session(control, "x = 1", 0.5, seed=0, budget=None)
    for _ in range(3):
        session.restart()
    assert [order.cpu_ms for order in control.orders] == [500, 300, 100, 1]
