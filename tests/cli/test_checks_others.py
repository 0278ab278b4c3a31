"""``egca doctor`` on TRL and OpenRLHF, as they are here or as a test disguises them."""

from __future__ import annotations

import subprocess
from types import SimpleNamespace
from typing import Any

import pytest

from egca_plugin.adapters.openrlhf import versions
from egca_plugin.cli import checks_others
from egca_plugin.cli.checks import State


@pytest.fixture
def openrlhf(monkeypatch: pytest.MonkeyPatch) -> Any:
    """An install of the tested version with all that it leaves to the user."""
    monkeypatch.setattr(versions, "installed", lambda: versions.TESTED)
    monkeypatch.setattr(checks_others, "_version", lambda name: versions.TESTED)
    monkeypatch.setattr(checks_others.importlib.util, "find_spec", lambda name: object())
    return monkeypatch


def imports(monkeypatch: pytest.MonkeyPatch, code: int, stderr: str = "") -> None:
    answer = SimpleNamespace(returncode=code, stderr=stderr)
    monkeypatch.setattr(checks_others.subprocess, "run", lambda *_, **__: answer)


def test_an_install_that_imports_is_well(openrlhf: pytest.MonkeyPatch) -> None:
    imports(openrlhf, 0)
    (check,) = checks_others.openrlhf_checks()
    assert (check.state, check.found) == (State.OK, "openrlhf 0.11.2; 5 names are rebound, all there")


def test_another_version_is_named(openrlhf: pytest.MonkeyPatch) -> None:
    openrlhf.setattr(versions, "installed", lambda: "0.10.0")
    (check,) = checks_others.openrlhf_checks()
    assert check.state is State.BAD
    assert "older than the 0.11.2" in check.found


def test_what_openrlhf_leaves_to_the_user_is_named(openrlhf: pytest.MonkeyPatch) -> None:
    openrlhf.setattr(checks_others.importlib.util, "find_spec", lambda name: None if name == "vllm" else object())
    (check,) = checks_others.openrlhf_checks()
    assert (check.name, check.state) == ("vllm", State.BAD)
    assert "for rollouts" in check.found


def test_the_last_line_of_a_failed_import_is_said(openrlhf: pytest.MonkeyPatch) -> None:
    imports(openrlhf, 1, "Traceback ...\nImportError: libcuda.so.1: cannot open shared object file")
    (check,) = checks_others.trl_checks()
    assert check.state is State.BAD
    assert check.found.endswith("cannot be imported: ImportError: libcuda.so.1: cannot open shared object file")


def test_an_import_that_hangs_is_given_up(openrlhf: pytest.MonkeyPatch) -> None:
    def hang(*_: Any, **__: Any) -> None:
        raise subprocess.TimeoutExpired("python", 1)

    openrlhf.setattr(checks_others.subprocess, "run", hang)
    (check,) = checks_others.trl_checks()
    assert "was not imported within 180 s" in check.found


def test_what_is_not_installed_is_not_looked_at() -> None:
    assert checks_others.installed("no_such_package_of_anyone") == []
    assert checks_others.installed("pytest", "no_such_package_of_anyone") == ["pytest"]
