"""``egca``: one command a module, imported only when it is asked for, so that ``egca --help`` is instant."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from egca_plugin import __version__
from egca_plugin.errors import EgcaError

COMMANDS = {
    "demo": "train SmolLM2-135M with EGCA inside unmodified verl, on this machine's CPU",
    "prepare": "write a benchmark's tasks as JSONL and as verl's parquet rows",
    "preflight": "is every reference sound, are the tests strong enough",
    "assess": "judge samples and say which characters of each are to blame",
    "explain": "one program: what diverged, where, and the blamed text in colour",
    "eval": "pass@k of samples, with confidence intervals, through the sandbox",
    "report": "records as one HTML file that loads nothing",
    "replay": "localise a past run's records again, without a GPU, and show what changed",
    "watch": "follow a run's records live",
    "doctor": "can this install train: versions, registrations, isolation, tokenizer",
    "conformance": "the attack corpus against our sandbox, or any other scorer",
    "bench": "run a benchmark of a source checkout",
    "table": "a benchmark's result file as Markdown",
}
MISUSE = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``egca`` script; returns the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="egca",
        description="Execution-Grounded Credit Assignment for GRPO on code.",
        epilog="\n".join(["commands:", *(f"  {name:<14}{what}" for name, what in COMMANDS.items())]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"egca-plugin {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    if not argv:
        parser.print_help()
        return MISUSE
    name = argv[0]
    if name in COMMANDS:
        command = importlib.import_module(f"egca_plugin.cli.{name}")
        command.add_parser(subparsers)
    elif not name.startswith("-"):
        parser.error(f"no such command: {name!r}; expected one of {', '.join(COMMANDS)}")
    args = parser.parse_args(argv)
    try:
        return int(command.run(args))
    except EgcaError as error:
        print(f"egca {name}: {error}", file=sys.stderr)
        return MISUSE
    except BrokenPipeError:  # `egca ... | head`: the reader has seen enough; 128 + SIGPIPE, as other programs end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        print(f"egca {name}: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
