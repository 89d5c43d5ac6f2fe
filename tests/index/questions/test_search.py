"""Search, on both engines: what matches, in which order, and that no input can do harm."""

import random
import shutil
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubindex.errors import NoAnswer
from hubindex.index.database.location import Location
from hubindex.index.database.opening import open_reader
from hubindex.index.database.reader import Reader
from hubindex.index.questions.search import COMPLETIONS, SORTS, Query, search
from hubindex.index.writing.ingest import GONE_AFTER, Ingest
from hubindex.records import Repository
from hubindex.reference import Reference
from tests.index.building import add, rows


class Engine(NamedTuple):
    """An index on one engine, open for writing and for questions."""

    location: Location
    ingest: Ingest
    reader: Reader

    def fill(self, repositories: Sequence[Repository], hits: dict[str, list[str]]) -> None:
        """Write repositories, and what the Hub returned for some terms."""
        with self.ingest.transaction() as batch:
            numbers = {stored.name: stored.repository_id for stored in batch.repositories(repositories, 1)}
            for term, names in hits.items():
                batch.search_results(term, [numbers[name] for name in names], 1, whole=True)

    def clear(self) -> None:
        """Forget everything."""
        tables = ("repository", "word", "search_term", "search_hit")
        if self.location.dialect == "sqlite":
            for table in tables:
                rows(self.location, f"DELETE FROM {table}", change=True)
            forget = "INSERT INTO repository_search (repository_search) VALUES ('delete-all')"
            rows(self.location, forget, change=True)
        else:
            rows(self.location, f"TRUNCATE {', '.join(tables)}, repository_search", change=True)

    def names(self, query: Query | str) -> list[str]:
        """The names that a query finds, in order."""
        found = search(self.reader, Query(query) if isinstance(query, str) else query)
        return [repository.reference.repository for repository in found]


def _open(location: Location) -> Engine:
    return Engine(location, Ingest(location), open_reader(location))


@pytest.fixture
def engine(location: Location) -> Iterator[Engine]:
    """An empty index."""
    opened = _open(location)
    yield opened
    opened.reader.close()
    opened.ingest.close()


@contextmanager
def _both_engines(request: pytest.FixtureRequest, name: str) -> Iterator[list[Engine]]:
    import psycopg

    path = request.getfixturevalue("tmp_path_factory").mktemp(name) / "index.db"
    shutil.copy(request.getfixturevalue("sqlite_template"), path)
    server, template = request.getfixturevalue("postgresql_server"), request.getfixturevalue("postgresql_template")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE search_{name} TEMPLATE {template}".encode())
    head, _, query = server.partition("?")
    url = f"{head.rpartition('/')[0]}/search_{name}?{query}"
    opened = [_open(Location.parse(str(path))), _open(Location.parse(url))]
    yield opened
    for found in opened:
        found.reader.close()
        found.ingest.close()


@pytest.fixture(scope="module")
def engines(request: pytest.FixtureRequest) -> Iterator[list[Engine]]:
    """Both engines at once; a test clears and fills them as it likes."""
    with _both_engines(request, "engines") as opened:
        yield opened


@pytest.fixture(scope="module")
def shelves(request: pytest.FixtureRequest) -> Iterator[list[Engine]]:
    """The same few repositories on both engines; tests only read them."""
    with _both_engines(request, "shelves") as opened:
        for engine in opened:
            engine.fill(SHELF, SHELF_HITS)
        yield opened


def hub(
    name: str,
    stars: int = 0,
    pulls: int = 0,
    description: str = "",
    *,
    automated: bool = False,
    at: int | None = None,
) -> Repository:
    return Repository(
        name=name,
        description=description,
        star_count=stars,
        pull_count=pulls,
        is_official=name.startswith("library/"),
        is_automated=automated,
        updated_at=at,
    )


SHELF = [
    hub("library/mongo", 9000, 4 * 10**9, "MongoDB document databases provide high availability", at=50),
    hub("library/mongo-express", 1400, 10**8, "Web-based MongoDB admin interface, written with Node.js", at=70),
    hub("bitnami/mongodb", 250, 10**8, "Bitnami container image for MongoDB", at=90),
    hub("mongodb/mongodb-community-server", 100, 10**7, "The Official MongoDB Community Server"),
    hub("acme/spark-thrift", 2, 10, "Spark Thrift Server", automated=True),
    hub("acme/hbasethrift", 0, 9, ""),
    hub("acme/thrifty", 2, 11, "Saves money"),
    hub("acme/evernote", 7, 5, "A client with no such word"),
    hub("acme/cafe", 1, 5, "Café Día, Überserver in der Straße"),
    hub("acme/cjk", 1, 4, "数据库 服务器"),
    hub("acme/under_score.dot-dash", 1, 3, "C++ & C# <b>bold</b> 100% 'quoted' \"double\" back\\slash"),
]
SHELF_HITS = {"thrift": ["acme/evernote", "acme/thrifty", "acme/spark-thrift"], "odd term!": ["acme/cjk"]}


def on_both(engines: list[Engine], query: Query | str) -> list[str]:
    """What a query finds, the same on both engines."""
    sqlite, postgresql = (engine.names(query) for engine in engines)
    assert sqlite == postgresql
    return sqlite


# What matches.


@pytest.mark.parametrize(
    ("term", "found"),
    [
        (
            "mongo",
            ["library/mongo", "library/mongo-express", "bitnami/mongodb", "mongodb/mongodb-community-server"],
        ),
        (
            "mongodb",
            ["library/mongo", "library/mongo-express", "bitnami/mongodb", "mongodb/mongodb-community-server"],
        ),
        ("express", ["library/mongo-express"]),
        ("availab", ["library/mongo"]),
        ("mongodb container", ["bitnami/mongodb"]),
        ("container mongodb bitnami", ["bitnami/mongodb"]),
        ("serv", ["mongodb/mongodb-community-server", "acme/spark-thrift"]),
        ("bitnami/mongodb", ["bitnami/mongodb"]),
        ("mongodb nothing", []),
        ("atabase", []),
        ("ongo", []),
        ("zzz", []),
    ],
)
def test_every_word_must_begin_a_word(shelves: list[Engine], term: str, found: list[str]) -> None:
    """A repository matches if every word of the term begins a word of its name or description."""
    assert on_both(shelves, term) == found


@pytest.mark.parametrize(
    ("term", "found"),
    [
        ("MONGO-Express", ["library/mongo-express"]),
        ("cafe", ["acme/cafe"]),
        ("CAFÉ dia", ["acme/cafe"]),
        ("uberserver", ["acme/cafe"]),
        ("STRASSE", ["acme/cafe"]),
        ("数据库", ["acme/cjk"]),
        ("数据", ["acme/cjk"]),
        ("under score dot dash", ["acme/under_score.dot-dash"]),
        ("node.js", ["library/mongo-express"]),
        ("<b>", ["acme/under_score.dot-dash", "bitnami/mongodb", "library/mongo-express"]),
    ],
)
def test_case_accents_and_punctuation_do_not_matter(shelves: list[Engine], term: str, found: list[str]) -> None:
    """Words are folded on both sides; everything else only separates them."""
    assert sorted(on_both(shelves, term)) == sorted(found)


def test_library_is_stripped(shelves: list[Engine]) -> None:
    """`library/mongo` asks for `mongo`, and `library` is no word of official images."""
    assert on_both(shelves, "library/mongo") == on_both(shelves, "mongo")
    assert on_both(shelves, "library") == []


def test_what_the_hub_returned_is_found(shelves: list[Engine]) -> None:
    """A repository that the Hub returned for exactly this term matches without any of its words."""
    assert on_both(shelves, "thrift") == ["acme/evernote", "acme/thrifty", "acme/spark-thrift"]
    assert on_both(shelves, "  Thrift ") == on_both(shelves, "thrift")
    assert on_both(shelves, "library/thrift") == on_both(shelves, "thrift")
    assert on_both(shelves, "thrif") == ["acme/thrifty", "acme/spark-thrift"]
    assert on_both(shelves, "ODD  term!") == ["acme/cjk"]


@pytest.mark.parametrize("term", ["", "*", "  ", "library/"])
def test_everything(shelves: list[Engine], term: str) -> None:
    """An empty term and a lone asterisk ask for everything."""
    assert sorted(on_both(shelves, Query(term, limit=None))) == sorted(repository.name for repository in SHELF)


@pytest.mark.parametrize("sort", SORTS)
def test_a_term_without_words_finds_nothing(shelves: list[Engine], sort: str) -> None:
    """Punctuation alone matches nothing that the Hub did not return for it."""
    for term in ("-", ":", "**", "!", "()", "🐳"):
        assert on_both(shelves, Query(term, sort=sort)) == []


def test_an_empty_index_has_no_answer(engine: Engine) -> None:
    """Nothing in the index is another answer than nothing found: it says what to do."""
    with pytest.raises(NoAnswer, match="hubindex crawl") as error:
        engine.names("x")
    assert error.value.exit_code == 3
    add(engine.ingest, "a/b")
    assert engine.names("x") == []


def test_a_gone_repository_is_in_no_answer(engine: Engine) -> None:
    """Neither by its words nor as a result of the Hub; and back it is when it is back."""
    engine.fill([hub("a/b", description="word"), hub("a/c", description="word")], {"word": ["a/b", "a/c"]})
    for at in (10, 10 + GONE_AFTER):
        with engine.ingest.transaction() as batch:
            batch.repository_missing("a/b", at)
    assert engine.names("word") == engine.names("a") == engine.names("*") == ["a/c"]
    engine.fill([hub("a/b")], {})
    add(engine.ingest, "a/b", seen_at=10 + 2 * GONE_AFTER)
    assert engine.names("word") == ["a/b", "a/c"]


def test_a_beginning_stands_for_its_most_frequent_words(engine: Engine) -> None:
    """Of more than 100 continuations those count that most repositories have, in powers of two, then by word."""
    words = [f"pre{number:03}" for number in range(COMPLETIONS + 40)]
    frequent = {word: 2 if number >= COMPLETIONS - 10 else 1 for number, word in enumerate(words)}
    repositories = [hub(f"a/{word}-{copy}") for word, times in frequent.items() for copy in range(times)]
    engine.fill(repositories, {})
    found = {name.partition("/")[2].partition("-")[0] for name in engine.names(Query("pre", limit=None))}
    assert found == {word for word in words if frequent[word] == 2} | set(words[:50])
    assert engine.names("pre089") == ["a/pre089-0"]


def test_a_word_itself_counts_beside_its_continuations(engine: Engine) -> None:
    """The whole word is found however rare it is among the words that it begins."""
    others = [hub(f"a/word{number:03}-{copy}") for number in range(COMPLETIONS + 5) for copy in range(2)]
    engine.fill([hub("a/word", 1), *others], {})
    assert engine.names("word")[0] == "a/word"


# Filters, limits, order.


@pytest.mark.parametrize("limit", [1, 2, 3, None])
@pytest.mark.parametrize(
    ("query", "found"),
    [
        (Query("mongo", official=True), ["library/mongo", "library/mongo-express"]),
        (Query("mongo", official=False), ["bitnami/mongodb", "mongodb/mongodb-community-server"]),
        (Query("thrift", automated=True), ["acme/spark-thrift"]),
        (Query("thrift", automated=False), ["acme/evernote", "acme/thrifty"]),
        (Query("thrift", stars=3), ["acme/evernote"]),
        (Query("thrift", stars=2, automated=False), ["acme/evernote", "acme/thrifty"]),
        (Query("mongo", stars=250), ["library/mongo", "library/mongo-express", "bitnami/mongodb"]),
        (Query("mongo", stars=251, official=False), []),
        (Query("mongo", stars=10**18), []),
        (Query("mongo", official=True, automated=True), []),
        (Query("mongo", namespace="library"), ["library/mongo", "library/mongo-express"]),
        (Query("mongo", namespace="mongodb"), ["mongodb/mongodb-community-server"]),
        (Query("thrift", namespace="acme", stars=3), ["acme/evernote"]),
        (Query("*", namespace="bitnami"), ["bitnami/mongodb"]),
        (Query("thrift", namespace="library"), []),
        (Query("mongo", namespace="mongo"), []),
        (Query("mongo", namespace="BitNami"), ["bitnami/mongodb"]),
    ],
)
def test_filters_come_before_the_limit(
    shelves: list[Engine], query: Query, found: list[str], limit: int | None
) -> None:
    """All filters are ANDed, apply to words and to the Hub's results alike, and then the answer is cut."""
    assert on_both(shelves, query._replace(limit=limit)) == found[:limit]


@pytest.mark.parametrize("limit", [0, -1])
def test_no_limit_is_below_one(shelves: list[Engine], limit: int) -> None:
    """Asked for no rows, there are none."""
    for sort in SORTS:
        assert on_both(shelves, Query("mongo", limit=limit, sort=sort)) == []


@pytest.mark.parametrize(
    "namespace", ["a b", "*", "'", '"', "x\0y", "\ud800", "acme/", "é", "!", "acme' OR 'x", "a" * 10_000]
)
def test_any_namespace_is_safe(shelves: list[Engine], namespace: str) -> None:
    """What cannot be a namespace has no repositories."""
    for term in ("mongo", "thrift", "*"):
        assert on_both(shelves, Query(term, namespace=namespace)) == []


def test_stars_beyond_what_rank_knows(engine: Engine) -> None:
    """Absurd and negative star counts are ordered and filtered by their own value."""
    engine.fill([hub("x/huge", 2**40), hub("x/large", 2**21), hub("x/none", 0), hub("x/negative", -3)], {})
    everything = ["x/huge", "x/large", "x/none", "x/negative"]
    assert engine.names("x") == everything
    assert engine.names(Query("x", stars=2**22)) == ["x/huge"]
    assert engine.names(Query("x", stars=0)) == ["x/huge", "x/large", "x/none"]
    assert engine.names(Query("x", stars=2**63 - 1)) == []


def test_the_order_is_stars_position_pulls_name(engine: Engine) -> None:
    """Stars first; among equals the Hub's own results in its order, then pulls, then the name as shown."""
    repositories = [
        hub("x/one", 1, 5),
        hub("x/last", 0, 10**9),
        hub("library/zero", 1, 7),
        hub("x/second", 1, 0),
        hub("x/first", 1, 0),
        hub("x/few-pulls", 1, 3),
        hub("a/few-pulls", 1, 3),
        hub("x/many-stars", 9, 0),
    ]
    engine.fill(
        [repository_with(repository, "word") for repository in repositories],
        {"word": ["x/last", "x/first", "x/second"]},
    )
    order = [
        "x/many-stars",
        "x/first",
        "x/second",
        "library/zero",
        "x/one",
        "a/few-pulls",
        "x/few-pulls",
        "x/last",
    ]
    assert engine.names("word") == order
    for limit in range(1, len(order)):
        assert engine.names(Query("word", limit=limit)) == order[:limit]


def repository_with(repository: Repository, description: str) -> Repository:
    return hub(repository.name, repository.star_count or 0, repository.pull_count or 0, description)


def test_ties_larger_than_the_limit_are_cut_in_order(engines: list[Engine]) -> None:
    """Hundreds of repositories of nearly equal pulls: the first by exact pulls and name are the answer."""
    shuffled = random.Random(1)
    repositories = [hub(f"x/r{number:03}", 0, 1000 + number % 7) for number in range(400)]
    expected = [
        found.name for found in sorted(repositories, key=lambda found: (-(found.pull_count or 0), found.name))
    ]
    shuffled.shuffle(repositories)
    for engine in engines:
        engine.clear()
        engine.fill(repositories, {})
    for limit in (1, 2, 3, 25, 57, 58, 399, 400, 401, None):
        assert on_both(engines, Query("x", limit=limit)) == expected[:limit]


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        (
            "stars",
            ["library/mongo", "library/mongo-express", "bitnami/mongodb", "mongodb/mongodb-community-server"],
        ),
        ("hub", ["library/mongo", "library/mongo-express", "bitnami/mongodb", "mongodb/mongodb-community-server"]),
        (
            "pulls",
            ["library/mongo", "library/mongo-express", "bitnami/mongodb", "mongodb/mongodb-community-server"],
        ),
        (
            "updated",
            ["bitnami/mongodb", "library/mongo-express", "library/mongo", "mongodb/mongodb-community-server"],
        ),
        (
            "name",
            ["bitnami/mongodb", "library/mongo", "library/mongo-express", "mongodb/mongodb-community-server"],
        ),
        (
            "relevance",
            ["library/mongo", "library/mongo-express", "bitnami/mongodb", "mongodb/mongodb-community-server"],
        ),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, None])
def test_sorts(shelves: list[Engine], sort: str, found: list[str], limit: int | None) -> None:
    """Each sort orders all matches before the limit cuts; without an update time comes last."""
    assert on_both(shelves, Query("mongo", sort=sort, limit=limit)) == found[:limit]


def test_the_order_of_the_hub(engines: list[Engine]) -> None:
    """`hub` gives the Hub's results in its order, whatever their stars, then the other matches."""
    for engine in engines:
        engine.clear()
        engine.fill([*SHELF, hub("z/thrift-x", 10_000)], {"thrift": ["acme/hbasethrift", "acme/evernote"]})
    found = ["acme/hbasethrift", "acme/evernote", "z/thrift-x", "acme/thrifty", "acme/spark-thrift"]
    for limit in (1, 2, 3, 4, 5, None):
        assert on_both(engines, Query("thrift", sort="hub", limit=limit)) == found[:limit]


def test_relevance_puts_the_exact_name_first(engine: Engine) -> None:
    """The repository that is called exactly so comes first, a hit in the name before one in the description."""
    engine.fill(
        [hub("x/popular", 500, 10**6, "for redis"), hub("x/my-redis", 400, 10**6), hub("library/redis", 1)], {}
    )
    assert engine.names(Query("redis", sort="relevance")) == ["library/redis", "x/my-redis", "x/popular"]


def test_what_is_found(engine: Engine) -> None:
    """An answer carries the repository's own row, and the Hub's position where there is one."""
    engine.fill(
        [hub("library/a", 3, 4, "Some *text*", automated=True, at=5), hub("x/b")], {"a": ["x/b", "library/a"]}
    )
    first, second = search(engine.reader, Query("a"))
    assert first[1:] == (Reference("docker.io", "library/a"), "Some *text*", 3, True, True, 4, 5, None, 2)
    assert second[1:] == (Reference("docker.io", "x/b"), "", 0, False, False, 0, None, None, 1)


# Any input is safe.

NASTY = [
    'foo" OR',
    '"',
    "'",
    "''",
    "*",
    "mongo*",
    "-",
    "-mongo",
    ":",
    "name:mongo",
    "{name description} : mongo",
    "NEAR(mongo db, 2)",
    "NEAR(",
    "mongo AND",
    "OR OR OR",
    "NOT mongo",
    "^mongo",
    "mongo + db",
    "(((",
    ")",
    "mongo\0db",
    "\0",
    "\ud800",
    "mongo \udfff\ud800",
    "🐳🐳🐳",
    "👩‍👩‍👧‍👦 mongo",
    "\N{ZERO WIDTH JOINER}\N{RIGHT-TO-LEFT OVERRIDE}",
    "mongo & db",
    "mongo | !db",
    "mongo <-> db",
    "mongo:*",
    "'mongo':A",
    "\\",
    "\\'",
    "'; DROP TABLE repository; --",
    '"; DELETE FROM word; --',
    "%",
    "%s %(x)s {0} $1 ? :a @b",
    "mongo%",
    "_",
    "#80",
    "#official",
    "@mongo",
    "ns/library",
    "all",
    "a" * 10_000,
    "é" * 10_000,
    "- " * 5_000,
    " ".join(["mongo"] * 5_000),
    " ".join(f"w{number}" for number in range(5_000)),
    " ".join(chr(0x4E00 + number) for number in range(5_000)),
    "\n\r\t\v\f",
    "1e309 NaN null",
]


@pytest.mark.parametrize("term", NASTY, ids=lambda term: term[:20].encode("unicode_escape").decode())
@pytest.mark.parametrize("sort", ["stars", "relevance"])
def test_any_input_is_safe(shelves: list[Engine], term: str, sort: str) -> None:
    """No text is a query language: it is words, and the same words on both engines."""
    on_both(shelves, Query(term, sort=sort))
    on_both(shelves, Query(term, sort=sort, official=False, stars=1, namespace="acme"))


def test_flags_and_tiers_are_no_words(shelves: list[Engine]) -> None:
    """What the index adds to a document for itself is not found as text."""
    for term in ("all", "official automated", "#official", "ns", "ns/acme", "@mongo official"):
        assert on_both(shelves, term) in ([], ["mongodb/mongodb-community-server"])


def test_many_words_that_all_occur(engine: Engine) -> None:
    """A term of 150 words finds the repository that has them all."""
    words = [f"w{number}x" for number in range(150)]
    engine.fill([hub("x/all", description=" ".join(words)), hub("x/some", description=" ".join(words[:-1]))], {})
    assert engine.names(" ".join(words)) == ["x/all"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(term=st.text(), sort=st.sampled_from(SORTS))
def test_any_text_is_safe(shelves: list[Engine], term: str, sort: str) -> None:
    """Both engines answer any text, with the same repositories."""
    on_both(shelves, Query(term, sort=sort))


# A model: all repositories, looked at one by one.


def words_of(text: str) -> set[str]:
    """The words of a text, folded the slow way."""
    bare = [c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c)]
    return set("".join(c if c.isalnum() else " " for c in bare).split())


@dataclass
class Model:
    """What an index shall answer, by looking at every repository."""

    repositories: list[Repository]
    hits: dict[str, list[str]] = field(default_factory=dict)

    def words(self, repository: Repository) -> set[str]:
        """The words of name and description."""
        return words_of(repository.name.removeprefix("library/")) | words_of(repository.description or "")

    def completions(self, word: str, number: int) -> set[str]:
        """The word and its most frequent continuations."""
        counts: dict[str, int] = {}
        for repository in self.repositories:
            for own in self.words(repository):
                counts[own] = counts.get(own, 0) + 1
        longer = [own for own in counts if own.startswith(word) and own != word]
        return {word, *sorted(longer, key=lambda own: (-counts[own].bit_length(), own))[:number]}

    def answer(self, query: Query) -> list[str]:
        """The names in order."""
        term = " ".join(query.term.split()).lower().removeprefix("library/")
        words = words_of(term)
        number = min(COMPLETIONS, 800 // max(1, len(words)))
        alternatives = [self.completions(word, number) for word in words]
        places = {name: place for place, name in reversed(list(enumerate(self.hits.get(term, []), 1)))}
        found = []
        for repository in self.repositories:
            own = self.words(repository)
            matches = all(own & alternative for alternative in alternatives) and (words or term in {"", "*"})
            if (matches or repository.name in places) and self.passes(repository, query):
                found.append(repository)
        return [repository.name for repository in sorted(found, key=lambda r: self.order(r, places, query.sort))][
            : query.limit
        ]

    def passes(self, repository: Repository, query: Query) -> bool:
        """Whether all filters let the repository through."""
        return (
            (query.stars is None or (repository.star_count or 0) >= query.stars)
            and query.official in {None, repository.is_official}
            and query.automated in {None, repository.is_automated}
            and query.namespace in {None, repository.name.partition("/")[0]}
        )

    def order(self, repository: Repository, places: dict[str, int], sort: str) -> tuple[object, ...]:
        """What to sort by; `places` are the Hub's positions."""
        name = repository.name.removeprefix("library/")
        pulls, place = repository.pull_count or 0, places.get(repository.name, 10**9)
        usual = (-(repository.star_count or 0), place, -pulls, name)
        if sort == "hub":
            return (place, *usual)
        if sort == "pulls":
            return (-pulls, *usual)
        if sort == "updated":
            return (repository.updated_at is None, -(repository.updated_at or 0), *usual)
        return (name,) if sort == "name" else usual


WORDS = [
    "spark",
    "sparkle",
    "spark2",
    "thrift",
    "thrifty",
    "a",
    "ab",
    "abc",
    "database",
    "data",
    "été",
    "数据",
    "server",
]
NAMESPACES = ["library", "acme", "acme-2", "acme_3"]
phrases = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)


@st.composite
def shelves_of_repositories(draw: st.DrawFn) -> Model:
    """A few dozen repositories with few words, few stars and pulls so near each other that rank cannot tell."""
    repositories: dict[str, Repository] = {}
    for _ in range(draw(st.integers(1, 25))):
        parts = draw(st.lists(st.sampled_from([word for word in WORDS if word.isascii()]), min_size=1, max_size=2))
        name = f"{draw(st.sampled_from(NAMESPACES))}/{'-'.join(parts)}"
        repositories[name] = Repository(
            name=name,
            description=draw(phrases),
            star_count=draw(st.sampled_from([0, 0, 1, 2, 3, 50])),
            pull_count=draw(st.one_of(st.integers(0, 3), st.integers(5000, 5100))),
            is_official=draw(st.booleans()),
            is_automated=draw(st.booleans()),
            updated_at=draw(st.one_of(st.none(), st.integers(1, 9))),
        )
    names = sorted(repositories)
    hits = draw(
        st.dictionaries(st.sampled_from(["spark", "data server", "odd"]), st.lists(st.sampled_from(names)))
    )
    return Model(list(repositories.values()), hits)


queries = st.builds(
    Query,
    st.one_of(phrases, st.sampled_from(["*", "odd", "data server", "s", "spark th", "ete", "zz", "ab-a"])),
    stars=st.sampled_from([None, None, 0, 1, 3, 60]),
    official=st.sampled_from([None, None, True, False]),
    automated=st.sampled_from([None, None, True, False]),
    namespace=st.sampled_from([None, None, *NAMESPACES]),
    limit=st.sampled_from([1, 2, 3, 25, None]),
    sort=st.sampled_from([sort for sort in SORTS if sort != "relevance"]),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(model=shelves_of_repositories(), asked=st.lists(queries, min_size=5, max_size=8))
def test_answers_are_those_of_the_model(engines: list[Engine], model: Model, asked: list[Query]) -> None:
    """Whatever is in the index and whatever is asked, both engines answer as one who looks at every repository."""
    for engine in engines:
        engine.clear()
        engine.fill(model.repositories, model.hits)
    for query in asked:
        assert on_both(engines, query) == model.answer(query)


def test_a_larger_index_answers_as_the_model(engines: list[Engine]) -> None:
    """With thousands of repositories of all classes of popularity both engines walk them in parts."""
    dice = random.Random(7)
    repositories = [
        Repository(
            name=f"{dice.choice(NAMESPACES)}/r{number}",
            description=" ".join(dice.choices(WORDS, k=2)),
            star_count=dice.choice([0, 0, 0, 1, 1, 2, 3, 8, 100, 5000]),
            pull_count=int(10 ** dice.uniform(0, 6)),
            is_official=dice.random() < 0.1,
            is_automated=dice.random() < 0.3,
        )
        for number in range(2500)
    ]
    model = Model(repositories, {"data": [repository.name for repository in dice.sample(repositories, 40)]})
    for engine in engines:
        engine.clear()
        engine.fill(model.repositories, model.hits)
    for query in [
        Query("*", limit=3),
        Query("s", limit=1),
        Query("spark", limit=1),
        Query("spark", limit=300),
        Query("data", limit=5),
        Query("data", limit=60, official=True),
        Query("data thrift", limit=2),
        Query("data", limit=3, stars=1, automated=False),
        Query("r", limit=4, namespace="acme", official=False),
        Query("ab", limit=None),
        Query("a", limit=10, sort="hub"),
        Query("data", limit=50, sort="pulls"),
    ]:
        assert on_both(engines, query) == model.answer(query)
