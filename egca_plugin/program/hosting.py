"""A whole program on standard input, made a function of its input: what the localiser can call, trace and patch.

``hosted(code)`` is a program with one function, :data:`MAIN`, that runs ``code`` as ``__main__`` in a fresh namespace
and gives back what it printed, in the form in which outputs of its task are compared. Standard streams are objects in
memory here. A program that goes round them (``open(0)``, ``os.read``) behaves otherwise than when it was judged; its
trace then contradicts the verdict, and nothing is blamed.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import CodeType

MAIN = "__egca_main__"
MAX_OUTPUT = 1 << 20
BODY = "__egca_body__"  # a constant that stands for the program


MODULE = "<module>"  # the name of the function that a Script is to whoever patches it


class Script(ast.Module):
    """A module that runs as a whole for each input; where it is compiled it is :func:`hosted`."""


def script(tree: ast.Module) -> Script:
    """The same tree, to be run as a whole."""
    return Script(body=tree.body, type_ignores=[])


_HOST = f"""
def {MAIN}(text, mode):
    import io, sys
    space = {{name: value for name, value in list(globals().items()) if name[:7] == "__egca_"}}
    space.update(__name__="__main__", __builtins__=__builtins__)
    written, room = [], [{MAX_OUTPUT}]

    class Output(io.RawIOBase):
        def writable(self):
            return True

        def write(self, data):
            room[0] -= len(data)
            if room[0] < 0:
                raise OSError("too much output")
            written.append(bytes(data))
            return len(data)

    given = io.BytesIO(text.encode("utf-8", "surrogatepass"))
    streams = sys.stdin, sys.stdout
    sys.stdin = io.TextIOWrapper(given, encoding="utf-8", errors="replace")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(Output()), encoding="utf-8", errors="replace")
    try:
        try:
            exec({BODY!r}, space)
        except SystemExit as end:
            if end.code not in (None, 0):
                raise
        sys.stdout.flush()
    finally:
        sys.stdin, sys.stdout = streams
    text = b"".join(written).decode("utf-8", "replace")
    if mode == "exact":
        return text
    return " ".join(text.split()) if mode == "tokens" else "\\n".join(map(str.rstrip, text.rstrip().split("\\n")))
"""
_HOST_BODY = ast.parse(_HOST).body


def hosted(code: CodeType, head: Sequence[ast.stmt] = ()) -> CodeType:
    """A program whose function :data:`MAIN` runs ``code``, a compiled module, with whatever the host has for probes.

    ``head`` stands in front of the host; the run sees those of its names that begin with ``__egca_``.
    """
    host = ast.Module([*head, *_HOST_BODY], [])
    return _with_body(compile(ast.fix_missing_locations(host), "<host>", "exec", dont_inherit=True), code)


def _with_body(host: CodeType, body: CodeType) -> CodeType:
    consts = tuple(
        body if const == BODY else _with_body(const, body) if isinstance(const, CodeType) else const
        for const in host.co_consts
    )
    return host.replace(co_consts=consts)


def normal(text: str, mode: str) -> str:
    """An output in the form that is compared, as the host has it."""
    if mode == "exact":
        return text
    return " ".join(text.split()) if mode == "tokens" else "\n".join(map(str.rstrip, text.rstrip().split("\n")))
