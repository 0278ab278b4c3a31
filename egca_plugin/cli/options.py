"""Options that several commands share."""

from __future__ import annotations

import argparse

from egca_plugin.config import SandboxConfig


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


def sandbox_of(args: argparse.Namespace) -> SandboxConfig:
    """Raises ConfigError for a value out of range, or a URL that is none."""
    return SandboxConfig(timeout_s=args.timeout, workers=args.workers, url=args.sandbox_url)
