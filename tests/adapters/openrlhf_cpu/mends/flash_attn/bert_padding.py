"""Names that openrlhf.models.ring_attn_utils imports, and that packed samples alone call."""

from typing import Any

from einops import rearrange

__all__ = ["index_first_axis", "pad_input", "rearrange", "unpad_input"]


def _absent(*args: Any, **kwargs: Any) -> None:
    raise NotImplementedError("flash-attn is a stub here")


index_first_axis = pad_input = unpad_input = _absent
