"""What the documents say of the result, made from its file.

``python -m benchmarks.learning.programs.paragraph`` puts it between the marks of README and docs/credit.md: of the
confirmation where there is one, else of the screening.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import common
from benchmarks.learning.programs.report import OVER_WORLDS
from benchmarks.learning.programs.stages import CONTROLS
from benchmarks.localization.report import markdown

BEGIN, END = "<!-- measured -->", "<!-- end -->"
ROOT = Path(__file__).parents[3]
WIDTH = 120
# What needs no plugin is what the others are compared with.
COMPARED = ("grpo", "positives", "negatives_0.1", "negatives_0.3", "nthr")
SETTINGS = {
    "unit": "`egca.credit=span`",
    "conserve": "`egca.scale=conserve`",
    "decision": "`egca.praise=0`",
    "decision_conserve": "`egca.credit=decision egca.scale=conserve`",
    "tele": "`egca.praise=1.0`",
    "tele_half": "the default (`egca.credit=decision egca.praise=0.5`)",
}
OTHERS = {
    "mass_matched": "an equal penalty spread over the whole sample",
    "tele_half_random": "the same credit at a random place",
    "positives": "leaving failing samples out, which takes no plugin",
}
WORLDS = {"long": "long programs", "short": "short ones", "branches": "ladders of cases"}
_INTERVAL = re.compile(r"([+-]\d+\.\d+) \[([+-]\d+\.\d+), ([+-]\d+\.\d+)\]")  # not of one seed, which is infinite


def latest() -> tuple[str, dict[str, Any]]:
    """The name and the result of the stage that the documents tell."""
    for name in ("confirmation", "screening"):
        path = common.RESULTS / f"learning_programs_{name}.json"
        if path.is_file():
            return name, json.loads(path.read_text(encoding="utf-8"))
    raise FileNotFoundError(f"no learning_programs_*.json in {common.RESULTS}")


def paragraph(result: Mapping[str, Any], name: str) -> str:
    """Markdown for docs/credit.md: what ran, the tables, what the rule chose."""
    settings, tables = result["settings"], result["tables"]
    plan, seeds, cells = settings["plan"], len(settings["seeds"]), settings["cells"]
    head = (
        f"`egca bench learning programs --stage {name}`: {cells['run']} of {cells['of']} cells, "
        f"seeds: {seeds}, learning rate {', '.join(f'{r:g}' for r in settings['rates'])}, "
        f"{plan['steps']} steps of {plan['groups']} x {plan['size']} samples. Differences in mean held-out pass rate "
        "over training, paired by seed, with 95% t intervals over seeds."
    )
    over = [one for one in tables if one["title"] == OVER_WORLDS]
    worlds = [markdown(one) for one in (*tables[: len(settings["worlds"])], *over)]
    chosen = next(arm for arm, _, mark in tables[-1]["rows"] if mark)
    rule = f"The rule, applied to these cells: `{chosen}`; it counts for the confirmation, in all worlds."
    return "\n".join([head, "", *worlds, rule, ""])


# --- README -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one arm to GRPO in one world, with a 95% interval over ``seeds``."""

    arm: str
    world: str
    seeds: int
    to_grpo: common.Interval


def differences(result: Mapping[str, Any]) -> Iterator[Difference]:
    """Of every arm that is the plugin's work, wherever at least two seeds make an interval."""
    settings = result["settings"]
    for world, table in zip(settings["worlds"], result["tables"], strict=False):
        for row in _rows(table):
            arm, found = row["failing samples get"], _interval(row["to grpo"])
            if found and arm not in COMPARED and arm not in CONTROLS:
                yield Difference(arm, world, row["cells"] // len(settings["rates"]), found)


def readme(result: Mapping[str, Any]) -> str:
    """README's answer: the arm with the best mean in the first world, whatever it is, and how far it carries.

    Raises ValueError where no arm has two seeds there.
    """
    found = list(differences(result))
    first = [one for one in found if one.world == result["settings"]["worlds"][0]]
    best = max(first, key=lambda one: one.to_grpo.value).arm
    rows, beyond = [one for one in found if one.arm == best], dict(_beyond(result, best))
    setting = SETTINGS.get(best, f"the benchmark's arm `{best}`")
    where = [f"{_shown(one.to_grpo)} on {WORLDS.get(one.world, one.world)} ({one.seeds} seeds)" for one in rows]
    told = "with a small policy on real Python"
    tried = f"Of {len(first)} ways to place credit, tried {told}, {setting} did best"
    if len(first) == 1:
        tried = f"One way to place credit, {setting}, was tried at length {told}"
    over = [f"{_shown(interval, 3)} to {OTHERS[base]}" for base, interval in beyond.items()]
    text = (
        f"**Does it learn better than GRPO?** {tried}: in mean held-out pass rate its difference to GRPO is "
        f"{_listed(where)}. In the mean over these worlds it is {_listed(over)}. {_verdict(rows, beyond)}"
    )
    return textwrap.fill(text, WIDTH, break_long_words=False, break_on_hyphens=False) + "\n"


def _beyond(result: Mapping[str, Any], arm: str) -> Iterator[tuple[str, common.Interval]]:
    """What the arm's mean over the worlds is beside each control that has two seeds in all of them."""
    for table in result["tables"]:
        for row in _rows(table) if table["title"] == OVER_WORLDS else ():
            for base in OTHERS if row["arm"] == arm else ():
                if interval := _interval(row.get(f"to {base}", "")):
                    yield base, interval


def _verdict(rows: list[Difference], beyond: Mapping[str, common.Interval]) -> str:
    """What the intervals allow to say, and no more."""
    if all(one.to_grpo.high < 0 for one in rows):
        return "So GRPO learns better there."
    better = all(one.to_grpo.low > 0 for one in rows)
    said = ["So it learns better than GRPO there" if better else "So whether it learns better is open"]
    controls = [interval for base, interval in beyond.items() if base != "positives"]
    if controls and all(interval.low > 0 for interval in controls):
        said.append("the place of the credit helps")
    else:
        said.append("**that the place of the credit helps is not shown**")
    if "positives" in beyond and beyond["positives"].low > 0:
        said.append("it is better than leaving failing samples out")
    else:
        said.append("**that it is worth more than leaving failing samples out is not shown**")
    return f"{_listed(said)}."


def _rows(table: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(table["columns"], cells, strict=True)) for cells in table["rows"]]


def _interval(text: str) -> common.Interval | None:
    found = _INTERVAL.fullmatch(text)
    return common.Interval(*map(float, found.groups())) if found else None


def _shown(interval: common.Interval, digits: int = 2) -> str:
    return interval.show(f"{{:+.{digits}f}}")


def _listed(parts: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(parts[:-1]), parts[-1]]))


# --- the documents ------------------------------------------------------------------------------------------------


def replaced(text: str, new: str) -> str:
    """``text`` with what stands between the marks replaced. Raises ValueError where there are none."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{new}{END}{after}"


def documents() -> dict[Path, str]:
    """What README and docs/credit.md should be, whole."""
    name, result = latest()
    said = {ROOT / "README.md": readme(result), ROOT / "docs" / "credit.md": paragraph(result, name)}
    return {path: replaced(path.read_text(encoding="utf-8"), new) for path, new in said.items()}


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
