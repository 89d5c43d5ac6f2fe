"""What the writing side remembers between transactions, as transactional as the index itself."""

from collections.abc import Iterator
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Values by key. Changes count at once; `undo` takes back those since the last `keep`."""

    def __init__(self) -> None:
        self._kept: dict[K, V] = {}
        self._changed: dict[K, V | None] = {}

    def get(self, key: K) -> V | None:
        """The value, None if there is none."""
        return self._changed[key] if key in self._changed else self._kept.get(key)

    def put(self, key: K, value: V) -> None:
        """Remember a value."""
        self._changed[key] = value

    def forget(self, key: K) -> None:
        """Remember nothing of a key any more."""
        self._changed[key] = None

    def items(self) -> Iterator[tuple[K, V]]:
        """All keys and values."""
        for key, value in {**self._kept, **self._changed}.items():
            if value is not None:
                yield key, value

    def keep(self) -> None:
        """The transaction was committed: its changes stay."""
        for key, value in self._changed.items():
            if value is None:
                self._kept.pop(key, None)
            else:
                self._kept[key] = value
        self._changed = {}

    def undo(self) -> None:
        """The transaction failed: what it changed is as before."""
        self._changed = {}
