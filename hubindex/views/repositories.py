"""A repository: its fields, and what people are told of it."""

from hubindex.index.questions.repositories import RepositoryFacts, TagFacts, least_specific_first
from hubindex.kinds import IMAGE, UNKNOWN
from hubindex.moment import to_rfc3339
from hubindex.reference import DEFAULT_REGISTRY
from hubindex.views.ages import age
from hubindex.views.cells import optional_moment, short_digest
from hubindex.views.table import Row, Table

REPOSITORY_TABLE = Table(
    {
        "Name": "NAME",
        "Description": "DESCRIPTION",
        "Kind": "KIND",
        "StarCount": "STARS",
        "PullCount": "PULLS",
        "IsOfficial": "OFFICIAL",
        "IsAutomated": "AUTOMATED",
        "UpdatedAt": "UPDATED",
        "RegisteredAt": "REGISTERED",
        "TagCount": "TAGS",
        "ImageCount": "IMAGES",
        "AttachedCount": "ATTACHED",
        "NewestTag": "NEWEST TAG",
        "Latest": "LATEST",
        "LatestAliases": "LATEST ALIASES",
        "Platforms": "PLATFORMS",
        "FirstSeen": "FIRST SEEN",
        "LastSeen": "LAST SEEN",
        "TagsSeen": "TAGS SEEN",
        "Problem": "PROBLEM",
        "MissingSince": "MISSING SINCE",
        "GoneSince": "GONE SINCE",
        "Image": "IMAGE",
    },
    ("Name", "StarCount", "PullCount", "TagCount", "NewestTag", "UpdatedAt"),
    "*hubindex.Repository",
)


def repository_row(facts: RepositoryFacts, tags: list[TagFacts], attached: int) -> Row:
    """The fields of a repository with these tags, and so many that belong to images."""
    latest = _latest(tags)
    return {
        "Name": facts.reference.familiar_name,
        "Description": facts.description,
        "Kind": facts.kind,
        "StarCount": facts.star_count,
        "PullCount": facts.pull_count,
        "IsOfficial": facts.is_official,
        "IsAutomated": facts.is_automated,
        "UpdatedAt": optional_moment(facts.updated_at),
        "RegisteredAt": optional_moment(facts.registered_at),
        "TagCount": len(tags) if facts.walked_at is not None else None,
        "ImageCount": _image_count(tags) if facts.walked_at is not None else None,
        "AttachedCount": attached if facts.walked_at is not None else None,
        "NewestTag": tags[0].name if tags else None,
        "Latest": latest.digest if latest else None,
        "LatestAliases": least_specific_first(latest.aliases) if latest else [],
        "Platforms": list(latest.platforms) if latest else [],
        "FirstSeen": optional_moment(facts.first_seen_at),
        "LastSeen": optional_moment(facts.seen_at),
        "TagsSeen": optional_moment(facts.looked_at),
        "Problem": facts.walk_problem,
        "MissingSince": optional_moment(facts.missing_at),
        "GoneSince": optional_moment(facts.gone_at),
        "Image": None,
    }


def repository_lines(
    facts: RepositoryFacts, tags: list[TagFacts], attached: int, now: int, *, truncate: bool
) -> list[tuple[str, object]]:
    """The same for people: labels and values, in their order; values may be empty."""
    latest = _latest(tags)
    is_on_hub = facts.reference.registry == DEFAULT_REGISTRY  # no other registry counts these
    rows: list[tuple[str, object]] = [
        ("Name", facts.reference.familiar_name),
        ("Description", facts.description),
        ("Kind", _kind(facts)),
        ("Stars", f"{facts.star_count:,}" if is_on_hub else None),
        ("Pulls", f"{facts.pull_count:,}" if is_on_hub else None),
        ("Updated", _when(facts.updated_at, now)),
        ("Registered", _when(facts.registered_at, now)),
        ("Tags", _tag_count(facts, tags)),
        ("Attached", f"{attached:,} (signatures, attestations, SBOMs and the like)" if attached else None),
        (
            "Newest tag",
            f"{tags[0].name} ({_when(tags[0].pushed_at, now) or 'push time unknown'})" if tags else None,
        ),
    ]
    rows.append(("Images", f"{_image_count(tags):,}" if tags else None))
    if latest:
        names = " = ".join(("latest", *least_specific_first(latest.aliases)))
        digest = short_digest(latest.digest) if truncate else latest.digest
        rows += [("Latest", f"{names}, {digest or 'digest unknown'}"), ("Platforms", ", ".join(latest.platforms))]
    rows += [
        ("First seen", _when(facts.first_seen_at, now)),
        ("Last seen", _when(facts.seen_at, now)),
        ("Tags seen", _when(facts.looked_at, now)),
        ("Last walk", f"incomplete: {facts.walk_problem}" if facts.walk_problem else None),
        ("Missing since", _when(facts.missing_at, now)),
        ("Gone since", _when(facts.gone_at, now)),
    ]
    return rows


def _latest(tags: list[TagFacts]) -> TagFacts | None:
    return next((tag for tag in tags if tag.name == "latest"), None)


def _image_count(tags: list[TagFacts]) -> int:
    """How many digests the tags have."""
    return len({tag.digest for tag in tags if tag.digest})


def _kind(facts: RepositoryFacts) -> str:
    kinds = [] if facts.kind == UNKNOWN else facts.kind.split(", ")
    if facts.is_official:
        kinds = [f"official {kind}" if kind == IMAGE else kind for kind in kinds]
    return ", ".join([*kinds, *(["automated"] if facts.is_automated else [])])


def _tag_count(facts: RepositoryFacts, tags: list[TagFacts]) -> str:
    if facts.walked_at is None:
        return f"not crawled: hubindex crawl --repo {facts.reference.familiar_name}"
    return f"{len(tags):,}"


def _when(at: int | None, now: int) -> str | None:
    return None if at is None else f"{to_rfc3339(at - at % 1000)}, {age(at, now)}"


def last_look(facts: RepositoryFacts, now: int) -> str:
    """`its tags were looked at last 2 days ago, at 2024-03-04T04:00:00Z`, or how to do that."""
    name = facts.reference.familiar_name
    if facts.walked_at is None:
        return f"its tags are not in the index: fetch them with 'hubindex crawl --repo {name}'"
    at = facts.looked_at or facts.walked_at
    return f"its tags were looked at last {age(at, now)}, at {to_rfc3339(at - at % 1000)}"
