"""JSON lines, read and written in one place: tasks, samples, references and records.

What people's tools write is read: UTF-8 with or without a byte order mark, lines that end in CR LF, gzip under any
name, halves of surrogate pairs. What is written is UTF-8 that every JSON reader takes, one object a line.
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, cast

from egca_plugin.errors import EgcaError

STDIN = Path("-")  # standard input, wherever a file is read
_BOM = b"\xef\xbb\xbf"
_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")


def rows(path: Path, error: type[EgcaError]) -> Iterator[tuple[str, dict[str, Any]]]:
    """``(where, object)`` for every line of :func:`lines`. Raises ``error`` for one that is no JSON object, too."""
    return ((where, parse(line, where, error)) for where, line in lines(path, error))


def lines(path: Path, error: type[EgcaError]) -> Iterator[tuple[str, bytes]]:
    """``(where, line)`` for every line of a file that is not blank; ``where`` is ``file:line``.

    Read as they are asked for: a file may be larger than memory. Raises ``error`` for a file that cannot be read.
    """
    try:
        with nullcontext(cast(io.BufferedReader, sys.stdin.buffer)) if path == STDIN else path.open("rb") as file:
            for number, line in enumerate(_unpacked(file, path, error), start=1):
                if line.strip():
                    yield f"{path}:{number}", line
    except (OSError, EOFError, zlib.error) as cause:
        why = getattr(cause, "strerror", None) or cause
        raise error(f"{path}: cannot be read ({why}); expected a JSONL file") from cause


def parse(line: bytes, where: str, error: type[EgcaError]) -> dict[str, Any]:
    """The object of one line. Raises ``error`` that names ``where``."""
    try:
        row = json.loads(line.removeprefix(_BOM).decode("utf-8", "surrogatepass"))
    except UnicodeDecodeError as cause:
        raise error(f"{where}: not UTF-8 at byte {cause.start}; expected a JSONL file in UTF-8") from cause
    except (ValueError, RecursionError) as cause:
        raise error(f"{where}: not JSON ({cause}); expected one JSON object a line") from cause
    if not isinstance(row, dict):
        raise error(f"{where}: got {kind(row)}, expected a JSON object")
    return row


def line(row: Mapping[str, Any]) -> bytes:
    """``row`` as one line, newline included; half of a surrogate pair becomes its escape, which :func:`parse` reads."""
    return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def kind(value: Any) -> str:
    """A short printed form of a wrong value, for messages."""
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '...'}"


def _unpacked(file: io.BufferedReader, path: Path, error: type[EgcaError]) -> Iterator[bytes]:
    head = file.peek(2)[:2]
    if head in _UTF16:
        raise error(f"{path}: in UTF-16; expected a JSONL file in UTF-8")
    return iter(gzip.GzipFile(fileobj=file)) if head == _GZIP else iter(file)
