"""What repositories and tags hold: images, charts, models.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Both stay empty until the next crawl: no row is written now.
    op.add_column(
        "repository",
        sa.Column("kinds", sa.SmallInteger(), comment="what it holds: see `hubindex.kinds.of_mask`"),
    )
    op.add_column(
        "digest",
        sa.Column(
            "kind",
            sa.SmallInteger(),
            comment="`hubindex.kinds.Kind`; null: an image if it has images, else not known",
        ),
    )
