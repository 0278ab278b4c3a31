"""Execution-Grounded Credit Assignment (arXiv 2603.16158) for GRPO on code.

    import egca_plugin as egca

    tasks = egca.load_tasks("tasks.jsonl")
    credits = egca.assess(tasks[0], completions)
    advantages = egca.token_advantages(credits[0], response_ids, tokenizer, advantage, mask=response_mask)

The package imports nothing at the top: verl loads ``egca_plugin.adapters.verl.register`` in every process of a run,
so the cost of ``import egca_plugin`` is paid tens of times per training job. Each name is imported on first use; what
a type checker sees is in ``__init__.pyi``.
"""

__version__ = "0.1.0"

_HOMES = {
    "assess": "egca_plugin.api",
    "token_weights": "egca_plugin.api",
    "token_advantages": "egca_plugin.api",
    "decode": "egca_plugin.api",
    "Judge": "egca_plugin.api",
    "load_tasks": "egca_plugin.tasks.files",
    "EgcaConfig": "egca_plugin.config",
    "SandboxConfig": "egca_plugin.config",
    "EgcaError": "egca_plugin.errors",
    "Task": "egca_plugin.types",
    "Completion": "egca_plugin.types",
    "Credit": "egca_plugin.types",
    "Divergence": "egca_plugin.types",
    "Mode": "egca_plugin.types",
    "Outcome": "egca_plugin.types",
    "Span": "egca_plugin.types",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
