"""Codes of the records in plain English: why a credit is where it is, or uniform."""

from __future__ import annotations

from egca_plugin.types import Credit, FailedTest, Mode

REASONS = {
    "passed": "all tests pass, there is nothing to localise",
    "does_not_compile": "it does not compile, and the compiler's position is all there is",
    "unstable": "two identical runs of it disagreed, so traces prove nothing",
    "no_reference": "no reference program ran to a value on the failing input",
    "no_calls": "the tests failed before they called the program",
    "no_difference": "it and the reference agree on every recorded call",
    "trace_mismatch": "the run under probes did not reproduce the plain run",
    "budget": "the time or step budget was spent",
    "no_divergence": "the results differ, but no aligned pair of variables does",
    "unverified": "a divergence was found, but no small change there makes the tests pass",
    "no_evidence": "this localiser needs something that the case does not have",
    "debugger_unreachable": "the debugging model did not answer",
    "debugger_answer": "the debugging model's answer names no place in the program",
    "compile_error": "it does not compile",
    "compile_error_without_place": "it does not compile, and the compiler names no place in the sampled text",
    "exception": "it raised, at no place in the sampled text",
    "violation": "it breaks a constraint",
    "not_comparable": "it is built too unlike the reference to be compared",
    "budget_spent": "the batch's share of localised samples was spent on others",
    "no_advantage": "its group is rewarded alike throughout, so that there is no advantage to place",
    "credit_late": "its credit was not ready when the step needed it",
    "credit_lost": "its credit was lost with the process that had it",
    "pending": "it was judged, and not localised yet",
    "examination_failed": "the program could not be examined",
    "localizer_failed": "the localiser itself failed",
    "remote_sandbox": "it ran on a server, which can neither trace it nor try a patch",
    "missing_package": "it imports a package that is not among egca.sandbox.packages",
    "judge_only": "it is a validation sample, of which nothing is learnt",
    "infrastructure": "the sandbox failed, which is no verdict on the program",
    "bad_task": "the task's own tests cannot be run, which is no verdict on the program",
    "refused": "it did what the sandbox refuses",
    "span_not_sampled": "the blamed text is the prompt's, not the model's",
    "not_sure_enough": "the localiser is less sure than egca.min_confidence asks for",
    "span_too_wide": "the blamed text is nearly the whole program",
    "span_without_tokens": "the blamed characters belong to no sampled token",
    "tokenizer_mismatch": "the sampled tokens do not spell the text",
}
UNIFORM = {
    Mode.CORRECT: "it passes its tests",
    Mode.CONSTRAINT: "it breaks a constraint, or is built too unlike every reference to be compared",
    Mode.SYNTAX: "nothing points at one place",
    Mode.LOGIC: "no narrower place could be found",
}


SHOWN = 40  # characters of a line, from the decision on


def of_reason(code: str) -> str:
    """A sentence part for a reason code; a code unknown to this version stands for itself."""
    return REASONS.get(code, code.replace("_", " "))


def of_credit(credit: Credit) -> str:
    """One sentence: what is to blame and why, or why nothing narrower than the sample is."""
    if credit.spans:
        why = of_reason(credit.reason) if credit.reason else "the evidence points here"
        how = "a change of this text alone makes every test pass" if credit.verified else why
        return f"The marked text is to blame: {how}."
    if credit.mode is Mode.CORRECT:
        return f"Credit is uniform: {UNIFORM[credit.mode]}."
    return f"Credit is uniform: {of_reason(credit.reason) if credit.reason else UNIFORM[credit.mode]}."


def of_decision(credit: Credit, text: str) -> str:
    """Where what was sampled parts from the repaired program; empty where that is not known, and without a text."""
    if credit.decision is None or not credit.spans or not text:
        return ""
    at = credit.decision.start
    rest = text[at:].partition("\n")[0].strip()
    what = f"`{rest[:SHOWN]}{'...' if len(rest) > SHOWN else ''}`" if rest else "its end"
    praised = "; what stands in front of it is praised" if credit.mended else ""
    return f"line {text.count(chr(10), 0, at) + 1}, at {what}{praised}"


def of_verdict(credit: Credit) -> str:
    """What the judge said: ``logic: wrong_answer, 1 of 3 tests pass``."""
    return f"{credit.mode.value}: {credit.outcome.value}, {credit.tests_passed} of {credit.tests_total} tests pass"


def of_failed(failed: FailedTest | None) -> dict[str, str]:
    """The first failing test in parts, each under its name, those left out that it does not have."""
    if failed is None:
        return {}
    parts = {
        "test": f"number {failed.test + 1}",
        "call": failed.call,
        "read": failed.stdin,
        "expected": failed.expected,
        "got": failed.got,
        "raised": failed.exception,
    }
    return {name: text for name, text in parts.items() if text}
