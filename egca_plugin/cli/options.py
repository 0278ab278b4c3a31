"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from egca_plugin.config import LOCALIZERS, PRESETS, EgcaConfig, SandboxConfig
from egca_plugin.errors import ConfigError

# What only a trainer does: credit is placed on tokens there, within a step, and recorded.
TRAINING_ONLY = ("scale", "mix", "cap", "thinking", "budget", "records")
_PARSE: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "float | None": lambda text: None if text == "null" else float(text),
    "tuple[str, ...]": lambda text: [word.strip() for word in text.strip("[]").split(",") if word.strip()],
}


class _Tasks(argparse.Action):
    """Both spellings at once are a slip."""

    def __call__(
        self, parser: argparse.ArgumentParser, found: argparse.Namespace, value: Any, option: str | None = None
    ) -> None:
        if str(value) == argparse.SUPPRESS:  # what argparse gives for a word that is not there
            return
        if getattr(found, "tasks", None) is not None:
            parser.error(f"the tasks were given twice: {found.tasks} and {value}")
        found.tasks = value


def add_tasks(parser: argparse.ArgumentParser, kind: Callable[[str], Any], metavar: str, what: str) -> None:
    """The tasks in front, or as ``--tasks`` like everywhere else; one of them is required (:func:`require_tasks`)."""
    in_front: dict[str, Any] = {"nargs": "?", "default": argparse.SUPPRESS, "metavar": metavar, "help": what}
    parser.add_argument("tasks", type=kind, action=_Tasks, **in_front)
    parser.add_argument("--tasks", type=kind, action=_Tasks, metavar=metavar, help="the same, as elsewhere")


def require_tasks(args: argparse.Namespace) -> None:
    """Raises ConfigError where :func:`add_tasks` was given none."""
    if args.tasks is None:
        raise ConfigError("--tasks: got none, expected a name or a file of tasks")


def add_sandbox(parser: argparse.ArgumentParser) -> None:
    """Where the samples run, and within which limits; :func:`sandbox_of` reads them."""
    parser.add_argument("--workers", type=int, default=0, help="worker processes (default: one per core, at most 8)")
    parser.add_argument("--timeout", type=float, default=3.0, help="seconds for one program with all its tests")
    parser.add_argument(
        "--sandbox-url",
        metavar="URL",
        help="run the programs on a SandboxFusion server instead of here, as http://sandbox:8080/run_code: weaker and "
        "slower than the local sandbox, whose isolation is then the server's affair, and without localisation",
    )


def add_settings(parser: argparse.ArgumentParser) -> None:
    """How the samples are judged and localised; :func:`settings_of` reads them."""
    parser.add_argument(
        "--preset", choices=PRESETS, default="verified", help="routing of the samples (default: %(default)s)"
    )
    parser.add_argument(
        "--localizer",
        default="trace",
        metavar="NAME",
        help=f"who finds the fault: {', '.join(LOCALIZERS)}, or module:Class (default: %(default)s)",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="any other setting under the name that it has in training, as constraints=paper, references=FILE, "
        "bank=DIR, unverified=wide, max_share=0.5, seed=1 or sandbox.memory_mb=256; may be repeated",
    )


def settings_of(args: argparse.Namespace, sandbox: SandboxConfig) -> EgcaConfig:
    """The settings of :func:`add_settings` on top of ``sandbox``.

    Raises ConfigError for a key that is unknown or without effect here, and for a value that it does not take.
    """
    kinds = {field.name: str(field.type) for field in fields(EgcaConfig)}
    kinds |= {f"sandbox.{field.name}": str(field.type) for field in fields(SandboxConfig)}
    values: dict[str, Any] = {"preset": args.preset, "localizer": args.localizer}
    within = {field.name: getattr(sandbox, field.name) for field in fields(SandboxConfig)}
    for word in args.set:
        key, equals, text = word.removeprefix("egca.").partition("=")
        if not equals:
            raise ConfigError(f"--set {word}: got no value, expected KEY=VALUE, such as max_share=0.5")
        if key in TRAINING_ONLY:
            raise ConfigError(f"--set {word}: {key} has no effect outside training; leave it out")
        try:
            value = _PARSE.get(kinds.get(key, "str"), str)(text)
        except ValueError as error:
            raise ConfigError(f"--set {word}: got {text!r}, expected {kinds[key]}") from error
        if key.startswith("sandbox."):
            within[key.removeprefix("sandbox.")] = value
        else:
            values[key] = value
    return EgcaConfig.from_mapping({"sandbox": within, **values})


def sandbox_of(args: argparse.Namespace) -> SandboxConfig:
    """Raises ConfigError for a value out of range, or a URL that is none."""
    return SandboxConfig(timeout_s=args.timeout, workers=args.workers, url=args.sandbox_url)


def check_one_voice(args: argparse.Namespace) -> None:
    """Raises ConfigError where ``--out`` and ``--json`` would mix two things in standard output."""
    if args.json and str(args.out) in ("-", "/dev/stdout"):
        raise ConfigError(f"--out {args.out}: got --json too, and both go to standard output; expected one of them")
