"""Adds the trainer mode ``egca_control`` to verl; named in ``VERL_USE_EXTERNAL_MODULES``."""

from __future__ import annotations

import importlib

from egca_plugin.adapters.verl.hooks import after_import

after_import("verl.trainer.ppo.v1", lambda: importlib.import_module("benchmarks.learning.control_trainer"))
