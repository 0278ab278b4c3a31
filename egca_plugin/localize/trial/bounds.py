"""What keeps a trial from running away.

Every round of a loop and every call of a function is a step, sixteen items of a comprehension are one. Numbers that
grow past all reason are stopped: a single operation on them can take longer than all other trials.
"""

from __future__ import annotations

import ast
from typing import Any

from egca_plugin.program.instrument import STEP
from egca_plugin.program.nodes import clone

TIMES, POWER, SHIFT, ITEM = "__egca_times__", "__egca_power__", "__egca_shift__", "__egca_item__"
_BITS, _ITEMS = 1 << 17, 1 << 20  # 40,000 digits; items of a repeated sequence
_GUARDS: dict[type[ast.operator], str] = {ast.Mult: TIMES, ast.Pow: POWER, ast.LShift: SHIFT}
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_PLAIN = (ast.Name, ast.Constant, ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.expr_context)
COUNTED = (*_LOOPS, ast.FunctionDef, ast.AsyncFunctionDef)

DEFINITIONS = f"""
class __egca_stop__(BaseException):
    pass


def {ITEM}():
    return True


def {TIMES}(a, b, left=True):
    if type(a) is int and type(b) is int:
        if a.bit_length() + b.bit_length() > {_BITS}:
            raise __egca_stop__
    elif type(a) in (list, str, tuple) and type(b) is int and len(a) * b > {_ITEMS}:
        raise __egca_stop__
    elif type(b) in (list, str, tuple) and type(a) is int and len(b) * a > {_ITEMS}:
        raise __egca_stop__
    return a * b if left else b


def {POWER}(a, b, left=True):
    if type(a) is int and type(b) is int and a.bit_length() * b > {_BITS}:
        raise __egca_stop__
    return a ** b if left else b


def {SHIFT}(a, b, left=True):
    if type(a) is int and type(b) is int and a.bit_length() + b > {_BITS}:
        raise __egca_stop__
    return a << b if left else b
"""

SOMEWHERE: dict[str, Any] = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 0}


def step(node: ast.stmt) -> ast.stmt:
    """What stands first in the body of a counted node."""
    name, line = ast.Name(STEP, ast.Load(), **SOMEWHERE), ast.Constant(node.lineno, **SOMEWHERE)
    return ast.Expr(ast.Call(name, [line], [], **SOMEWHERE), **SOMEWHERE)


def guarded(node: Any) -> Any:
    """A node of our own whose children are guarded already: ``a * b`` becomes a call, ``x *= b`` looks at ``b`` first,
    and a comprehension counts its items."""
    if isinstance(node, ast.comprehension):
        node.ifs = [ast.Call(ast.Name(ITEM, ast.Load(), **SOMEWHERE), [], [], **SOMEWHERE), *node.ifs]
        return node
    if isinstance(node, ast.BinOp) and type(node.op) in _GUARDS:
        return ast.copy_location(_call(node, node.left, node.right), node)
    if isinstance(node, ast.AugAssign) and type(node.op) in _GUARDS and isinstance(node.target, ast.Name):
        name = ast.Name(node.target.id, ast.Load(), **SOMEWHERE)
        node.value = ast.copy_location(_call(node, name, node.value, ast.Constant(False, **SOMEWHERE)), node.value)
    return node


def bounded(node: Any) -> Any:
    """What a patch brings along, with steps and guards of its own."""
    if isinstance(node, _PLAIN):
        return node
    changed = {}
    for name in node._fields:
        value = node.__dict__.get(name)
        if isinstance(value, ast.AST):
            new = bounded(value)
            if new is not value:
                changed[name] = new
        elif type(value) is list:
            changed[name] = [bounded(item) if isinstance(item, ast.AST) else item for item in value]
    if isinstance(node, _LOOPS):
        changed["body"] = [step(node), *changed["body"]]
    if changed or isinstance(node, (ast.AugAssign, ast.comprehension)):
        node = clone(node)
        node.__dict__.update(changed)
    return guarded(node)


def _call(node: Any, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(_GUARDS[type(node.op)], ast.Load(), **SOMEWHERE), list(arguments), [], **SOMEWHERE)
