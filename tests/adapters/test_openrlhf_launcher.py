"""The launcher: whose options are whose, what it adds, and which OpenRLHF it takes. Needs no OpenRLHF."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tiny_policy as policy

from egca_plugin.adapters.openrlhf import data, versions
from egca_plugin.adapters.openrlhf.train import command
from egca_plugin.adapters.settings import Settings, split
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import ConfigError, FrameworkError, TaskError
from egca_plugin.tasks import parquet

OURS = "--egca.scale=unit --egca.sandbox.workers 2"


def test_options_are_ours_or_theirs() -> None:
    words = ["--egca", "paper", "--actor.num_nodes", "1", *OURS.split(), "--data.max_len", "9"]
    chosen, theirs = split(words)
    assert theirs == ["--actor.num_nodes", "1", "--data.max_len", "9"]
    assert (chosen.egca.preset, chosen.egca.scale, chosen.egca.sandbox.workers) == ("paper", "unit", 2)
    assert split(["--egca.sandbox.packages", '["numpy"]'])[0].egca.sandbox.packages == ("numpy",)


def test_off_is_the_same_rewards_and_plain_credit() -> None:
    chosen, _ = split(["--egca", "off", "--egca.bank", "programs"])
    assert (chosen.enabled, chosen.egca.localizer, chosen.egca.bank) == (False, "uniform", "")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--egca.scal", "unit"], r"egca.scal: no such setting; did you mean 'scale'"),
        (["--egca", "on"], "--egca: got 'on', expected 'off' or one of verified, paper"),
        (["--egca.scale"], "--egca.scale: expected a value"),
        (["--egca.scale", "--data.max_len", "9"], "--egca.scale: expected a value"),
        (["--egca.scale", "unit", "--egca.scale.more", "1"], "--egca.scale is a value"),
        (["--reward.remote_url", "reward.py"], "--reward.remote_url: the sandbox is the reward"),
    ],
)
def test_what_cannot_be_meant_is_an_error(words: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        command(words)


def test_it_adds_what_a_command_line_lacks() -> None:
    _, theirs = command(["--data.max_len", "9"])
    assert theirs[:3] == ["--data.max_len", "9", "--train.agent_func_path"]
    assert theirs[3].endswith("agent.py")
    assert theirs[4:] == ["--data.label_key", "reward_model"]
    _, theirs = command(["--train.agent_func_path=mine.py", "--data.label_key", "task"])
    assert theirs == ["--train.agent_func_path=mine.py", "--data.label_key", "task"]


@pytest.mark.parametrize(
    ("version", "says"),
    [("0.11.1", "older than the 0.11.2"), ("0.12.0", "newer than the 0.11.2"), ("unknown", "not a version number")],
)
def test_another_openrlhf_is_refused(version: str, says: str) -> None:
    with pytest.raises(FrameworkError, match=says):
        versions.check(version)


def test_a_newer_one_may_be_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    versions.check("0.11.2")
    monkeypatch.setenv(versions.OVERRIDE, "1")
    versions.check("0.12.0")


def test_no_name_is_rebound_that_is_not_listed() -> None:
    with pytest.raises(FrameworkError, match=r"json.dumps is rebound, and not listed"):
        versions.rebind("json", "dumps", None)


def test_every_listed_name_is_there() -> None:
    """What a newer OpenRLHF renames is said here, before a run."""
    pytest.importorskip("openrlhf")
    import importlib

    import openrlhf_runs  # noqa: F401 - a machine without a GPU

    assert versions.installed() == "0.11.2"
    for module, name in versions.REBOUND:
        assert hasattr(importlib.import_module(module), name)


MATHS = {"style": "rule", "ground_truth": "42"}


def arguments(agent: str) -> SimpleNamespace:
    chosen = Settings(True, EgcaConfig(bad_rows=0.4))
    return SimpleNamespace(egca=chosen, train=SimpleNamespace(agent_func_path=agent))


def loader(*labels: object) -> SimpleNamespace:
    return SimpleNamespace(dataset=SimpleNamespace(prompts=["a prompt"] * len(labels), labels=list(labels)))


def label(k: int) -> object:
    return parquet.row(policy.TASKS[k], data_source="x", split="train", index=k)["reward_model"]


def test_rows_that_nobody_would_reward_are_refused_at_the_start() -> None:
    mixed = loader(label(0), MATHS)
    with pytest.raises(TaskError, match=r"--data.prompt_dataset: 1 of 2 rows have no tests .*\(such as '42'\)"):
        data.check(arguments(str(data.AGENT)), mixed, None)
    data.check(arguments("mine.py"), mixed, None)
    with pytest.raises(TaskError, match=r"--eval.dataset: 1 of 2 rows have no tests"):
        data.check(arguments(str(data.AGENT)), loader(label(0)), mixed)


def test_a_few_bad_rows_are_borne() -> None:
    bad = {"style": "rule", "ground_truth": '{"task_id": "x", "entry_point": 3}'}
    data.check(arguments(str(data.AGENT)), loader(label(0), label(1), bad), None)
    with pytest.raises(TaskError, match=r"2 of 3 rows cannot be read"):
        data.check(arguments(str(data.AGENT)), loader(label(0), bad, bad), None)


def test_without_a_gpu_a_large_weight_crosses_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness: torch's store takes 8 MiB at a time, and an embedding has more."""
    torch = pytest.importorskip("torch")
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "openrlhf_cpu" / "mends"))
    import on_cpu

    crossed: list[Any] = []
    on_cpu.weights_over_the_store(module := SimpleNamespace())
    sends = SimpleNamespace(rank=0, broadcast=lambda piece, src: crossed.append(piece))
    gets = SimpleNamespace(rank=1, broadcast=lambda piece, src: crossed.pop(0))
    weight = torch.rand(on_cpu.PIECE // 1000, 2500).T
    module.PyNcclCommunicator(sends).broadcast(weight, src=0)
    assert all(piece.untyped_storage().nbytes() <= 4 << 20 for piece in crossed)
    module.PyNcclCommunicator(gets).broadcast(received := torch.empty(weight.shape), src=0)
    assert torch.equal(received, weight)
