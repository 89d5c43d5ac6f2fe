"""Lists of names that a registry gives page by page: tags of a repository, and its catalog of repositories.

Pages go on by a `Link` header (RFC 8288), relative or not, with cursors that mean something to the server alone.
What a server says is not believed: a list that leads to another server, repeats itself, or has no end, ends early.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from msgspec import Struct
from yarl import URL

from hubindex.records import RepositoryNames, TagNames
from hubindex.reference import is_tag
from hubindex.sources.complaints import Complaints
from hubindex.sources.http.failures import Response
from hubindex.sources.http.headers import joined
from hubindex.text import quote

_MAX_PAGES = 2000
_MAX_REPOSITORIES = 2_000_000
_MAX_TAGS = 500_000  # far more than any repository is known to have: each would take a request
_MAX_LINK = 16 * 1024
_LINK = re.compile(r"<([^<>]*)>([^<]*)")
_NEXT = re.compile(r";\s*rel\s*=\s*(?:\"[^\"]*\bnext\b[^\"]*\"|next\b)", re.IGNORECASE)


class _TagList(Struct):
    tags: list[object] | None
    name: object = None


class _Catalog(Struct):
    repositories: list[object] | None


class Page(NamedTuple):
    """One page of a list of names: whatever stood there, unchecked. `name` is what it says that it lists."""

    name: object
    names: Sequence[object]
    link: str | None
    sent_at: int


class ListWalk:
    """The pages of one list, as they come in."""

    def __init__(
        self, name: str, scope: str, read: Callable[[Response], Page], is_name: Callable[[str], bool]
    ) -> None:
        self.name = name
        self.scope = scope
        self.read = read
        self._is_name = is_name
        self._most = _MAX_TAGS if is_name is is_tag else _MAX_REPOSITORIES
        self._fresh: list[str] = []
        self._names: dict[str, None] = {}
        self._observed_at: int | None = None
        self._visited: set[URL] = set()
        self._has_grown = False
        self._complaints = Complaints(f"tags of {name}" if is_name is is_tag else name)

    @property
    def has_begun(self) -> bool:
        """Whether a page has come."""
        return self._observed_at is not None

    def add(self, page: Page) -> None:
        """Take the names of a page."""
        if self._observed_at is None:
            self._observed_at = page.sent_at
        if page.name is not None and page.name != self.name:
            self.doubt(f"the answer is about another repository, {quote(str(page.name))}")
        before = len(self._names)
        for position, found in enumerate(page.names):
            if len(self._names) >= self._most:
                self.doubt(f"ended early: more than {self._most:,} names")
                break
            if isinstance(found, str) and self._is_name(found):
                if found not in self._names:
                    self._names[found] = None
                    self._fresh.append(found)
            else:
                named = found if isinstance(found, str) else ""
                what = "tag name" if self._is_name is is_tag else "repository"
                self._complaints.add(position, named, f"left out, because it is not a {what}")
        self._has_grown = len(self._names) > before

    def is_new(self, url: URL) -> bool:
        """Whether the list goes on at this address: not if it was asked for, or the last page told nothing new."""
        if not self._has_grown or url in self._visited:
            return False
        self._visited.add(url)
        return True

    def goes_on(self) -> bool:
        """Whether the list is still within bounds."""
        if len(self._visited) >= _MAX_PAGES:
            self.doubt(f"ended early: more than {_MAX_PAGES:,} pages")
            return False
        return len(self._names) < self._most

    def doubt(self, why: str) -> None:
        """Write down why the list proves nothing about absent tags."""
        self._complaints.add_whole(why)

    def take(self) -> RepositoryNames:
        """What has come in since it was taken last."""
        fresh, self._fresh = tuple(self._fresh), []
        warnings, self._complaints = self._complaints.warnings(), Complaints(self.name)
        return RepositoryNames(names=fresh, observed_at=self._observed_at or 0, warnings=warnings)

    def result(self) -> TagNames:
        """What came in."""
        warnings = self._complaints.warnings()
        return TagNames(
            names=tuple(self._names),
            observed_at=self._observed_at or 0,
            complete=not warnings,
            warnings=warnings,
        )


def read_tags(answer: Response) -> Page:
    """A page of a repository's tags. Raises `msgspec.DecodeError`."""
    page = msgspec.json.decode(answer.body, type=_TagList)
    return Page(page.name, page.tags or (), _next_link(answer), answer.sent_at)


def read_catalog(answer: Response) -> Page:
    """A page of a registry's catalog. Raises `msgspec.DecodeError`."""
    page = msgspec.json.decode(answer.body, type=_Catalog)
    return Page(None, page.repositories or (), _next_link(answer), answer.sent_at)


def _next_link(answer: Response) -> str | None:
    links = _LINK.finditer(joined(answer.headers, "Link", _MAX_LINK))
    return next((link[1] for link in links if _NEXT.search(link[2])), None)


def resolved(source: URL, link: str) -> URL | None:
    """The address of a link in the answer of `source`; `None` if it is at another origin, or nowhere."""
    if not link or not link.isascii() or not link.isprintable() or " " in link:
        return None
    try:
        target = source.join(URL(link, encoded=True)).with_user(None).with_fragment(None)
        return target if target.origin() == source.origin() else None
    except ValueError:
        return None
