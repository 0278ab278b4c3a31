"""``egca``: one command a module, imported only when it is asked for, so that ``egca --help`` is instant."""

from __future__ import annotations

import argparse
import difflib
import errno
import functools
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from egca_plugin import __version__
from egca_plugin.cli.extras import advice
from egca_plugin.cli.parsing import Parser
from egca_plugin.errors import EgcaError
from egca_plugin.visible import log_visibly

COMMANDS = {
    "demo": "train SmolLM2-135M with EGCA inside unmodified verl, on this machine's CPU",
    "prepare": "write tasks as JSONL and as verl's parquet rows, out of a named set or any data file",
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
    "completion": "commands and options completed by your shell",
}
HELP = "help"
EXIT_CODES = """exit codes:
  0    done
  1    done, and what was asked about is bad: an unsound task, a scorer that does not hold, an install that cannot train
  2    not done: misuse, input that cannot be used, a package that is missing; the message says what to change
  130  interrupted (Ctrl-C); 141: the reader of the output had seen enough"""
MISUSE = 2
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the ``egca`` script; returns the exit code."""
    argv = list(sys.argv[1:] if argv is None else argv)
    _take_any_terminal()
    if argv[:1] == [HELP]:
        argv = [*argv[1:2], "--help"]
    parser = top_parser(argv)
    if not argv:
        parser.print_help()
        return MISUSE
    name = argv[0]
    if name not in COMMANDS and not name.startswith("-"):
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(COMMANDS)}"
        parser.error(f"no such command: {name!r}; {hint}")
    return _guarded(name, functools.partial(_run, parser, argv))


def _run(parser: Parser, argv: Sequence[str]) -> int:
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND")
    name = argv[0]
    if name in COMMANDS:
        command = importlib.import_module(f"egca_plugin.cli.{name}")
        command.add_parser(subparsers)
        subparsers.choices[name].given = argv
    args = parser.parse(argv)
    log_visibly()
    code = int(command.run(args))
    sys.stdout.flush()
    return code


def _guarded(name: str, run: Callable[[], int]) -> int:
    """What a command meets outside itself, as a sentence and an exit code."""
    try:
        return run()
    except EgcaError as error:
        _say(name, error)
        return MISUSE
    except BrokenPipeError:  # `egca ... | head`: the reader has seen enough; 128 + SIGPIPE, as other programs end
        _forget_output()
        return 141
    except OSError as error:
        if error.errno not in _FULL:
            raise
        _forget_output()
        _say(name, f"the output cannot be written ({error.strerror}); free some room and run it again")
        return MISUSE
    except ImportError as error:
        told = advice(error)
        if told is None:
            raise
        _say(name, told)
        return MISUSE
    except KeyboardInterrupt:
        _say(name, "interrupted")
        return 130


def top_parser(given: Sequence[str]) -> Parser:
    """What knows the commands by name; ``given`` are the words on the command line."""
    commands = [*COMMANDS.items(), (HELP, "this, or a command's options: egca help assess")]
    parser = Parser(
        prog="egca",
        description="Execution-Grounded Credit Assignment for GRPO on code.",
        epilog="\n".join(["commands:", *(f"  {name:<14}{what}" for name, what in commands), "", EXIT_CODES]),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"egca-plugin {__version__}")
    parser.given = given
    return parser


def _take_any_terminal() -> None:
    """What a terminal's encoding lacks is written out, rather than an error at the end of the work."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _say(name: str, message: object) -> None:
    from egca_plugin.cli.terminal import say  # what it needs takes longer to load than `egca --help` to print

    say(name, message)


def _forget_output() -> None:
    """What standard output still holds would fail once more when the interpreter ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
