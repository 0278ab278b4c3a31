"""All knobs, few and frozen. ``EgcaConfig.from_mapping`` is strict: an unknown key is an error that names the nearest.

In verl these are the ``egca.*`` settings; on the command line, ``egca assess --preset`` and ``--localizer``.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar
from urllib.parse import urlsplit

from egca_plugin.errors import ConfigError

PRESETS = ("verified", "paper")
LOCALIZERS = (
    "trace",
    "uniform",
    "executed",
    "prefix_tree",
    "grpo_lambda",
    "ochiai",
    "text_diff",
    "traceback",
    "random_span",
    "late_divergence",
    "debugger",
)
SCALES = ("conserve", "unit")
UNVERIFIED = ("uniform", "wide")
THINKING = ("shared", "none", "credited")
CONSTRAINT_LEVELS = ("off", "signature", "paper")
ISOLATION_LEVELS = ("mandatory", "landlock", "namespaces")


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Where candidates run, and the limits of one.

    ``require`` is the isolation level below which the sandbox refuses to start. ``url`` is the ``run_code`` of a
    SandboxFusion-compatible server that runs the programs instead. Its guarantees are weaker: isolation, limits and
    what one program leaves for the next are the server's affair, the hash seed is not fixed, every call of a test is
    a request, and without traces and trials nothing but compile errors is localised, the rest is plain GRPO. Tests,
    expected values and references stay here all the same.
    """

    require: str = "mandatory"
    timeout_s: float = 3.0  # wall clock for one program with all its tests
    memory_mb: int = 512  # address space on top of the zygote's own
    workers: int = 0  # 0: one per core, at most 8
    url: str | None = None  # None: on this machine

    def __post_init__(self) -> None:
        _one_of("egca.sandbox.require", self.require, ISOLATION_LEVELS)
        _in_range("egca.sandbox.timeout_s", self.timeout_s, 0.05, 3600)
        _in_range("egca.sandbox.memory_mb", self.memory_mb, 64, 1 << 20)
        _in_range("egca.sandbox.workers", self.workers, 0, 1024)
        if self.url is not None:
            _check_server(self.url)
            if self.require != ISOLATION_LEVELS[0]:
                raise ConfigError(
                    f"egca.sandbox.require: got {self.require!r} with egca.sandbox.url, whose isolation cannot be seen "
                    f"from here; expected {ISOLATION_LEVELS[0]!r}"
                )


@dataclass(frozen=True, slots=True)
class EgcaConfig:
    """Settings of the whole pipeline.

    ``preset``: ``verified`` localises wherever a patch proves it; ``paper`` follows the paper's routing to the letter.
    ``scale``: ``conserve`` keeps each sequence's advantage sum (the paper); ``unit`` puts weight 1 on the span.
    ``constraints``: level at which they are derived for tasks that bring none of their own.
    ``mix``: share of the mass that moves to the span; the rest stays uniform.
    ``cap``: upper bound of one token's weight, 0 for none; what it cuts off is spread over the rest of the sequence.
    ``thinking``: what reasoning in front of a blamed program gets: ``shared``, its plain GRPO advantage, so that only
    the mass of the rest moves; ``none``, its mass moves to the span too; ``credited``, it is blamed as well.
    ``unverified``: what a divergence without a proving patch gets: ``uniform`` credit (default of ``verified``) or the
    ``wide`` span around it (default of ``paper``).
    ``references``: JSONL file of further correct programs, ``task_id`` and ``source``; judged before they are used.
    ``bank``: directory where passing programs of the policy are kept as further references; empty: none. In verl the
    nodes of a run share theirs, and ``checkpoints`` stands for a directory beside the run's checkpoints.
    ``traces``: directory where what the references do is kept from run to run, at most ``traces_mb`` of it;
    ``cache``: the user's cache directory; empty: nowhere.
    ``max_share``: a span that covers more than this share of the program falls back to uniform.
    ``budget``: share of the step's wall clock that localisation may take before it stops for the step.
    """

    preset: str = "verified"
    localizer: str = "trace"
    scale: str = "conserve"
    mix: float = 1.0
    cap: float = 0.0
    thinking: str = "shared"
    unverified: str = ""
    references: str = ""
    bank: str = ""
    traces: str = "cache"
    traces_mb: int = 256
    max_share: float = 0.8
    constraints: str = "off"
    budget: float = 0.25
    seed: int = 0
    records: str = ""  # directory for the JSONL records; empty: none
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)

    def __post_init__(self) -> None:
        _one_of("egca.preset", self.preset, PRESETS)
        _one_of("egca.localizer", self.localizer, LOCALIZERS)
        _one_of("egca.scale", self.scale, SCALES)
        _one_of("egca.constraints", self.constraints, CONSTRAINT_LEVELS)
        _one_of("egca.thinking", self.thinking, THINKING)
        _one_of("egca.unverified", self.unverified, ("", *UNVERIFIED))
        _in_range("egca.mix", self.mix, 0, 1)
        if self.cap and not self.cap >= 1:
            raise ConfigError(f"egca.cap: got {self.cap!r}, expected 0 (none) or a number of at least 1")
        if self.bank and self.sandbox.url is not None:
            raise ConfigError(
                f"egca.bank: got {self.bank!r} with egca.sandbox.url, which traces nothing to compare with it; "
                "expected one or the other"
            )
        _in_range("egca.traces_mb", self.traces_mb, 1, 1 << 20)
        _in_range("egca.max_share", self.max_share, 0, 1)
        _in_range("egca.budget", self.budget, 0, 1)

    @property
    def keeps_unverified(self) -> bool:
        """Does a divergence without a proving patch get the wide span around it?"""
        return (self.unverified or ("wide" if self.preset == "paper" else "uniform")) == "wide"

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> EgcaConfig:
        """Build from plain mappings (YAML, Hydra, JSON). Raises ConfigError for unknown keys and wrong types."""
        values = dict(values)
        sandbox = values.pop("sandbox", {})
        if not isinstance(sandbox, Mapping):
            raise ConfigError(f"egca.sandbox: got {sandbox!r}, expected a mapping such as {{timeout_s: 3}}")
        return _build(cls, values, "egca", sandbox=_build(SandboxConfig, sandbox, "egca.sandbox"))


_ACCEPTS: dict[str, tuple[type, ...]] = {
    "str": (str,), "float": (int, float), "int": (int,), "str | None": (str, type(None)),
}  # fmt: skip
_Settings = TypeVar("_Settings", SandboxConfig, EgcaConfig)


def _build(cls: type[_Settings], values: Mapping[str, Any], where: str, **extra: Any) -> _Settings:
    known = {f.name: f for f in fields(cls) if f.name not in extra}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of {', '.join(sorted(known))}"
            raise ConfigError(f"{where}.{key}: no such setting{hint}")
        if not isinstance(value, _ACCEPTS[str(known[key].type)]) or isinstance(value, bool):
            raise ConfigError(f"{where}.{key}: got {value!r} ({type(value).__name__}), expected {known[key].type}")
    return cls(**values, **extra)


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ConfigError(f"{name}: got {value!r}, expected one of {', '.join(allowed)}")


def _in_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise ConfigError(f"{name}: got {value!r}, expected a number from {low} to {high}")


def _check_server(url: str) -> None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises where it is none
        complete = parts.scheme in ("http", "https") and parts.hostname and parts.path.strip("/")
        good = complete and not (parts.username or parts.password or parts.query or parts.fragment)
    except ValueError:
        good = False
    if not good or url.split() != [url]:
        raise ConfigError(
            f"egca.sandbox.url: got {url!r}, expected null or a SandboxFusion server's run_code, such as "
            "http://sandbox:8080/run_code"
        )
