"""When a single tag was looked at: without a push time only the looks themselves are certain.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "tag",
        sa.Column(
            "seen_at",
            sa.BigInteger(),
            nullable=True,
            comment="a look at this tag, where it is later than what walks confirm",
        ),
    )
    # Sweeps confirmed tags without a push time until now; the last one looked at each of them.
    op.execute(
        """
        UPDATE tag SET seen_at = (SELECT r.swept_at FROM repository r WHERE r.repository_id = tag.repository_id)
        WHERE pushed_at IS NULL AND last_seen_at IS NULL AND gone_at IS NULL AND first_seen_at < (
            SELECT r.swept_at FROM repository r WHERE r.repository_id = tag.repository_id
        )
        """
    )
