"""Installs to break: a folder of links to every package of this environment, less or other than it should be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import egca_plugin

PACKAGE = Path(egca_plugin.__file__).parent


@dataclass
class Install:
    """``site`` holds the links; ``env`` is added to the environment; ``prefix`` runs in front of Python.

    ``-S`` of ``flags`` keeps the environment's own packages away: what is not linked is not there.
    """

    site: Path
    env: dict[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    flags: tuple[str, ...] = ("-S",)

    def __post_init__(self) -> None:
        self.site.mkdir(parents=True)
        for item in Path(sysconfig.get_paths()["purelib"]).iterdir():
            if "egca_plugin" not in item.name and item.suffix != ".pth":
                (self.site / item.name).symlink_to(item)
        (self.site / "egca_plugin").symlink_to(PACKAGE)
        shutil.copytree(_dist_info("egca-plugin"), self.site / "egca_plugin-0.dist-info")

    def remove(self, name: str) -> None:
        """As `pip uninstall` would: the package and what the installer knows of it."""
        for item in (self.site / name.lower(), self.site / name, *self.site.glob(f"{name}-*.dist-info")):
            if item.is_symlink():
                item.unlink()
            elif item.is_dir():
                shutil.rmtree(item)

    def disguise(self, name: str, version: str) -> None:
        """Another version of an installed package, to whoever asks."""
        for item in self.site.glob(f"{name}-*.dist-info"):
            told = (item / "METADATA").read_text(encoding="utf-8")
            item.unlink()
            (fake := self.site / f"{name}-{version}.dist-info").mkdir()
            lines = (f"Version: {version}" if line.startswith("Version: ") else line for line in told.splitlines())
            (fake / "METADATA").write_text("\n".join(lines), encoding="utf-8")

    def doctor(self, *arguments: str, timeout_s: float = 240) -> Diagnosis:
        """What `egca doctor --json` says there."""
        command = [
            *self.prefix,
            sys.executable,
            *self.flags,
            "-m",
            "egca_plugin.cli.main",
            "doctor",
            "--json",
            *arguments,
        ]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VERL_"))}
        done = subprocess.run(
            command,
            env={**inherited, "PYTHONPATH": str(self.site), "COLUMNS": "300", **self.env},
            cwd=self.site,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr[-3000:]
        return Diagnosis(done.returncode, json.loads(done.stdout)["checks"])


@dataclass(frozen=True)
class Diagnosis:
    """The exit status and the checks."""

    status: int
    checks: Sequence[Mapping[str, Any]]

    def named(self, state: str) -> dict[str, str]:
        """What was found and how to mend it, by the check's name."""
        return {
            check["name"]: f"{check['found']} | {check['mend']}" for check in self.checks if check["state"] == state
        }


def _dist_info(name: str) -> Path:
    found = metadata.distribution(name)
    return Path(str(found.locate_file("."))) / next(file.parts[0] for file in found.files or () if "info" in str(file))
