"""What stands in front of a slotted program: the switches, and a loop that tries many patches within one call.

A trial through the sandbox's protocol costs a tenth of a millisecond; inside one call it costs what the program costs.
The loop runs beside the candidate and is no more trusted than it: whatever it reports is confirmed by the referee.
"""

from __future__ import annotations

import ast
import inspect
from types import CodeType

from egca_plugin.localize.trial.bounds import DEFINITIONS, ITEM
from egca_plugin.sandbox.inside import entry
from egca_plugin.sandbox.inside.entry import SESSION

ON = "__egca_on__"
SWITCH = "__egca_switch__"
SWEEP = "__egca_sweep__"
NONE_ON = ("__egca_patches_on__",)  # what stands in the code until a trial replaces it

# How a trial ended; UNKNOWN: its value is not plain data; UNTRIED: the work was done before its turn.
VALUE, RAISED, STOPPED, UNKNOWN, UNTRIED = 0, 1, 2, 3, 4

_SWITCH = f"""
def {SWITCH}(*on):
    global {ON}
    {ON} = on
"""

_SWEEP = f"""
def {SWEEP}(cases, switches, steps, work, stops, plain=(int, str, float, bool, type(None))):
    global {ON}, __egca_step__, {ITEM}
    left = [0]

    def step(line):
        left[0] -= 1
        if left[0] < 0:
            raise __egca_stop__

    def item():
        left[0] -= 0.0625
        if left[0] < 0:
            raise __egca_stop__
        return True

    def fresh(value):
        kind = type(value)
        if kind in plain:
            return value
        if kind is list:
            return [fresh(item) for item in value]
        if kind is tuple:
            return tuple([fresh(item) for item in value])
        if kind is set:
            return set(value)
        return {{key: fresh(item) for key, item in value.items()}}

    def is_plain(value, room):
        kind = type(value)
        if kind in plain:
            return True
        room[0] -= len(value) if kind in (list, tuple, set, dict) else 1 << 30
        if room[0] < 0:
            return False
        if kind is dict:
            return all([is_plain(x, room) for x in value]) and all([is_plain(x, room) for x in value.values()])
        return all([is_plain(x, room) for x in value])

    def end(function, args, kwargs):
        nonlocal work
        allowed = left[0] = min(steps, work)
        if allowed < 1:
            return {UNTRIED}, None
        try:
            value = function(*fresh(args), **fresh(kwargs))
            return ({VALUE}, value) if is_plain(value, [10000]) else ({UNKNOWN}, None)
        except __egca_stop__:
            return {STOPPED}, None
        except BaseException as err:  # in the child: whatever the program raises is its answer
            return {RAISED}, type(err).__name__
        finally:
            work -= min(allowed, allowed - left[0] + 1)

    def found(name):
        if name == {SESSION!r}:
            return __egca_entry__["find"](globals(), name)
        kind, dot, method = name.partition(".")
        if dot and kind in globals():  # a fresh instance for each call, as the judge has it
            return lambda *args, **kwargs: getattr(globals()[kind](), method)(*args, **kwargs)
        return globals()[method or kind]

    def spelled(one):
        try:
            return repr(one)
        except ValueError:  # an integer past the limit of digits, which the program may count on
            return object()

    stopped = [0] * len(switches)

    def tried(function, args, kwargs):
        global {ON}
        ends, which, known = [], [], {{}}
        for index, {ON} in enumerate(switches):
            one = end(function, args, kwargs) if stopped[index] < stops else ({STOPPED}, None)
            stopped[index] += one[0] == {STOPPED}
            which.append(known.setdefault(spelled(one), len(ends)))
            if which[-1] == len(ends):
                ends.append(one)
        return ends, bytes(which)

    usual, __egca_step__, {ITEM} = (__egca_step__, {ITEM}), step, item
    told = [tried(found(name), args, kwargs) for name, args, kwargs in cases]
    __egca_step__, {ITEM} = usual
    {ON} = ()
    return told, int(work)
"""


def _with(code: CodeType, place: str, what: CodeType) -> CodeType:
    """``code`` with the constant ``place`` replaced."""
    return code.replace(co_consts=tuple(what if const == place else const for const in code.co_consts))


_PLACE = "__egca_driver__"  # a constant that stands for the driver, which is compiled once for all programs
_ENTRY = "__egca_entry_source__"  # and one that stands for what finds the parts of a program with classes
_FIND = f"__egca_entry__ = {{}}\nexec({_ENTRY!r}, __egca_entry__)\n"
_DRIVER = _with(
    compile(DEFINITIONS + _SWITCH + _FIND + _SWEEP, "<driver>", "exec", dont_inherit=True),
    _ENTRY,
    compile(inspect.getsource(entry), "<entry>", "exec", dont_inherit=True),
)

HEAD = ast.parse(f"{ON} = {NONE_ON!r}\n__egca_step__ = __egca_step\nexec({_PLACE!r})").body


def with_driver(code: CodeType) -> CodeType:
    """A compiled program that begins with HEAD, complete."""
    return _with(code, _PLACE, _DRIVER)
