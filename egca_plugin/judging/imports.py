"""Programs that import a package which the sandbox does not give: a setting's matter, and no line's fault."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from egca_plugin.config import SandboxConfig
from egca_plugin.types import SourceError, Span, Verdict

REASON = "missing_package"  # of samples whose first failing test failed so
_MISSING = re.compile(r"No module named '([A-Za-z_]\w*)(?:\.[\w.]*)?'")
# What programs import and may well be right with, whether or not it is installed here; other names are mistakes.
_KNOWN = frozenset({
    "numpy", "scipy", "pandas", "sympy", "networkx", "sortedcontainers", "numba", "sklearn", "matplotlib",
    "torch", "gmpy2", "mpmath", "more_itertools", "bitarray", "regex", "dateutil", "pytz", "requests", "yaml",
    "nltk", "PIL", "cv2", "seaborn", "statsmodels", "bs4", "lxml", "tqdm", "acl", "atcoder", "pyrival",
    "intervaltree", "llist", "ortools",
})  # fmt: skip


def missing_package(error: SourceError | None, config: SandboxConfig) -> str:
    """The package, or nothing: for other errors, names that are none, and what ``egca.sandbox.packages`` gives."""
    if error is None or error.type not in ("ModuleNotFoundError", "ImportError"):
        return ""
    found = _MISSING.match(error.message)
    name = found.group(1) if found else ""
    if not name or name in config.packages or name in sys.stdlib_module_names:
        return ""
    return name if name in _KNOWN or _is_installed(name) else ""


def is_import(source: str, spans: Sequence[Span]) -> bool:
    """Whether all that is blamed is a single import, without which the program would be right."""
    return len(spans) == 1 and source[spans[0].start : spans[0].end].startswith(("import ", "from "))


def told(verdict: Verdict, config: SandboxConfig) -> Verdict:
    """With the missing package in words, where that is why it failed."""
    name = missing_package(verdict.error, config)
    return replace(verdict, detail=f"{name} is not among egca.sandbox.packages") if name else verdict


@lru_cache(maxsize=1024)
def _is_installed(name: str) -> bool:
    """Looks on the search path and imports nothing: the name is a hostile program's."""
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False
