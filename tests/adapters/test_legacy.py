"""The legacy trainer's hook on verl's own DataProto, without workers: what it places, records and refuses."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("verl")

import torch
from omegaconf import OmegaConf
from tensordict import TensorDict
from tiny_policy import Tiny
from transformers import AutoTokenizer
from verl import DataProto
from verl.trainer.ppo.ray_trainer import RayPPOTrainer

from egca_plugin.adapters.observer import Observer
from egca_plugin.adapters.settings import Settings
from egca_plugin.adapters.verl import channel, settings
from egca_plugin.adapters.verl.legacy_trainer import EgcaRayPPOTrainer
from egca_plugin.config import EgcaConfig
from egca_plugin.errors import ConfigError, FrameworkError
from egca_plugin.types import Credit, Mode, Outcome, Span, TokenSpan

WORDS, TOOL, BLAMED = "def double(x):\n", "tool says", "    y = x * 2 + 5\n"


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[DataProto]:
    """The batches that verl's own actor update would have got."""
    seen: list[DataProto] = []

    def update(self: Any, batch: DataProto) -> DataProto:
        seen.append(batch)
        return DataProto(meta_info={"metrics": {"actor/lr": 1.0}})

    monkeypatch.setattr(RayPPOTrainer, "_update_actor", update)
    return seen


def trainer(tiny: Tiny, records: Path, *, enabled: bool = True) -> EgcaRayPPOTrainer:
    made = object.__new__(EgcaRayPPOTrainer)
    made._settings = Settings(enabled, EgcaConfig())
    made.tokenizer = AutoTokenizer.from_pretrained(tiny.model)
    made._bank = None
    made._observer = Observer(str(records), made.tokenizer)
    made.global_steps = 3
    return made


def batch(tokenizer: Any) -> tuple[DataProto, TokenSpan]:
    """One response: words, a tool's answer, the blamed line, padding; behind a prompt of three tokens."""
    words, tool, blamed = (tokenizer(text).input_ids for text in (WORDS, TOOL, BLAMED))
    ids = words + tool + blamed
    span = TokenSpan(len(words) + len(tool), len(ids))
    padding = 4
    mask = torch.tensor([[1] * len(words) + [0] * len(tool) + [1] * len(blamed) + [0] * padding])
    there = torch.tensor([[1] * 3 + [1] * len(ids) + [0] * padding])
    credit = Credit(Mode.LOGIC, 0.0, Outcome.WRONG_ANSWER, 0, 1, spans=(Span(len(WORDS + TOOL), 99),))
    extra = channel.pack(channel.Row(credit, "t", (span,), len(ids)))
    data = DataProto(
        batch=TensorDict(
            {
                "responses": torch.tensor([ids + [tokenizer.pad_token_id] * padding]),
                "response_mask": mask,
                "attention_mask": there,
                "advantages": -0.5 * mask.float(),
            },
            batch_size=1,
        ),
        non_tensor_batch={
            "uid": np.array(["u"], dtype=object),
            **{k: np.array([v], dtype=object) for k, v in extra.items()},
        },
    )
    return data, span


def test_praise_wants_the_group_that_this_trainer_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "check", lambda config: Settings(True, EgcaConfig(praise=0.5)))
    with pytest.raises(ConfigError, match=r"egca\.praise: got 0\.5"):
        EgcaRayPPOTrainer(OmegaConf.create({}))


def test_it_learns_what_was_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "check", lambda config: Settings(True, EgcaConfig(credit="counterfactual")))
    with pytest.raises(ConfigError, match=r"egca\.credit: got 'counterfactual', .* with verl's legacy trainer"):
        EgcaRayPPOTrainer(OmegaConf.create({}))


def test_spans_count_a_tools_tokens_and_the_records_quote_the_blamed_line(
    tiny: Tiny, trained: list[DataProto], tmp_path: Path
) -> None:
    hooked = trainer(tiny, tmp_path)
    data, span = batch(hooked.tokenizer)
    metrics = hooked._update_actor(data).meta_info["metrics"]

    advantages = trained[0].batch["advantages"][0]
    assert advantages.nonzero().flatten().tolist() == list(range(span.start, span.end))
    assert float(advantages.sum()) == pytest.approx(-0.5 * (span.end - span.start))
    assert metrics["egca/moved"] == 1.0
    assert metrics["actor/lr"] == 1.0

    (record,) = [json.loads(line) for file in tmp_path.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert record["completion"] == WORDS + TOOL + BLAMED
    assert record["credited_text"] == [BLAMED]
    assert record["tokens"] == span.end


def test_switched_off_the_actor_gets_verls_advantages(tiny: Tiny, trained: list[DataProto], tmp_path: Path) -> None:
    hooked = trainer(tiny, tmp_path, enabled=False)
    data, _ = batch(hooked.tokenizer)
    plain = data.batch["advantages"].clone()
    assert "egca/moved" not in hooked._update_actor(data).meta_info["metrics"]
    assert torch.equal(trained[0].batch["advantages"], plain)


def test_an_older_verl_is_refused_before_its_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "verl-0.8.0.dist-info").mkdir()
    (tmp_path / "verl-0.8.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: verl\nVersion: 0.8.0\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "egca_plugin.adapters.verl.legacy"]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "verl 0.8.0 has no plugin entry point" in ended.stderr
    assert 'Upgrade with: pip install "verl>=0.9.0,<0.10"' in ended.stderr


def test_without_any_credit_the_reward_manager_is_named(tiny: Tiny, trained: list[DataProto], tmp_path: Path) -> None:
    hooked = trainer(tiny, tmp_path)
    data, _ = batch(hooked.tokenizer)
    del data.non_tensor_batch[channel.KEY]
    with pytest.raises(FrameworkError, match=r"reward.reward_manager.name=egca"):
        hooked._update_actor(data)
    assert trained == []
