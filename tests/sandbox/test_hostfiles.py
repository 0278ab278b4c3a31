"""The standard library's modules that need a file of the host can be used; no other file of the host can be read."""

from __future__ import annotations

import importlib
import json
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts import can_change_user, run_script

from egca_plugin.config import SandboxConfig
from egca_plugin.sandbox import isolation, wire
from egca_plugin.sandbox.outside import probing
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.types import CallStatus


@pytest.fixture(scope="module", params=["namespaces", "landlock"])
def host(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """With a file system of its own, and with that of the host."""
    settings = isolation.settings
    refused = {} if request.param == "namespaces" else dict.fromkeys(("net", "pid", "ipc", "mount"), "refused here")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(isolation, "settings", lambda config, **how: settings(config, **how, refuse=refused))
        with Sandbox(SandboxConfig(require="mandatory")) as sandbox:
            missing = sandbox.start().hello["missing"]
            if "landlock" in missing and "mount" in missing:
                pytest.skip("no file can be opened on this host")
            yield sandbox


@pytest.mark.parametrize(
    ("module", "use", "answer"),
    [
        ("sqlite3", "sqlite3.connect(':memory:').execute('select 20 + 1').fetchall()", [(21,)]),
        ("bz2", "bz2.decompress(bz2.compress(b'ab'))", b"ab"),
        ("lzma", "lzma.decompress(lzma.compress(b'ab'))", b"ab"),
        ("ssl", "ssl.CERT_NONE.name", "CERT_NONE"),
        ("crypt", "len(crypt.crypt('a', '$6$ab')) > 9", True),
        ("curses", "curses.A_NORMAL", 0),
        ("readline", "readline.get_history_length()", -1),
        ("zoneinfo", "str(zoneinfo.ZoneInfo('UTC').key)", "UTC"),
        ("zoneinfo", "'Europe/Paris' in zoneinfo.available_timezones()", True),
    ],
)
def test_module_that_needs_a_file_of_the_host(host: Sandbox, module: str, use: str, answer: object) -> None:
    pytest.importorskip(module)
    if module == "zoneinfo" and "UTC" not in importlib.import_module(module).available_timezones():
        pytest.skip("no time zones on this host")
    (result,) = host.run_calls(f"import {module}\ndef f(): return {use}", [call("f")])
    assert result.status is CallStatus.VALUE, result
    assert wire.decode(result.value) == answer


def test_files_stay_closed(host: Sandbox) -> None:
    source = """
import sqlite3, tempfile
def attempt(deed):
    try: deed()
    except Exception as err: return type(err).__name__
def f():
    deeds = [tempfile.TemporaryFile, lambda: sqlite3.connect("/tmp/egca.db"), lambda: open("/etc/passwd")]
    return [attempt(deed) for deed in deeds]
"""
    pytest.importorskip("sqlite3")
    (result,) = host.run_calls(source, [call("f")])
    *refused, passwd = wire.decode(result.value)
    assert refused == ["FileNotFoundError", "OperationalError"]
    assert passwd in ("FileNotFoundError", "PermissionError")
    assert probing.probe().escapes == ()


def test_no_library_is_in_the_memory_of_a_program_that_does_not_import_it(host: Sandbox) -> None:
    source = (
        "import sys\ndef f(): return [name for name in ('_sqlite3', '_ssl', '_bz2', 'zoneinfo') if name in sys.modules]"
    )
    (result,) = host.run_calls(source, [call("f")])
    assert wire.decode(result.value) == []


@pytest.mark.skipif(not can_change_user(), reason="needs root")
@pytest.mark.skipif(not any(Path(place).is_dir() for place in zoneinfo.TZPATH), reason="no time zones on this host")
def test_files_on_a_mount_of_other_options_cost_no_layer() -> None:
    """As an unprivileged user of a host that lets nothing be run from where its time zones are."""
    script = """
import ctypes, json, os, zoneinfo
libc = ctypes.CDLL(None, use_errno=True)
folder = next(place for place in zoneinfo.TZPATH if os.path.isdir(place)).encode()
mount, private, no_exec, user = 0x20000, 0x44000, 8, 0x10000000
done = [libc.unshare(mount), libc.mount(None, b"/", None, private, None)]
done += [libc.mount(b"tmpfs", folder, b"tmpfs", no_exec, None), libc.unshare(user | mount)]
for name, text in () if any(done) else (("setgroups", "deny"), ("uid_map", "0 0 1"), ("gid_map", "0 0 1")):
    with open(f"/proc/self/{name}", "w") as file: file.write(text)
from egca_plugin.sandbox.outside.api import Sandbox
with Sandbox() as sandbox:
    print(json.dumps([any(done), sandbox.start().hello["missing"].get("mount", "")]))
"""
    failed, missing = json.loads(run_script(script))
    if failed or "refuses" in missing:
        pytest.skip("no namespaces on this host")
    assert missing == ""
