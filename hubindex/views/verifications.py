"""What a registry said of a reference: the fields, and the sentences for people."""

from collections.abc import Iterator

from hubindex.moment import to_rfc3339
from hubindex.verdicts import DeepVerification, Verdict, Verification
from hubindex.views.ages import age
from hubindex.views.cells import optional_moment, size
from hubindex.views.table import Row, Table

VERIFICATION_TABLE = Table(
    {
        "Name": "NAME",
        "Tag": "TAG",
        "Verdict": "VERDICT",
        "Known": "KNOWN",
        "LastSeen": "LAST SEEN",
        "Digest": "DIGEST",
        "Platform": "PLATFORM",
        "AskedAt": "ASKED AT",
        "Manifests": "MANIFESTS",
        "Blobs": "BLOBS",
        "Size": "SIZE",
        "Problems": "PROBLEMS",
    },
    ("Name", "Tag", "Verdict", "Known", "Digest"),
    "*hubindex.Verification",
)


def verification_row(found: Verification, last_seen_at: int | None, deep: DeepVerification | None) -> Row:
    """The fields, for JSON and templates."""
    return {
        "Name": found.reference.familiar_name,
        "Tag": found.reference.tag,
        "Verdict": found.verdict.value,
        "Known": found.known,
        "LastSeen": optional_moment(last_seen_at),
        "Digest": found.digest,
        "Platform": found.platform,
        "AskedAt": to_rfc3339(found.asked_at),
        "Manifests": deep.manifests if deep else None,
        "Blobs": deep.blobs if deep else None,
        "Size": deep.size if deep else None,
        "Problems": list(deep.problems) if deep else None,
    }


def sentences(
    found: Verification, last_seen_at: int | None, deep: DeepVerification | None, now: int
) -> Iterator[str]:
    """What it means, for people."""
    name = found.reference.familiar
    seen = ""
    if last_seen_at is not None:
        seen = f"last seen {age(last_seen_at, now)}, at {to_rfc3339(last_seen_at - last_seen_at % 1000)}"
    if found.verdict is Verdict.SAME:
        yield _same(found, name, seen)
    elif found.verdict is Verdict.MOVED:
        what = f", {seen}," if seen else ""
        yield f"{name} has moved: from {found.known}{what} to {found.digest}"
    else:
        what = f", {seen}" if seen else ""
        yield f"{name} is gone: the registry has no {found.known} under that name any more{what}"
    if deep is not None:
        yield _deep(deep)


def _same(found: Verification, name: str, seen: str) -> str:
    than = f"when it was {seen}" if seen else "asked for"
    why = "the digest is the hash of its manifest, which names the configuration and every layer by their hashes"
    if found.platform is not None:
        return (
            f"{name} holds the same set of bits as {than}: {found.known} is its image for {found.platform} "
            f"in the index {found.digest}; {why}"
        )
    return f"{name} is the same set of bits as {than}: {found.known}; {why}"


def _deep(deep: DeepVerification) -> str:
    read = f"{_many(deep.manifests, 'manifest')} and {_many(deep.blobs, 'blob')} ({size(deep.size)}) were read"
    if deep.problems:
        return f"{read}: {_many(len(deep.problems), 'problem')}"
    return f"{read}: each is what its digest says"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
