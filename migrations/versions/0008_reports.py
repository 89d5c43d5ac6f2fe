"""What others say that tags were, each with its witness.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "witness",
        sa.Column("witness_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", name, nullable=False),
        sa.PrimaryKeyConstraint("witness_id"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "import_mark",
        sa.Column("witness", name, nullable=False),
        sa.Column("subject", name, nullable=False, comment="what was imported: the name of an image"),
        sa.Column("mark", sa.Text(), nullable=False, comment="how far: a commit"),
        sa.PrimaryKeyConstraint("witness", "subject"),
    )
    op.create_table(
        "report",
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("tag", name, nullable=False),
        sa.Column("witness_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seen_from", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seen_until", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="raw; empty: the tag was not there"),
        sa.Column("platform", name, nullable=False, comment="whose image the digest is; empty: of the tag itself"),
        sa.Column("is_by", sa.Boolean(), nullable=False, comment="seen at some moment up to then"),
        sa.Column("prefix", sa.Integer(), nullable=True, comment="first 32 bits of the digest, signed"),
        sa.Column("source", sa.Text(), nullable=False, comment="where exactly the witness says so"),
        sa.PrimaryKeyConstraint(
            "repository_id", "tag", "witness_id", "seen_from", "seen_until", "digest", "platform"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("report_prefix", "report", ["prefix"])
