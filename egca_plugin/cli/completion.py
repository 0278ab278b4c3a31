"""``egca completion``: what a shell needs to complete commands and options, written by shtab out of the parsers."""

from __future__ import annotations

import argparse
import importlib

from egca_plugin.cli.main import COMMANDS, top_parser

SHELLS = ("bash", "zsh", "tcsh")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "completion",
        help="commands and options completed by your shell",
        description="Print a script that teaches a shell egca's commands and options. It is made once and sourced; "
        "it starts no Python when you press Tab.",
        epilog="example: egca completion bash >> ~/.bash_completion",
    )
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))


def run(args: argparse.Namespace) -> int:
    """Raises ImportError without shtab, which the extra ``completion`` brings."""
    import shtab

    parser = top_parser([])
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name in COMMANDS:
        importlib.import_module(f"egca_plugin.cli.{name}").add_parser(subparsers)
    print(shtab.complete(parser, shell=args.shell))
    return 0
