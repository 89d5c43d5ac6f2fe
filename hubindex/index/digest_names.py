"""The names of the tags that have or had a digest: what leads from the digest to them.

The first ones stand in the digest's own row (`digest.tags`), separated by blanks; of a digest that very many tags
share, the others stand in pieces in `digest_tags`. So that a name is written once, however many there are already.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hubindex.index.database.sql import Parameters

if TYPE_CHECKING:
    from hubindex.index.database.engine import Transaction

ROOM = 1000
"""Characters of names in a digest's own row, at most."""

_LONGEST_NAME = 128

FULL = ROOM - _LONGEST_NAME
"""From so many characters on there may be more names in `digest_tags`."""


def split(names: Iterable[str], used: int = 0) -> tuple[str, str]:
    """Names that have room in a row of which so many characters are used, and the others; joined by blanks."""
    names = list(names)
    for number, name in enumerate(names):
        used += len(name) + 1
        if used > ROOM:
            return " ".join(names[:number]), " ".join(names[number:])
    return " ".join(names), ""


class DigestNames:
    """Gathers the names for digests that are stored already; `flush` writes them."""

    def __init__(self, tx: "Transaction") -> None:
        self._tx = tx
        self._names: dict[tuple[int, int], dict[str, None]] = {}

    def add(self, repository_id: int, digest_id: int, name: str) -> None:
        """A tag has a digest."""
        self._names.setdefault((repository_id, digest_id), {})[name] = None

    def flush(self) -> None:
        """Write what was gathered."""
        by_repository: dict[int, list[int]] = {}
        for repository_id, digest_id in self._names:
            by_repository.setdefault(repository_id, []).append(digest_id)
        changed: list[Parameters] = []
        for repository_id, digest_ids in by_repository.items():
            rows = self._tx.query("digest_names", repository_id=repository_id, digest_ids=digest_ids)
            for digest_id, stored in rows:
                known = set((stored or "").split())
                names = [name for name in self._names[repository_id, digest_id] if name not in known]
                first, others = split(names, len(stored or ""))
                if first:
                    both = f"{stored} {first}" if stored else first
                    changed.append({"repository_id": repository_id, "digest_id": digest_id, "names": both})
                self.add_piece(repository_id, digest_id, others)
        self._tx.run("name_digest", *changed)
        self._names = {}

    def add_piece(self, repository_id: int, digest_id: int, names: str) -> None:
        """More names than the digest's row has room for."""
        if names:
            of: Parameters = {"repository_id": repository_id, "digest_id": digest_id}
            self._tx.run("add_digest_tags", {**of, "name": names.partition(" ")[0], "names": names})
