"""What a registry reports of pushes and deletions: notifications of the distribution project, as looks to make.

    {"events": [{"action": "push", "timestamp": "…", "target": {"mediaType": "…", "digest": "sha256:…",
                 "repository": "devenv", "tag": "latest", "url": "…"}, "request": {"host": "localhost:5000"}}]}

The format is that of the distribution project's `docs/content/about/notifications.md`, versions 2.1 to 3.1. A
push by digest, and every push of an older server, has no tag; a deletion has a digest only, or, since 3.0, a tag.
Anybody may send such a report: it is a hint that something happened, and proves nothing. The registry is asked.
"""

from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from hubindex.digests import digest_bytes
from hubindex.errors import UnreadableAnswer
from hubindex.reference import is_repository, is_tag
from hubindex.sources.complaints import Complaints
from hubindex.text import quote, shown

MEDIA_TYPE: Final = "application/vnd.docker.distribution.events.v1+json"
"""The `Content-Type` of a report."""

MAX_REPORT: Final = 4 * 1024 * 1024
"""The most bytes of a report that are read."""

_MAX_EVENTS = 10_000
_ACTIONS = {"push", "delete"}
_OF_MANIFESTS = ("manifest", "image.index")


class Look(NamedTuple):
    """What to look at in a repository, by its path: one tag; or without one, the tags that have or had a digest.

    `is_deletion` tells that a manifest or a tag is said to be deleted. A push without a tag may have moved any.
    """

    repository: str
    tag: str | None
    digest: bytes | None
    is_deletion: bool


class Report(NamedTuple):
    """The looks that a report asks for, each once, in order; `warnings` name events that are not understood."""

    looks: tuple[Look, ...]
    warnings: tuple[str, ...]


class _Target(Struct):
    repository: str | None = None
    tag: str | None = None
    digest: str | None = None
    media_type: str | None = msgspec.field(name="mediaType", default=None)


class _Event(Struct):
    action: str | None = None
    target: _Target | None = None


class _Envelope(Struct):
    events: list[msgspec.Raw] | None = None


def read_report(body: bytes) -> Report:
    """The looks that a report asks for. Pulls, and pushes and deletions of blobs, ask for none.

    Raises `UnreadableAnswer` for what is no report at all.
    """
    if len(body) > MAX_REPORT:
        raise UnreadableAnswer(f"a report of the registry is larger than {MAX_REPORT:,} bytes")
    try:
        events = msgspec.json.decode(body, type=_Envelope).events or []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UnreadableAnswer(f"a report of the registry is not understood ({shown(str(error))})") from error
    complaints = Complaints("a report of the registry")
    looks: dict[Look, None] = {}
    for position, raw in enumerate(events[:_MAX_EVENTS]):
        try:
            event = msgspec.json.decode(raw, type=_Event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            complaints.add(position, "", "left out, because it is no event")
            continue
        if event.action not in _ACTIONS or event.target is None or _is_blob(event.target):
            continue
        look = _look(event.target, is_deletion=event.action == "delete")
        if isinstance(look, str):
            complaints.add(position, event.target.repository or "", f"left out, because {look}")
        else:
            looks[look] = None
    if len(events) > _MAX_EVENTS:
        complaints.add_whole(f"more than {_MAX_EVENTS:,} events: the rest is left out")
    return Report(tuple(looks), complaints.warnings())


def _is_blob(target: _Target) -> bool:
    """Whether an event is about a layer or a configuration; what has no media type, or any tag, is none."""
    if target.tag or not target.media_type:
        return False
    return not any(word in target.media_type for word in _OF_MANIFESTS)


def _look(target: _Target, *, is_deletion: bool) -> Look | str:
    """The look, or why there is none."""
    if not target.repository or not is_repository(target.repository):
        return f"{quote(target.repository or '')} is not a repository"
    if target.tag and not is_tag(target.tag):
        return f"{quote(target.tag)} is not a tag"
    digest = digest_bytes(target.digest) if target.digest else None
    if target.digest and digest is None:
        return f"{quote(target.digest)} is not a digest"
    if not target.tag and digest is None:
        return "it names neither a tag nor a digest"
    return Look(target.repository, target.tag or None, digest, is_deletion)
