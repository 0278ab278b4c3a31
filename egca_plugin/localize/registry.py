"""Which localiser a name stands for. Targets are imported on first use: a name costs nothing until asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from egca_plugin.errors import ConfigError
from egca_plugin.localize.api import Localizer

# name -> "module:callable"; the callable takes no argument and returns a Localizer.
LOCALIZERS: dict[str, str] = {
    "trace": "egca_plugin.localize.trace:TraceLocalizer",
    "uniform": "egca_plugin.credit.baselines:Uniform",
    "executed": "egca_plugin.credit.baselines:Executed",
    "prefix_tree": "egca_plugin.credit.baselines:PrefixTree",
    "grpo_lambda": "egca_plugin.credit.baselines:GrpoLambda",
    "ochiai": "egca_plugin.credit.baselines:Ochiai",
    "text_diff": "egca_plugin.credit.baselines:TextDiff",
    "traceback": "egca_plugin.credit.baselines:Traceback",
    "random_span": "egca_plugin.credit.baselines:RandomSpan",
    "late_divergence": "egca_plugin.credit.baselines:LateDivergence",
    "debugger": "egca_plugin.credit.baselines:Debugger",
}


@cache
def get(name: str) -> Localizer:
    """The localiser of that name, one instance a process. Raises ConfigError for an unknown name."""
    if name not in LOCALIZERS:
        raise ConfigError(f"localizer: got {name!r}, expected one of {', '.join(LOCALIZERS)}")
    module, _, attribute = LOCALIZERS[name].partition(":")
    return cast(Localizer, vars(import_module(module))[attribute]())
