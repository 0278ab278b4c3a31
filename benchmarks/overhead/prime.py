"""verl's own scorer of programs, ``prime_code``, as the yardstick."""

from __future__ import annotations

import contextlib
import io
from typing import Any

DATA_SOURCE = "taco"  # one of those that verl sends to prime_code


def accepts(program: str, in_outs: dict[str, Any]) -> bool:
    """Does prime_code pass ``program`` on its first run over all tests?"""
    from verl.utils.reward_score.prime_code.utils import check_correctness

    with contextlib.redirect_stdout(io.StringIO()):
        copy = {**in_outs, "outputs": list(in_outs["outputs"])}
        results, _ = check_correctness(in_outs=copy, generation=program, timeout=5, debug=False)
    return bool(results) and all(result is True for result in results)
