"""Which training tasks are too near a benchmark to be trained on: by name, wording, code, or behaviour.

*Name*: the two entry points have the same name, but for case and underscores.
*Wording*: the two prompts share a run of :data:`WORDS` words that is no phrase of the training set's own template.
*Code*: most of one reference's runs of :data:`TOKENS` tokens, names abstracted, are in the other's.
*Behaviour*: the two references return the same on every input that both accept, those of either task's tests.

Behaviour finds what was reworded and rewritten; the others find what is near though its behaviour differs. A task that
is reworded *and* whose reference errs, or takes its arguments in another form, is found by none.
The references run in the sandbox: they are code from a data set.
"""

from __future__ import annotations

import io
import keyword
import re
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from egca_plugin.errors import WireError
from egca_plugin.judging.referee import judge
from egca_plugin.program.preamble import in_front
from egca_plugin.sandbox import wire
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Call, CallStatus, Task

WORDS = 6
TOKENS = 12
CODE_SHARE = 0.6
TEMPLATE_SHARE = 0.02  # a run of words in more than this share of the training prompts is the template's
INPUTS = 4  # shared inputs that behaviour needs at the least,
OUTPUTS = 3  # with so many different outputs; with two outputs (yes or no) it needs
YES_NO_INPUTS = 10
TIMEOUT_S = 0.5  # for one reference on the inputs of one other task

Grams = frozenset[tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Match:
    """Training task ``task_id`` is near the benchmark's ``near``; ``kind`` is name, wording, code or behaviour."""

    task_id: str
    near: str
    kind: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A task's reference and what it returned on the inputs of its own tests: wire form -> printed value."""

    task: Task
    outputs: Mapping[bytes, str]
    shapes: frozenset[tuple[str, ...]]


def matches(train: Sequence[Task], benchmark: Sequence[Task], sandbox: Sandbox) -> Iterator[Match]:
    """Every match, in the order of ``train``; a pair may match in more than one way. Raises SandboxError."""
    words, tokens = _without_template([_grams(_words(task.prompt), WORDS) for task in train]), _code_grams(train)
    theirs = [
        (task, _grams(_words(task.prompt), WORDS), code, behaviour(task, sandbox))
        for task, code in zip(benchmark, _code_grams(benchmark), strict=True)
    ]
    for task, worded, coded in zip(train, words, tokens, strict=True):
        mine = behaviour(task, sandbox)
        open_questions = _not_refuted(mine, [known for *_, known in theirs], sandbox)
        for other, other_words, other_code, other_behaviour in theirs:
            found = {
                "name": _same_name(task, other),
                "wording": _shared_words(worded, other_words),
                "code": _shared_code(coded, other_code),
                "behaviour": same_behaviour(mine, other_behaviour, sandbox) if other.task_id in open_questions else "",
            }
            yield from (
                Match(task.task_id, other.task_id, kind, evidence) for kind, evidence in found.items() if evidence
            )


# --- name, wording and code ---------------------------------------------------------------------------------------


def _same_name(task: Task, other: Task) -> str:
    bare = task.entry_point.replace("_", "").lower()
    return f"both are called {task.entry_point}" if bare == other.entry_point.replace("_", "").lower() else ""


def _words(text: str) -> list[str]:
    """Words without digits: example lists such as ``1, 2, 3, 4`` are in every other prompt."""
    return re.findall(r"[a-z]+", text.lower())


def _grams(items: Sequence[str], n: int) -> Grams:
    return frozenset(tuple(items[at : at + n]) for at in range(len(items) - n + 1))


def _without_template(prompts: Sequence[Grams]) -> list[Grams]:
    counts = Counter(gram for prompt in prompts for gram in prompt)
    most = max(1.0, TEMPLATE_SHARE * len(prompts))
    return [frozenset(gram for gram in prompt if counts[gram] <= most) for prompt in prompts]


def _shared_words(mine: Grams, theirs: Grams) -> str:
    shared = sorted(mine & theirs)
    return f"both say “{' '.join(shared[0])}”" if shared else ""


def _code_grams(tasks: Iterable[Task]) -> list[Grams]:
    return [_grams(_code_tokens(task.reference), TOKENS) for task in tasks]


def _code_tokens(source: str) -> list[str]:
    """Tokens without comments, docstrings and layout; a name that is no keyword stands as ``n``, a text as ``s``."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    found: list[str] = []
    start_of_line = True
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type in skipped:
                start_of_line = start_of_line or token.type != tokenize.COMMENT
                continue
            if token.type == tokenize.STRING:
                found += [] if start_of_line else ["s"]
            elif token.type == tokenize.NAME and not keyword.iskeyword(token.string):
                found.append("n")
            else:
                found.append(token.string)
            start_of_line = False
    except (tokenize.TokenError, SyntaxError):  # the tokens up to there will do
        pass
    return found


def _shared_code(mine: Grams, theirs: Grams) -> str:
    smaller = min(len(mine), len(theirs))
    share = len(mine & theirs) / smaller if smaller >= TOKENS else 0.0
    return (
        f"{share:.0%} of the shorter reference's runs of {TOKENS} tokens are in the other"
        if share >= CODE_SHARE
        else ""
    )


# --- behaviour ----------------------------------------------------------------------------------------------------


def behaviour(task: Task, sandbox: Sandbox) -> Behaviour:
    """Run the task's tests on its reference and keep what the entry point returned."""
    task = replace(task, reference=in_front(task.preamble, task.reference))
    outputs: dict[bytes, str] = {}
    shapes: set[tuple[str, ...]] = set()
    for tested in judge(sandbox, task.reference, task).calls:
        shape = _shape(tested.call.arguments)
        if tested.call.function == task.entry_point and tested.result.status is CallStatus.VALUE and shape is not None:
            outputs[tested.call.arguments] = _printed(tested.result.value)
            shapes.add(shape)
    return Behaviour(task, outputs, frozenset(shapes))


def _not_refuted(mine: Behaviour, others: Sequence[Behaviour], sandbox: Sandbox) -> set[str]:
    """Ids of ``others`` that one input each, all in one process, does not tell from ``mine``: most pairs end here.

    Where the call ended otherwise than with a value, the question stays open.
    """
    fitting = [(other, next((a for a in other.outputs if _shape(a) in mine.shapes), None)) for other in others]
    probes = [(other, arguments) for other, arguments in fitting if arguments is not None]
    calls = [Call(mine.task.entry_point, arguments) for _, arguments in probes]
    results = sandbox.run_calls(mine.task.reference, calls, timeout_s=TIMEOUT_S) if calls else ()
    return {
        other.task.task_id
        for (other, arguments), result in zip(probes, results, strict=True)
        if result.status is not CallStatus.VALUE or _printed(result.value) == other.outputs[arguments]
    }


def same_behaviour(mine: Behaviour, theirs: Behaviour, sandbox: Sandbox) -> str:
    """The evidence that both references do the same on all shared inputs, empty where they do not, or too few tell."""
    if not mine.shapes & theirs.shapes:
        return ""
    outputs: list[str] = []
    for runs, knows in ((mine, theirs), (theirs, mine)):
        for seen, known in _side_by_side(runs, knows, sandbox):
            if seen != known:
                return ""
            outputs.append(known)
    different = len(set(outputs))
    enough = len(outputs) >= (INPUTS if different >= OUTPUTS else YES_NO_INPUTS)
    if different < 2 or not enough:
        return ""
    return f"both return the same on {len(outputs)} inputs, {different} different values"


def _side_by_side(runs: Behaviour, knows: Behaviour, sandbox: Sandbox) -> Iterator[tuple[str, str]]:
    """What ``runs`` returns on the inputs of ``knows`` that look like its own, beside what ``knows`` returned."""
    inputs = [arguments for arguments in knows.outputs if _shape(arguments) in runs.shapes]
    calls = [Call(runs.task.entry_point, arguments) for arguments in inputs]
    if not calls:
        return
    results = sandbox.run_calls(runs.task.reference, calls, timeout_s=TIMEOUT_S)
    for arguments, result in zip(inputs, results, strict=True):
        if result.status is CallStatus.VALUE:
            yield _printed(result.value), knows.outputs[arguments]


def _shape(arguments: bytes) -> tuple[str, ...] | None:
    """The arguments' types, of containers with the first item's; None where they do not decode or have keywords."""
    try:
        args, kwargs = wire.decode(arguments)
    except WireError:
        return None
    return None if kwargs else tuple(_kind(value) for value in args)


def _kind(value: Any) -> str:
    if isinstance(value, (bool, int, float)):
        return "number"
    if isinstance(value, (list, tuple)):
        return f"sequence of {_kind(value[0])}" if value else "sequence"
    return type(value).__name__


def _printed(value: bytes) -> str:
    """A value in a form that equal answers share: 2 and 2.0, a list and a tuple, floats to nine digits."""
    try:
        return repr(_plain(wire.decode(value)))
    except WireError:
        return repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if isinstance(value, int) else int(value) if value.is_integer() else float(f"{value:.9g}")
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(repr(_plain(item)) for item in value)
    if isinstance(value, dict):
        return sorted((repr(_plain(key)), repr(_plain(item))) for key, item in value.items())
    return value
