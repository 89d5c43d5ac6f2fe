"""`hubindex show`: one repository."""

from contextlib import closing

import click

from hubindex import moment, pasted
from hubindex.cli.flags import Command
from hubindex.cli.options import common_options, complete_repositories, format_option, no_trunc_option, write
from hubindex.cli.output.ages import age
from hubindex.cli.output.facts import one, optional_moment, short_digest
from hubindex.cli.output.tables import Row, Table
from hubindex.cli.settings import settings
from hubindex.index.database.opening import open_reader
from hubindex.index.questions.repositories import RepositoryFacts, TagFacts, least_specific_first
from hubindex.index.questions.repositories import repository as find
from hubindex.index.questions.repositories import tags as tags_of
from hubindex.kinds import ATTACHED, IMAGE, UNKNOWN
from hubindex.reference import short_name

_TABLE = Table(
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
    },
    ("Name", "StarCount", "PullCount", "TagCount", "NewestTag", "UpdatedAt"),
    "*hubindex.Repository",
)


@click.command(cls=Command)
@click.argument("repository", metavar="REPO", shell_complete=complete_repositories)
@format_option
@no_trunc_option
@common_options
def show(repository: str, template: str, no_trunc: bool) -> None:
    """Show what the index knows of a repository: counts, its newest tag, and what 'latest' is.

    The state shown is that of the last crawl of the repository. Tags that attach a signature, an attestation, an
    SBOM or the like to an image are counted apart.
    """
    reference = pasted.read_repository(repository)
    with closing(open_reader(settings().location)) as reader, reader.snapshot():
        facts = find(reader, reference)
        found = tags_of(reader, facts)
    tags = [tag for tag in found if tag.kind not in ATTACHED]
    attached = len(found) - len(tags)
    write(one(template, _TABLE, _row(facts, tags, attached), _people(facts, tags, attached, no_trunc=no_trunc)))


def _row(facts: RepositoryFacts, tags: list[TagFacts], attached: int) -> Row:
    latest = _latest(tags)
    return {
        "Name": short_name(facts.name),
        "Description": facts.description,
        "Kind": facts.kind,
        "StarCount": facts.star_count,
        "PullCount": facts.pull_count,
        "IsOfficial": facts.is_official,
        "IsAutomated": facts.is_automated,
        "UpdatedAt": optional_moment(facts.updated_at),
        "RegisteredAt": optional_moment(facts.registered_at),
        "TagCount": len(tags) if facts.walked_at is not None else None,
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
    }


def _people(
    facts: RepositoryFacts, tags: list[TagFacts], attached: int, *, no_trunc: bool
) -> list[tuple[str, object]]:
    now = moment.now()
    latest = _latest(tags)
    rows: list[tuple[str, object]] = [
        ("Name", short_name(facts.name)),
        ("Description", facts.description),
        ("Kind", _kind(facts)),
        ("Stars", f"{facts.star_count:,}"),
        ("Pulls", f"{facts.pull_count:,}"),
        ("Updated", _when(facts.updated_at, now)),
        ("Registered", _when(facts.registered_at, now)),
        ("Tags", _tag_count(facts, tags)),
        ("Attached", f"{attached:,} (signatures, attestations, SBOMs and the like)" if attached else None),
        (
            "Newest tag",
            f"{tags[0].name} ({_when(tags[0].pushed_at, now) or 'push time unknown'})" if tags else None,
        ),
    ]
    if latest:
        names = " = ".join(("latest", *least_specific_first(latest.aliases)))
        digest = latest.digest if no_trunc else short_digest(latest.digest)
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


def _kind(facts: RepositoryFacts) -> str:
    kinds = [] if facts.kind == UNKNOWN else facts.kind.split(", ")
    if facts.is_official:
        kinds = [f"official {kind}" if kind == IMAGE else kind for kind in kinds]
    return ", ".join([*kinds, *(["automated"] if facts.is_automated else [])])


def _tag_count(facts: RepositoryFacts, tags: list[TagFacts]) -> str:
    if facts.walked_at is None:
        return f"not crawled: hubindex crawl --repo {short_name(facts.name)}"
    return f"{len(tags):,}"


def _when(at: int | None, now: int) -> str | None:
    return None if at is None else f"{moment.to_rfc3339(at - at % 1000)}, {age(at, now)}"
