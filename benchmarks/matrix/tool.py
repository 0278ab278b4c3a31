"""The tool that replayed responses call (``multi_turn.function_tool_path``)."""

from __future__ import annotations

from verl.tools.function_tool import function_tool

from benchmarks.matrix.checks import TOOL_SAYS


@function_tool
def hint(about: str) -> str:
    """Give a hint.

    Args:
        about: What the hint is about.
    """
    return f"{TOOL_SAYS} {about}."
