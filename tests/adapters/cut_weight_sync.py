"""Negative control, imported into every process of a run by VERL_USE_EXTERNAL_MODULES: new weights never arrive."""

from __future__ import annotations

from egca_plugin.adapters.verl import hooks


def _cut() -> None:
    from egca_plugin.adapters.verl.policy_cpu import Policy

    Policy.load = lambda self, weights: None  # type: ignore[method-assign]
    Policy.finish_load = lambda self: None  # type: ignore[method-assign]


hooks.after_import("egca_plugin.adapters.verl.policy_cpu", _cut)
