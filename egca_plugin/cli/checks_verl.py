"""What ``egca doctor`` looks at in verl's world: packages, the entry point, registrations here and in a Ray worker."""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
import random
import warnings
from collections.abc import Iterator
from importlib import metadata
from typing import TYPE_CHECKING, cast

from egca_plugin.adapters.verl import versions
from egca_plugin.cli.checks import Check, State
from egca_plugin.credit.tokens import TokenBytes, Tokenizer
from egca_plugin.errors import FrameworkError, TokenizerError

if TYPE_CHECKING:
    from egca_plugin.adapters.verl.register import Part

GROUP, MODULE = "verl.plugins", "egca_plugin.adapters.verl.register"
PACKAGES = ("torch", "ray", "transformers", "TransferQueue", "tensordict")
UNDECLARED = ("cachetools", "fastapi", "uvicorn")  # verl 0.9.1 imports them and does not require them
INSTALL = 'pip install "egca-plugin[verl]"'
RAY_SECONDS = 180
ROUND_TRIPS = 50


def framework_checks(*, model: str, ray: bool) -> list[Check]:
    """All of them; those that build on a failed one are left out, not guessed."""
    checks = [_verl(), *_packages(), _entry_point()]
    if not _has_accelerator():
        os.environ.setdefault("VERL_PLATFORM", "cpu")  # as `egca demo` does: our CPU platform is then checked too
    if not any(check.state is State.BAD for check in checks):
        checks += _registered_here()
        if ray:
            checks += _registered_in_ray()
    return [*checks, _tokenizer(model)]


def _has_accelerator() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return torch.accelerator.is_available()


def _verl() -> Check:
    try:
        found = versions.installed()
        versions.check(found)
    except FrameworkError as error:
        return Check("verl", State.BAD, str(error), INSTALL)
    return Check("verl", State.OK, f"verl {found}")


def _packages() -> Iterator[Check]:
    for name in PACKAGES:
        try:
            yield Check(name, State.OK, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check(name, State.BAD, "not installed", INSTALL)
    missing = [name for name in UNDECLARED if importlib.util.find_spec(name) is None]
    if missing:
        found = f"not installed: {', '.join(missing)}; verl imports them without requiring them"
        yield Check("what verl leaves out", State.BAD, found, f"pip install {' '.join(missing)}")


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
    for part in _load_all():
        yield _as_check(part, "in this process")


def _registered_in_ray() -> Iterator[Check]:
    import ray

    started = not ray.is_initialized()
    if started:
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        task = ray.remote(num_cpus=0)(_load_all).remote()
        for part in ray.get(task, timeout=RAY_SECONDS):
            yield _as_check(part, "in a Ray worker")
    except ray.exceptions.RayError as error:
        mend = "use the same environment on every node (Ray's runtime_env or the same image)"
        yield Check("Ray worker", State.BAD, f"{type(error).__name__}: {str(error)[:400]}", mend)
    finally:
        if started:
            ray.shutdown()


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


def _tokenizer(model: str) -> Check:
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
