"""What manifests and configurations say, each kept once, and which of them a configuration or a layer belongs to.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "content",
        sa.Column(
            "prefix",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="first 32 bits, signed",
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="raw, of a manifest"),
        sa.Column(
            "chain",
            sa.BigInteger(),
            nullable=True,
            comment="first 64 bits, signed, of what identifies the file system of an image",
        ),
        sa.Column("document", sa.LargeBinary(), nullable=False, comment="`hubindex.contents.Contents`, packed"),
        sa.PrimaryKeyConstraint("prefix", "digest"),
    )
    op.create_index("content_chain", "content", ["chain"])
    op.create_table(
        "content_part",
        sa.Column(
            "prefix",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="first 32 bits, signed, of the digest of a configuration or of a layer",
        ),
        sa.Column("digest", sa.LargeBinary(), nullable=False, comment="raw, of a manifest that it belongs to"),
        sa.PrimaryKeyConstraint("prefix", "digest"),
        sqlite_with_rowid=False,
    )
