"""What must hold of EGCA inside any framework, written once: each law takes a framework's driver."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import mbpp_batch
import pytest
import torch
from framework import (
    CONSERVE,
    GROUP,
    MENDED,
    PRAISING,
    TASKS,
    TINY,
    WEAK,
    WRONG,
    Asked,
    Batch,
    Change,
    Framework,
    Grid,
    first_wrong_lost,
    one_off,
    well_begun,
    without_spans,
)

import egca_plugin as egca
from egca_plugin.adapters.samples import Row
from egca_plugin.credit.praise import of_passing
from egca_plugin.errors import ConfigError, EgcaError
from egca_plugin.types import Completion, Credit

BLAMED = " + 5"  # what the wrong answer of tiny_policy has too much


def lengths_differ(framework: Framework) -> None:
    lengths = framework.grid(Asked()).mask.sum(1).tolist()
    assert len(lengths) == GROUP * len(TASKS)
    assert len(set(lengths)) == len(lengths), f"equal lengths {lengths} cannot tell the ways to average apart"


def uniform_is_stock(framework: Framework) -> None:
    stock, uniform = framework.grid(None), framework.grid(Asked(change=without_spans))
    assert torch.equal(stock.advantages * stock.mask, uniform.advantages * uniform.mask)
    assert same(framework.step(None), framework.step(Asked(change=without_spans)))


def a_span_changes_the_update(framework: Framework) -> None:
    assert not same(framework.step(None), framework.step(Asked()))


def the_gradient_lies_on_the_span(framework: Framework) -> None:
    grid, stock = framework.grid(Asked()), framework.grid(None)
    on_the_span(framework, grid)
    first = framework.gradient(grid)[0]
    assert torch.equal(first != 0, grid.mask[0]), "a program that passes keeps its credit on all of its tokens"
    assert torch.equal((grid.advantages * grid.mask)[0], (stock.advantages * stock.mask)[0])


def one_token_off_is_found(framework: Framework) -> None:
    with pytest.raises(AssertionError, match="blamed"):
        on_the_span(framework, framework.grid(Asked(change=one_off)))


def the_sum_is_kept(framework: Framework) -> None:
    stock, placed = framework.grid(None), framework.grid(Asked(CONSERVE))
    sums = [(grid.advantages * grid.mask).double().sum(1) for grid in (stock, placed)]
    assert torch.allclose(*sums, rtol=1e-4, atol=1e-5), f"{sums[0].tolist()} became {sums[1].tolist()}"
    assert not torch.equal(stock.advantages, placed.advantages)


def a_hidden_span_falls_back(framework: Framework) -> None:
    grid = framework.grid(Asked(hidden=True))
    left = grid.advantages[WRONG][grid.mask[WRONG]]
    assert len(left) > 0
    assert bool((left == left[0]).all()), "uniform"
    assert left[0] < 0
    assert framework.fallbacks()["egca/fallback/span_masked"] == 1 / (GROUP * len(TASKS))


def the_credits_are_those_of_the_api(framework: Framework) -> None:
    """Of MBPP's own tasks, with the default settings: each sample's whole credit, and its advantage on each token."""
    batch, seen = mbpp_batch.batch(), dict[int, Row]()
    with closing(framework.on(batch)) as other:
        placed = other.grid(Asked(batch.config, change=seen_in(seen)))
        uniform = other.grid(Asked(batch.config, change=without_spans))
    for row, (credit, ids) in enumerate(zip(api_credits(batch), other.ids, strict=True)):
        where = f"{framework.name}, row {row}: {batch.texts[row]}"
        assert said(seen[row].credit) == said(credit), where
        mask = placed.mask[row]
        assert placed.ids[row][mask].tolist() == ids, where
        level = float(uniform.advantages[row][mask][0])
        ours = [egca.token_advantages(credit, ids, framework.tokenizer, level, by_std=way) for way in (True, False)]
        assert any(torch.allclose(placed.advantages[row][mask], torch.tensor(one), atol=1e-5) for one in ours), where


def praise_lies_in_front(framework: Framework) -> None:
    plain = framework.grid(Asked(replace(PRAISING, praise=0.0)))
    praised = framework.grid(Asked(PRAISING, change=well_begun))
    more = (praised.advantages - plain.advantages)[WRONG][plain.mask[WRONG]]
    here = torch.arange(len(more)) < int((plain.advantages * plain.mask)[WRONG][plain.mask[WRONG]].nonzero()[0])
    sizes = [PRAISING.praise * of_passing(MENDED, by_std=by_std) for by_std in (True, False)]
    assert any(torch.allclose(more, here * size, atol=1e-6) for size in sizes), f"{framework.name}: {more.tolist()}"
    assert torch.equal((praised.advantages * praised.mask)[0], (plain.advantages * plain.mask)[0]), "it passes"


def what_has_no_place_is_weakened(framework: Framework) -> None:
    stock, weak = framework.grid(None), framework.grid(Asked(WEAK, change=without_spans))
    share = torch.full((GROUP * len(TASKS), 1), WEAK.unlocated)
    share[::GROUP] = 1  # those that pass
    assert torch.allclose(weak.advantages * weak.mask, share * stock.advantages * stock.mask, atol=1e-6)
    located, plain = framework.grid(Asked(WEAK)), framework.grid(Asked())
    assert torch.equal((located.advantages * located.mask)[WRONG], (plain.advantages * plain.mask)[WRONG])


def one_ratio_a_sequence_is_refused(framework: Framework) -> None:
    with pytest.raises(ConfigError):
        framework.refuse()


def a_lost_sample_costs_no_other(framework: Framework) -> None:
    whole, grid = framework.grid(Asked()), framework.grid(Asked(change=first_wrong_lost))
    assert bool(torch.isfinite(grid.advantages).all())
    others = list(range(GROUP, GROUP * len(TASKS)))
    assert torch.equal((grid.advantages * grid.mask)[others], (whole.advantages * whole.mask)[others])
    for sibling in (WRONG + 1, WRONG + 2):
        moved = [((one.advantages != 0) & one.mask)[sibling] for one in (whole, grid)]
        assert torch.equal(*moved), "a sibling keeps its span"


def nothing_judged_stops_the_run(framework: Framework) -> None:
    with pytest.raises(EgcaError):
        framework.unjudged()


def extras_survive(framework: Framework) -> None:
    framework.extras()


def each_is_judged_once(framework: Framework) -> None:
    assert framework.judged(epochs=2) == framework.judged(epochs=1) == GROUP * len(TASKS)


LAWS: dict[str, Callable[[Framework], None]] = {
    "responses of unequal lengths": lengths_differ,
    "uniform credit is stock, bit for bit": uniform_is_stock,
    "a span changes the update": a_span_changes_the_update,
    "the gradient lies on the span's tokens, and nowhere else": the_gradient_lies_on_the_span,
    "one token off is found": one_token_off_is_found,
    "under `conserve` each row keeps its sum": the_sum_is_kept,
    "a span that is cut off or masked falls back, counted": a_hidden_span_falls_back,
    "tasks of MBPP: the same credits as `egca.assess`, so as in any other framework": the_credits_are_those_of_the_api,
    "under `praise` what was well begun gets it, in front of the blame and nowhere else": praise_lies_in_front,
    "under `unlocated` failing samples without a place keep that share, all others everything": (
        what_has_no_place_is_weakened
    ),
    "what averages a sequence's credit away is refused": one_ratio_a_sequence_is_refused,
    "a sample without a verdict costs no other": a_lost_sample_costs_no_other,
    "where nothing can be judged, the run stops": nothing_judged_stops_the_run,
    "what else a sample carries survives batching": extras_survive,
    "judged once, however often it is learnt from": each_is_judged_once,
}


def api_credits(batch: Batch) -> list[Credit]:
    """Of the batch's responses, without any framework."""
    tasks = [task for task in batch.tasks for _ in range(batch.group)]
    completions = [Completion(text, group_id=task.task_id) for task, text in zip(tasks, batch.texts, strict=True)]
    return egca.assess(tasks, completions, batch.config, workers=1)


def said(credit: Credit) -> Credit:
    """A credit without what the machine's speed and luck decide."""
    return replace(credit, ms={}, restarts={})


def seen_in(seen: dict[int, Row]) -> Change:
    """Leaves every row as it is, and remembers it."""

    def remember(place: int, row: Row) -> Row:
        return seen.setdefault(place, row)

    return remember


def on_the_span(framework: Framework, grid: Grid) -> None:
    """The wrong answers' gradient lies on the expression that is wrong, to the token."""
    gradient = framework.gradient(grid)
    for row in range(WRONG, GROUP * len(TASKS), GROUP):
        sampled, blamed = grid.mask[row].nonzero().flatten(), tokens_at(framework, row)
        assert grid.ids[row][sampled].tolist() == framework.ids[row]
        found = [at for at, column in enumerate(sampled.tolist()) if gradient[row][column] != 0]
        assert found == blamed, f"{framework.name}, row {row}: the gradient lies on tokens {found}, blamed are {blamed}"
        assert int((gradient[row] != 0).sum()) == len(blamed), "none lies beside the response"


def tokens_at(framework: Framework, row: int) -> list[int]:
    """Which of the row's tokens touch its wrong expression, by the tokenizer's own offsets."""
    expression = TASKS[row // GROUP].reference.splitlines()[1].split(" = ")[1] + BLAMED
    text = TINY.texts[row]
    start = text.index(expression)
    offsets = framework.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    return [at for at, (low, high) in enumerate(offsets) if low < start + len(expression) and high > start]


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
