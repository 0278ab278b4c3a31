from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import EgcaError, TaskError
from egca_plugin.tasks import blobs, ingest, parquet
from egca_plugin.tasks.files import load_tasks
from egca_plugin.tasks.ingest import Plan
from egca_plugin.tasks.journal import Entry
from egca_plugin.tasks.prepared import Summary
from egca_plugin.tasks.soundness import Options

pytest.importorskip("pyarrow")
ONE = SandboxConfig(workers=1)


def row(number: int, **fields: Any) -> dict[str, Any]:
    """A row of AceCode: no reference, so that little has to be run."""
    return {"id": number, "question": f"Add {number}.", "test_cases": [f"assert add(1) == {number + 1}"], **fields}


def mbpp(number: int, code: str) -> dict[str, Any]:
    tests = [f"assert f({number}) == {number}"]
    return {"task_id": number, "text": "Give it back.", "code": code, "test_list": tests, "hint": "easy"}


def source(folder: Path, *rows: dict[str, Any] | str) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join((one if isinstance(one, str) else json.dumps(one)) + "\n" for one in rows))
    return path


def run(path: Path, out: Path, **options: Any) -> Summary:
    return ingest.ingest(Plan(str(path), out, **options), ONE)


def refusals(summary: Summary) -> list[dict[str, Any]]:
    assert summary.refused is not None
    return [json.loads(line) for line in summary.refused.read_text().splitlines()]


SOUND, WRONG, OTHER = "def f(x):\n    return x", "def f(x):\n    return -x", "def g(x):\n    return x"


def test_sound_rows_become_tasks_and_the_others_are_listed(tmp_path: Path) -> None:
    path = source(tmp_path, mbpp(1, SOUND), "{", mbpp(3, WRONG), {**mbpp(4, SOUND), "text": 4}, mbpp(5, SOUND))
    summary = run(path, tmp_path / "out")
    assert (summary.layout, summary.read, summary.kept, summary.referenced) == ("mbpp", 5, 2, 2)
    assert summary.reasons == {"malformed": 2, "failing": 1}
    assert [(one["where"], one["reason"], one["kept"]) for one in refusals(summary)] == [
        (f"{path}:2", "malformed", False),
        (f"{path}:3", "failing", False),
        (f"{path}:4", "malformed", False),
    ]
    details = [one["detail"] for one in refusals(summary)]
    assert details[0].startswith(f"{path}:2: not JSON")
    assert details[1].startswith(f"{path}:3, wrong_answer, 0 of 1 tests passed: test 0: AssertionError")
    assert details[2].startswith(f"{path}:4, field text: got 4, expected str")
    assert {one.name for one in (tmp_path / "out").iterdir()} == {
        "rows.jsonl",
        "rows.parquet",
        "rows-refused.jsonl",
    }


def test_both_files_tell_the_same(tmp_path: Path) -> None:
    summary = run(source(tmp_path, mbpp(1, SOUND), mbpp(5, SOUND)), tmp_path / "out")
    lines = [json.loads(line) for line in summary.tasks.read_text().splitlines()]
    assert [line.pop("hint") for line in lines] == ["easy", "easy"]
    assert summary.rows is not None
    rows = parquet.read(summary.rows)
    assert [json.loads(one["reward_model"]["ground_truth"]) for one in rows] == lines
    assert [parquet.decode(one["reward_model"]["ground_truth"]).reference for one in rows] == [SOUND, SOUND]
    assert rows[1]["extra_info"] == {"index": 1, "split": "train", "task_id": "mbpp/5"}
    assert rows[1]["data_source"] == "rows"
    assert rows[1]["prompt"] == [{"role": "user", "content": lines[1]["prompt"]}]


def test_what_is_unsound_can_be_kept_without_the_reference_that_failed(tmp_path: Path) -> None:
    path = source(tmp_path, mbpp(1, WRONG), mbpp(2, SOUND), "{")
    summary = run(path, tmp_path / "out", keep_unsound=True)
    assert (summary.kept, summary.referenced) == (2, 1)
    assert [one["kept"] for one in refusals(summary)] == [True, False]
    tasks = [json.loads(line) for line in summary.tasks.read_text().splitlines()]
    assert [task["reference"] for task in tasks] == ["", SOUND]


def test_unchecked_references_are_believed(tmp_path: Path) -> None:
    summary = run(source(tmp_path, mbpp(1, WRONG)), tmp_path / "out", options=Options(check=False))
    assert (summary.kept, summary.referenced, summary.refused) == (1, 1, None)


def test_nothing_that_can_be_kept_is_an_error_and_the_list_stays(tmp_path: Path) -> None:
    path = source(tmp_path, mbpp(1, WRONG), mbpp(2, WRONG))
    with pytest.raises(TaskError, match=r"none of its 2 rows can be kept \(failing 2\); .*rows.jsonl:1, wrong_answer"):
        run(path, tmp_path / "out")
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["rows-refused.jsonl"]


def test_ids_that_repeat_get_numbers(tmp_path: Path) -> None:
    summary = run(source(tmp_path, row(1), row(1), row(1, id="1~2")), tmp_path / "out")
    assert [task.task_id for task in load_tasks(summary.tasks)] == ["acecode/1", "acecode/1~2", "acecode/1~2~2"]


def test_half_of_a_surrogate_pair_is_told(tmp_path: Path) -> None:
    summary = run(source(tmp_path, row(1, question="\ud83d"), row(2)), tmp_path / "out")
    (refused,) = refusals(summary)
    assert refused["detail"].endswith("got half of a surrogate pair, '\\ud83d', expected Unicode text")


@pytest.mark.parametrize("depth", [102, 400, 900, 5000])
def test_a_value_that_is_nested_too_deeply_is_told(tmp_path: Path, depth: int) -> None:
    deep = json.dumps(row(1, hint=0)).replace('"hint": 0', '"hint": ' + "[" * depth + "]" * depth)
    cases = "[" * depth + "]" * depth
    called = {"problem": "p", "tests": json.dumps([{"input": cases, "output": "1", "testtype": "functional"}])}
    summary = run(source(tmp_path, deep, row(2)), tmp_path / "out")
    assert (summary.kept, summary.reasons) == (1, {"malformed": 1})
    (tmp_path / "calls.jsonl").write_text(json.dumps({**called, "metadata": {"func_name": "f"}}))
    with suppress(TaskError):
        run(tmp_path / "calls.jsonl", tmp_path / "out", options=Options(check=False))


def test_large_tests_lie_in_a_file_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blobs, "LARGE", 200)
    large = row(2, test_cases=[f"assert add({n}) == {n}" for n in range(20)])
    summary = run(source(tmp_path, row(1), large), tmp_path / "out")
    small, moved = (json.loads(line) for line in summary.tasks.read_text().splitlines())
    assert "tests" in small
    found = blobs.resolve(moved, summary.tasks.parent, "here")
    assert found["tests"] == large["test_cases"]
    assert summary.rows is not None
    tasks = [parquet.decode(one["reward_model"]["ground_truth"]) for one in parquet.read(summary.rows)]
    assert tasks[1].tests == tuple(large["test_cases"])


# --- nothing is lost, nothing of the user's is written over -------------------------------------------------------


def test_a_run_that_was_cut_off_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [mbpp(number, SOUND) for number in range(1, 7)]
    path = source(tmp_path, *rows)
    plan = Plan(str(path), tmp_path / "out")

    def interrupt(entry: Entry) -> None:
        if entry.where.endswith(":4"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest.ingest(plan, ONE, interrupt)
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["rows.partial.jsonl"]
    examined = examinations(monkeypatch)
    source(tmp_path, *rows[:5], mbpp(6, SOUND + " "))
    assert ingest.ingest(plan, ONE).kept == 6
    assert examined == ["mbpp/5", "mbpp/6"], "four were known, and the last is another row now"


def test_other_options_are_another_question(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = source(tmp_path, mbpp(1, SOUND), mbpp(2, SOUND))

    def interrupt(entry: Entry) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest.ingest(Plan(str(path), tmp_path / "out", options=Options(check=False)), ONE, interrupt)
    examined = examinations(monkeypatch)
    assert run(path, tmp_path / "out").kept == 2
    assert examined == ["mbpp/1", "mbpp/2"]


def examinations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the tasks that are sent to the pool from now on."""
    sent: list[str] = []
    submit = ingest.Pool.submit

    def noting(self: Any, reading: Any) -> Any:
        sent.append(reading.tasks[0].task_id)
        return submit(self, reading)

    monkeypatch.setattr(ingest.Pool, "submit", noting)
    return sent


def test_files_that_are_there_are_not_written_over_unless_told(tmp_path: Path) -> None:
    path = source(tmp_path, row(1))
    run(path, tmp_path / "out")
    with pytest.raises(EgcaError, match=r"rows.jsonl: is there already; expected a place for a new file, or --force"):
        run(path, tmp_path / "out")
    assert run(path, tmp_path / "out", force=True).kept == 1


def test_what_is_read_is_never_written_over(tmp_path: Path) -> None:
    path = source(tmp_path, row(1))
    before = path.read_bytes()
    for force in (False, True):
        with pytest.raises(EgcaError, match=r"rows.jsonl: is what is read; expected another folder as --out"):
            run(path, tmp_path, force=force)
    assert path.read_bytes() == before


# --- layouts and splits -------------------------------------------------------------------------------------------


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    for name, number in (("train", 1), ("test", 2)):
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / f"{name}.jsonl").write_text(json.dumps(row(number)))
    return tmp_path / "data"


def test_one_split_or_all(splits: Path, tmp_path: Path) -> None:
    whole = run(splits, tmp_path / "out")
    assert whole.tasks.name == "data.jsonl"
    assert whole.rows is not None
    assert [one["extra_info"]["split"] for one in parquet.read(whole.rows)] == ["test", "train"]
    part = run(splits, tmp_path / "out", split="test")
    assert (part.tasks.name, part.kept) == ("data-test.jsonl", 1)
    with pytest.raises(TaskError, match="got no row of the split 'dev', only of test, train; expected at least one"):
        run(splits, tmp_path / "out", split="dev")


def test_an_unknown_layout_is_said_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"rows.jsonl:1: no layout has these keys: got a; the nearest is"):
        run(source(tmp_path, {"a": 1}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_file_without_rows(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"rows.jsonl: got no row; expected at least one"):
        run(source(tmp_path, ""), tmp_path / "out")
    with pytest.raises(TaskError, match=r"rows.jsonl:1: not JSON"):
        run(source(tmp_path, "{"), tmp_path / "out")
