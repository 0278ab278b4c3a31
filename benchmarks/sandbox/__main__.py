"""``python -m benchmarks.sandbox throughput [--quick] | soak [RUNS] | attacks | verdicts | stdin``."""

from __future__ import annotations

import argparse

from benchmarks.sandbox import conformance, soak, standard_input, throughput


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sandbox", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("throughput", help="programs a second beside others").add_argument(
        "--quick", action="store_true"
    )
    commands.add_parser("soak", help="many mixed runs").add_argument("runs", type=int, nargs="?", default=100_000)
    commands.add_parser("attacks", help="the attack corpus against every scorer")
    commands.add_parser("verdicts", help="the programs of known verdict against every scorer that judges them")
    commands.add_parser("stdin", help="programs on standard input beside prime_code").add_argument(
        "--rounds", type=int, default=3
    )
    chosen = parser.parse_args()
    if chosen.command == "throughput":
        throughput.main(quick=chosen.quick)
    elif chosen.command == "soak":
        soak.main(chosen.runs)
    elif chosen.command == "verdicts":
        conformance.verdicts()
    elif chosen.command == "stdin":
        standard_input.main(chosen.rounds)
    else:
        conformance.main()


main()
