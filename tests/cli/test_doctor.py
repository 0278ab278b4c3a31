"""``egca doctor`` on installs that are really broken, each in its own way: it names the thing and how to mend it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("verl")

from installs import Install

from egca_plugin.cli import checks
from egca_plugin.cli.checks import State

RAY_JOB_CONFIG = "RAY_JOB_CONFIG_JSON_ENV_VAR"  # Ray's own: how `ray job submit` hands a runtime_env to a driver


@pytest.fixture
def install(tmp_path: Path) -> Install:
    return Install(tmp_path / "site")


def no_libseccomp(install: Install) -> None:
    (install.site / "pyseccomp.py").unlink()
    (install.site / "pyseccomp.py").write_text("raise RuntimeError('Unable to find libseccomp')\n")


def no_verl(install: Install) -> None:
    install.remove("verl")


def old_verl(install: Install) -> None:
    install.disguise("verl", "0.8.0")


def newer_verl(install: Install) -> None:
    install.disguise("verl", "0.10.0")


def newer_transformers(install: Install) -> None:
    install.disguise("transformers", "6.0.0")


def no_tensordict(install: Install) -> None:
    install.remove("tensordict")


def no_cachetools(install: Install) -> None:
    install.remove("cachetools")


def no_entry_point(install: Install) -> None:
    (install.site / "egca_plugin-0.dist-info" / "entry_points.txt").unlink()


def wrong_external_module(install: Install) -> None:
    install.env["VERL_USE_EXTERNAL_MODULES"] = "egca_plugin.adapters.verl.registration"


def plugins_switched_off(install: Install) -> None:
    install.env["VERL_USE_EXTERNAL_PLUGINS"] = "none"


def torch_without_cuda(install: Install) -> None:
    """A machine whose driver lists a GPU, with a torch that was built for none."""
    tool = install.site / "bin" / "nvidia-smi"
    tool.parent.mkdir()
    tool.write_text("#!/bin/sh\necho 'GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0)'\n")
    tool.chmod(0o755)
    install.env["PATH"] = f"{tool.parent}:{os.environ['PATH']}"


def temporary_folder_is_a_file(install: Install) -> None:
    (install.site / "tmp").write_text("")
    install.env["TMPDIR"] = str(install.site / "tmp" / "folder")


def address_space_limited(install: Install) -> None:
    install.prefix = ("sh", "-c", 'ulimit -v 6000000; exec "$@"', "sh")


BROKEN: list[tuple[Callable[[Install], None], str, str, str]] = [
    (no_libseccomp, "sandbox", "libseccomp", "isolation"),
    (no_verl, "verl", "verl is not installed", "pip install"),
    (old_verl, "verl", "verl 0.8.0 has no plugin entry point", "pip install"),
    (newer_verl, "verl", "verl 0.10.0 is newer", "EGCA_UNTESTED_VERL"),
    (newer_transformers, "transformers", "6.0.0, and verl needs", "pip install"),
    (no_tensordict, "tensordict", "not installed", "pip install"),
    (no_cachetools, "what verl leaves out", "cachetools", "pip install cachetools"),
    (no_entry_point, "entry point", "no `egca` in the group verl.plugins", "install the package"),
    (wrong_external_module, "external modules", "registration, which is not there", "unset it"),
    (plugins_switched_off, "external plugins", "VERL_USE_EXTERNAL_PLUGINS=none", "unset it"),
    (torch_without_cuda, "accelerator", "sees none of this host's 1: GPU 0: NVIDIA H100", "built for CUDA"),
    (temporary_folder_is_a_file, "temporary files", "Not a directory", "TMPDIR"),
    (address_space_limited, "memory", "ulimit -v", "ulimit -v unlimited"),
]


@pytest.mark.parametrize(("break_it", "name", "found", "mend"), BROKEN, ids=[case[0].__name__ for case in BROKEN])
def test_a_broken_install_is_named_with_its_mend(
    install: Install, break_it: Callable[[Install], None], name: str, found: str, mend: str
) -> None:
    break_it(install)
    diagnosis = install.doctor("--no-ray")
    amiss = diagnosis.named("bad")
    assert diagnosis.status == 1
    assert name in amiss, amiss
    assert found in amiss[name]
    assert mend in amiss[name]
    others = {other for other in amiss if other != name and not other.startswith("isolation")}
    assert not others, f"one thing is broken, and it is blamed alone: {amiss}"


HIDE_THE_PLUGIN = """
import sys
class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "egca_plugin":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Hide())
"""


@pytest.mark.slow
def test_a_ray_worker_without_the_plugin_and_a_tokenizer_without_bytes(install: Install, tmp_path: Path) -> None:
    """Two faults that need all of verl to be found, in one look; the worker's environment is Ray's runtime_env."""
    elsewhere = tmp_path / "worker"
    elsewhere.mkdir()
    (elsewhere / "sitecustomize.py").write_text(HIDE_THE_PLUGIN)  # Ray hands a worker its driver's sys.path
    install.env[RAY_JOB_CONFIG] = json.dumps({"runtime_env": {"env_vars": {"PYTHONPATH": str(elsewhere)}}})
    install.flags = ()  # a worker inherits -S, which knows no sitecustomize
    diagnosis = install.doctor("--model", str(word_level_tokenizer(tmp_path / "model")))
    amiss = diagnosis.named("bad")
    assert diagnosis.status == 1
    assert set(amiss) == {"Ray worker", "tokenizer"}, amiss
    assert "a Ray worker has no egca-plugin" in amiss["Ray worker"]
    assert "same environment on every node" in amiss["Ray worker"]
    assert "byte-level" in amiss["tokenizer"]


@pytest.mark.slow
def test_a_recipe_with_a_bad_setting(install: Install, tmp_path: Path) -> None:
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(
        textwrap.dedent(
            """
            hydra: {searchpath: ["pkg://verl.trainer.config", "pkg://egca_plugin.adapters.verl.config"]}
            defaults: [ppo_trainer, {egca: verified}, _self_]
            algorithm: {adv_estimator: egca}
            reward: {reward_manager: {name: egca}}
            egca: {mix: 1.5}
            """
        )
    )
    diagnosis = install.doctor("--no-ray", "--recipe", str(recipe))
    assert diagnosis.status == 1
    assert list(diagnosis.named("bad")) == ["recipe"]
    assert "egca.mix: got 1.5, expected a number from 0 to 1" in diagnosis.named("bad")["recipe"]


# As container runtimes deny them: by a filter that everything inherits.
NO_NAMESPACES = """
import errno, os, pyseccomp, sys
allowed = pyseccomp.SyscallFilter(pyseccomp.ALLOW)
allowed.add_rule(pyseccomp.ERRNO(errno.EPERM), "unshare")
allowed.load()
os.execvp(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.slow
def test_warnings_alone_leave_the_status_at_0(install: Install, tmp_path: Path) -> None:
    """A host without user namespaces and with Docker's shared memory, and a cache that is no folder."""
    if subprocess.run(["unshare", "-Urm", "true"], check=False).returncode:
        pytest.skip("this host cannot play another one: unshare is denied")
    mount = 'mount -t tmpfs -o size=64m shm /dev/shm && exec "$@"'
    install.prefix = ("unshare", "-Urm", "sh", "-c", mount, "sh", sys.executable, "-c", NO_NAMESPACES)
    install.env["XDG_CACHE_HOME"] = "/dev/null"
    diagnosis = install.doctor("--no-ray")
    assert (diagnosis.status, diagnosis.named("bad")) == (0, {})
    warned = diagnosis.named("warn")
    assert {"isolation: net", "isolation: pid", "shared memory", "cache", "tokenizer"} <= set(warned)
    assert "64 MiB in /dev/shm" in warned["shared memory"]
    assert "XDG_CACHE_HOME" in warned["cache"]
    assert diagnosis.named("ok")["isolation"].startswith(("level landlock", "level mandatory"))


def test_a_python_that_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.sys, "version_info", (3, 13, 0, "final", 0))
    found = checks._python()
    assert (found.state, found.mend) == (State.BAD, "use Python 3.10 to 3.12")


def test_in_words_for_people(install: Install) -> None:
    no_verl(install)
    command = [sys.executable, "-S", "-m", "egca_plugin.cli.main", "doctor", "--no-ray"]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(install.site), "COLUMNS": "200"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "this install cannot train" in done.stdout
    assert 'mend: pip install "egca-plugin[verl]"' in done.stdout


def word_level_tokenizer(folder: Path) -> Path:
    """One whose vocabulary says nothing about bytes."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({"[UNK]": 0, "def": 1, "return": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]").save_pretrained(folder)
    return folder
