"""The layers, on this host and on poorer ones: what is missing is named, what is left still holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hosts import NOBODY, can_change_user, run_script

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import IsolationError
from egca_plugin.sandbox import isolation, policy, wire
from egca_plugin.sandbox.outside import probing
from egca_plugin.sandbox.outside.api import Sandbox, call

PROBE = """
import json
from egca_plugin.sandbox.outside import probing
found = probing.probe()
missing = {layer.name: layer.reason for layer in found.layers if layer.reason}
print(json.dumps({"level": found.level, "missing": missing, "escapes": found.escapes, "notes": found.notes}))
"""
USERS = [
    pytest.param(None, id="this user"),
    pytest.param(NOBODY, id="nobody", marks=pytest.mark.skipif(not can_change_user(), reason="needs root")),
]


def probe(**host: Any) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run_script(PROBE, **host))
    return answer


@pytest.mark.parametrize("user", USERS)
class TestHosts:
    def test_this_host(self, user: int | None) -> None:
        found = probe(user=user)
        assert found["escapes"] == []
        assert found["level"] in ("mandatory", "landlock", "namespaces")

    def test_without_namespaces(self, user: int | None) -> None:
        found = probe(user=user, deny=("unshare",))
        assert set(found["missing"]) >= {"mount", "pid", "net", "ipc"}
        assert "Operation not permitted" in found["missing"]["net"]
        assert found["escapes"] == []

    def test_without_landlock(self, user: int | None) -> None:
        found = probe(user=user, deny=("landlock_create_ruleset",), error="ENOSYS")
        assert (found["level"], found["escapes"]) == ("mandatory", [])
        assert "Function not implemented" in found["missing"]["landlock"]

    def test_without_either(self, user: int | None) -> None:
        """No file can be opened then; what is preloaded still imports."""
        deny = ("unshare", "landlock_create_ruleset")
        found = probe(user=user, deny=deny)
        assert (found["level"], found["escapes"]) == ("mandatory", [])
        script = (
            "from egca_plugin.sandbox.outside.api import Sandbox, call\n"
            "source = 'import math, heapq, collections\\ndef f(): return math.floor(2.5)'\n"
            "with Sandbox() as sandbox: print(sandbox.run_calls(source, [call('f')])[0].status.value)"
        )
        assert run_script(script, user=user, deny=deny) == "value"

    def test_without_seccomp_there_is_no_sandbox(self, user: int | None) -> None:
        script = (
            "from egca_plugin.sandbox.outside.api import Sandbox\n"
            "from egca_plugin.errors import IsolationError\n"
            "import ctypes, errno, pyseccomp\n"
            "try:\n    Sandbox().start()\nexcept IsolationError as err: print(err)"
        )
        # The zygote installs its filter with prctl(PR_SET_SECCOMP), which this host refuses.
        deny = (
            "import errno, pyseccomp\n"
            "allowed = pyseccomp.SyscallFilter(pyseccomp.ALLOW)\n"
            "allowed.add_rule(pyseccomp.ERRNO(errno.EINVAL), 'prctl', pyseccomp.Arg(0, pyseccomp.EQ, 22))\n"
            "allowed.load()\n"
        )
        assert "seccomp: the kernel refuses the filter: Invalid argument" in run_script(deny + script, user=user)


# What pyseccomp asks for the library, answered as on a host that has none.
WITHOUT_LIBSECCOMP = """
import ctypes.util
find = ctypes.util.find_library
ctypes.util.find_library = lambda name: None if name == "seccomp" else find(name)
"""


def test_host_without_libseccomp_is_told_what_to_install() -> None:
    found = json.loads(run_script(WITHOUT_LIBSECCOMP + PROBE))
    assert found["level"] == ""
    assert "Unable to find libseccomp" in found["missing"]["seccomp"]
    assert "apt-get install libseccomp2" in found["missing"]["seccomp"]
    assert found["missing"]["landlock"].startswith("not tried")


@pytest.mark.parametrize("level", ["mandatory", "landlock", "namespaces"])
def test_no_required_level_starts_without_libseccomp(level: str) -> None:
    script = (
        "from egca_plugin.config import SandboxConfig\n"
        "from egca_plugin.errors import IsolationError\n"
        "from egca_plugin.sandbox.outside.pool import Pool\n"
        f"pool = Pool('egca_plugin.judging.handlers:judging', SandboxConfig(require='{level}', workers=1))\n"
        "try:\n    pool.start()\nexcept IsolationError as err: print(err)"
    )
    path = "import os, sys, tempfile\nkept = tempfile.TemporaryDirectory()\nfolder = kept.name\n"
    broken = (  # a worker is another process: it finds a pyseccomp that fails as the real one does
        "open(folder + '/pyseccomp.py', 'w').write('raise RuntimeError(\"Unable to find libseccomp\")')\n"
        "sys.path.insert(0, folder)\n"
    )
    told = run_script(path + broken + script)
    assert told.startswith(f"egca.sandbox.require={level} cannot be met: seccomp: got RuntimeError")
    assert "apt-get install libseccomp2" in told


def test_doctor_names_the_library_once() -> None:
    script = (
        "from egca_plugin.cli.checks import core_checks\n"
        "for check in core_checks():\n    if check.state.value == 'bad': print(check.name, '|', check.mend)"
    )
    told = dict(line.split(" | ") for line in run_script(WITHOUT_LIBSECCOMP + script).splitlines())
    assert set(told) == {"isolation: seccomp", "isolation", "sandbox"}
    assert told["isolation: seccomp"].startswith("apt-get install libseccomp2")


@pytest.mark.parametrize(
    ("missing", "level"),
    [
        ({}, "namespaces"),
        ({"net": "no"}, "landlock"),
        ({"landlock": "no"}, "mandatory"),
        ({"user": "stays root"}, "namespaces"),
        ({"seccomp": "no"}, ""),
    ],
)
def test_level_and_its_enforcement(missing: dict[str, str], level: str) -> None:
    assert isolation.report(missing).level == level
    for required in ("mandatory", "landlock", "namespaces"):
        if (
            required
            in ("mandatory", "landlock", "namespaces")[: ["", "mandatory", "landlock", "namespaces"].index(level)]
        ):
            isolation.enforce(required, missing)
        else:
            with pytest.raises(IsolationError, match=f"require={required}"):
                isolation.enforce(required, missing)


def test_required_level_that_the_host_lacks_stops_the_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = isolation.settings(SandboxConfig(), refuse=dict.fromkeys(("net", "pid", "ipc", "mount"), "refused here"))
    monkeypatch.setattr(isolation, "settings", lambda config, **_: settings)
    with pytest.raises(IsolationError, match=r"got isolation level 'landlock', expected 'namespaces' .*refused here"):
        Sandbox(SandboxConfig(require="namespaces")).start()


def test_filters_differ_by_the_opening_of_files() -> None:
    assert len(policy.program(files=True)) > len(policy.program(files=False)) > 0


def test_modules_that_are_not_preloaded_import(sandbox: Sandbox) -> None:
    source = "import html, csv, difflib, base64, secrets, uuid, zlib\ndef f(): return html.escape('<')"
    assert sandbox.run_calls(source, [call("f")])[0].status.value == "value"


def test_installed_packages_are_out_of_reach(sandbox: Sandbox) -> None:
    """They may hold the answers: HumanEval's data set is one."""
    source = (
        "import os, sys\nhere = os.path.dirname(os.__file__) + '/site-packages'\nsys.path.append(here)\n"
        "def f():\n    try: return os.listdir(here)\n    except OSError: return []\n"
        "def g(): import pip"
    )
    listing, imported = sandbox.run_calls(source, [call("f"), call("g")])
    assert wire.decode(listing.value) == [] or probing.probe().level != "namespaces"
    assert imported.error_type == "ModuleNotFoundError"
