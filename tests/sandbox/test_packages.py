"""Packages that a setting allows: importable and warm, and not a hair more of the host than without them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from egca_plugin.config import SandboxConfig
from egca_plugin.errors import ConfigError
from egca_plugin.sandbox import packages
from egca_plugin.sandbox.outside.api import Sandbox, call
from egca_plugin.sandbox.outside.scripts import ScriptResult
from egca_plugin.types import CallStatus

numpy = pytest.importorskip("numpy")


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox(SandboxConfig(packages=("numpy",), memory_mb=256)) as sandbox:
        yield sandbox


def run(box: Sandbox, source: str, stdin: bytes = b"") -> ScriptResult:
    return box.run_script(source, stdin, cpu_s=10)


def test_it_is_imported_and_does_its_work(box: Sandbox) -> None:
    source = """
import numpy as np
a, b = np.array(input().split(), dtype=int), np.loadtxt([input()])
print(a.sum(), b.mean(), np.linalg.solve(np.eye(2), [1, 2]), np.fft.fft([1, 0]).real.sum(), np.sort(a)[::-1])
"""
    assert run(box, source, b"3 1 2\n1 2\n").stdout.decode() == "6 1.5 [1. 2.] 2.0 [3 2 1]\n"
    (result,) = box.run_calls("import numpy as np\ndef f(x): return int(np.sum(x))", [call("f", [1, 2])])
    assert result.status is CallStatus.VALUE


def test_chance_is_the_same_in_every_run_and_follows_the_seed(box: Sandbox) -> None:
    source = "import numpy as np\nprint(np.random.rand(), np.random.default_rng().random(), np.random.permutation(9))"
    assert run(box, source).stdout == run(box, source).stdout
    assert run(box, source).stdout != box.run_script(source, b"", seed=1).stdout


def test_it_is_warm_where_a_program_names_it(box: Sandbox) -> None:
    plain, named = box.start("print(1)").pid, box.start("import numpy").pid
    assert plain != named
    assert run(box, "import numpy\nprint(1)").cpu_s < 0.1
    (trace,) = box.trace("import numpy\ndef f(): return 1", [call("f")])
    assert trace.result.status is CallStatus.VALUE


@pytest.mark.parametrize(
    "attempt",
    [
        "open(np.__file__, 'a')",
        "os.remove(np.__file__)",
        "np.save('/tmp/x.npy', np.arange(3))",
        "np.arange(3).tofile(os.path.dirname(np.__file__) + '/x')",
        "open('/etc/passwd')",
        "os.listdir('/etc')",
        "__import__('torch')",
        "__import__('pytest')",
        "os.fork()",
        "__import__('_socket').socket()",
        "__import__('ctypes').CDLL(None).system(b'true') == 0 or 1 / 0",
        "np.ctypeslib.load_library('libc.so.6', '/lib')",
        "np.memmap(np.__file__, mode='r+')",
        "bytearray(400 << 20)",
        "np.ones(400 << 20, dtype=np.uint8)",
    ],
)
def test_nothing_else_opens_with_it(box: Sandbox, attempt: str) -> None:
    result = run(
        box, f"import os\nimport numpy as np\ntry:\n    {attempt}\n    print('done')\nexcept Exception: print('no')"
    )
    assert result.stdout == b"no\n"


def test_what_it_needs_comes_with_it() -> None:
    for name in ("sympy", "networkx", "sortedcontainers"):
        pytest.importorskip(name)
    with Sandbox(SandboxConfig(packages=("sympy", "networkx", "sortedcontainers"))) as box:
        source = """
import networkx as nx, sympy
from sortedcontainers import SortedList
print(sympy.factorint(60), nx.shortest_path_length(nx.path_graph(5), 0, 4), SortedList([2, 1])[0])
"""
        assert run(box, source).stdout == b"{2: 2, 3: 1, 5: 1} 4 1\n"


def test_without_the_setting_there_is_none(sandbox: Sandbox) -> None:
    result = sandbox.run_script("import numpy", b"").result
    assert (result.error_type, result.error_message) == ("ModuleNotFoundError", "No module named 'numpy'")


@pytest.mark.parametrize("name", ["no_such_package", "sys", "math"])
def test_a_package_that_is_none_is_named(name: str) -> None:
    with pytest.raises(ConfigError, match=rf"egca\.sandbox\.packages: got '{name}'.*pip install {name}"):
        packages.locate((name,))
    with pytest.raises(ConfigError, match=r"egca\.sandbox\.packages"):
        Sandbox(SandboxConfig(packages=(name,))).start()


def test_names_are_names() -> None:
    with pytest.raises(ConfigError, match=r"egca\.sandbox\.packages: got \('num-py',\)"):
        SandboxConfig(packages=("num-py",))
