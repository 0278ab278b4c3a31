"""``egca doctor``: can this install train? Names each thing amiss and how to mend it; exit 0 when all is well."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from egca_plugin.cli.checks import Check, State, core_checks
from egca_plugin.cli.checks_host import host_checks
from egca_plugin.cli.checks_others import installed, openrlhf_checks, trl_checks
from egca_plugin.cli.checks_verl import framework_checks, tokenizer_check

MARKS = {State.OK: "[green]ok[/]", State.WARN: "[yellow]warn[/]", State.BAD: "[red]amiss[/]"}


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "doctor",
        help="can this install train",
        description="Check versions, registrations (inside a Ray worker too), the sandbox's isolation, the host, a "
        "model's tokenizer, a recipe's settings and its data; of TRL and OpenRLHF, where installed, the version and "
        "whether EGCA's part can be imported. Exit status 1 where something keeps a run from training; "
        "warnings do not.",
        epilog="example: egca doctor --model Qwen/Qwen2.5-Coder-0.5B-Instruct",
    )
    parser.add_argument(
        "--model", default="", help="also check that this model's tokenizer maps ids to bytes (path or name)"
    )
    parser.add_argument(
        "--recipe",
        type=Path,
        metavar="FILE",
        help="also compose this recipe's configuration, check its settings and read the first rows of its data",
    )
    parser.add_argument(
        "--no-ray", action="store_true", help="skip the check inside a Ray worker (it takes half a minute)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    console = Console(stderr=True)
    with console.status("checking the sandbox"):
        checks = [*core_checks(), *host_checks()]
    others = {"trl": trl_checks, "openrlhf": openrlhf_checks}
    there = installed("verl", *others)
    if "verl" in there or args.recipe is not None or not there:
        with console.status("checking verl" + ("" if args.no_ray else ", in a Ray worker too")):
            checks += framework_checks(model=args.model, recipe=args.recipe, ray=not args.no_ray)
    else:
        checks.append(tokenizer_check(args.model))
    for name, look in others.items():
        if name in there:
            with console.status(f"checking {name}"):
                checks += look()
    bad = sum(check.state is State.BAD for check in checks)
    if args.json:
        print(json.dumps({"ok": not bad, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        Console().print(_table(checks))
        Console().print("This install can train." if not bad else f"{bad} thing(s) amiss: this install cannot train.")
    return int(bool(bad))


def _table(checks: list[Check]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("what", no_wrap=True)
    table.add_column("found, and how to mend it", overflow="fold")
    for check in checks:
        mend = f"\n[bold]mend:[/] {escape(check.mend)}" if check.mend else ""
        table.add_row(MARKS[check.state], check.name, escape(check.found) + mend)
    return table
