"""The far ends of a child's descriptors 0 and 1."""

from __future__ import annotations

import os

_CHUNK = 1 << 16


class Input:
    """A file without a name, complete before it is read: no input is too large for it, and nobody waits for anybody."""

    def __init__(self) -> None:
        self._file = os.memfd_create("stdin", os.MFD_CLOEXEC)

    def __enter__(self) -> Input:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def fill(self, data: bytes) -> None:
        """Let this, and nothing else, be read from now on."""
        os.ftruncate(self._file, 0)
        rest, at = memoryview(data), 0
        while rest:
            written = os.pwrite(self._file, rest, at)
            rest, at = rest[written:], at + written

    def open(self) -> int:
        """A descriptor of its own position, which cannot be written to."""
        return os.open(f"/proc/self/fd/{self._file}", os.O_RDONLY | os.O_CLOEXEC)


class Output:
    """A pipe and what came through it: ``most`` bytes at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self.flooded = False
        self.fd, self.other = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.fd, False)

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        self.close_other()
        os.close(self.fd)

    def close_other(self) -> None:
        """Our copy of the child's end: without it the pipe ends with the child."""
        if self.other >= 0:
            os.close(self.other)
            self.other = -1

    def take(self) -> bool:
        """Read what is there. False once there is nothing more to wait for."""
        while not self.flooded:
            try:
                data = os.read(self.fd, _CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            self._parts.append(data)
            self._size += len(data)
            self.flooded = self._size > self._most
        return False

    def written(self) -> bytes:
        """What came since the last call."""
        found, self._parts, self._size = b"".join(self._parts)[: self._most], [], 0
        return found
