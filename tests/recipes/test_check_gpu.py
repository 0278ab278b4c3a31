"""The check of a machine with a GPU writes what ran and what did not, whatever ended a part."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from recipe_scripts import RECIPES, machine, prepared

pytest.importorskip("verl")

STEP = "step:{step} - timing_s/step:{seconds} - actor/grad_norm:0.5 - other:1"


def check(folder: Path, training: str, gpus: int = 1) -> dict:
    """The file that it writes where every training does as the shell's words ``training`` say."""
    environment = machine(folder, gpus)
    tools = folder / "tools"
    (tools / "egca").write_text('#!/bin/sh\necho \'{"ok": true, "checks": []}\'\n')
    (tools / "python").write_text(
        f'#!/bin/bash\ncase "$1 $2" in\n "-m verl"*) {training} ;;\n *) exec {sys.executable} "$@" ;;\nesac\n'
    )
    prepared(folder, "mbpp")
    subprocess.run([RECIPES / "check_gpu.sh"], cwd=folder, env=environment, capture_output=True, text=True)
    return json.loads((folder / "gpu_check.json").read_text())


def test_steps_are_kept_and_compared(tmp_path: Path) -> None:
    lines = [STEP.format(step=step, seconds=seconds) for step, seconds in ((1, 9.0), (2, 4.0))]
    slow = [STEP.format(step=step, seconds=seconds) for step, seconds in ((1, 1.0), (2, 5.0))]
    said = " && ".join(f'echo "{line}"' for line in lines), " && ".join(f'echo "{line}"' for line in slow)
    found = check(tmp_path, f'if [[ "$*" = *egca=off* ]]; then {said[0]}; else {said[1]}; fi')
    assert found["ok"]
    assert found["step_ratio"] == 1.25
    assert found["off"]["steps"]["2"] == {"timing_s/step": 4.0, "actor/grad_norm": 0.5}


def test_a_part_that_fails_is_told_with_its_end_and_the_other_still_runs(tmp_path: Path) -> None:
    found = check(tmp_path, 'if [[ "$*" = *egca=off* ]]; then echo fine; else echo out of memory; exit 7; fi')
    assert not found["ok"]
    assert found["verified"]["status"] == 7
    assert "out of memory" in found["verified"]["end"]
    assert (found["off"]["status"], found["step_ratio"]) == (0, None)


def test_without_a_gpu_it_says_what_the_recipe_says(tmp_path: Path) -> None:
    found = check(tmp_path, "true", gpus=0)
    assert found["verified"]["status"] == 3
    assert "needs 1 NVIDIA GPU(s)" in found["verified"]["end"]
