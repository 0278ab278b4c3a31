"""The frozen values that travel between stages, in the order in which a rollout meets them.

    Task + Completion -> Program -> Verdict -> Mode -> Localization -> Credit -> per-token weights

Offsets named ``start``/``end`` are character offsets, end exclusive; lines are 1-based.
``bytes`` fields hold values in the wire format of :mod:`egca_plugin.sandbox.wire`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from egca_plugin.display import HtmlTable


class Mode(str, Enum):
    """Who gets the advantage (METHOD.md, step 4)."""

    CORRECT = "correct"
    LOGIC = "logic"
    SYNTAX = "syntax"
    CONSTRAINT = "constraint"


class Outcome(str, Enum):
    """How a judged program ended."""

    OK = "ok"
    WRONG_ANSWER = "wrong_answer"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    COMPILE_ERROR = "compile_error"
    REFUSED = "refused"
    INFRASTRUCTURE = "infrastructure"
    UNJUDGEABLE = "unjudgeable"  # the task's own tests cannot be run: no verdict on the program


# --- what goes in -----------------------------------------------------------------------------------------------


class Kind(str, Enum):
    """What a task's program is: a function that is called, a method of a class, a whole program on standard input."""

    FUNCTION = "function"
    METHOD = "method"
    STDIN = "stdin"


@dataclass(frozen=True, slots=True)
class Compare:
    """How an output is compared with the expected one.

    ``mode``: ``tokens``, ``lines``, ``exact`` or ``value``; empty for the kind's default (``tokens`` for stdin,
    ``value`` for calls). ``abs`` and ``rel``: tolerances of numbers, as in :func:`math.isclose`. ``case``: whether case
    matters.
    """

    mode: str = ""
    abs: float = 0.0
    rel: float = 0.0
    case: bool = True


@dataclass(frozen=True, slots=True)
class Limits:
    """A task's own limits; None for those of the settings. ``tests``: at most so many of its tests are run."""

    time_s: float | None = None
    memory_mb: int | None = None
    tests: int | None = None


@dataclass(frozen=True, slots=True)
class CallCase:
    """One call and its result, all three as JSON text: a list, an object, any value."""

    args: str
    kwargs: str
    expected: str


@dataclass(frozen=True, slots=True)
class StdinCase:
    """One run of a whole program; ``stdout`` holds every accepted output."""

    stdin: str
    stdout: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One training prompt with its reference program and its tests (docs/data.md has every field).

    ``tests`` is the source of ``check(candidate)`` or of pytest or unittest tests, or a tuple of ``assert`` statements;
    empty where ``cases``, calls or runs of a program, stand in its place. In a file both are the field ``tests``.
    ``setup`` runs before the tests, on the trusted side only. ``preamble`` is put in front of the candidate, in no
    segment, and never credited. ``checker`` is source of ``check(stdin, output, expected) -> bool``, run on the trusted
    side. ``extra`` are the fields of the file that are none of ours, passed through; they do not count for equality.
    """

    task_id: str
    prompt: str
    entry_point: str
    reference: str
    tests: str | tuple[str, ...]
    setup: str = ""
    constraints: tuple[str, ...] = ()
    kind: Kind = Kind.FUNCTION
    preamble: str = ""
    compare: Compare = Compare()
    checker: str = ""
    cases: tuple[CallCase, ...] | tuple[StdinCase, ...] = ()
    limits: Limits = Limits()
    extra: Mapping[str, Any] = field(default_factory=dict, compare=False, hash=False)


@dataclass(frozen=True, slots=True)
class Completion:
    """What the model said, as text; ``group_id`` names the GRPO group it was sampled in."""

    text: str
    group_id: str = ""


# --- program/ ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Segment:
    """``program.source[program_start:][:length] == completion.text[completion_start:][:length]``."""

    program_start: int
    completion_start: int
    length: int


@dataclass(frozen=True, slots=True)
class SourceError:
    """Why a program does not compile, and where: ``line`` and ``column`` (characters, 1-based) in the program."""

    type: str
    message: str
    line: int | None = None
    column: int | None = None


@dataclass(frozen=True, slots=True)
class Program:
    """Python source extracted from a completion, with the map back to the completion's characters.

    Characters outside every segment (HumanEval's prompt in front of a continuation, say) were not sampled and can
    never be credited.
    """

    source: str
    segments: tuple[Segment, ...]
    error: SourceError | None = None

    @property
    def compiles(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Characters ``[start, end)`` of one text."""

    start: int
    end: int


# --- sandbox/ ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function of the program: ``arguments`` is the wire form of ``(args, kwargs)``.

    ``take``: so many items of an iterator that it returns, None for all up to a bound; below zero see
    :mod:`egca_plugin.sandbox.wire`. ``clock``: the tests' time in nanoseconds, before which it does not begin.
    ``seeds``: modules of random numbers, and what the tests have seeded them with before the call.
    """

    function: str
    arguments: bytes
    take: int | None = None
    clock: int = 0
    seeds: tuple[tuple[str, Any], ...] = ()


class CallStatus(str, Enum):
    """How one call, or one trial of a batch, ended."""

    VALUE = "value"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    REFUSED = "refused"  # the value cannot cross the wire
    BUDGET = "budget"  # the step or event budget is spent
    DIED = "died"  # the process ended without a complete record


@dataclass(frozen=True, slots=True)
class CallResult:
    """What came back from one call.

    ``value`` is set for VALUE; for EXCEPTION it may be the exception, for the tests to see. ``arguments_after`` is the
    wire form of ``(args, kwargs)`` after the call where the call changed them in place, else ``b""``. ``line`` is
    where the exception was raised, in the program's own lines. What was heard of it, where that was asked, is below.
    """

    status: CallStatus
    value: bytes = b""
    arguments_after: bytes = b""
    error_type: str = ""
    error_message: str = ""
    line: int | None = None
    steps: int = 0
    error_base: str = ""  # the nearest builtin exception class of error_type
    printed: str = ""  # on standard output
    complaints: str = ""  # on standard error
    notes: tuple[tuple[str, str, str, str, int], ...] = ()  # warnings and log records: see egca_plugin.judging.heard
    clock: int = 0  # when it ended, in nanoseconds of the program's time


@dataclass(frozen=True, slots=True)
class TestedCall:
    """A call that the tests made: ``test`` is the index of the test; ``passed`` is that test's verdict."""

    call: Call
    test: int
    passed: bool
    result: CallResult


@dataclass(frozen=True, slots=True)
class FailedTest:
    """The first test that failed, in words, each bounded to about 2,000 characters.

    ``call`` or ``stdin`` is what the program was given, ``got`` what it gave, ``exception`` what it raised, or
    the test itself over its answers.
    """

    test: int
    call: str = ""
    stdin: str = ""
    expected: str = ""
    got: str = ""
    exception: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The referee's judgement of one program against one task's tests."""

    outcome: Outcome
    tests_passed: int
    tests_total: int
    calls: tuple[TestedCall, ...] = ()
    error: SourceError | None = None  # compile error, or the exception of the first failing test
    stable: bool = True  # False where two identical runs disagreed
    detail: str = ""
    ms: float = 0.0
    failed: FailedTest | None = None

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.OK


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """Probe ``site`` saw ``value`` (a bounded, hashable digest of it) as the ``index``-th event of the run."""

    site: int
    value: Any
    index: int


@dataclass(frozen=True, slots=True)
class RawTrace:
    """Everything the probes saw during one call."""

    events: tuple[TraceEvent, ...]
    result: CallResult
    lines: frozenset[int] = frozenset()


# --- localize/ --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Divergence(HtmlTable):
    """The earliest semantic divergence k*, told so that a person understands it.

    ``line`` counts in the program until the pipeline maps it to the completion. ``expected`` and ``seen`` are short
    printed values; ``occurrence`` is the 1-based pass through that place.
    """

    message: str
    line: int
    occurrence: int = 1
    variable: str | None = None
    expected: str = ""
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Localization:
    """What a localiser says: spans in the *program's* characters, most blamed first, or a reason to abstain.

    ``verified``: a patch confined to the spans makes every test pass. ``confidence``: how likely the line on which the
    first span begins is a faulty one, 0 to 1. ``stage`` names the evidence, for the records.
    """

    spans: tuple[Span, ...] = ()
    verified: bool = False
    confidence: float = 0.0
    stage: str = ""
    reason: str = ""
    divergence: Divergence | None = None
    reference: str = ""  # which reference it was compared with
    patch: str = ""  # the proving change as `old -> new`, for people
    patched: str = ""  # the whole program with that change, in `ast.unparse`'s layout
    size: int = 0  # parts of it that the change takes out and puts in
    trials: int = 0


# --- credit/ ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """Response tokens ``[start, end)``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Instead:
    """How a repair goes on: up to ``start``, a character of the completion, it is what was sampled, then ``text``."""

    start: int
    text: str


@dataclass(frozen=True, slots=True)
class Credit(HtmlTable):
    """The pipeline's answer for one completion. Empty ``spans`` mean uniform credit, that is plain GRPO.

    ``spans`` are characters of the completion, most blamed first. ``decision`` is the character at which what was
    sampled parts from its verified repair (:mod:`egca_plugin.credit.decision`), None where that is not known;
    ``instead``, where that can be told, is how the repair goes on, and ``begins`` where the program does.
    ``reason`` is a code wherever a narrower credit was possible in principle and not given. ``ms`` maps a stage's name
    to milliseconds. ``anomalies`` are what may mean that the program aims at the tests
    (:mod:`egca_plugin.judging.anomalies`). ``restarts`` counts, by kind, the processes that were lost and replaced
    while the sample was judged; it was judged again from the start. ``diff`` is what ``patch`` changes, as
    :func:`egca_plugin.program.change.diff` tells it, and ``repaired`` the whole program with that change, in
    ``ast.unparse``'s layout; both are empty where nothing is proved. ``mended``, of a sample whose
    beginning is praised (:mod:`egca_plugin.credit.praise`), is the rate at which its group would pass, had the proven
    samples been mended too; 0.0 elsewhere.
    """

    mode: Mode
    reward: float
    outcome: Outcome
    tests_passed: int
    tests_total: int
    spans: tuple[Span, ...] = ()
    verified: bool = False
    confidence: float = 0.0
    stage: str = ""
    reason: str = ""
    divergence: Divergence | None = None
    reference: str = ""
    patch: str = ""
    ms: Mapping[str, float] = field(default_factory=dict)
    anomalies: tuple[str, ...] = ()
    restarts: Mapping[str, int] = field(default_factory=dict)
    decision: Span | None = None
    failed: FailedTest | None = None
    diff: str = ""
    repaired: str = field(default="", repr=False)
    mended: float = 0.0
    instead: Instead | None = field(default=None, repr=False)
    begins: int = field(default=0, repr=False)

    @property
    def passed(self) -> bool:
        return self.outcome is Outcome.OK

    def _title(self) -> str:
        proof = ", proved by a patch" if self.verified else ""
        return f"Credit: {f'on {len(self.spans)} span(s){proof}' if self.spans else 'uniform, plain GRPO'}"
