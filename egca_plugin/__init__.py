"""Execution-Grounded Credit Assignment (arXiv 2603.16158) for GRPO on code.

The package imports nothing at the top: verl loads ``egca_plugin.adapters.verl.register`` in every process of a run,
so the cost of ``import egca_plugin`` is paid tens of times per training job.
"""

__version__ = "0.1.0"
