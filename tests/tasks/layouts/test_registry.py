from __future__ import annotations

import pytest
from layout_examples import EXAMPLES, PAGE, example, reading

from egca_plugin.errors import ConfigError, TaskError
from egca_plugin.tasks.layouts.registry import ALIASES, LAYOUTS, named, recognised


def test_the_page_shows_every_layout_and_no_other() -> None:
    assert list(EXAMPLES) == list(LAYOUTS)
    for name in ALIASES.values():
        assert name in LAYOUTS


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_pages_rows_are_known_by_their_keys_and_become_tasks(name: str) -> None:
    assert recognised(EXAMPLES[name].keys(), "rows.jsonl:7") is LAYOUTS[name]
    found = reading(name, EXAMPLES[name])
    assert found.tasks[0].task_id
    assert found.tasks[0].reference == "", "which program is the reference is said by running them"
    assert found.tasks[0].cases or found.tasks[0].tests or found.inputs


@pytest.mark.parametrize("name", [name for name in LAYOUTS if name not in ("ours", "verl")])
def test_unknown_fields_are_passed_through_and_none_takes_the_name_of_one_of_ours(name: str) -> None:
    (task, *_) = reading(name, example(name, difficulty="hard", kind="contest", empty=None)).tasks
    assert task.extra["difficulty"] == "hard"
    assert "kind" not in task.extra
    assert "contest" in task.extra.values()
    assert "empty" not in task.extra


def test_of_several_layouts_the_one_with_the_most_keys() -> None:
    both = EXAMPLES["evalplus"].keys() | {"test"}
    assert recognised(both, "here").name == "evalplus"


def test_an_unknown_layout_is_told_the_nearest_one_and_what_it_lacks() -> None:
    with pytest.raises(TaskError, match=r"rows.jsonl:1: no layout has these keys: got inputs, outputs, task; the") as e:
        recognised(["inputs", "outputs", "task"], "rows.jsonl:1")
    assert "nearest is rstar (rStar-Coder), which lacks question of inputs, outputs, question" in str(e.value)


def test_a_layout_by_name() -> None:
    assert named("TACO") is LAYOUTS["apps"]
    with pytest.raises(ConfigError, match=r"--layout: got 'tako', expected one of ours, verl"):
        named("tako")


def test_the_page_tells_every_reason() -> None:
    from egca_plugin.tasks.soundness import REASONS

    assert all(f"`{reason}`" in PAGE.read_text(encoding="utf-8") for reason in REASONS)
