"""All knobs, few and frozen. ``EgcaConfig.from_mapping`` is strict: an unknown key is an error that names the nearest.

In verl these are the ``egca.*`` settings; on the command line, ``egca assess --preset`` and ``--localizer``.
"""

from __future__ import annotations

import difflib
import re
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
SCALES = ("unit", "conserve")
PLACES = ("span", "decision", "counterfactual")
SCALE_OF_PRESET = {"verified": "unit", "paper": "conserve"}
PRAISE = 0.5  # of the preset `verified` with its own credit and scale: `tele_half` of docs/credit.md
UNVERIFIED = ("uniform", "wide")
THINKING = ("shared", "none", "credited")
CONSTRAINT_LEVELS = ("off", "signature", "paper")
VACUOUS = ("fail", "allow")
TESTS = ("all", "first_failure")
REWARDS = ("all", "share")
PREAMBLES = ("none", "standard")
LOCALIZED = ("advantage", "all")
ISOLATION_LEVELS = ("mandatory", "landlock", "namespaces")

_CLASS = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*")  # module:Class, a localiser of the user's own

CONSERVE_MEASURED = (
    "egca.scale=conserve: in a pilot with real programs and a small policy it learnt far worse than plain GRPO (mean "
    "held-out pass rate over training -0.25 [-0.30, -0.20], four cells); unit learnt as GRPO did (+0.00 [-0.04, 0.04])"
)


@dataclass(frozen=True, slots=True)
class SandboxConfig:
    """Where candidates run, and the limits of one.

    ``require`` is the isolation level below which the sandbox refuses to start. ``url`` is the ``run_code`` of a
    SandboxFusion-compatible server that runs the programs instead. Its guarantees are weaker: isolation, limits and
    what one program leaves for the next are the server's affair, the hash seed is not fixed, every call of a test is
    a request, and without traces and trials nothing but compile errors is localised, the rest is plain GRPO. Tests,
    expected values and references stay here all the same. ``vacuous``: what becomes of tests that assert nothing about
    the candidate, which a wrong program would pass: ``fail`` refuses them, ``allow`` takes them as they are.
    """

    require: str = "mandatory"
    timeout_s: float = 3.0  # CPU time of one program with all its tests
    memory_mb: int = 512  # address space on top of the zygote's own
    workers: int = 0  # 0: one per core, at most 8
    url: str | None = None  # None: on this machine
    vacuous: str = "fail"
    packages: tuple[str, ...] = ()  # that programs may import beside the standard library
    tests: str = "all"  # which tests of cases are run: all, or none after the first failure
    max_tests: int = 0  # of a task of cases; 0: all

    def __post_init__(self) -> None:
        _one_of("egca.sandbox.require", self.require, ISOLATION_LEVELS)
        _one_of("egca.sandbox.vacuous", self.vacuous, VACUOUS)
        _in_range("egca.sandbox.timeout_s", self.timeout_s, 0.05, 3600)
        _in_range("egca.sandbox.memory_mb", self.memory_mb, 64, 1 << 20)
        _in_range("egca.sandbox.workers", self.workers, 0, 1024)
        if any(not isinstance(name, str) or not name.isidentifier() for name in self.packages):
            raise ConfigError(f"egca.sandbox.packages: got {self.packages!r}, expected import names, such as [numpy]")
        _one_of("egca.sandbox.tests", self.tests, TESTS)
        _in_range("egca.sandbox.max_tests", self.max_tests, 0, 1 << 20)
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
    ``localizer``: who finds the fault; a name, or ``module:Class`` for a class of one's own that takes no argument and
    is a :class:`~egca_plugin.localize.api.Localizer`.
    ``credit``: where a verified patch puts the blame: the ``span`` that it replaces (default of ``paper``, and with
    ``scale=conserve``), or the ``decision``, the token at which what was sampled parts from the repaired program
    (default of ``verified``); ``counterfactual`` blames nobody: the token that the repair has at the decision is
    learnt in its place (:mod:`egca_plugin.adapters.counterfactual`), and failing samples get nothing else, whatever
    ``unlocated`` says. In verl's v1 trainer and in TRL.
    ``scale``: ``unit`` puts weight 1 on what is blamed (default of ``verified``); ``conserve`` keeps each sequence's
    sum of advantages (default of ``paper``). Empty stands for the preset's own, which the field then holds.
    ``constraints``: level at which they are derived for tasks that bring none of their own.
    ``mix``: share of the mass that moves to the span; the rest stays uniform.
    ``cap``: upper bound of one token's weight, 0 for none; what it cuts off is spread over the rest of the sequence.
    ``praise``: share of a passing sample's advantage that goes to what a proven sample wrote in front of its decision
    (:mod:`egca_plugin.credit.praise`), 0 for none. It wants ``credit=decision``, and localises groups that fail
    altogether too: there praise is all that is learnt. None stands for the preset's own, :attr:`praise_share`.
    ``unlocated``: share of its negative advantage that a failing sample keeps whose fault has no place, so that its
    credit is uniform: 1 is GRPO's; with 0 only located faults are punished, and with ``budget=0`` too nothing is.
    ``thinking``: what reasoning in front of a blamed program gets: ``shared``, its plain GRPO advantage, so that only
    the mass of the rest moves; ``none``, its mass moves to the span too; ``credited``, it is blamed as well.
    ``unverified``: what a divergence without a proving patch gets: ``uniform`` credit (default of ``verified``) or the
    ``wide`` span around it (default of ``paper``).
    ``references``: JSONL file of further correct programs, ``task_id`` and ``source``; judged before they are used.
    ``bank``: directory where passing programs of the policy are kept as further references; empty: none. In verl the
    nodes of a run share theirs, and ``checkpoints`` stands for a directory beside the run's checkpoints.
    ``traces``: directory where what the references do is kept from run to run, at most ``traces_mb`` of it;
    ``cache``: the user's cache directory; empty: nowhere.
    ``min_confidence``: an answer of the localiser that is less likely right falls back to uniform credit; ``trace``'s
    figures are measured (:mod:`egca_plugin.localize.confidence`).
    ``max_share``: a span that covers more than this share of the program falls back to uniform.
    ``reward``: ``all`` is 1 where every test passes, else 0; ``share`` is the share of the tests that pass.
    ``preamble``: ``standard`` puts the imports that judges such as LeetCode give in front of every program.
    ``localize``: which failing samples of a group are localised: those with an ``advantage``, which a group rewarded
    alike throughout has none of in GRPO, or ``all``.
    ``budget``: share of a batch's failing programs that are localised, each drawn by itself; the rest keeps plain GRPO
    credit.
    ``wait_s``: wall clock for which a training step waits for credits that are not there when advantages are computed,
    on a node that is slow or lost; then they are plain GRPO.
    ``bad_rows``: share of a data set's rows that may be unreadable as tasks. Up to it they are named, and their samples
    get reward 0, which teaches nothing; beyond it the run is refused.
    """

    preset: str = "verified"
    localizer: str = "trace"
    credit: str = ""
    scale: str = ""
    mix: float = 1.0
    cap: float = 0.0
    praise: float | None = None
    unlocated: float = 1.0
    thinking: str = "shared"
    unverified: str = ""
    references: str = ""
    bank: str = ""
    traces: str = "cache"
    traces_mb: int = 256
    min_confidence: float = 0.0
    max_share: float = 0.8
    constraints: str = "off"
    localize: str = "advantage"
    budget: float = 1.0
    wait_s: float = 60.0
    seed: int = 0
    bad_rows: float = 0.05
    reward: str = "all"
    preamble: str = "none"
    records: str = ""  # directory for the JSONL records; empty: none
    sandbox: SandboxConfig = field(default_factory=SandboxConfig)

    def __post_init__(self) -> None:
        _one_of("egca.preset", self.preset, PRESETS)
        if not self.scale:
            object.__setattr__(self, "scale", SCALE_OF_PRESET[self.preset])
        if not self.credit:
            object.__setattr__(self, "credit", "decision" if self._own_scale else "span")
        if not _CLASS.fullmatch(self.localizer):
            _one_of("egca.localizer", self.localizer, LOCALIZERS, " or module:Class")
        _one_of("egca.credit", self.credit, PLACES)
        _one_of("egca.scale", self.scale, SCALES)
        _one_of("egca.constraints", self.constraints, CONSTRAINT_LEVELS)
        _one_of("egca.thinking", self.thinking, THINKING)
        _one_of("egca.reward", self.reward, REWARDS)
        _one_of("egca.preamble", self.preamble, PREAMBLES)
        if self.reward == "share" and self.sandbox.tests == "first_failure":
            raise ConfigError(
                "egca.reward: got 'share' with egca.sandbox.tests=first_failure, which leaves tests out; expected "
                "egca.sandbox.tests=all"
            )
        _one_of("egca.localize", self.localize, LOCALIZED)
        _one_of("egca.unverified", self.unverified, ("", *UNVERIFIED))
        _in_range("egca.mix", self.mix, 0, 1)
        if self.cap and not self.cap >= 1:
            raise ConfigError(f"egca.cap: got {self.cap!r}, expected 0 (none) or a number of at least 1")
        _in_range("egca.praise", self.praise_share, 0, 1)
        if self.praise and self.credit != "decision":
            raise ConfigError(
                f"egca.praise: got {self.praise!r} with egca.credit={self.credit}, expected egca.credit=decision: what "
                "is praised ends there"
            )
        _in_range("egca.unlocated", self.unlocated, 0, 1)
        if self.bank and self.sandbox.url is not None:
            raise ConfigError(
                f"egca.bank: got {self.bank!r} with egca.sandbox.url, which traces nothing to compare with it; "
                "expected one or the other"
            )
        _in_range("egca.traces_mb", self.traces_mb, 1, 1 << 20)
        _in_range("egca.min_confidence", self.min_confidence, 0, 1)
        _in_range("egca.max_share", self.max_share, 0, 1)
        _in_range("egca.budget", self.budget, 0, 1)
        _in_range("egca.wait_s", self.wait_s, 0, 1 << 20)
        _in_range("egca.bad_rows", self.bad_rows, 0, 1)

    @property
    def praise_share(self) -> float:
        """``praise``; where it is not said, half with the preset ``verified`` as it is and none with other credit."""
        if self.praise is not None:
            return self.praise
        return PRAISE if self._own_scale and self.credit == "decision" else 0.0

    @property
    def localizes_all(self) -> bool:
        """Are samples without an advantage localised too?"""
        return self.localize == "all" or self.learns_from_mended

    @property
    def learns_from_mended(self) -> bool:
        """Is what proven samples learn of the size that it has in the group with their repairs?"""
        return self.praise_share > 0 or self.counterfactual

    @property
    def counterfactual(self) -> bool:
        """Is the repair's token learnt in place of the sampled decision?"""
        return self.credit == "counterfactual"

    @property
    def _own_scale(self) -> bool:
        return (self.preset, self.scale) == ("verified", SCALE_OF_PRESET["verified"])

    @property
    def keeps_unverified(self) -> bool:
        """Does a divergence without a proving patch get the wide span around it?"""
        return (self.unverified or ("wide" if self.preset == "paper" else "uniform")) == "wide"

    @property
    def cautions(self) -> tuple[str, ...]:
        """What was measured against a setting that was chosen; an adapter logs it where a run starts."""
        return (CONSERVE_MEASURED,) if self.scale == "conserve" else ()

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
    "float | None": (int, float, type(None)), "tuple[str, ...]": (list, tuple),
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
    extra |= {key: tuple(value) if isinstance(value, list) else value for key, value in values.items()}
    return cls(**extra)


def _one_of(name: str, value: str, allowed: tuple[str, ...], more: str = "") -> None:
    if value not in allowed:
        near = difflib.get_close_matches(str(value), allowed, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ConfigError(f"{name}: got {value!r}, expected one of {', '.join(allowed)}{more}{hint}")


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
