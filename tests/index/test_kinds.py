"""How the index stores what contents and repositories hold."""

from hubindex.index.database.location import Location
from hubindex.index.database.reader import Reader
from hubindex.index.questions.repositories import repository, tags
from hubindex.index.writing.ingest import Ingest
from hubindex.kinds import Kind
from hubindex.records import PlatformImage, Repository, Tag
from hubindex.reference import Reference
from tests.index.building import add, contents, crawl, digest, image, rows

AMD = image("linux/amd64", 101)


def of_kind(name: str, number: int, kind: Kind | None, *images: PlatformImage) -> Tag:
    """A tag that is said to hold something."""
    return Tag(name=name, digest=digest(number), pushed_at=5, kind=kind, images=images)


def shown(reader: Reader) -> dict[str, str]:
    """The kind of each tag of `acme/app`."""
    facts = repository(reader, Reference.parse("acme/app"))
    return {tag.name: tag.kind for tag in tags(reader, facts)}


def test_contradicting_answers_end_in_one_state(ingest: Ingest, reader: Reader, location: Location) -> None:
    """The kind that says more stays, in whatever order; then nothing is written any more."""
    app = add(ingest, "acme/app")[0]
    for names in ("ab", "ba"):
        kinds = dict(zip(names, (Kind.IMAGE, Kind.HELM_CHART), strict=True))
        seen = [of_kind(name, 1, kind) for name, kind in kinds.items()]
        crawl(ingest, app, 10, *seen)
        assert shown(reader) == {"a": "helm chart", "b": "helm chart"}
        before = contents(location)
        crawl(ingest, app, 20, *reversed(seen))
        assert contents(location) == before


def test_a_kind_is_kept_when_a_source_does_not_tell_it(ingest: Ingest, reader: Reader) -> None:
    """As a registry, which tells the digest alone."""
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 10, of_kind("a", 1, Kind.MODEL), of_kind("b", 2, Kind.IMAGE), of_kind("c", 3, None))
    crawl(ingest, app, 20, of_kind("a", 1, None), of_kind("b", 2, None), of_kind("c", 3, None))
    assert shown(reader) == {"a": "model", "b": "image", "c": "unknown"}


def test_what_was_unknown_is_learned(ingest: Ingest, reader: Reader) -> None:
    """With the platform images or without, for a new tag of a known digest too."""
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 10, of_kind("a", 1, None), of_kind("b", 2, None), of_kind("c", 3, None, AMD))
    outcome, _ = crawl(ingest, app, 20, of_kind("a", 1, Kind.IMAGE, AMD), of_kind("b", 2, Kind.WASM))
    assert shown(reader) == {"a": "image", "b": "wasm"}
    assert outcome.news == 1
    crawl(ingest, app, 30, of_kind("a", 1, Kind.IMAGE), of_kind("b", 2, Kind.WASM), of_kind("d", 3, Kind.PLUGIN))
    assert shown(reader) == {"a": "image", "b": "wasm", "d": "plugin"}


def test_an_older_row_for_another_content_tells_nothing_of_the_current_one(ingest: Ingest, reader: Reader) -> None:
    """A late report is about the content that it shows."""
    app = add(ingest, "acme/app")[0]
    crawl(ingest, app, 20, of_kind("a", 2, None))
    late = Tag(name="a", digest=digest(1), pushed_at=3, kind=Kind.HELM_CHART)
    crawl(ingest, app, 10, late)
    assert shown(reader) == {"a": "unknown"}


def test_the_word_for_the_whole_holds_until_a_tag_is_seen(
    ingest: Ingest, reader: Reader, location: Location
) -> None:
    """A record without it changes nothing."""
    charts = Repository(name="acme/app", kinds=frozenset({Kind.HELM_CHART, Kind.IMAGE}))

    def kind() -> str:
        return repository(reader, Reference.parse("acme/app")).kind

    with ingest.transaction() as batch:
        app = batch.repositories([charts], 10)[0].repository_id
    assert kind() == "helm chart, image"
    with ingest.transaction() as batch:
        batch.repositories([Repository(name="acme/app")], 20)
    assert kind() == "helm chart, image"
    crawl(ingest, app, 30, of_kind("1", 1, Kind.HELM_CHART), of_kind(f"sha256-{'a' * 64}.sig", 2, Kind.IMAGE))
    assert kind() == "helm chart"
    with ingest.transaction() as batch:
        batch.repositories([charts], 40)
    assert kind() == "helm chart"
    assert rows(location, "SELECT count(kinds) FROM repository") == [(1,)]
