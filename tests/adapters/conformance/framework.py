"""What a framework's driver does for the laws: the same responses, as that framework trains on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import tiny_policy as policy
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from egca_plugin.adapters.groups import PoolJudge
from egca_plugin.adapters.responses import Reader
from egca_plugin.adapters.samples import Placing, Row
from egca_plugin.config import EgcaConfig
from egca_plugin.pipeline import Group
from egca_plugin.types import Completion, Credit, Mode, Outcome, Task, TokenSpan

GROUP = 4  # right, wrong, raising, broken: what tiny_policy.answers gives, one of each
TASKS = policy.TASKS[:2]
WRONG = 1  # the place of the wrong answer in a group
DEFAULT = EgcaConfig(traces="")
UNIT, CONSERVE = EgcaConfig(credit="span", traces=""), EgcaConfig(scale="conserve", traces="")
WEAK = EgcaConfig(credit="span", unlocated=0.25, traces="")
PRAISING = EgcaConfig(credit="decision", praise=0.5, traces="")
MENDED = 0.5  # the rate of each group: of four one passes, and two are proven

Change = Callable[[int, Row], Row | None]


def as_judged(place: int, row: Row) -> Row | None:
    return row


def without_spans(place: int, row: Row) -> Row | None:
    return replace(row, spans=(), credit=replace(row.credit, spans=()))


def one_off(place: int, row: Row) -> Row | None:
    """The mistake that a grid of other width invites."""
    return replace(row, spans=tuple(TokenSpan(span.start + 1, span.end + 1) for span in row.spans))


def well_begun(place: int, row: Row) -> Row | None:
    """As a proven sample whose decision is its span."""
    if not row.spans:
        return row
    return replace(row, credit=replace(row.credit, mended=MENDED), praised=(TokenSpan(0, row.spans[0].start),))


def first_wrong_lost(place: int, row: Row) -> Row | None:
    return None if place == WRONG else row


@dataclass(frozen=True, slots=True)
class Batch:
    """What is sampled: to each task as many responses, a group; and how it is judged and credited."""

    tasks: tuple[Task, ...]
    says: tuple[tuple[str, ...], ...]
    config: EgcaConfig = UNIT

    @property
    def group(self) -> int:
        """Responses to a task."""
        return len(self.says[0])

    @property
    def texts(self) -> list[str]:
        """The responses in the order of sampling."""
        return [text for said in self.says for text in said]

    def ids(self, tokenizer: Any) -> list[list[int]]:
        """The responses as they are sampled, each with its end."""
        return [[*tokenizer(text).input_ids, tokenizer.eos_token_id] for text in self.texts]


def says(task: Task, place: int) -> str:
    """Each group holds one answer of each kind, and no two of the batch are of one length."""
    return "So. " * place + "\n" + policy.answers(task)[place % GROUP]


TINY = Batch(
    tuple(map(policy.otherwise, TASKS)),
    tuple(tuple(says(task, g * GROUP + k) for k in range(GROUP)) for g, task in enumerate(TASKS)),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A batch of the laws. ``hidden``: the blamed tokens of the first wrong answer are none of the policy's."""

    config: EgcaConfig = UNIT
    change: Change = as_judged
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """What the framework's loss gets, (B, T), rows in the order of sampling. ``ids``: the token behind each column."""

    advantages: torch.Tensor
    mask: torch.Tensor
    ids: torch.Tensor


class Framework(ABC):
    """One framework with the tiny policy in ``model``, made to say ``batch``. ``shows``: in a word, what of it runs.

    Of a batch other than ``TINY`` it can make the ``grid``; the rest is about ``TINY``.
    """

    name: ClassVar[str]
    shows: ClassVar[str]

    def __init__(self, model: Path, home: Path, batch: Batch = TINY) -> None:
        self.model, self.home, self.batch = model, home, batch
        self.tokenizer = AutoTokenizer.from_pretrained(model)
        self.ids = batch.ids(self.tokenizer)

    def on(self, batch: Batch) -> Framework:
        """The same framework, made to say another batch; to be closed by itself."""
        return type(self)(self.model, self.home, batch)

    @property
    @abstractmethod
    def version(self) -> str: ...

    @abstractmethod
    def grid(self, asked: Asked | None) -> Grid:
        """The batch as it is trained on; None for the framework without EGCA, with the same rewards."""

    @abstractmethod
    def step(self, asked: Asked | None) -> dict[str, torch.Tensor]:
        """The parameters after one step on it."""

    @abstractmethod
    def gradient(self, grid: Grid) -> torch.Tensor:
        """(B, T): of the framework's own loss with respect to each token's log-probability, at ratio 1."""

    @abstractmethod
    def fallbacks(self) -> dict[str, float]:
        """EGCA's metrics of the batch made last."""

    @abstractmethod
    def refuse(self) -> None:
        """Set the framework up so that one ratio, or one advantage, is for a whole sequence: raises ConfigError."""

    @abstractmethod
    def unjudged(self) -> None:
        """Make a batch none of whose samples can be judged: raises EgcaError."""

    @abstractmethod
    def extras(self) -> None:
        """Assert that what else a sample carries comes out of batching beside its own sample."""

    @abstractmethod
    def judged(self, epochs: int) -> int:
        """How many samples were judged for one batch that is learnt from ``epochs`` times."""

    @abstractmethod
    def close(self) -> None:
        """Free what is held."""


# --- for drivers ----------------------------------------------------------------------------------------------------


class Counting:
    """A judge that counts the samples that it was given."""

    def __init__(self, judge: PoolJudge) -> None:
        self._judge, self.samples = judge, 0

    async def __call__(self, group: Group) -> list[Credit | None]:
        self.samples += len(group.completions)
        return await self._judge(group)


async def rows_of(judge: Any, tokenizer: Any, batch: Batch = TINY) -> list[Row]:
    """The batch judged, for a framework that hands over ids and takes rows."""
    reader, placing = Reader(tokenizer), Placing.of(batch.config, True)
    responses = iter([reader.read(ids) for ids in batch.ids(tokenizer)])
    rows = []
    for task in batch.tasks:
        own = list(islice(responses, batch.group))
        credits = await judge(Group(task, tuple(Completion(one.text) for one in own)))
        rows += [reader.row(one, credit, task.task_id, placing) for one, credit in zip(own, credits, strict=True)]
    return rows


def judges_nothing() -> PoolJudge:
    """The judge of groups over a pool none of whose workers survives anything."""
    lost = Credit(Mode.CONSTRAINT, 0.0, Outcome.INFRASTRUCTURE, 0, 0, stage="the worker died")

    async def run(group: Group) -> list[Credit]:
        return [lost] * len(group.completions)

    judge = PoolJudge.__new__(PoolJudge)
    judge._pool = SimpleNamespace(run=run, restarts=0)  # type: ignore[assignment]
    judge._workers_lost = 0
    return judge


def padded(lines: Sequence[torch.Tensor], value: float = 0) -> torch.Tensor:
    """(B, T) of lines (T,), right-padded."""
    return torch.nn.utils.rnn.pad_sequence(list(lines), batch_first=True, padding_value=value)


def stepped(
    model: Path, tokenizer: Any, loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
) -> dict[str, torch.Tensor]:
    """The policy's parameters after one step of gradient descent, for a framework whose own engine needs a GPU.

    ``loss`` is the framework's, of the responses' log-probabilities (B, T) now and before the step.
    """
    network = AutoModelForCausalLM.from_pretrained(model)
    prompt = tokenizer("prompt").input_ids
    rows = padded([torch.tensor([*prompt, *ids]) for ids in TINY.ids(tokenizer)], tokenizer.pad_token_id)
    logits = network(rows).logits[:, len(prompt) - 1 : -1]
    now = torch.log_softmax(logits, -1).gather(-1, rows[:, len(prompt) :].unsqueeze(-1)).squeeze(-1)
    loss(now, now.detach()).backward()
    with torch.no_grad():
        for value in network.parameters():
            value -= 0.1 * value.grad
    return {name: value.detach().clone() for name, value in network.named_parameters()}
