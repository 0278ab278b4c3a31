"""Every layout by name, and which of them a row's keys are those of."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from egca_plugin.errors import ConfigError, TaskError
from egca_plugin.tasks.layouts import (
    acecode,
    apps,
    bigcodebench,
    codecontests,
    codeforces,
    condefects,
    deepcoder,
    evalplus,
    humaneval,
    kodcode,
    leetcode,
    livecodebench,
    mbpp,
    nemo_gym,
    opencodeinstruct,
    ours,
    rstar,
    synthetic1,
    verl,
)
from egca_plugin.tasks.layouts.layout import Layout

# Of two that a row's keys fit equally well, the first is taken.
_ALL = (
    ours.LAYOUT,
    verl.LAYOUT,
    humaneval.LAYOUT,
    evalplus.LAYOUT,
    bigcodebench.LAYOUT,
    mbpp.LAYOUT,
    leetcode.LAYOUT,
    kodcode.LAYOUT,
    apps.LAYOUT,
    deepcoder.LAYOUT,
    livecodebench.LAYOUT,
    codecontests.LAYOUT,
    codecontests.PLUS,
    synthetic1.LAYOUT,
    codeforces.LAYOUT,
    nemo_gym.LAYOUT,
    acecode.LAYOUT,
    opencodeinstruct.LAYOUT,
    rstar.LAYOUT,
    condefects.LAYOUT,
)
LAYOUTS = {layout.name: layout for layout in _ALL}
ALIASES = {"taco": "apps", "codecontests_plus": "codecontests+", "humaneval+": "evalplus", "mbpp+": "evalplus"}
_MANY = 20  # keys that a message names


def named(name: str) -> Layout:
    """Raises ConfigError for a name that no layout has."""
    found = LAYOUTS.get(ALIASES.get(name.lower(), name.lower()))
    if found is None:
        raise ConfigError(f"--layout: got {name!r}, expected one of {', '.join((*LAYOUTS, *ALIASES))}")
    return found


def recognised(keys: Collection[str], where: str) -> Layout:
    """The layout whose keys the row has, of several the one with the most. Raises TaskError that names the nearest."""
    found = [(len(one), -number, layout) for number, layout, one in _key_sets() if one <= set(keys)]
    if found:
        return max(found, key=lambda fit: fit[:2])[2]
    got = ", ".join(sorted(keys)[:_MANY]) or "no key"
    nearest = max(_key_sets(), key=lambda entry: (len(entry[2] & set(keys)) / len(entry[2]), -entry[0]))
    _, layout, wanted = nearest
    raise TaskError(
        f"{where}: no layout has these keys: got {got}; the nearest is {layout.name} ({layout.title}), which lacks "
        f"{', '.join(sorted(wanted - set(keys)))} of {', '.join(sorted(wanted))}; rename the fields to one of "
        "docs/data.md, or say --layout"
    )


def _key_sets() -> Iterable[tuple[int, Layout, frozenset[str]]]:
    return [(number, layout, one) for number, layout in enumerate(_ALL) for one in layout.keys]
