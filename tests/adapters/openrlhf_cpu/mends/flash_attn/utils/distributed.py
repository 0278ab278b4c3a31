from typing import Any


def all_gather(*args: Any, **kwargs: Any) -> None:
    raise NotImplementedError("flash-attn is a stub here")
