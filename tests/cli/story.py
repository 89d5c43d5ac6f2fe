"""A small past: what three looks at `mongo` and one at `acme/web` saw."""

from hubindex.index.database.location import Location
from hubindex.index.writing.ingest import Ingest
from hubindex.moment import from_rfc3339
from tests.index.building import add, crawl, image, tag
from tests.index.building import text as whole

NOW = "2024-04-01T00:00:00Z"


def ms(text: str) -> int:
    """RFC 3339 in UTC milliseconds."""
    moment = from_rfc3339(text)
    assert moment is not None
    return moment


def short(number: int) -> str:
    """The same as tables show it."""
    return whole(number)[:19]


LOOKS = tuple(map(ms, ("2024-02-01T04:00:00Z", "2024-03-02T04:00:00Z", "2024-03-09T04:00:00Z")))
PUSHES = tuple(map(ms, ("2024-01-15T10:00:00Z", "2024-03-01T09:12:44.167Z")))
PUSH_OF_6 = ms("2023-12-01T00:00:00Z")


def tell(location: Location) -> None:
    """Write it into an index.

    `latest`, `7` and `7.0` go from 7.0.5 (1) to 7.0.6 (2) by a push; `latest` then to 3, without a push time. The
    image for arm64 is the same in 1 and 2. `6` goes, and comes back without a push time, `nope` is without a
    digest, and `edge` moves without push times. The tags of `acme/unseen` were never looked at.
    """
    ingest = Ingest(location)
    mongo, web, _ = add(ingest, "library/mongo", "acme/web", "acme/unseen", seen_at=LOOKS[0])
    one = (image("linux/amd64", 101), image("linux/arm64/v8", 100))
    two = (image("linux/amd64", 102), image("linux/arm64/v8", 100))
    seven_five = tag("7.0.5", 1, PUSHES[0], *one)
    nope = tag("nope", None)
    crawl(
        ingest, mongo, LOOKS[0],
        *(tag(name, 1, PUSHES[0], *one) for name in ("latest", "7", "7.0")), seven_five,
        tag("6", 9, PUSH_OF_6), tag("edge", 11), nope,
    )  # fmt: skip
    current = [tag(name, 2, PUSHES[1], *two) for name in ("7", "7.0", "7.0.6")]
    crawl(ingest, mongo, LOOKS[1], tag("latest", 2, PUSHES[1], *two), *current, seven_five, tag("edge", 11), nope)
    crawl(
        ingest, mongo, LOOKS[2], tag("latest", 3), *current, seven_five,
        tag("6", 9), tag("edge", 12), nope,
    )  # fmt: skip
    crawl(ingest, web, LOOKS[2], tag("latest", 3), tag("v1", 7, ms("2024-03-05T00:00:00.500Z")))
    ingest.close()
