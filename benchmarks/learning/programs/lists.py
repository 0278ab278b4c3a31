"""Families of tasks over a list of numbers: stages one after the other, then a sum-up and a last touch.

A spec is a tuple of parts, ``("keep:gt", "3"), ("run:sum",), ("fold:max",), ("post:mod", "5")``; the policy reads its
words and writes a function. Every stage has several forms, and in the varied family names and innocent helper lines are
drawn too, so that the programs of one task share little but what they have to decide.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.learning.programs.faults import Choose, Pick

Part = tuple[str, ...]
Spec = tuple[Part, ...]

# The names of a programmer: lists in the order of the stages, an item, a counter, a total.
_Hand = tuple[tuple[str, ...], str, str, str]
_HANDS: tuple[_Hand, ...] = (
    (("out", "res", "kept", "got", "last"), "x", "i", "t"),
    (("ys", "zs", "buf", "acc", "new"), "v", "k", "total"),
    (("one", "two", "tri", "four", "five"), "item", "pos", "score"),
)


@dataclass(frozen=True, slots=True)
class Lists:
    """``stages``: fewest and most of them. ``varied``: are names, forms and helper lines drawn?"""

    stages: tuple[int, int]
    varied: bool

    def draw(self, rng: random.Random) -> Spec:
        """A spec."""
        kinds = ["keep", "map", "run", "cut", "keep", "map"] if self.varied else ["keep", "map", "keep"]
        parts: list[Part] = []
        for _ in range(rng.randint(*self.stages)):
            kind = rng.choice([k for k in kinds if not parts or not parts[-1][0].startswith(k)])
            parts.append(_PARTS[kind](rng))
        return (*parts, _PARTS["fold"](rng), _PARTS["post"](rng))

    def write(self, spec: Spec, choose: Choose, pick: Pick) -> str:
        """A whole function ``f(xs)``: ``choose`` takes the free choices, ``pick`` decides what can be wrong."""
        return _Writer(choose, self.varied, pick).function(spec)

    def inputs(self, spec: Spec, rng: random.Random, count: int) -> list[tuple[object, ...]]:
        """Arguments near the spec's own constants, the empty list among them."""
        constants = [int(word) for part in spec for word in part[1:]]
        near = [c + d for c in constants for d in (-1, 0, 1)] + [0, 1]
        drawn: list[list[int]] = [[]]
        while len(drawn) < count:
            length = rng.randint(3, 8)
            drawn.append([rng.choice(near) if rng.random() < 0.5 else rng.randint(-6, 12) for _ in range(length)])
        return [(xs,) for xs in drawn]


# --- specs ------------------------------------------------------------------------------------------------------


def _keep(rng: random.Random) -> Part:
    kind = rng.choice(("gt", "lt", "mod", "nmod", "ne"))
    number = {"gt": (0, 5), "lt": (3, 8), "mod": (2, 4), "nmod": (2, 4), "ne": (1, 5)}[kind]
    return f"keep:{kind}", str(rng.randint(*number))


def _map(rng: random.Random) -> Part:
    kind = rng.choice(("mul", "add", "rsub", "sq", "abs", "div"))
    number = {"mul": (2, 5), "add": (1, 6), "rsub": (3, 9), "div": (2, 4)}.get(kind)
    return (f"map:{kind}", str(rng.randint(*number))) if number else (f"map:{kind}",)


def _run(rng: random.Random) -> Part:
    return (f"run:{rng.choice(('sum', 'max', 'diff', 'uniq'))}",)


def _cut(rng: random.Random) -> Part:
    kind = rng.choice(("drop", "take", "flip", "step"))
    return (f"cut:{kind}", str(rng.randint(1, 3))) if kind in ("drop", "take") else (f"cut:{kind}",)


def _fold(rng: random.Random) -> Part:
    return (f"fold:{rng.choice(('sum', 'count', 'max', 'last', 'alt', 'sum'))}",)


def _post(rng: random.Random) -> Part:
    kind = rng.choice(("none", "mod", "add", "cap"))
    number = {"mod": (3, 7), "add": (1, 6), "cap": (5, 9)}.get(kind)
    return (f"post:{kind}", str(rng.randint(*number))) if number else (f"post:{kind}",)


_PARTS = {"keep": _keep, "map": _map, "run": _run, "cut": _cut, "fold": _fold, "post": _post}


# --- programs ---------------------------------------------------------------------------------------------------


class _Writer:
    def __init__(self, choose: Choose, varied: bool, pick: Pick) -> None:
        self._choose, self._varied, self._pick = choose, varied, pick
        hand: _Hand = choose(_HANDS) if varied else _HANDS[0]
        self._names, self._item, self._counter, self._total = hand

    def function(self, spec: Spec) -> str:
        lines: list[str] = []
        at = "xs"
        for part, name in zip(spec[:-2], self._names, strict=False):
            helper = self._choose(("", "", "", "", "size", "length")) if self._varied else ""
            if helper:
                lines.append(f"{helper} = len({at})")
            lines += self._stage(part, at, name)
            at = name
        return "\n".join(["def f(xs):", *(f"    {line}" for line in [*lines, *self._fold(spec[-2], spec[-1], at)])])

    def _stage(self, part: Part, source: str, name: str) -> list[str]:
        family, _, kind = part[0].partition(":")
        if family == "cut":
            return [f"{name} = {self._cut(kind, part, source)}"]
        if family == "run":
            return self._run(kind, source, name)
        form = self._choose(("for", "while", "comprehension", "guard") if self._varied else ("for", "comprehension"))
        if form == "while":
            return self._while(part, source, name)
        item = self._item
        value, test = self._decided(part, item)
        if form == "comprehension":
            return [f"{name} = [{value} for {item} in {source}{f' if {test}' if test else ''}]"]
        start = self._pick("dull:list", "[]", "[0]")
        body = _guarded(test, f"{name}.append({value})", turned=form == "guard")
        return [f"{name} = {start}", f"for {item} in {source}:", *_indented(body)]

    def _while(self, part: Part, source: str, name: str) -> list[str]:
        counter, item = self._counter, self._item
        start, first = self._pick("dull:list", "[]", "[0]"), self._pick("dull:from", "0", "1")
        bound = self._pick("dull:while", f"len({source})", f"len({source}) - 1", f"len({source}) + 1")
        value, test = self._decided(part, item)
        body = _guarded(test, f"{name}.append({value})", turned=False)
        head = [f"{name} = {start}", f"{counter} = {first}", f"while {counter} < {bound}:"]
        return [*head, *_indented([f"{item} = {source}[{counter}]", *body, f"{counter} += 1"])]

    def _decided(self, part: Part, item: str) -> tuple[str, str]:
        """What is kept of ``item``, and under which test, empty for none."""
        if part[0].startswith("keep"):
            return item, condition(self._pick, part, item)
        return expression(self._pick, part, item), ""

    def _run(self, kind: str, source: str, name: str) -> list[str]:
        pick = self._pick
        if kind == "diff":
            k = self._counter
            over = pick("dull:pairs", f"range(1, len({source}))", f"range(2, len({source}))")
            right = f"{source}[{k}] - {source}[{k} - 1]"
            wrong = (f"{source}[{k} - 1] - {source}[{k}]", f"{source}[{k}] + {source}[{k} - 1]")
            return [f"{name} = []", f"for {k} in {over}:", f"    {name}.append({pick('run:diff', right, *wrong)})"]
        total, item = self._total, self._item
        if kind == "uniq":
            test = pick("run:uniq", f"{item} not in {name}", f"{item} in {name}", f"{item} not in {source}")
            return [f"{name} = []", f"for {item} in {source}:", f"    if {test}:", f"        {name}.append({item})"]
        if kind == "sum":
            step = pick("run:sum", f"{total} += {item}", f"{total} = {item}", f"{total} -= {item}")
        else:
            wrong = (f"{total} = min({total}, {item})", f"{total} = {item}")
            step = pick("run:max", f"{total} = max({total}, {item})", *wrong)
        head = [f"{name} = []", f"{total} = {pick('run:start', '0', '1')}", f"for {item} in {source}:"]
        return [*head, *_indented([step, f"{name}.append({total})"])]

    def _cut(self, kind: str, part: Part, source: str) -> str:
        if kind == "flip":
            return self._pick("cut:flip", f"{source}[::-1]", f"sorted({source})", f"{source}[1:]")
        if kind == "step":
            return self._pick("cut:step", f"{source}[::2]", f"{source}[1::2]", f"{source}[::3]")
        k = part[1]
        if kind == "drop":
            return self._pick("cut:drop", f"{source}[{k}:]", f"{source}[:{k}]", f"{source}[{int(k) + 1}:]")
        return self._pick("cut:take", f"{source}[:{k}]", f"{source}[{k}:]", f"{source}[:-{k}]")

    def _fold(self, part: Part, last: Part, source: str) -> list[str]:
        kind, total, pick = part[0].partition(":")[2], self._total, self._pick
        if kind in ("sum", "max") and self._choose((False, True)):
            call = f"sum({source})" if kind == "sum" else f"max({source}, default=0)"
            wrong = [f"max({source}, default=0)"]
            if kind == "max":
                wrong = [f"min({source}, default=0)", f"max({source}, default=1)"]
            return [f"{total} = {pick(f'fold:{kind} call', call, *wrong)}", *self._post(last, total)]
        item = self._item
        if kind == "alt":
            step = pick("fold:alt", f"{total} = {item} - {total}", f"{total} = {total} - {item}", f"{total} += {item}")
        elif kind == "sum":
            step = pick("fold:sum", f"{total} += {item}", f"{total} = {item}", f"{total} -= {item}")
        elif kind == "count":
            step = pick("fold:count", f"{total} += 1", f"{total} += {item}", f"{total} += 2")
        elif kind == "max":
            step = pick("fold:max", f"if {item} > {total}:", f"if {item} < {total}:", f"if {item} >= {total} + 2:")
            step = f"{step}\n    {total} = {item}"
        else:
            step = pick("fold:last", f"{total} = {item}", f"{total} += {item}")
        start = pick("fold:start", "0", "1") if kind != "max" else pick("fold:start", "0", "1", "5")
        loop = [f"{total} = {start}", f"for {item} in {source}:", *_indented(step.split("\n"))]
        if kind == "max":
            loop[0] = f"{total} = {pick('fold:low', f'{source}[0] if {source} else 0', '0')}"
        return [*loop, *self._post(last, total)]

    def _post(self, part: Part, total: str) -> list[str]:
        kind, k, pick = part[0].partition(":")[2], part[1] if len(part) > 1 else "", self._pick
        if kind == "none":
            return [f"return {total}"]
        if kind == "mod":
            return [f"return {pick('post:mod', f'{total} % {k}', f'{total} // {k}', total)}"]
        if kind == "add":
            return [f"return {pick('post:add', f'{total} + {k}', f'{total} - {k}', total, f'{total} * {k}')}"]
        test = pick("post:cap", f"{total} > {k}", f"{total} < {k}", f"{total} > {int(k) - 3}")
        return [f"if {test}:", f"    return {k}", f"return {total}"]


def condition(pick: Pick, part: Part, x: str) -> str:
    """The test of a ``keep:*`` part on the name ``x``."""
    kind, k = part[0].partition(":")[2], part[1]
    site = f"keep:{kind}"
    if kind == "gt":
        return pick(site, f"{x} > {k}", f"{x} >= {k}", f"{x} < {k}", f"{x} > {int(k) + 1}")
    if kind == "lt":
        return pick(site, f"{x} < {k}", f"{x} <= {k}", f"{x} > {k}", f"{x} < {int(k) - 1}")
    if kind == "mod":
        return pick(site, f"{x} % {k} == 0", f"{x} % {k} != 0", f"{x} % {k} == 1", f"{x} // {k} == 0")
    if kind == "nmod":
        return pick(site, f"{x} % {k} != 0", f"{x} % {k} == 0", f"{x} % {k} == 1", f"{x} // {k} != 0")
    return pick(site, f"{x} != {k}", f"{x} == {k}", f"{x} > {k}", f"{x} != {int(k) + 1}")


def expression(pick: Pick, part: Part, x: str) -> str:
    """The value of a ``map:*`` part on the name ``x``."""
    kind, k = part[0].partition(":")[2], part[1] if len(part) > 1 else ""
    site = f"map:{kind}"
    if kind == "mul":
        return pick(site, f"{x} * {k}", f"{x} + {k}", f"{x} * {int(k) + 1}", x)
    if kind == "add":
        return pick(site, f"{x} + {k}", f"{x} - {k}", f"{x} * {k}", f"{x} + {int(k) - 1}")
    if kind == "rsub":
        return pick(site, f"{k} - {x}", f"{x} - {k}", f"{k} + {x}")
    if kind == "sq":
        return pick(site, f"{x} * {x}", f"{x} * 2", f"{x} + {x}")
    if kind == "abs":
        return pick(site, f"abs({x})", x, f"-{x}")
    return pick(site, f"{x} // {k}", f"{x} % {k}", f"{x} * {k}")


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


def _guarded(test: str, line: str, *, turned: bool) -> list[str]:
    """``line`` under ``test``, or behind the opposite one; alone where there is none."""
    if not test:
        return [line]
    return [f"if not ({test}):", "    continue", line] if turned else [f"if {test}:", f"    {line}"]
