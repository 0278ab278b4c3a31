"""A group of two that meets at a TCP store."""

from __future__ import annotations

import pickle
from datetime import timedelta
from typing import Any

from torch.distributed import TCPStore


class StatelessProcessGroup:
    def __init__(self, store: Any, rank: int) -> None:
        self.store, self.rank, self.count = store, rank, 0

    @staticmethod
    def create(host: str, port: int, rank: int, world_size: int, store_timeout: int = 300) -> StatelessProcessGroup:
        return StatelessProcessGroup(
            TCPStore(host, port, world_size, rank == 0, timedelta(seconds=store_timeout)), rank
        )

    def broadcast(self, tensor: Any, src: int) -> Any:
        self.count += 1
        key = f"tensor/{self.count}"
        if self.rank == src:
            self.store.set(key, pickle.dumps(tensor))
            return tensor
        found = pickle.loads(self.store.get(key))
        self.store.delete_key(key)  # there is one reader
        return found
