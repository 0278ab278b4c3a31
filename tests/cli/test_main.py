"""The ``egca`` script as a whole: help, slips of the pen, exit codes, terminals that are narrow or know no Unicode."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from egca_plugin.cli import demo
from egca_plugin.cli import main as module
from egca_plugin.cli.extras import advice
from egca_plugin.cli.live import Step, records_table, steps_table
from egca_plugin.cli.main import COMMANDS, main
from egca_plugin.cli.tables import Fitting
from egca_plugin.errors import AssetError
from egca_plugin.tasks.files import Sample, dump_samples, dump_tasks
from egca_plugin.types import Task

TOTAL = Task("t/total", "", "total", "def total(values):\n    return sum(values)\n", ("assert total([1, 2]) == 3",))
WRONG = "def total(values):\n    return sum(values[1:])\n"


def said(argv: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    try:
        code = main(argv)
    except SystemExit as end:
        code = int(str(end.code))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture
def tasks(tmp_path: Path) -> Path:
    dump_tasks([TOTAL], tmp_path / "tasks.jsonl")
    return tmp_path / "tasks.jsonl"


# --- help -----------------------------------------------------------------------------------------------------------


def test_help_tells_commands_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(["help"], capsys)
    assert code == 0
    assert all(f"  {name}" in out for name in COMMANDS)
    assert "exit codes:" in out
    assert said(["--help"], capsys)[1] == out


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_help_of_a_command_is_its_own(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(["help", name], capsys)
    assert code == 0
    assert out.startswith(f"usage: egca {name}")
    assert "example" in out


def test_nothing_asked_is_misuse(capsys: pytest.CaptureFixture[str]) -> None:
    assert said([], capsys)[0] == 2


# --- slips of the pen -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["asess"], "no such command: 'asess'; did you mean 'assess'?"),
        (["help", "explian"], "no such command: 'explian'; did you mean 'explain'?"),
        (["assess", "--taks", "t", "--samples", "s", "--out", "o"], "no such option: --taks; did you mean --tasks?"),
        (["assess", "--tasks=t", "--sampels=s", "--out", "o"], "no such option: --sampels; did you mean --samples?"),
        (["explain", "--tasks", "t", "--program", "p", "--jsno"], "no such option: --jsno; did you mean --json?"),
        (["eval", "humaneval", "--tasks", "mbpp", "--samples", "s"], "the tasks were given twice: humaneval and mbpp"),
        (["preflight"], "--tasks: got none, expected a name or a file of tasks"),
    ],
)
def test_a_slip_is_told_with_what_was_meant(argv: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(argv, capsys)
    assert (code, told in err) == (2, True), err


def test_what_is_right_gets_no_hint(capsys: pytest.CaptureFixture[str]) -> None:
    _, _, err = said(["assess", "--tasks", "t"], capsys)
    assert "required" in err
    assert "no such option" not in err


# --- one naming -----------------------------------------------------------------------------------------------------


def test_samples_and_programs_come_from_standard_input_too(
    tasks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dump_samples([Sample("t/total", WRONG)], tmp_path / "samples.jsonl")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper((tmp_path / "samples.jsonl").open("rb")))
    code, _, _ = said(
        ["assess", "--tasks", str(tasks), "--samples", "-", "--out", str(tmp_path / "c.jsonl"), "--workers", "1"],
        capsys,
    )
    assert code == 0
    assert json.loads((tmp_path / "c.jsonl").read_text())["passed"] is False

    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(WRONG.encode()))))
    code, out, _ = said(["explain", "--tasks", str(tasks), "--program", "-", "--json"], capsys)
    assert (code, json.loads(out)["mode"]) == (0, "logic")


def test_a_set_is_known_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "attempt.py").write_text("def f(): pass\n")
    code, _, err = said(["explain", "--tasks", "starter", "--program", str(tmp_path / "attempt.py")], capsys)
    assert code == 2
    assert "say which one with --task-id, as in --task-id starter/" in err


# --- exit codes -----------------------------------------------------------------------------------------------------


def test_unsound_tasks_are_told_by_the_exit_code_unless_they_are_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unsound = Task("t/bad", "", "one", "def one():\n    return 2\n", ("assert one() == 1",))
    dump_tasks([TOTAL, unsound], tmp_path / "tasks.jsonl")
    common = ["preflight", "--tasks", str(tmp_path / "tasks.jsonl"), "--workers", "1"]
    assert said(common, capsys)[0] == 1
    assert said([*common, "--drop", "none"], capsys)[0] == 0
    assert said([*common, "--out", str(tmp_path / "fit.jsonl")], capsys)[0] == 0
    assert said([*common, "--out", str(tmp_path / "fit.jsonl"), "--strict"], capsys)[0] == 1


def test_a_missing_extra_is_a_sentence_and_a_missing_file_of_ours_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without(name: str) -> None:
        def run(args: object) -> int:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        monkeypatch.setattr("egca_plugin.cli.table.run", run)

    without("torch.nn")
    code, _, err = said(["table", "x.json"], capsys)
    assert (code, err.strip()) == (2, "egca table: torch is not installed; run `pip install 'egca-plugin[cpu]'`")
    without("egca_plugin.lost")
    with pytest.raises(ModuleNotFoundError):
        main(["table", "x.json"])


def test_a_command_that_cannot_even_be_imported_is_told_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def without_ray(name: str) -> None:
        raise ModuleNotFoundError("No module named 'ray'", name="ray")

    monkeypatch.setattr(module, "importlib", SimpleNamespace(import_module=without_ray))
    code, _, err = said(["demo"], capsys)
    assert (code, "ray is not installed; run `pip install 'egca-plugin[verl]'`" in err) == (2, True)


def test_every_extra_that_is_advised_exists() -> None:
    import tomllib

    project = tomllib.loads((Path(module.__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    from egca_plugin.cli.extras import EXTRAS

    assert set(EXTRAS.values()) <= set(project["project"]["optional-dependencies"])
    assert advice(ImportError("no name")) is None


# --- completion -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(find_spec("shtab") is None, reason="shtab is not here; the extra completion brings it")
def test_a_shell_completes_commands_and_options(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, script, _ = said(["completion", "bash"], capsys)
    assert code == 0
    (tmp_path / "egca.bash").write_text(script)
    ask = """source egca.bash; COMP_WORDS=(egca assess --sam); COMP_CWORD=2; COMP_LINE="egca assess --sam"
    complete -p egca | sed 's/.*-F \\([^ ]*\\).*/\\1/' > name; $(cat name); echo "${COMPREPLY[@]}"
    """
    found = subprocess.run(["bash", "-c", ask], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.stdout.split() == ["--samples"], found.stderr


@pytest.mark.skipif(find_spec("shtab") is not None, reason="shtab is here")
def test_without_shtab_it_is_said_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = said(["completion", "bash"], capsys)
    assert (code, "pip install 'egca-plugin[completion]'" in err) == (2, True)


# --- terminals ------------------------------------------------------------------------------------------------------


def test_a_terminal_without_unicode_ends_in_no_traceback(tasks: Path, tmp_path: Path) -> None:
    (tmp_path / "attempt.py").write_text(f"# naïve, 日本語\n{WRONG}", encoding="utf-8")
    command = [sys.executable, "-m", "egca_plugin.cli.main", "explain", "--tasks", str(tasks)]
    env = {"PYTHONIOENCODING": "ascii", "PATH": "/usr/bin:/bin", "PYTHONPATH": str(Path(module.__file__).parents[2])}
    found = subprocess.run(
        [*command, "--program", str(tmp_path / "attempt.py")], env=env, capture_output=True, check=False
    )
    assert found.returncode == 0, found.stderr.decode()
    assert found.stdout.isascii()
    assert rb"na\xefve" in found.stdout


STEP = Step(1, 0.25, {"correct": 0.25, "logic": 0.5, "syntax": 0.25, "constraint": 0.0}, 0.1, 1.0, {"rollout": 20}, 59)
RECORD = {
    "mode": "logic",
    "tokens": 9,
    "credited_tokens": 3,
    "reason": "no_divergence",
    "span": None,
    "verified": False,
}


def drawn(table: object, width: int) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    with console.capture() as captured:
        console.print(table)
    return captured.get()


@pytest.mark.parametrize("table", [steps_table([STEP, STEP]), records_table([{**RECORD, "fallback": None}])])
def test_tables_fit_into_60_columns_with_all_that_they_hold(table: Fitting) -> None:
    narrow = drawn(table, 60)
    assert max(map(len, narrow.splitlines())) <= 60
    assert "…" not in narrow
    for row in table.rows:
        for cell in row:
            assert all(word in narrow for word in cell.plain.split())


def test_a_table_stays_a_table_where_there_is_room() -> None:
    wide, narrow = (drawn(steps_table([STEP, STEP]), width).splitlines() for width in (160, 60))
    assert len(wide) < len(narrow)
    with pytest.raises(ValueError, match="a row of 1 cells in a table of 13"):
        steps_table([]).add_row("x")


# --- demo -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (None, "no such folder"),
        ({}, "lacks config.json, a tokenizer, weights"),
        ({"config.json": "{}", "tokenizer.json": "", "m.safetensors": ""}, "names no architecture"),
        ({"config.json": '{"architectures": ["BertModel"]}', "tokenizer.json": "", "m.safetensors": ""}, "BertModel"),
    ],
)
def test_a_model_that_cannot_be_trained_is_refused_before_anything_starts(
    files: dict[str, str] | None, told: str, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    if files is not None:
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    with pytest.raises(AssetError, match=told):
        demo._check_model(folder)


def test_a_model_as_save_pretrained_writes_it_is_taken(tmp_path: Path) -> None:
    for name, text in {"config.json": '{"architectures": ["LlamaForCausalLM"]}', "tokenizer.json": "{}"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "model.safetensors").write_bytes(b"")
    demo._check_model(tmp_path)
