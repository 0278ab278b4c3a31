"""Functions of installed packages become tasks: with all that they need, and nothing that they do not."""

from __future__ import annotations

import ast
from textwrap import dedent

from benchmarks.localization.installed import Module, Package, assertions, task, tasks


def module(name: str, source: str) -> Module:
    return Module.of(name, dedent(source))


def test_examples_that_print_a_literal_become_assertions() -> None:
    documentation = """
        >>> chunks([1, 2, 3], 2)
        [[1, 2], [3]]
        >>> list(map(len, chunks("abc", 1)))
        [1, 1, 1]
        >>> chunks([], 0)
        Traceback (most recent call last):
        ValueError: nothing
        >>> other(3)
        3
        >>> chunks(numbers, 2)
        [[1]]
    """
    assert assertions(documentation, "chunks") == (
        "assert chunks([1, 2, 3], 2) == [[1, 2], [3]]",
        "assert list(map(len, chunks('abc', 1))) == [1, 1, 1]",
    )


USER = module(
    "shop.prices",
    '''
    import math
    from shop.taxes import taxed
    from shop.taxes import RATE as rate
    import numpy

    LIMIT = 10

    def total(prices, cap=LIMIT):
        """
        >>> total([1, 2])
        6
        >>> total([])
        0
        >>> total([40])
        10
        """
        paid = 0
        for price in prices:
            paid += taxed(price)
        return min(paid, cap)

    def renamed(prices):
        return rate

    def mean(prices):
        return numpy.mean(prices)
    ''',
)
TAXES = module(
    "shop.taxes",
    """
    RATE = 2

    def taxed(price):
        return price * RATE

    def unused():
        return 0
    """,
)
SHOP = Package([USER, TAXES])


def test_a_function_comes_with_what_it_needs_of_its_package() -> None:
    program = SHOP.closure(USER, "total")
    assert program is not None
    names = {node.name for node in program.body if isinstance(node, ast.FunctionDef)}
    assert names == {"total", "taxed"}
    namespace: dict[str, object] = {}
    exec(ast.unparse(program), namespace)
    assert namespace["RATE"] == 2
    assert "math" not in namespace


def test_what_needs_another_package_or_another_name_is_left_out() -> None:
    assert SHOP.closure(USER, "mean") is None
    assert SHOP.closure(USER, "renamed") is None


def test_a_task_has_the_examples_as_its_tests() -> None:
    found = task(SHOP, USER, "total")
    assert found is not None
    assert found.task_id == "shop.prices/total"
    assert found.tests == ("assert total([1, 2]) == 6", "assert total([]) == 0", "assert total([40]) == 10")
    assert '"""' not in found.reference


def test_a_package_that_is_installed_gives_tasks_whose_references_pass() -> None:
    found = list(tasks(["statistics", "no_such_package"]))
    assert found
    assert all(one.task_id.startswith("statistics/") for one in found)
