"""Contents of images become rows, each once, whichever repositories have it."""

from collections.abc import Collection, Iterable

from hubindex.contents import Contents
from hubindex.index.content_rows import chain_number, chain_of, packed, parts_of, prefix, unpacked
from hubindex.index.database.engine import Transaction
from hubindex.index.database.sql import Parameters


class ContentWriter:
    """Stores contents, and finds those that are stored."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def store(self, several: Iterable[Contents]) -> None:
        """Keep contents that are not kept yet."""
        rows: list[Parameters] = []
        parts: list[Parameters] = []
        for contents in sorted(several, key=lambda each: each.digest):  # in one order, whoever else stores some
            digest, chain = contents.digest, chain_of(contents)
            rows.append(
                {
                    "prefix": prefix(digest),
                    "digest": digest,
                    "chain": None if chain is None else chain_number(chain),
                    "document": packed(contents),
                }
            )
            parts += [{"prefix": prefix(part), "digest": digest} for part in sorted(parts_of(contents))]
        self._tx.run("add_content", *rows)
        self._tx.run("add_content_part", *parts)

    def undescribed(self, repository_id: int, digests: Collection[bytes]) -> dict[bytes, Contents | None]:
        """Those of some digests whose contents are not stored (None), or not known to the repository."""
        prefixes = sorted(map(prefix, set(digests)))
        rows = self._tx.query("digests_by_prefix", repository_id=repository_id, prefixes=prefixes)
        described = {bytes(digest) for digest, _, images, kind in rows if images is not None or kind is not None}
        kept = {bytes(digest) for (digest,) in self._tx.query("kept_contents", prefixes=prefixes)}
        wanted = [each for each in digests if not (each in kept and each in described)]
        stored = self.stored([each for each in wanted if each in kept]) if wanted else {}
        return {each: stored.get(each) for each in wanted}

    def stored(self, digests: Collection[bytes]) -> dict[bytes, Contents]:
        """Those of some digests that are stored."""
        wanted = set(digests)
        rows = self._tx.query("contents_by_prefix", prefixes=sorted(map(prefix, wanted)))
        return {bytes(digest): unpacked(bytes(document)) for digest, document in rows if bytes(digest) in wanted}
