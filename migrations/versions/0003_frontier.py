"""What to fetch, when, and who is at it.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_DAY = 86_400_000


def upgrade() -> None:
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "seed",
        sa.Column("seed_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", name, nullable=False, comment="what is listed: term, namespace or repository"),
        sa.Column("name", name, nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False, comment="how many results of a term; 0: all"),
        sa.Column("with_tags", sa.Boolean(), nullable=False, comment="whether what it finds is to be visited"),
        sa.PrimaryKeyConstraint("seed_id"),
        sa.UniqueConstraint("kind", "name", name="seed_name"),
    )
    op.create_table(
        "job",
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False, comment="to visit, or 0"),
        sa.Column("seed_id", sa.Integer(), autoincrement=False, nullable=False, comment="to list, or 0"),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "asked_by", sa.BigInteger(), comment="the crawl that was told to do it; null: it is due by itself"
        ),
        sa.Column("leased_by", sa.Text(), comment="the process that is at it"),
        sa.Column("leased_until", sa.BigInteger()),
        sa.Column("done_at", sa.BigInteger(), comment="when it last succeeded"),
        sa.Column("done_for", sa.BigInteger(), comment="the crawl that it was last done for"),
        sa.Column("tries", sa.SmallInteger(), nullable=False, comment="failures since then"),
        sa.Column("failure", sa.Text(), comment="kind of the last failure"),
        sa.Column("error", sa.Text(), comment="what was said of it"),
        sa.PrimaryKeyConstraint("repository_id", "seed_id"),
        sqlite_with_rowid=False,
    )
    # What has been looked at before is looked at again: a week after, at first.
    op.execute(
        "INSERT INTO job (repository_id, seed_id, due_at, done_at, tries) "
        f"SELECT repository_id, 0, walked_at + {7 * _DAY}, walked_at, 0 FROM repository "
        "WHERE walked_at IS NOT NULL"
    )
    op.create_index("job_due", "job", ["due_at"])
    asked = sa.text("asked_by IS NOT NULL")
    op.create_index("job_asked", "job", ["asked_by", "due_at"], postgresql_where=asked, sqlite_where=asked)
