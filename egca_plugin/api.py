"""The public functions: samples in, credits out, and a credit as weights of the tokens that were sampled.

Everything goes through :mod:`egca_plugin.pipeline`; nothing here knows a framework, or needs one.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from types import TracebackType
from typing import Any

from egca_plugin.adapters.responses import Reader, Response
from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.config import EgcaConfig
from egca_plugin.credit.praise import of_passing
from egca_plugin.credit.tokens import Tokenizer
from egca_plugin.credit.tokens import decode as spelled
from egca_plugin.credit.weights import advantages, weights
from egca_plugin.errors import ConfigError, SandboxError, TokenizerError
from egca_plugin.pipeline import Group, assess_groups, open_pool
from egca_plugin.types import Completion, Credit, Outcome, Task

LARGEST_GROUP = 64  # completions that are judged together; a larger group is taken apart


def assess(
    tasks: Task | Sequence[Task],
    completions: Sequence[str | Completion],
    config: EgcaConfig | None = None,
    *,
    workers: int = 0,
) -> list[Credit]:
    """Judge completions in the sandbox and say which characters of each are to blame.

    ``tasks`` is the task of all completions, or one task for each. Completions of one task that share a ``group_id``
    are judged together, as siblings; so are those of a task without a reference, each other's references; any other is
    judged alone. ``workers``: processes, each with its sandbox; 0 for ``config.sandbox.workers``.

    Returns one credit a completion, in order. A task whose tests cannot be run gives the outcome ``unjudgeable``, a
    completion that costs two workers ``infrastructure``, both with the cause in ``stage``. Raises ValueError and
    TypeError for arguments that do not fit, SandboxError where the sandbox does not start.

    The processes live for this call alone; :class:`Judge` keeps them from step to step.
    """
    pairs = _pairs(tasks, completions)
    parts = _together(pairs)
    credits: dict[int, Credit] = {}
    if parts:
        groups = [_group(pairs, part, None) for part in parts]
        chosen = config or EgcaConfig()
        chosen = replace(chosen, sandbox=replace(chosen.sandbox, workers=workers)) if workers else chosen
        for number, found in assess_groups(chosen, groups):
            credits.update(zip(parts[number], found, strict=True))
    return [credits[place] for place in range(len(pairs))]


class Judge:
    """Sandboxes that stay from step to step, for a trainer of one's own.

        with egca.Judge(config) as judge:
            credits = judge.assess(tasks, completions, step=step)

        async with egca.Judge(config) as judge:           # a group at a time, while others are still generated
            credits = await judge.assess_group(task, completions, step=step)

    The processes start on first use. They end with the ``with`` block, with :meth:`close`, when the judge is no longer
    used, and with this process in any case.
    """

    def __init__(self, config: EgcaConfig | None = None, *, workers: int = 0) -> None:
        self.config = config or EgcaConfig()
        self._pool = open_pool(self.config, workers=workers, largest_group=LARGEST_GROUP)
        self._starting = threading.Lock()
        self._finalizer = weakref.finalize(self, self._pool.close)

    def start(self) -> None:
        """Start the processes now rather than on first use. Raises SandboxError, IsolationError among them."""
        if not self._finalizer.alive:
            raise SandboxError("this judge was closed; make another, or close it later")
        with self._starting:
            self._pool.start()

    def close(self) -> None:
        """End the processes; what is under way is given up. Safe to call twice."""
        self._finalizer()

    def assess(
        self, tasks: Task | Sequence[Task], completions: Sequence[str | Completion], *, step: int | None = None
    ) -> list[Credit]:
        """As :func:`assess`; ``step`` is the training step, to which ``egca.budget`` is held."""
        pairs = _pairs(tasks, completions)
        parts = _together(pairs)
        groups = [_group(pairs, part, step) for part in parts]
        self.start()
        found = list(self._pool.map(groups))
        for number, group in enumerate(groups):
            if alone := _again(group, found[number]):
                found[number] = [credit for (credit,) in self._pool.map(alone)]
        credits: dict[int, Credit] = {}
        for part, some in zip(parts, found, strict=True):
            credits.update(zip(part, some, strict=True))
        return [credits[place] for place in range(len(pairs))]

    async def assess_group(
        self, task: Task, completions: Sequence[str | Completion], *, step: int | None = None
    ) -> list[Credit]:
        """The credits of one GRPO group, in order; many may be under way at once. Raises as :func:`assess`."""
        pairs = _pairs(task, completions)
        places = range(len(pairs))
        groups = [_group(pairs, places[at : at + LARGEST_GROUP], step) for at in places[::LARGEST_GROUP]]
        await asyncio.to_thread(self.start)
        return [credit for found in await asyncio.gather(*map(self._judged, groups)) for credit in found]

    async def _judged(self, group: Group) -> list[Credit]:
        found: list[Credit] = await self._pool.run(group)
        if alone := _again(group, found):
            found = [credit for (credit,) in await asyncio.gather(*map(self._pool.run, alone))]
        return found

    def __enter__(self) -> Judge:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Judge:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)


def decode(response_ids: Sequence[int], tokenizer: Tokenizer) -> str:
    """The text of sampled ids, as it is to be assessed for :func:`token_advantages`.

    Special tokens spell nothing, but for those that tell reasoning from the answer.
    """
    return spelled(tokenizer, _ints(response_ids))


def token_weights(
    credit: Credit,
    response_ids: Sequence[int],
    tokenizer: Tokenizer,
    mask: Sequence[int] | None = None,
    *,
    text: str | None = None,
    config: EgcaConfig | None = None,
) -> tuple[float, ...]:
    """The weight of each sampled token: multiply the sequence's advantage by it.

    ``response_ids`` are the ids as sampled (length T, a list, an array or a tensor), never ids of a text that was
    tokenised again; ``tokenizer`` is a Hugging Face fast tokenizer. ``mask`` (length T) is 1 for the tokens that count,
    as in the loss; None: all do. ``text`` is the completion that was assessed: given, it is held against what the ids
    spell. ``config`` decides scale, mix, cap, the place, what reasoning gets and how much a failing sample without a
    place.

    Returns T floats, all of the mask where credit is uniform or the ids cannot be mapped to characters (logged), which
    is plain GRPO (times ``egca.unlocated``, if the sample fails). A blamed sample is meant to have a negative
    advantage: where other rewards lift it above its group, leave its weights out. Raises ConfigError for
    ``credit=counterfactual``, ValueError for a mask of another length, TokenizerError for a tokenizer of unknown
    family, for ids that spell another text than ``text``, and for spans that lie behind their end.
    """
    chosen = config or EgcaConfig()
    row, counted = _placed("token_weights", credit, response_ids, tokenizer, mask, text, chosen)
    return weights(counted, row.spans, **_how(row, chosen))


def token_advantages(
    credit: Credit,
    response_ids: Sequence[int],
    tokenizer: Tokenizer,
    advantage: float,
    mask: Sequence[int] | None = None,
    *,
    text: str | None = None,
    config: EgcaConfig | None = None,
    by_std: bool = True,
) -> tuple[float, ...]:
    """The advantage of each sampled token, praise and all: ``advantage`` is the sequence's.

    Without ``egca.praise`` that is ``advantage`` times :func:`token_weights`, whose other arguments are these.
    ``by_std``: a group's advantages are divided by their deviation, as GRPO's are and Dr. GRPO's are not; praise is of
    the same size. Raises as :func:`token_weights`.
    """
    chosen = config or EgcaConfig()
    row, counted = _placed("token_advantages", credit, response_ids, tokenizer, mask, text, chosen)
    praise = chosen.praise_share * of_passing(credit.mended, by_std=by_std) if credit.mended else 0.0
    return advantages(advantage, counted, row.spans, praised=row.praised, praise=praise, **_how(row, chosen, advantage))


# --- small parts --------------------------------------------------------------------------------------------------


def _placed(
    caller: str,
    credit: Credit,
    response_ids: Sequence[int],
    tokenizer: Any,
    mask: Sequence[int] | None,
    text: str | None,
    config: EgcaConfig,
) -> tuple[Row, list[int]]:
    """The credit on the tokens, and which of them count."""
    if config.counterfactual:
        raise ConfigError(
            f"{caller}: got egca.credit=counterfactual, expected 'decision' or 'span': what it gives an advantage is "
            "no sampled token"
        )
    ids = _ints(response_ids)
    counted = _ints(mask) if mask is not None else [1] * len(ids)
    if len(counted) != len(ids):
        raise ValueError(f"{caller}: got {len(ids)} response_ids and a mask of {len(counted)}, expected as many")
    reader = _reader(tokenizer)
    response = reader.read(ids)
    _check_text(caller, credit, response, text)
    return reader.row(response, credit, "", Placing.of(config, True)), counted


def _how(row: Row, config: EgcaConfig, advantage: float = -1.0) -> dict[str, Any]:
    return {
        "scale": config.scale,
        "mix": config.mix,
        "cap": config.cap,
        "thinking": row.thinking,
        "thinking_credit": config.thinking,
        "unlocated": config.unlocated if row.failing and advantage < 0 else 1.0,
    }


@lru_cache(maxsize=4)
def _reader(tokenizer: Any) -> Reader:
    """What is known of a tokenizer is dear to find out, and the same for every response."""
    return Reader(tokenizer)


def _ints(values: Any) -> list[int]:
    """A list of a list, a tuple, an array or a tensor of one dimension."""
    return [int(value) for value in (values.tolist() if hasattr(values, "tolist") else values)]


def _check_text(caller: str, credit: Credit, response: Response, text: str | None) -> None:
    if response.aligned is None:
        return
    last = max((span.end for span in credit.spans), default=0)
    if (text is not None and text != response.text) or last > len(response.text):
        raise TokenizerError(
            f"{caller}: the ids spell {len(response.text)} characters, which are not the completion that was "
            f"assessed ({f'{len(text)} characters' if text is not None else f'a span ends at {last}'}); assess "
            "what egca.decode(ids, tokenizer) gives, and neither strip nor cut it"
        )


_Pair = tuple[Task, Completion]


def _pairs(tasks: Task | Sequence[Task], completions: Sequence[str | Completion]) -> list[_Pair]:
    if isinstance(completions, (str, Completion)):
        raise TypeError("assess: got one completion, expected a sequence of them")
    for number, one in enumerate(completions):
        if not isinstance(one, (str, Completion)):
            raise TypeError(f"assess: completion {number} is {type(one).__name__}, expected text or a Completion")
    told = [one if isinstance(one, Completion) else Completion(one) for one in completions]
    of_each = [tasks] * len(told) if isinstance(tasks, Task) else list(tasks)
    for number, task in enumerate(of_each):
        if not isinstance(task, Task):
            raise TypeError(f"assess: task {number} is {type(task).__name__}, expected a Task (egca.load_tasks)")
        if not isinstance(task.tests, (str, tuple)):
            got = type(task.tests).__name__
            raise TypeError(f"assess: task {task.task_id!r}: its tests are a {got}, expected text or a tuple")
    if len(of_each) != len(told):
        raise ValueError(
            f"assess: got {len(of_each)} tasks and {len(told)} completions, expected one task, or one for each"
        )
    return list(zip(of_each, told, strict=True))


def _together(pairs: Sequence[_Pair]) -> list[list[int]]:
    """Which places are judged together, in the order of their first."""
    found: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, (task, completion) in enumerate(pairs):
        siblings = bool(completion.group_id) or not task.reference
        found[(task, completion.group_id) if siblings else (place,)].append(place)
    return [part[at : at + LARGEST_GROUP] for part in found.values() for at in range(0, len(part), LARGEST_GROUP)]


def _group(pairs: Sequence[_Pair], places: Iterable[int], step: int | None) -> Group:
    chosen = [pairs[place] for place in places]
    return Group(chosen[0][0], tuple(completion for _, completion in chosen), step)


def _again(group: Group, found: Sequence[Credit]) -> list[Group]:
    """A group that cost its workers is judged again, each completion alone: one costs no other its verdict."""
    lost = len(found) > 1 and all(credit.outcome is Outcome.INFRASTRUCTURE for credit in found)
    return [Group(group.task, (one,), group.step) for one in group.completions] if lost else []
