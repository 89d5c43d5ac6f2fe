"""The tables, as SQLAlchemy Core metadata for SQLite and PostgreSQL.

Everything of a repository is keyed by `repository_id` first, so that one crawl touches neighbouring pages and a
distributed PostgreSQL can shard by it. Times are UTC milliseconds. How the rows answer questions about the past
is told in docs/architecture.md.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import TSVECTOR

metadata = MetaData()

# Byte order, the same on both engines whatever the locale of the database.
Name = Text().with_variant(Text(collation="C"), "postgresql")

registry = Table(
    "registry",
    metadata,
    Column("registry_id", SmallInteger, primary_key=True, autoincrement=False),
    Column("host", Text, nullable=False, unique=True),
)

repository = Table(
    "repository",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=True),
    Column("registry_id", SmallInteger, nullable=False),
    Column("name", Name, nullable=False, comment="path in the registry: library/mongo"),
    Column("description", Text, nullable=False),
    Column("star_count", BigInteger, nullable=False),
    Column("pull_count", BigInteger, nullable=False),
    Column("is_official", Boolean, nullable=False),
    Column("is_automated", Boolean, nullable=False),
    Column("updated_at", BigInteger, comment="last push, as far as known"),
    Column("registered_at", BigInteger),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="when a source last described it"),
    Column("missing_at", BigInteger, comment="first of the 404 answers since it was last seen"),
    Column("gone_at", BigInteger, comment="missing twice, hours apart"),
    Column("walked_at", BigInteger, comment="start of the last walk over its tags"),
    Column("walk_problem", Text, comment="why that walk was no sweep"),
    Column("swept_at", BigInteger, comment="start of the last sweep"),
    Column("partial_at", BigInteger, comment="start of the last walk that saw only the newest tags"),
    Column("partial_since", BigInteger, comment="that walk saw every tag pushed after this"),
    Column("last_tag_id", Integer, nullable=False),
    Column("last_digest_id", Integer, nullable=False),
    Column("kinds", SmallInteger, comment="what it holds: see `hubindex.kinds.of_mask`"),
    UniqueConstraint("registry_id", "name", name="repository_name"),
)

tag = Table(
    "tag",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("name", Name, primary_key=True),
    Column("tag_id", Integer, nullable=False, comment="numbered inside the repository"),
    Column("digest_id", Integer, comment="of the open span; null: not known"),
    Column("pushed_at", BigInteger, comment="the registry's word for when the open span began"),
    Column("first_seen_at", BigInteger, nullable=False, comment="our first sight of the open span"),
    Column("last_seen_at", BigInteger, comment="null: sweeps confirm it; else the last sight that did"),
    Column("gone_at", BigInteger, comment="end of the sweep that missed the tag"),
    Column("closed_spans", Integer, nullable=False),
    Column("seen_at", BigInteger, comment="a look at this tag, where it is later than what walks confirm"),
    sqlite_with_rowid=False,
)

span = Table(
    "span",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("tag_id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("digest_id", Integer),
    Column("pushed_at", BigInteger),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("gone_at", BigInteger, comment="set when the tag vanished rather than moved"),
    sqlite_with_rowid=False,
)

digest = Table(
    "digest",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("digest_id", Integer, primary_key=True, autoincrement=False),
    Column(
        "digest",
        LargeBinary,
        nullable=False,
        comment="raw: 32 bytes sha256, 64 sha512; 16 bytes: no digest but the key of a platform set",
    ),
    Column("media_type_id", Integer),
    Column("size", BigInteger),
    Column("images", LargeBinary, comment="platform images, packed: platform_id, digest_id, …"),
    Column("tags", Text, comment="the tags that have or had it, separated by blanks"),
    Column("kind", SmallInteger, comment="`hubindex.kinds.Kind`; null: an image if it has images, else not known"),
    sqlite_with_rowid=False,
)

digest_tags = Table(
    "digest_tags",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("digest_id", Integer, primary_key=True, autoincrement=False),
    Column("name", Name, primary_key=True, comment="the first of the names"),
    Column("names", Text, nullable=False, comment="of tags that have or had it, separated by blanks"),
    sqlite_with_rowid=False,
)

digest_prefix = Table(
    "digest_prefix",
    metadata,
    Column("prefix", Integer, primary_key=True, autoincrement=False, comment="first 32 bits, signed"),
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("digest_id", Integer, primary_key=True, autoincrement=False),
    Column(
        "index_id",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="digest_id of an image index that contains it, or 0",
    ),
    sqlite_with_rowid=False,
)

content = Table(
    "content",
    metadata,
    Column("prefix", Integer, primary_key=True, autoincrement=False, comment="first 32 bits, signed"),
    Column("digest", LargeBinary, primary_key=True, comment="raw, of a manifest"),
    Column("chain", BigInteger, comment="first 64 bits, signed, of what identifies the file system of an image"),
    Column("document", LargeBinary, nullable=False, comment="`hubindex.contents.Contents`, packed"),
    Index("content_chain", "chain"),
)

content_part = Table(
    "content_part",
    metadata,
    Column(
        "prefix",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="first 32 bits, signed, of the digest of a configuration or of a layer",
    ),
    Column("digest", LargeBinary, primary_key=True, comment="raw, of a manifest that it belongs to"),
    sqlite_with_rowid=False,
)

sweep = Table(
    "sweep",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("started_at", BigInteger, primary_key=True, autoincrement=False),
    Column("finished_at", BigInteger, nullable=False),
    Column("tag_count", Integer, nullable=False),
    sqlite_with_rowid=False,
)

witness = Table(
    "witness",
    metadata,
    Column("witness_id", Integer, primary_key=True, autoincrement=True),
    Column("name", Name, nullable=False, unique=True),
)

import_mark = Table(
    "import_mark",
    metadata,
    Column("witness", Name, primary_key=True),
    Column("subject", Name, primary_key=True, comment="what was imported: the name of an image"),
    Column("mark", Text, nullable=False, comment="how far: a commit"),
)

report = Table(
    "report",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("tag", Name, primary_key=True),
    Column("witness_id", Integer, primary_key=True, autoincrement=False),
    Column("seen_from", BigInteger, primary_key=True, autoincrement=False),
    Column("seen_until", BigInteger, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, primary_key=True, comment="raw; empty: the tag was not there"),
    Column("platform", Name, primary_key=True, comment="whose image the digest is; empty: of the tag itself"),
    Column("is_by", Boolean, nullable=False, comment="seen at some moment up to then"),
    Column("prefix", Integer, comment="first 32 bits of the digest, signed"),
    Column("source", Text, nullable=False, comment="where exactly the witness says so"),
    Index("report_prefix", "prefix"),
    sqlite_with_rowid=False,
)

change = Table(
    "change",
    metadata,
    Column(
        "period",
        Integer,
        primary_key=True,
        autoincrement=False,
        comment="number of 28 days in which a span of the repository began, or one of its tags vanished",
    ),
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

platform = Table(
    "platform",
    metadata,
    Column("platform_id", Integer, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
)

media_type = Table(
    "media_type",
    metadata,
    Column("media_type_id", Integer, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
)

seed = Table(
    "seed",
    metadata,
    Column("seed_id", Integer, primary_key=True, autoincrement=True),
    Column("kind", Name, nullable=False, comment="what is listed: term, namespace or repository"),
    Column("name", Name, nullable=False),
    Column("wanted", Integer, nullable=False, comment="how many results of a term; 0: all"),
    Column("with_tags", Boolean, nullable=False, comment="whether what it finds is to be visited"),
    UniqueConstraint("kind", "name", name="seed_name"),
)

job = Table(
    "job",
    metadata,
    Column("repository_id", Integer, primary_key=True, autoincrement=False, comment="to visit, or 0"),
    Column("seed_id", Integer, primary_key=True, autoincrement=False, comment="to list, or 0"),
    Column("due_at", BigInteger, nullable=False),
    Column("asked_by", BigInteger, comment="the crawl that was told to do it; null: it is due by itself"),
    Column("leased_by", Text, comment="the process that is at it"),
    Column("leased_until", BigInteger),
    Column("done_at", BigInteger, comment="when it last succeeded"),
    Column("done_for", BigInteger, comment="the crawl that it was last done for"),
    Column("tries", SmallInteger, nullable=False, comment="failures since then"),
    Column("failure", Text, comment="kind of the last failure"),
    Column("error", Text, comment="what was said of it"),
    Index("job_due", "due_at"),
    sqlite_with_rowid=False,
)
_is_asked = job.c.asked_by.is_not(None)
Index("job_asked", job.c.asked_by, job.c.due_at, postgresql_where=_is_asked, sqlite_where=_is_asked)

search_term = Table(
    "search_term",
    metadata,
    Column("term_id", Integer, primary_key=True),
    Column("term", Name, nullable=False, unique=True),
    Column("crawled_at", BigInteger, nullable=False),
)

search_hit = Table(
    "search_hit",
    metadata,
    Column("term_id", Integer, primary_key=True, autoincrement=False),
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, nullable=False, comment="from 1, as the source ordered them"),
    sqlite_with_rowid=False,
)

word = Table(
    "word",
    metadata,
    Column("word", Name, primary_key=True),
    Column("repositories", Integer, nullable=False),
    Column("frequency", SmallInteger, nullable=False, comment="bit length of `repositories`"),
    Index("word_by_frequency", "frequency", "word"),
    sqlite_with_rowid=False,
)

# The search index proper. On SQLite its place is taken by an FTS5 table of the same name, whose rowid is `rank`:
# Alembic knows no virtual tables, so its words stand in the migration alone.
postgresql_only = MetaData()

repository_search = Table(
    "repository_search",
    postgresql_only,
    Column("repository_id", Integer, primary_key=True, autoincrement=False),
    Column("rank", BigInteger, nullable=False),
    Column("words", TSVECTOR, nullable=False),
    Index("repository_search_rank", "rank"),
    Index("repository_search_words", "words", postgresql_using="gin"),
)

_ON_COORDINATOR = {"repository", "repository_search", "search_hit", "job"}


def distributed_tables() -> tuple[Table, ...]:
    """The tables that an index on a Citus cluster divides by `repository_id`: all whose primary key contains it.

    Four stay whole on the coordinator: a repository is found by its name, a search goes through all repositories,
    and a claim takes the jobs of all in one order.
    """
    keyed = (table for table in metadata.sorted_tables if "repository_id" in table.primary_key.columns)
    return tuple(table for table in keyed if table.name not in _ON_COORDINATOR)


def coordinator_tables() -> tuple[Table, ...]:
    """All other tables of an index on a Citus cluster."""
    distributed = distributed_tables()
    every = (*metadata.sorted_tables, *postgresql_only.sorted_tables)
    return tuple(table for table in every if table not in distributed)
