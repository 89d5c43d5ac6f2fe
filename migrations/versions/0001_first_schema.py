"""The first schema.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

Name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "digest",
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "digest",
            sa.LargeBinary(),
            nullable=False,
            comment="raw: 32 bytes sha256, 64 sha512; 16 bytes: no digest but the key of a platform set",
        ),
        sa.Column("media_type_id", sa.Integer(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column(
            "images",
            sa.LargeBinary(),
            nullable=True,
            comment="platform images, packed: platform_id, digest_id, …",
        ),
        sa.PrimaryKeyConstraint("repository_id", "digest_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "digest_prefix",
        sa.Column("prefix", sa.Integer(), autoincrement=False, nullable=False, comment="first 32 bits, signed"),
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "index_id",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="digest_id of an image index that contains it, or 0",
        ),
        sa.PrimaryKeyConstraint("prefix", "repository_id", "digest_id", "index_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "media_type",
        sa.Column("media_type_id", sa.Integer(), nullable=False),
        sa.Column("name", Name, nullable=False),
        sa.PrimaryKeyConstraint("media_type_id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "platform",
        sa.Column("platform_id", sa.Integer(), nullable=False),
        sa.Column("name", Name, nullable=False),
        sa.PrimaryKeyConstraint("platform_id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "registry",
        sa.Column("registry_id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("registry_id"),
        sa.UniqueConstraint("host"),
    )
    op.create_table(
        "repository",
        sa.Column("repository_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("registry_id", sa.SmallInteger(), nullable=False),
        sa.Column("name", Name, nullable=False, comment="path in the registry: library/mongo"),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("star_count", sa.BigInteger(), nullable=False),
        sa.Column("pull_count", sa.BigInteger(), nullable=False),
        sa.Column("is_official", sa.Boolean(), nullable=False),
        sa.Column("is_automated", sa.Boolean(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=True, comment="last push, as far as known"),
        sa.Column("registered_at", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False, comment="when a source last described it"),
        sa.Column(
            "missing_at",
            sa.BigInteger(),
            nullable=True,
            comment="first of the 404 answers since it was last seen",
        ),
        sa.Column("gone_at", sa.BigInteger(), nullable=True, comment="missing twice, hours apart"),
        sa.Column("walked_at", sa.BigInteger(), nullable=True, comment="start of the last walk over its tags"),
        sa.Column("walk_problem", sa.Text(), nullable=True, comment="why that walk was no sweep"),
        sa.Column("swept_at", sa.BigInteger(), nullable=True, comment="start of the last sweep"),
        sa.Column(
            "partial_at",
            sa.BigInteger(),
            nullable=True,
            comment="start of the last walk that saw only the newest tags",
        ),
        sa.Column(
            "partial_since",
            sa.BigInteger(),
            nullable=True,
            comment="that walk saw every tag pushed after this",
        ),
        sa.Column("last_tag_id", sa.Integer(), nullable=False),
        sa.Column("last_digest_id", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id"),
        sa.UniqueConstraint("registry_id", "name", name="repository_name"),
    )
    op.create_table(
        "search_hit",
        sa.Column("term_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False, comment="from 1, as the source ordered them"),
        sa.PrimaryKeyConstraint("term_id", "repository_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "search_term",
        sa.Column("term_id", sa.Integer(), nullable=False),
        sa.Column("term", Name, nullable=False),
        sa.Column("crawled_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("term_id"),
        sa.UniqueConstraint("term"),
    )
    op.create_table(
        "span",
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest_id", sa.Integer(), nullable=True),
        sa.Column("pushed_at", sa.BigInteger(), nullable=True),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("last_seen_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "gone_at", sa.BigInteger(), nullable=True, comment="set when the tag vanished rather than moved"
        ),
        sa.PrimaryKeyConstraint("repository_id", "tag_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sweep",
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=False),
        sa.Column("tag_count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "started_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tag",
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", Name, nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False, comment="numbered inside the repository"),
        sa.Column("digest_id", sa.Integer(), nullable=True, comment="of the open span; null: not known"),
        sa.Column(
            "pushed_at",
            sa.BigInteger(),
            nullable=True,
            comment="the registry's word for when the open span began",
        ),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False, comment="our first sight of the open span"),
        sa.Column(
            "last_seen_at",
            sa.BigInteger(),
            nullable=True,
            comment="null: sweeps confirm it; else the last sight that did",
        ),
        sa.Column("gone_at", sa.BigInteger(), nullable=True, comment="end of the sweep that missed the tag"),
        sa.Column("closed_spans", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id", "name"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "word",
        sa.Column("word", Name, nullable=False),
        sa.Column("repositories", sa.Integer(), nullable=False),
        sa.Column("frequency", sa.SmallInteger(), nullable=False, comment="bit length of `repositories`"),
        sa.PrimaryKeyConstraint("word"),
        sqlite_with_rowid=False,
    )
    op.create_index("word_by_frequency", "word", ["frequency", "word"], unique=False)
    op.execute("INSERT INTO registry (registry_id, host) VALUES (1, 'docker.io')")
    if op.get_bind().dialect.name == "postgresql":
        _postgresql_search()
    else:
        op.execute(
            """
            CREATE VIRTUAL TABLE repository_search USING fts5(
                name, description, flags,
                content='', detail=column, columnsize=0, tokenize="ascii tokenchars '-_./'"
            )
            """
        )


def _postgresql_search() -> None:
    op.create_table(
        "repository_search",
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rank", sa.BigInteger(), nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("repository_id"),
    )
    op.create_index("repository_search_rank", "repository_search", ["rank"], unique=False)
    op.create_index(
        "repository_search_words", "repository_search", ["words"], unique=False, postgresql_using="gin"
    )
