"""The recipes of TRL and OpenRLHF: verl's words and verl's values, and what they look at before they start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from recipe_scripts import FILES, RECIPES, prepared, start

from egca_plugin.adapters.settings import Settings, split

yaml = pytest.importorskip("yaml")

FRAMEWORKS = ("trl", "openrlhf")
TRAINED = {"mbpp": "mbpp-train", "humaneval": "mbpp-train-clean"}
every = pytest.mark.parametrize("framework", FRAMEWORKS)


def said(
    framework: str, folder: Path, *words: str, tasks: str = "mbpp", gpus: int = 1
) -> tuple[Settings, list[str], str]:
    """EGCA's settings, the framework's words, and what comes behind the training."""
    (folder / "data").mkdir(exist_ok=True)
    for name in FILES[tasks]:
        (folder / "data" / f"{name}.parquet").touch()
    ended = start(framework, "one_gpu", folder, gpus, f"tasks={tasks}", *words)
    assert ended.returncode == 0, ended.stderr
    *command, report = ended.stdout.splitlines()
    return *split(command), report


def value(words: list[str], option: str) -> str:
    """The last of an option's, which is the one that counts."""
    return words[len(words) - words[::-1].index(option)]


@every
@pytest.mark.parametrize("tasks", TRAINED)
def test_it_trains_on_the_same_rows_as_verls_and_reports(framework: str, tasks: str, tmp_path: Path) -> None:
    settings, words, report = said(framework, tmp_path, tasks=tasks)
    out = f"{tmp_path}/runs/egca-{tasks}/{framework}-one_gpu-verified"
    assert f"{tmp_path}/data/{TRAINED[tasks]}.parquet" in words
    assert f"{tmp_path}/data/mbpp-validation.parquet" in words
    assert (settings.enabled, settings.egca.records, settings.egca.bank) == (True, f"{out}/records", f"{out}/bank")
    assert report == f"egca report {out}/records --out {out}/report.html"


@every
def test_one_word_makes_it_plain_grpo_with_records_in_a_folder_of_its_own(framework: str, tmp_path: Path) -> None:
    (on, theirs, _), (off, same, report) = said(framework, tmp_path), said(framework, tmp_path, "egca=off")
    assert (on.enabled, off.enabled) == (True, False)
    assert off.egca.records.endswith(f"{framework}-one_gpu-off/records")
    assert off.egca.records in report
    assert [word.replace("-off", "-verified") for word in same] == theirs, "nothing else changes"


@every
@pytest.mark.parametrize("words", [("egca=paper", "egca.scale=unit"), ("--egca", "paper", "--egca.scale=unit")])
def test_settings_are_words_and_the_rest_goes_to_the_framework(framework: str, words: Any, tmp_path: Path) -> None:
    settings, theirs, _ = said(framework, tmp_path, *words, "--its.own", "1")
    assert (settings.egca.preset, settings.egca.scale) == ("paper", "unit")
    assert theirs[-2:] == ["--its.own", "1"]


@every
@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("egca=on", "egca=on: expected verified, paper or off"),
        ("tasks=apps", "tasks=apps: expected mbpp, humaneval or starter"),
        ("hardware=node", "hardware=node: expected cpu or one_gpu"),
    ],
)
def test_a_word_that_is_none_is_refused(framework: str, word: str, told: str, tmp_path: Path) -> None:
    ended = start(framework, "one_gpu", tmp_path, 1, word)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"recipes/{framework}: {told}" in ended.stderr


@every
@pytest.mark.parametrize("tasks", TRAINED)
def test_gpus_and_data_are_looked_for_first(framework: str, tasks: str, tmp_path: Path) -> None:
    bare = start(framework, "one_gpu", tmp_path, 0, f"tasks={tasks}")
    assert bare.returncode == 3
    assert "needs 1 NVIDIA GPU(s), found 0" in bare.stderr
    assert "hardware=cpu" in bare.stderr
    (tmp_path / "data").mkdir()
    ended = start(framework, "one_gpu", tmp_path, 1, f"tasks={tasks}")
    assert ended.returncode == 4
    assert f"no data/{TRAINED[tasks]}.parquet; run recipes/{tasks}/prepare.sh first" in ended.stderr.replace(
        f"{tmp_path}/", ""
    )


@every
@pytest.mark.parametrize("tasks", [*TRAINED, "starter"])
def test_on_a_cpu_one_command_prepares_its_data_too(framework: str, tasks: str, tmp_path: Path) -> None:
    ended = start(framework, "cpu", tmp_path, 0, f"tasks={tasks}")
    assert f"egca prepare {'starter' if tasks == 'starter' else 'mbpp'} --split train" in ended.stdout
    assert ended.returncode == 4, "this machine's egca wrote nothing"


@every
def test_on_a_cpu_small_steps_are_localised_wherever_something_failed(framework: str, tmp_path: Path) -> None:
    settings, words, _ = said(framework, tmp_path, "hardware=cpu", gpus=0)
    assert settings.egca.localize == "all"
    assert "a-model" in words, "SmolLM2, from the user's cache"


@every
def test_a_run_that_was_not_trained_is_not_scored(framework: str, tmp_path: Path) -> None:
    prepared(tmp_path, "humaneval")
    ended = start(framework, "evaluate", tmp_path, 1, "tasks=humaneval")
    assert ended.returncode == 5
    assert "give the words that the training had" in ended.stderr
    model = tmp_path / "runs" / "egca-humaneval" / f"{framework}-one_gpu-verified" / "model"
    model.mkdir(parents=True)
    (model / "tokenizer_config.json").touch()
    ended = start(framework, "evaluate", tmp_path, 1, "tasks=humaneval", "--limit", "5")
    assert ended.returncode == 0, ended.stderr
    *sample, scores = ended.stdout.splitlines()
    assert value(sample, "--model") == str(model)
    assert value(sample, "--rows") == f"{tmp_path}/data/humaneval.parquet"
    assert value(sample, "--limit") == "5"
    assert scores.startswith(f"egca eval {tmp_path}/data/humaneval.jsonl --samples {model.parent}/test/samples.jsonl")


def verls(hardware: str) -> dict[str, Any]:
    """Of verl's recipe: what has a name in other frameworks too."""
    shared = yaml.safe_load((RECIPES / "shared" / "grpo_code.yaml").read_text())
    own = yaml.safe_load((RECIPES / "shared" / "hardware" / f"{hardware}.yaml").read_text())
    actor = shared["actor_rollout_ref"]["actor"]
    samples = own["actor_rollout_ref"]["rollout"]["n"]
    data = shared["data"] | own["data"]
    return {
        "group": samples,
        "batch": data["train_batch_size"] * samples,
        "longest": data["max_response_length"],
        "context": data["max_response_length"] + data["max_prompt_length"],
        "kl": actor["kl_loss_coef"],
        "clip": actor["clip_ratio"],
        "lr": float(own["actor_rollout_ref"]["actor"]["optim"]["lr"]),
    }


@pytest.mark.parametrize("hardware", ["cpu", "one_gpu"])
def test_trl_has_verls_values(hardware: str) -> None:
    chosen = yaml.safe_load((RECIPES / "trl" / f"{hardware}.yaml").read_text())
    same = verls(hardware)
    assert {
        "group": chosen["num_generations"],
        "batch": chosen["per_device_train_batch_size"] * chosen["gradient_accumulation_steps"],
        "longest": chosen["max_completion_length"],
        "context": chosen.get("vllm_max_model_length", same["context"]),
        "kl": chosen["beta"],
        "clip": chosen["epsilon"],
        "lr": chosen["learning_rate"],
    } == same


@pytest.mark.parametrize("hardware", ["cpu", "one_gpu"])
def test_openrlhf_has_verls_values(hardware: str, tmp_path: Path) -> None:
    _, words, _ = said("openrlhf", tmp_path, f"hardware={hardware}")
    same = verls(hardware)
    if hardware == "one_gpu":
        same["lr"] = 1e-6  # it trains all weights there, verl an adapter
    assert {
        "group": int(value(words, "--rollout.n_samples_per_prompt")),
        "batch": int(value(words, "--train.batch_size")),
        "longest": int(value(words, "--rollout.max_new_tokens")),
        "context": int(value(words, "--data.max_len")),
        "kl": float(value(words, "--algo.kl.init_coef")),
        "clip": float(value(words, "--actor.eps_clip")),
        "lr": float(value(words, "--actor.adam.lr")),
    } == same
