import json

import pytest

from egca_plugin.cli.main import main

RESULT = {
    "host": {"cpu": "A CPU", "cores": 2, "python": "3.11.4", "date": "2026-01-02"},
    "settings": {"scale": "conserve", "credit": "span"},
    "tables": [
        {"title": "Reward path", "columns": ["path", "samples/s"], "rows": [["a|b", 12.34567], ["none", None]]},
        {"title": "Other", "columns": ["x"], "rows": [[1]]},
    ],
}


@pytest.fixture
def results(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps(RESULT))
    return path


def test_tables_become_markdown_with_the_host_behind(results, capsys):
    assert main(["table", str(results), "--only", "reward"]) == 0
    assert capsys.readouterr().out == (
        "**Reward path**\n\n"
        "| path | samples/s |\n| --- | ---: |\n| a\\|b | 12.35 |\n| none | - |\n\n"
        "Measured on: A CPU, 2 cores, Python 3.11.4, 2026-01-02, egca.credit=span, egca.scale=conserve.\n"
    )


@pytest.mark.parametrize(
    ("content", "complaint"), [("{", "not JSON"), ("[]", "no field 'tables'"), ('{"tables": 3}', "no field 'tables'")]
)
def test_other_files_are_refused_by_name(tmp_path, capsys, content, complaint):
    path = tmp_path / "r.json"
    path.write_text(content)
    assert main(["table", str(path)]) == 2
    message = capsys.readouterr().err
    assert complaint in message
    assert str(path) in message


def test_a_missing_file_is_refused(tmp_path, capsys):
    assert main(["table", str(tmp_path / "none.json")]) == 2
    assert "No such file" in capsys.readouterr().err
