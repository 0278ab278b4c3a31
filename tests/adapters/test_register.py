"""Loading: cheap for plain verl, loud when it fails, there in every process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from importlib import metadata
from typing import Any

import pytest

from egca_plugin.adapters.verl import hooks, versions
from egca_plugin.errors import FrameworkError

PARTS = """
    import json, sys
    import verl
    from egca_plugin.adapters.verl import register
"""


def run(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(code)],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_verl_finds_the_entry_point() -> None:
    names = {point.name: point.value for point in metadata.entry_points(group="verl.plugins")}
    assert names["egca"] == "egca_plugin.adapters.verl.register"


@pytest.mark.slow
def test_import_verl_alone_imports_none_of_ours_nor_more_of_verl() -> None:
    pytest.importorskip("verl")
    done = run(
        PARTS
        + """
    heavy = [m for m in sys.modules if m.startswith(("verl.trainer", "verl.workers.engine", "verl.experimental"))]
    ours = [m for m in sys.modules if m.startswith("egca_plugin.adapters.verl.")]
    print(json.dumps([heavy, sorted(ours), [p.state for p in register.status()]]))
    """
    )
    heavy, ours, states = json.loads(done.stdout.splitlines()[-1])
    assert heavy == []
    assert set(ours) <= {"egca_plugin.adapters.verl." + name for name in ("register", "hooks", "versions")}
    assert set(states) == {"waiting"}


@pytest.mark.parametrize(
    ("env", "policy"),
    [
        ({"VERL_PLATFORM": "cpu"}, "passive"),
        ({"VERL_PLATFORM": "cpu", "OMP_WAIT_POLICY": "active"}, "active"),
        ({"VERL_PLATFORM": ""}, "None"),
    ],
)
def test_on_a_cpu_threads_that_wait_do_not_spin(
    env: dict[str, str], policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    done = run("import os; from egca_plugin.adapters.verl import register; print(os.getenv('OMP_WAIT_POLICY'))", **env)
    assert done.stdout.split()[-1] == policy


@pytest.mark.slow
@pytest.mark.parametrize("first", ["verl.trainer.ppo.v1", "egca_plugin.adapters.verl.trainer"])
def test_everything_is_registered_once_verl_is_in_use(first: str) -> None:
    """Whichever side is imported first: Ray unpickles actor classes by our names too."""
    pytest.importorskip("verl")
    done = run(
        f"import {first}"
        + textwrap.dedent(PARTS)
        + textwrap.dedent(
            """
    from verl.experimental.reward_loop.reward_manager import get_reward_manager_cls
    from verl.trainer.ppo.core_algos import get_adv_estimator_fn
    from verl.trainer.ppo.v1 import get_trainer_cls
    from verl.plugin.platform import get_platform
    from verl.workers.rollout.replica import RolloutReplicaRegistry
    modes = ("egca_sync", "egca_colocate_async", "egca_separate_async")
    found = [get_reward_manager_cls("egca"), get_adv_estimator_fn("egca"), *map(get_trainer_cls, modes)]
    found += [type(get_platform()), RolloutReplicaRegistry.get("hf_cpu")]
    import verl.workers.engine
    print(json.dumps([[f.__name__ for f in found], [[p.name, p.state, p.error] for p in register.status()]]))
    """
        ),
        VERL_PLATFORM="cpu",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    names, parts = json.loads(done.stdout.splitlines()[-1])
    assert names == [
        *("EgcaRewardManager", "egca_advantage", "EgcaSync", "EgcaColocateAsync", "EgcaSeparateAsync"),
        *("PlatformCPU", "HFReplica"),
    ]
    assert [(name, state, error) for name, state, error in parts if state != "registered"] == []


@pytest.mark.slow
def test_a_part_that_fails_is_reported_and_plain_verl_goes_on() -> None:
    pytest.importorskip("verl")
    done = run(
        """
    import json, sys
    sys.modules["egca_plugin.adapters.verl.reward"] = None  # importing it raises
    import verl.experimental.reward_loop.reward_manager
    from egca_plugin.adapters.verl import register
    print(json.dumps([p.error for p in register.status() if p.state == "failed"]))
    """
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(json.loads(done.stdout.splitlines()[-1])) == 1
    assert "its reward manager could not be registered with verl" in done.stderr


@pytest.mark.parametrize("version", ["0.9.0", "0.9.1", "0.9.7.post1"])
def test_supported_versions_pass(version: str) -> None:
    versions.check(version)


@pytest.mark.parametrize(("version", "said"), [("0.8.0", "Upgrade"), ("0.10.0", "newer"), ("main", "not a version")])
def test_other_versions_are_refused_with_a_way_out(version: str, said: str) -> None:
    with pytest.raises(FrameworkError, match=said):
        versions.check(version)


def test_an_untested_version_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(versions.OVERRIDE, "1")
    versions.check("0.10.0")
    with pytest.raises(FrameworkError):
        versions.check("0.8.0")


def test_a_hook_runs_once_after_the_import(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "egca_hooked.py").write_text("done = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seen: list[bool] = []
    hooks.after_import("egca_hooked", lambda: seen.append(sys.modules["egca_hooked"].done))
    assert seen == []
    import egca_hooked  # type: ignore[import-not-found]

    assert seen == [True]
    assert type(egca_hooked.__loader__).__name__ == "SourceFileLoader", "the module must not show that it was watched"
    hooks.after_import("egca_hooked", lambda: seen.append(False))
    assert seen == [True, False], "already imported: at once"


def test_two_plugins_may_wait_for_the_same_module(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "egca_hooked_twice.py").write_text("done = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    seen: list[int] = []
    hooks.after_import("egca_hooked_twice", lambda: seen.append(1))
    hooks.after_import("egca_hooked_twice", lambda: seen.append(2))
    import egca_hooked_twice  # type: ignore[import-not-found]  # noqa: F401

    assert seen == [1, 2]
