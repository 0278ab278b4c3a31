"""The remote backend over real HTTP: the same verdicts, the same secrecy, failures typed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fusion_server import Server, serving

from egca_plugin.cli.main import main
from egca_plugin.config import EgcaConfig, SandboxConfig
from egca_plugin.errors import SandboxError
from egca_plugin.judging import evaluation
from egca_plugin.judging.referee import judge
from egca_plugin.pipeline import Group, assess_groups
from egca_plugin.sandbox.outside import remote
from egca_plugin.sandbox.outside.remote import RemoteSandbox
from egca_plugin.tasks.files import Sample, dump_samples, dump_tasks
from egca_plugin.types import Completion, Kind, Mode, Outcome, StdinCase, Task

REFERENCE = "def f(x):\n    return x + 'SECRET OF THE REFERENCE'[:0]\n"
NOWHERE = SandboxConfig(url="http://127.0.0.1:9/run_code", workers=1)
TASK = Task(
    "t/1", "Return x.", "f", REFERENCE, ("assert f('a') == 'a'", "assert f('bb') == 'bb'", "assert f('') != 'EXPECTED'")
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def remote_sandbox(server: Server, monkeypatch: pytest.MonkeyPatch) -> RemoteSandbox:
    monkeypatch.setattr(remote, "BACKOFF_S", 0.01)
    server.requests.clear()
    with RemoteSandbox(SandboxConfig(url=server.url)) as opened:
        return opened


@pytest.mark.parametrize(
    ("source", "outcome", "passed"),
    [
        ("def f(x): return x", Outcome.OK, 3),
        ("print('passed')\ndef f(x): return x[:1]", Outcome.WRONG_ANSWER, 2),
        ("def f(x): return [][1]", Outcome.EXCEPTION, 0),
        ("def f(x", Outcome.COMPILE_ERROR, 0),
        ("import os\ndef f(x): os._exit(0)", Outcome.EXCEPTION, 0),
        ("class E:\n    def __eq__(self, o): return True\ndef f(x): return E()", Outcome.REFUSED, 0),
        ("def f(x):\n    while x == 'bb': pass\n    return x", Outcome.TIMEOUT, 1),
        (
            "seen = []\ndef f(x):\n    seen.append(x)\n    return x if len(seen) < 3 else 'EXPECTED'",
            Outcome.WRONG_ANSWER,
            2,
        ),
    ],
    ids=["right", "wrong", "raises", "syntax", "exits", "lies", "hangs", "keeps state"],
)
def test_same_verdicts(remote_sandbox: RemoteSandbox, source: str, outcome: Outcome, passed: int) -> None:
    verdict = judge(remote_sandbox, source, TASK, timeout_s=1.5)
    assert (verdict.outcome, verdict.tests_passed, verdict.tests_total) == (outcome, passed, 3)


def test_tests_and_reference_stay_here(remote_sandbox: RemoteSandbox, server: Server) -> None:
    judge(remote_sandbox, "def f(x): return x", TASK)
    sent = str(server.requests)
    assert server.requests
    assert "SECRET OF THE REFERENCE" not in sent
    assert "EXPECTED" not in sent


def test_changed_arguments_come_back(remote_sandbox: RemoteSandbox) -> None:
    tests = "def check(candidate):\n    xs = [2, 1]\n    candidate(xs)\n    assert xs == [1, 2]\n"
    assert judge(remote_sandbox, "def f(xs): xs.sort()", Task("t/2", "", "f", "", tests)).passed


def test_recursion_is_not_cut_short_by_the_frames_of_our_side(remote_sandbox: RemoteSandbox) -> None:
    source = "import sys\ndef f(n): return f(n - 1) if n else sys.getrecursionlimit()"
    tests = "def check(candidate):\n    assert candidate(990) == 1000\n"
    assert judge(remote_sandbox, source, Task("t/2", "", "f", "", tests)).passed


def test_passing_failure_of_the_server_is_tried_again(remote_sandbox: RemoteSandbox, server: Server) -> None:
    server.failures = 2
    assert judge(remote_sandbox, "def f(x): return x", TASK).passed


def test_lasting_failure_is_no_wrong_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "BACKOFF_S", 0.01)
    verdict = judge(RemoteSandbox(NOWHERE), "def f(x): return x", TASK)
    assert verdict.outcome is Outcome.INFRASTRUCTURE
    assert "127.0.0.1:9" in verdict.detail
    with pytest.raises(SandboxError, match=r"127\.0\.0\.1:9"), RemoteSandbox(NOWHERE):
        pass


def test_server_that_cannot_run_our_side_is_no_wrong_answer(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "interpreter", ["/bin/false"])
    with pytest.raises(SandboxError, match="did not start"), RemoteSandbox(SandboxConfig(url=server.url)):
        pass


def test_program_cannot_flood_the_answer(remote_sandbox: RemoteSandbox) -> None:
    flood = (
        "import os\nfor fd in range(3, 10):\n    try:\n"
        f"        for _ in range({remote.MAX_ANSWER >> 20} + 1): os.write(fd, b'x' * (1 << 20))\n"
        "    except OSError: pass\n"
    )
    verdict = judge(remote_sandbox, flood + "def f(x): return x", TASK)
    assert verdict.outcome is Outcome.EXCEPTION
    assert "bytes" in verdict.detail


# --- as a setting ---

WRONG = "def f(x):\n    return x[:1]\n"
COMPLETIONS = (Completion("def f(x):\n    return x\n"), Completion(WRONG), Completion("def f(x:\n    return x\n"))


def test_pipeline_judges_there_and_localises_nothing_but_what_does_not_compile(server: Server) -> None:
    config = EgcaConfig(sandbox=SandboxConfig(workers=1, url=server.url))
    ((_, credits),) = assess_groups(config, [Group(TASK, COMPLETIONS)])
    assert [(credit.mode, credit.reward, credit.reason) for credit in credits] == [
        (Mode.CORRECT, 1.0, ""),
        (Mode.LOGIC, 0.0, "remote_sandbox"),
        (Mode.SYNTAX, 0.0, ""),
    ]
    assert [bool(credit.spans) for credit in credits] == [False, False, True]
    assert server.requests


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    dump_tasks([TASK], tmp_path / "tasks.jsonl")
    dump_samples([Sample("t/1", one.text) for one in COMPLETIONS], tmp_path / "samples.jsonl")
    return str(tmp_path / "tasks.jsonl"), str(tmp_path / "samples.jsonl")


def test_commands_take_the_server(
    server: Server, files: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = ["--sandbox-url", server.url, "--workers", "1"]
    assess = ["assess", "--tasks", files[0], "--samples", files[1], "--out", str(tmp_path / "credits.jsonl")]
    assert main([*assess, *there]) == 0
    lines = [json.loads(line) for line in (tmp_path / "credits.jsonl").read_text().splitlines()]
    assert [(line["outcome"], line["reason"]) for line in lines] == [
        ("ok", None),
        ("wrong_answer", "remote_sandbox"),
        ("compile_error", None),
    ]
    assert main(["eval", files[0], "--samples", files[1], "--json", *there]) == 0
    assert json.loads(capsys.readouterr().out)["pass@1"]["value"] == pytest.approx(1 / 3)


def test_commands_name_a_server_that_does_not_answer(
    files: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", files[0], "--samples", files[1], "--sandbox-url", str(NOWHERE.url)]) == 2
    assert "127.0.0.1:9" in capsys.readouterr().err
    with pytest.raises(SandboxError, match=r"127\.0\.0\.1:9"):
        list(evaluation.outcomes([(TASK, WRONG)], NOWHERE))


def test_reward_manager_asks_the_server(server: Server) -> None:
    pytest.importorskip("verl")
    from omegaconf import OmegaConf

    from egca_plugin.adapters.verl import settings
    from egca_plugin.adapters.verl.judging import PoolJudge

    chosen = OmegaConf.create({"egca": {"sandbox": {"url": server.url}}})

    async def ask() -> list[tuple[float, str]]:
        judge = PoolJudge(settings.read(chosen), workers=1)
        credits = await asyncio.gather(*(judge(TASK, one, 1) for one in COMPLETIONS[:2]))
        return [(credit.reward, credit.reason) for credit in credits]

    assert asyncio.run(ask()) == [(1.0, ""), (0.0, "remote_sandbox")]


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        ("import sys\nprint(sum(map(int, sys.stdin.read().split())))", Outcome.OK),
        ("print(4)", Outcome.WRONG_ANSWER),
        ("print(3)\n1 / 0", Outcome.EXCEPTION),
        ("print(3)\nraise SystemExit(1)", Outcome.EXCEPTION),
        ("print(3, flush=True)\nwhile True: pass", Outcome.TIMEOUT),
        ("print('3' * (4 << 20))", Outcome.WRONG_ANSWER),
    ],
)
def test_whole_programs(server: Server, program: str, outcome: Outcome) -> None:
    task = Task("t/sum", "", "", "", (), kind=Kind.STDIN, cases=(StdinCase("1 2\n", ("3\n",)),))
    with RemoteSandbox(SandboxConfig(url=server.url, timeout_s=1.0)) as sandbox:
        verdict = judge(sandbox, program, task)
    assert verdict.outcome is outcome
    assert server.requests[-1]["code"] == program  # and not a word of what is expected
