"""Which localiser a name stands for. Targets are imported on first use: a name costs nothing until asked for."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from egca_plugin.errors import ConfigError, EgcaError
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
    """The localiser of that name, or of a ``module:Class`` of the user's own; one instance a process.

    Raises ConfigError for an unknown name, and where the class cannot be had or is no localiser.
    """
    module, colon, attribute = LOCALIZERS.get(name, name).partition(":")
    if not colon:
        raise ConfigError(f"localizer: got {name!r}, expected one of {', '.join(LOCALIZERS)} or module:Class")
    try:
        made = getattr(import_module(module), attribute)()
    except EgcaError:
        raise
    except Exception as error:  # somebody else's module: whatever it raises means that the setting cannot be used
        raise ConfigError(
            f"localizer: {name!r} cannot be used ({type(error).__name__}: {error}); expected a class without arguments "
            "in a module that can be imported here (PYTHONPATH=DIR adds a folder)"
        ) from error
    if not (callable(getattr(made, "localize", None)) and isinstance(getattr(made, "name", None), str)):
        raise ConfigError(f"localizer: {name!r} is no localiser; expected a method localize(case) and a text name")
    return cast(Localizer, made)
