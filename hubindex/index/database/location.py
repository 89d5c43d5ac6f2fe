"""Where an index is: a SQLite file or a PostgreSQL database."""

import os
from typing import NamedTuple

from hubindex.errors import WrongUsage


class Location(NamedTuple):
    """A parsed `--db`. `target` is a path, or the whole `postgresql://` URL; `label` is fit to be shown."""

    dialect: str
    target: str
    label: str

    @classmethod
    def parse(cls, text: str | None = None) -> "Location":
        """From a path, `sqlite:///path` or `postgresql://…`; without a text the file in the user's data directory.

        Raises `WrongUsage` for any other kind of URL.
        """
        if not text:
            return cls._file(_default_path())
        scheme, separator, rest = text.partition("://")
        if not separator:
            return cls._file(text)
        if scheme == "sqlite":
            if not rest.startswith("/") or rest == "/":
                raise WrongUsage("--db sqlite://…: write sqlite:///relative/path or sqlite:////absolute/path")
            return cls._file(rest[1:])
        if scheme in {"postgresql", "postgres"}:
            return cls("postgresql", f"postgresql://{rest}", _without_secrets(rest))
        raise WrongUsage(f"--db: unknown kind of index {scheme[:40]!r}: give a file, sqlite:/// or postgresql://")

    @classmethod
    def _file(cls, path: str) -> "Location":
        if "\0" in path:
            raise WrongUsage("--db: a path cannot contain NUL")
        path = os.path.abspath(os.path.expanduser(path))
        return cls("sqlite", path, path)

    @property
    def exists(self) -> bool:
        """Whether there is something to open; a PostgreSQL database is taken to exist until it refuses."""
        return self.dialect == "postgresql" or os.path.exists(self.target)


def _default_path() -> str:
    from platformdirs import user_data_dir

    return os.path.join(user_data_dir("hubindex", appauthor=False), "index.db")


def _without_secrets(rest: str) -> str:
    """User and query of a PostgreSQL URL may hold a password: show neither, except the user's name."""
    body, _, query = rest.partition("?")
    if "@" in query:  # it belongs to the query, or a `?` to the password: who knows
        credentials, at, host = body, "@", "…"
    else:
        credentials, at, host = body.rpartition("@")
    user = credentials.partition(":")[0].partition("/")[0]
    return f"postgresql://{user}{at}{host}"
