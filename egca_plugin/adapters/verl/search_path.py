"""Where Hydra looks for our configurations, so that verl's own command finds them by name.

With it ``python -m verl.trainer.main_ppo --config-name grpo_egca egca=off`` needs no path, and on verl's own
configuration ``+egca=off`` and ``+egca=paper`` are the presets as they are written in ``config/egca``.
"""

from __future__ import annotations

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.plugins import Plugins
from hydra.plugins.search_path_plugin import SearchPathPlugin

CONFIG = "pkg://egca_plugin.adapters.verl.config"


class EgcaSearchPath(SearchPathPlugin):
    """Behind every other place: nothing of verl's or the user's is shadowed."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        search_path.append(provider="egca", path=CONFIG)


Plugins.instance().register(EgcaSearchPath)
