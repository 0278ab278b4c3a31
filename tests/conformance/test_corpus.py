"""The corpus against our own sandbox, as this user, as nobody, and where the host offers no more than it must."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "sandbox"))
from hosts import NOBODY, can_change_user, run_script

from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.conformance.attacks import Aim, corpus
from egca_plugin.conformance.attacks.corpus import ADD, DECODE, DIVISOR, EVENS, HALF, ROUNDS, SUM, THIRD
from egca_plugin.conformance.run import run_conformance
from egca_plugin.conformance.scorers import egca
from egca_plugin.errors import ConfigError
from egca_plugin.monitor.records import credit_line
from egca_plugin.pipeline import Assessor
from egca_plugin.sandbox.outside.api import Sandbox
from egca_plugin.types import Completion, Outcome, StdinCase, Task

RUN = """
import json
from egca_plugin.conformance.run import run_conformance
print(json.dumps(run_conformance("egca").to_json()))
"""
POOR = ("unshare", "landlock_create_ruleset")  # as in a strict container: the mandatory layers alone


def failures(report: dict[str, Any]) -> list[str]:
    return [f"{attack['name']}: {attack['result']}" for attack in report["attacks"] if attack["result"] != "held"]


def test_corpus_is_large_and_names_are_unique() -> None:
    names = [attack.name for attack in corpus()]
    assert len(names) == len(set(names)) >= 60
    assert {attack.aim for attack in corpus()} == set(Aim)


@pytest.mark.slow
def test_nothing_gets_through() -> None:
    before = _children()
    report = run_conformance("egca").to_json()
    assert failures(report) == []
    assert _children() == before


@pytest.mark.slow
@pytest.mark.skipif(not can_change_user(), reason="needs root to become another user")
def test_nothing_gets_through_as_nobody() -> None:
    report = json.loads(run_script(RUN, user=NOBODY))
    assert (report["user"], failures(report)) == (NOBODY, [])


@pytest.mark.slow
def test_nothing_gets_through_the_mandatory_layers_alone() -> None:
    assert failures(json.loads(run_script(RUN, deny=POOR))) == []


@pytest.mark.parametrize("task", [ADD, HALF, EVENS, DECODE, ROUNDS, SUM, THIRD, DIVISOR], ids=lambda task: task.task_id)
def test_references_are_accepted(task: Task) -> None:
    assert egca()(task, task.reference)


def test_pipeline_takes_hostile_sources_as_samples() -> None:
    """What the compiler, the parser or a writer of records may choke on costs its own sample only."""
    chosen = [a for a in corpus() if a.name.startswith("source_") or a.name in ("forged_lines", "unprintable_failure")]
    config = EgcaConfig(sandbox=SandboxConfig(timeout_s=1.0))
    with Sandbox(config.sandbox) as sandbox:
        assessor = Assessor(config, sandbox)
        for attack in chosen:
            (credit,) = assessor.assess(attack.task, [Completion(attack.program)])
            assert credit.reward == 0.0
            assert credit.outcome is not Outcome.INFRASTRUCTURE
            json.dumps(credit_line(credit, attack.program)).encode()


def gullible(task: Task, program: str) -> bool:
    """A scorer as many are: same process, exec, no exception means passed."""
    namespace: dict[str, Any] = {}
    try:
        exec(f"{program}\n{task.tests}\ncheck({task.entry_point})", namespace)
    except Exception:  # noqa: BLE001 - as naive as it gets
        return False
    return True


def test_holes_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attacks are real: a naive scorer falls for them, each in its way."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    names = {
        "equal_to_everything",
        "read_passwd",
        "environment",
        "os_exit_at_import",
        "busy_loop",
        "patched_modules_stay",
    }
    chosen = [attack for attack in corpus() if attack.name in names]
    report = run_conformance("test_corpus:gullible", attacks=chosen, deadline_s=1.0)
    assert {finding.attack.name: finding.what() for finding in report.findings} == {
        "equal_to_everything": "accepted",
        "os_exit_at_import": "crashed",
        "read_passwd": "accepted",
        "environment": "accepted",
        "busy_loop": "hung",
        "patched_modules_stay": "crashed",
    }
    assert "| score | equal_to_everything | an object equal to everything | accepted |" in report.table()


def gullible_of_output(task: Task, program: str) -> bool:
    """As some are for whole programs: words are compared while both sides have one, and nobody asks how it ended."""
    for case in task.cases:
        assert isinstance(case, StdinCase)
        done = subprocess.run([sys.executable, "-c", program], input=case.stdin, capture_output=True, text=True)
        wanted = "".join(case.stdout).split()
        if any(one != other for one, other in zip(done.stdout.split(), wanted, strict=False)):
            return False
    return True


def test_holes_are_found_in_scorers_of_output() -> None:
    accepted = {"prints_nothing", "prints_a_prefix", "crashes_after_printing", "fails_after_printing", "prints_on"}
    chosen = {attack.name: attack for attack in corpus()}
    assert all(gullible_of_output(chosen[name].task, chosen[name].program) for name in accepted)
    assert not gullible_of_output(SUM, chosen["prints_lines_in_another_order"].program)


@pytest.mark.parametrize("name", ["nothing", "no.such:thing", "json:loads"])
def test_scorer_that_is_none(name: str) -> None:
    with pytest.raises(ConfigError, match="scorer"):
        run_conformance(name, attacks=[])


def _children() -> list[str]:
    return Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
