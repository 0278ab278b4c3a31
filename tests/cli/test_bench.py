import subprocess
import sys

import pytest

from egca_plugin.cli.bench import BENCHMARKS, find_checkout
from egca_plugin.cli.main import main
from egca_plugin.errors import EgcaError


@pytest.mark.parametrize("name", ["learning", "overhead"])
def test_a_checkout_is_found_from_anywhere(name, tmp_path):
    assert (find_checkout(name, here=tmp_path) / "benchmarks" / name).is_dir()


def test_a_wheel_without_sources_says_what_to_do(tmp_path):
    with pytest.raises(EgcaError, match=r"no benchmarks/overhead in .*clone the repository"):
        find_checkout("overhead", package=tmp_path / "site" / "egca_plugin", here=tmp_path)


def test_the_current_directory_may_be_the_checkout(tmp_path):
    made = tmp_path / "benchmarks" / "overhead"
    made.mkdir(parents=True)
    (made / "__main__.py").touch()
    assert find_checkout("overhead", package=tmp_path / "site" / "egca_plugin", here=tmp_path) == tmp_path


def test_arguments_and_exit_code_pass_through(tmp_path, monkeypatch):
    folder = tmp_path / "benchmarks" / "learning"
    folder.mkdir(parents=True)
    (tmp_path / "benchmarks" / "__init__.py").touch()
    (folder / "__main__.py").write_text("import sys\nsys.exit(7 if sys.argv[1:] == ['--seeds', '3'] else 1)\n")
    monkeypatch.setattr("egca_plugin.cli.bench.find_checkout", lambda name: tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["bench", "learning", "--seeds", "3"]) == 7


def test_an_unknown_benchmark_is_refused_with_the_known_ones():
    done = subprocess.run(
        [sys.executable, "-m", "egca_plugin.cli.main", "bench", "speed"], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert all(name in done.stderr for name in BENCHMARKS)
