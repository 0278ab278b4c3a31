"""What wandb keeps of an offline run: a log of protobuf records in LevelDB's framing, after a header of seven bytes."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_HEADER = struct.Struct("<IHB")  # checksum, length, kind
_BLOCK = 1 << 15
_WHOLE, _LAST = 1, 4


def history(file: Path) -> dict[int, dict[str, Any]]:
    """The metrics by step."""
    from wandb.proto import wandb_internal_pb2

    found = {}
    for raw in _records(file.read_bytes()):
        record = wandb_internal_pb2.Record.FromString(raw)
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            found[record.history.step.num] = {
                item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items
            }
    return found


def _records(data: bytes) -> Iterator[bytes]:
    at, whole = 7, b""
    while at + _HEADER.size <= len(data):
        left = _BLOCK - at % _BLOCK
        if left < _HEADER.size:
            at += left
            continue
        _, size, kind = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        whole += data[at : at + size]
        at += size
        if kind in (_WHOLE, _LAST):
            yield whole
            whole = b""
