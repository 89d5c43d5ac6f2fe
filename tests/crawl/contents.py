"""All that an index holds, by name and not by number, so that two indexes can be compared.

Numbers are given out in the order in which things come, which differs from crawl to crawl.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Row
from hubindex.index.database.schema import metadata
from hubindex.index.platforms import KEY_SIZE, unpack

Contents = Mapping[str, Sequence[Row]]


def contents(location: Location) -> Contents:
    """The rows of each table but those of the frontier, numbers replaced by what they stand for, in order."""
    tables = _read(location)
    names = {row["repository_id"]: row["name"] for row in tables["repository"]}
    platforms = {row["platform_id"]: row["name"] for row in tables["platform"]}
    media_types = {row["media_type_id"]: row["name"] for row in tables["media_type"]}
    terms = {row["term_id"]: row["term"] for row in tables["search_term"]}
    tags = {(row["repository_id"], row["tag_id"]): row["name"] for row in tables["tag"]}
    digests = {(row["repository_id"], row["digest_id"]): _digest(row["digest"]) for row in tables["digest"]}

    def images(repository_id: int, packed: bytes | None) -> object:
        pairs = unpack(bytes(packed)) if packed is not None else []
        return packed is not None, [(platforms[one], digests[repository_id, other]) for one, other in pairs]

    def named(row: dict[str, Any]) -> Row:
        repository_id = row.pop("repository_id", None)
        found: dict[str, object] = {"repository": names.get(repository_id)}
        for key, value in row.items():
            of = (repository_id, value)
            match key:
                case "tag_id":
                    found[key] = tags.get(of)
                case "digest_id" | "index_id":
                    found[key] = digests.get(of)
                case "term_id":
                    found[key] = terms[value]
                case "media_type_id":
                    found[key] = media_types.get(value)
                case "images":
                    found[key] = images(repository_id, value)
                case "digest":
                    found[key] = _digest(value)
                case "tags":
                    found[key] = sorted(str(value or "").split())
                case "last_tag_id" | "last_digest_id" | "registry_id":
                    pass
                case _:
                    found[key] = value
        return tuple(found.items())

    left_out = {"seed", "job", "platform", "media_type", "registry"}
    return {
        name: sorted((named(row) for row in rows), key=repr)
        for name, rows in tables.items()
        if name not in left_out
    }


def _read(location: Location) -> dict[str, list[dict[str, Any]]]:
    tables: dict[str, list[dict[str, Any]]] = {}
    with closing(open_reader(location)) as reader:
        for table in metadata.sorted_tables:
            columns = [column.name for column in table.columns]
            rows = reader._connection.execute(f"SELECT {', '.join(columns)} FROM {table.name}").fetchall()
            tables[table.name] = [dict(zip(columns, row, strict=True)) for row in rows]
    for row in tables["repository"]:
        if (row["partial_at"] or 0) <= (row["swept_at"] or 0):
            row["partial_at"] = row["partial_since"] = None  # a sweep has said it all
    return tables


def _digest(content: bytes) -> str:
    return ("set " if len(content) == KEY_SIZE else "") + bytes(content).hex()
