"""At which token the answer's repair parts from the program, and at which its right version does.

By SmolLM2's tokenizer where the model is at hand (`egca demo` fetches it), as a trainer would by its own; else by
characters.
"""

from __future__ import annotations

import ast
import gc
from functools import cache
from typing import Any

from egca_plugin.adapters.smollm2 import HUB_NAME, MANIFEST, cache_dir
from egca_plugin.credit.decision import Decision, decision
from egca_plugin.credit.parting import parting
from egca_plugin.credit.tokens import TokenBytes
from egca_plugin.types import Instead, Span


def is_the_true_one(program: str, fixed: str, patched: str) -> bool | None:
    """Whether the repair ``patched`` has the decision of the right version ``fixed``; None where that has none."""
    true, found = decision(program, ast.unparse(ast.parse(fixed))), decision(program, patched)
    if true is None:
        return None
    return found is not None and _token(program, found) == _token(program, true)


def unit() -> str:
    """What decisions are compared in."""
    return "characters" if _tokenizer() is None else f"tokens of {HUB_NAME}"


@cache
def _tokenizer() -> Any:
    home = cache_dir() / "models" / HUB_NAME.rpartition("/")[2]
    if not (home / MANIFEST).exists():
        return None
    from transformers import AutoTokenizer

    found = AutoTokenizer.from_pretrained(home)
    gc.collect()
    gc.freeze()  # else each collection of all that was imported, a quarter of a second, falls into somebody's time
    return found


@cache
def _token_bytes() -> TokenBytes:
    return TokenBytes(_tokenizer())


def _token(program: str, found: Decision) -> int | None:
    """The number of the token among the program's own, or of the end behind them."""
    tokenizer = _tokenizer()
    if tokenizer is None:
        return found.at
    ids = [*tokenizer.encode(program, add_special_tokens=False), tokenizer.eos_token_id]
    instead = Instead(found.start, found.text) if found.text else None
    place = Span(found.at, found.at + 1)
    token = parting(_token_bytes().align(ids), len(ids), place, instead, _token_bytes().common)
    return None if token is None else token.token.start
