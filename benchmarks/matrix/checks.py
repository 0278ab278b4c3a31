"""The checks that rows share. Each returns what it found to hold, for the table."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.matrix.row import Check, Ran, require
from egca_plugin.adapters.verl import launch

TOOL_SAYS = "Mind the tests of"
_MEASURED = ("ms", "key")  # fields of a record that differ between equal runs: times, and verl's random ids


def placed(ran: Ran) -> str:
    """Every step moved credit for some rows and not for all, and the span kept what its scale leaves it."""
    for metrics in ran.steps:
        require(0 < metrics["egca/mass/mean"] < 1 + 1e-4, f"mass {metrics['egca/mass/mean']} of the moved rows")
        require(metrics["egca/outcome/infrastructure"] == 0, "samples were lost")
        require(metrics["egca/fallback/no_credit"] == 0, "samples came without a credit")
    shares = [metrics["egca/moved"] for metrics in ran.steps]
    require(any(0 < share < 1 for share in shares), f"credit moved for {shares} of the rows")
    require({record["moved"] for record in ran.records} == {True, False}, "the records do not say whose credit moved")
    mass = sum(metrics["egca/mass/mean"] for metrics in ran.steps) / len(ran.steps)
    return f"credit moved for {min(shares):.0%} to {max(shares):.0%} of the rows a step, {mass:.0%} of their mass kept"


def agrees(limit: float) -> Check:
    """Rollout and actor give every sampled token the same probability: fresh weights, and no sample sees another."""

    def check(ran: Ran) -> str:
        worst = max(metrics["training/rollout_probs_diff_max"] for metrics in ran.steps)
        require(worst < limit, f"rollout and actor differ by {worst} in a probability")
        return f"rollout and actor agree on every probability to {worst:.0e}"

    return check


def on_policy_in_the_first_step(limit: float) -> Check:
    """All old log-probabilities of the first step are those of the first weights, also after its first update."""

    def check(ran: Ran) -> str:
        worst = ran.steps[0]["training/rollout_probs_diff_max"]
        require(worst < limit, f"rollout and old log-probabilities differ by {worst} in the first step")
        return f"old log-probabilities of step 1 are those of the rollout's weights to {worst:.0e}"

    return check


def metric(name: str, holds: Callable[[float], bool], phrase: str) -> Check:
    """A metric of the last step. ``phrase`` has a place for its value."""

    def check(ran: Ran) -> str:
        last = ran.steps[-1]
        require(name in last, f"no metric {name}; there are {', '.join(sorted(last))}")
        require(holds(last[name]), f"{name} is {last[name]}")
        return phrase.format(last[name])

    return check


def finite(ran: Ran) -> str:
    """The gradient is a number, and not zero."""
    norms = [metrics["actor/grad_norm"] for metrics in ran.steps]
    require(all(math.isfinite(norm) for norm in norms) and any(norm > 0 for norm in norms), f"gradient norms {norms}")
    return f"gradient norm {max(norms):.2g}"


def records(count: int) -> Check:
    """One record per sampled response, none for padding."""

    def check(ran: Ran) -> str:
        require(len(ran.records) == count, f"{len(ran.records)} records, expected {count}")
        return f"{count} records, one a response"

    return check


def behind_a_tool(ran: Ran) -> str:
    """Where a tool spoke before the program, the credited tokens are still those of the blamed characters."""
    spoken = [record for record in ran.records if TOOL_SAYS in record["completion"]]
    moved = [record for record in spoken if record["moved"]]
    require(bool(moved), f"credit moved in none of {len(spoken)} responses with a tool's words")
    for record in moved:
        blamed = record["completion"][record["span"]["start"] : record["span"]["end"]]
        require(blamed in "".join(record["credited_text"]), f"{blamed!r} is not in {record['credited_text']}")
    return f"the right tokens in {len(moved)} responses behind a tool's words"


def reasoning_keeps_its_own(ran: Ran) -> str:
    """What moved onto the blamed tokens is the mass of the program alone: less than that of all tokens."""
    moved = [record for record in ran.records if record["moved"]]
    require(all("</think>" in record["completion"] for record in moved), "a response did not think")
    left = [record["tokens"] - record["concentration"] * record["credited_tokens"] for record in moved]
    require(min(left) > 1, f"reasoning kept the credit of {min(left):.1f} tokens")
    return f"reasoning kept the credit of its own {min(left):.0f} to {max(left):.0f} tokens in {len(moved)} responses"


def last_output_only(ran: Ran) -> str:
    """In sessions of several outputs only the last one was judged, so only its credit may move."""
    outputs = {str(record["key"]): record for record in ran.records}
    early = [key for key in outputs if _next_output(key) in outputs]
    require(bool(early), "no session had several outputs")
    require(not any(outputs[key]["moved"] for key in early), "credit moved in an output that was not judged")
    return f"{len(early)} outputs that were tried again keep plain GRPO credit"


def groups_differ(ran: Ran) -> str:
    """verl left groups out; of what it trained on every group has an advantage, and every sample its whole credit."""
    evicted = sum(v for metrics in ran.steps for k, v in metrics.items() if k.endswith("filter_groups/evicted_samples"))
    require(evicted > 0, "no group was replaced")
    rewards: defaultdict[str, set[float]] = defaultdict(set)
    for record in ran.records:
        rewards[str(record["key"]).rsplit("_", 2)[0]].add(record["reward"])
    require(all(len(different) > 1 for different in rewards.values()), "a group is rewarded alike")
    unfinished = [r["reason"] for r in ran.records if r["reason"] in ("pending", "credit_lost", "credit_late")]
    require(not unfinished, f"samples without their credit: {unfinished}")
    return f"{evicted:.0f} groups replaced, {len(rewards)} credited"


def _next_output(key: str) -> str:
    session, _, output = key.rpartition("_")
    return f"{session}_{int(output) + 1}"


def logged(words: str, phrase: str) -> Check:
    """verl's log says ``words``."""

    def check(ran: Ran) -> str:
        require(words in ran.log, f"the log does not say {words!r}")
        return phrase

    return check


def files(pattern: str, count: int, phrase: str) -> Check:
    """The run left ``count`` files of that pattern."""

    def check(ran: Ran) -> str:
        found = len(list(ran.home.glob(pattern)))
        require(found == count, f"{found} files {pattern}, expected {count}")
        return phrase

    return check


def validated(*steps: int) -> Check:
    """Accuracy was reported at these steps."""

    def check(ran: Ran) -> str:
        for step in steps:
            require("val-core/egca/tiny/acc/mean@1" in ran.metrics.get(step, {}), f"no accuracy at step {step}")
        return f"accuracy at steps {', '.join(map(str, steps))}"

    return check


def speed_against(other: str) -> Check:
    """How long the phases of a step took, against an earlier run of the same samples' number; the first is warm-up."""

    def check(ran: Ran) -> str:
        lines = (ran.home.parent / other / "verl.log").read_text(encoding="utf-8").splitlines()
        theirs = dict(found for found in map(launch.step_metrics, lines) if found)
        said = []
        for phase in ("step", "gen", "old_log_prob", "update_actor"):
            name = f"timing_s/{phase}"
            ours, base = (
                statistics.median(metrics[name] for step, metrics in by_step.items() if step > 1)
                for by_step in (ran.metrics, theirs)
            )
            said.append(f"{phase} {ours:.1f} s against {base:.1f} s ({base / ours:.2f} times as fast)")
        return ", ".join(said)

    return check


def comparable(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record without what two equal runs measure differently."""
    return {name: value for name, value in record.items() if name not in _MEASURED}
