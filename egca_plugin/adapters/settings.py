"""What a user chose of EGCA, the same in every framework."""

from __future__ import annotations

from dataclasses import dataclass

from egca_plugin.config import EgcaConfig

OFF = "off"


@dataclass(frozen=True, slots=True)
class Settings:
    """``enabled`` False: rewards as ever, every credit uniform, the framework's own advantages."""

    enabled: bool
    egca: EgcaConfig
