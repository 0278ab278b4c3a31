"""What a user chose of EGCA, the same in every framework; and how a command line says it, for those that have one."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from egca_plugin.config import PRESETS, EgcaConfig
from egca_plugin.errors import ConfigError

logger = logging.getLogger(__name__)

OFF = "off"


@dataclass(frozen=True, slots=True)
class Settings:
    """``enabled`` False: rewards as ever, every credit uniform, the framework's own advantages."""

    enabled: bool
    egca: EgcaConfig


def unpraised(settings: Settings, why: str) -> Settings:
    """``settings`` for a run in which praise cannot be had, ``why`` names the framework's setting that is against it.

    The preset's own praise is left out with a line in the log; raises ConfigError where it was asked for, and for
    ``credit=counterfactual``, whose size is that of praise.
    """
    without_counterfactual(settings, why)
    if not settings.enabled or not settings.egca.praise_share:
        return settings
    if settings.egca.praise is not None:
        raise ConfigError(f"egca.praise: got {settings.egca.praise!r}, expected 0 or none with {why}")
    logger.warning("egca: praise, on by default, is left out with %s; egca.praise=0 says the same in silence", why)
    return replace(settings, egca=replace(settings.egca, praise=0.0))


def without_counterfactual(settings: Settings, why: str) -> None:
    """Raises ConfigError where ``egca.credit=counterfactual`` was asked for, and cannot be had with ``why``."""
    if settings.enabled and settings.egca.counterfactual:
        raise ConfigError(f"egca.credit: got 'counterfactual', expected 'decision' or 'span' with {why}")


def split(argv: Sequence[str]) -> tuple[Settings, list[str]]:
    """EGCA's settings, and the words of the framework's own.

    ``--egca off``, ``--egca paper`` and ``--egca.sandbox.workers 4`` are ours; lists are written as JSON. Raises
    ConfigError for a setting that is unknown, or has no value or a wrong one.
    """
    given: dict[str, str] = {}
    theirs: list[str] = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name != "--egca" and not name.startswith("--egca."):
            theirs.append(word)
            continue
        text = value if equals else next(words, None)
        if text is None or (not equals and text.startswith("--")):
            raise ConfigError(f"{name}: expected a value")
        given[name] = text
    return _read(given), theirs


def _read(given: dict[str, str]) -> Settings:
    mapping: dict[str, Any] = {}
    word = given.pop("--egca", None)
    if word in PRESETS:
        mapping["preset"] = word
    elif word not in (None, OFF):
        raise ConfigError(f"--egca: got {word!r}, expected {OFF!r} or one of {', '.join(PRESETS)}")
    for name, text in given.items():
        *path, last = name.removeprefix("--egca.").split(".")
        node = mapping
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise ConfigError(f"{name}: no such setting; --egca.{part} is a value")
        node[last] = _value(text)
    config = EgcaConfig.from_mapping(mapping)
    if word == OFF:
        return Settings(False, replace(config, localizer="uniform", bank=""))
    return Settings(True, config)


def _value(text: str) -> Any:
    """Numbers, lists and null as JSON has them; any other word is itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text
