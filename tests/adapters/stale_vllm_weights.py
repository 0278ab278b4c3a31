"""Negative control, imported into every process of a run: vLLM packs the weights of the first transfer and no later."""

from __future__ import annotations

from typing import Any

from egca_plugin.adapters.verl import hooks


def _once() -> None:
    from vllm.model_executor.model_loader import utils

    process, calls = utils.process_weights_after_loading, []

    def first_only(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 1:
            process(*args)

    utils.process_weights_after_loading = first_only


hooks.after_import("vllm.model_executor.model_loader.utils", _once)
