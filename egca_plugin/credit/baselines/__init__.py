"""Other ways to spread the blame, behind the interface of the localiser: what the field does, and controls.

``uniform`` and ``grpo_lambda`` look at nothing, ``text_diff`` and ``prefix_tree`` at texts, ``executed``, ``ochiai``,
``late_divergence`` and ``traceback`` at executions; ``random_span`` holds the length equal; ``debugger`` asks a model.
Where spans are equally blamed, their order is drawn by lot: the first then hits with its expectation.
"""

from egca_plugin.credit.baselines.debugger import Debugger
from egca_plugin.credit.baselines.dynamic import Executed, LateDivergence, Ochiai, Traceback
from egca_plugin.credit.baselines.positional import GrpoLambda, RandomSpan, Uniform
from egca_plugin.credit.baselines.textual import PrefixTree, TextDiff

__all__ = [
    "Debugger",
    "Executed",
    "GrpoLambda",
    "LateDivergence",
    "Ochiai",
    "PrefixTree",
    "RandomSpan",
    "TextDiff",
    "Traceback",
    "Uniform",
]
