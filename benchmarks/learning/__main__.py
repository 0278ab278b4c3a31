"""``python -m benchmarks.learning [synthetic|policy|snr|programs|onestep] ...``: a tiny policy, a real model in verl,
its gradients, a small policy that writes real programs, one step of a real model.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Dispatch; ``synthetic`` where no part is named."""
    if argv[:1] == ["policy"]:
        from benchmarks.learning import policy

        return policy.main(argv[1:])
    if argv[:1] == ["snr"]:
        from benchmarks.learning import snr

        return snr.main(argv[1:])
    if argv[:1] == ["programs"]:
        from benchmarks.learning.programs.__main__ import main as programs

        return programs(argv[1:])
    if argv[:1] == ["onestep"]:
        from benchmarks.learning.onestep.__main__ import main as onestep

        return onestep(argv[1:])
    from benchmarks.learning import matrix

    return matrix.main(argv[1:] if argv[:1] == ["synthetic"] else argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
