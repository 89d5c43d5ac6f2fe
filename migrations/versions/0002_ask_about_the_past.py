"""Which tags had a digest, and when repositories changed.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PERIOD = 28 * 86_400_000

_HELD = """
    SELECT t.repository_id, t.digest_id, t.name FROM tag t WHERE t.digest_id IS NOT NULL
    UNION
    SELECT t.repository_id, s.digest_id, t.name FROM span s
    JOIN tag t ON t.repository_id = s.repository_id AND t.tag_id = s.tag_id
    WHERE s.digest_id IS NOT NULL
"""

_CHANGES = " UNION ".join(
    f"SELECT {column} / {_PERIOD}, repository_id FROM {table} WHERE {condition}"
    for table, column, condition in (
        ("tag", "pushed_at", "pushed_at IS NOT NULL AND gone_at IS NULL"),
        ("tag", "first_seen_at", "gone_at IS NULL"),
        ("span", "pushed_at", "pushed_at IS NOT NULL"),
        ("span", "first_seen_at", "1 = 1"),
        ("span", "gone_at", "gone_at IS NOT NULL"),
    )
)


def upgrade() -> None:
    op.create_table(
        "change",
        sa.Column(
            "period",
            sa.Integer(),
            autoincrement=False,
            nullable=False,
            comment="number of 28 days in which a span of the repository began, or one of its tags vanished",
        ),
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("period", "repository_id"),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO change (period, repository_id) {_CHANGES}")
    op.add_column(
        "digest",
        sa.Column("tags", sa.Text(), nullable=True, comment="the tags that have or had it, separated by blanks"),
    )
    if op.get_bind().dialect.name == "sqlite":
        joined = "group_concat(name, ' ')"
    else:
        joined = "string_agg(name, ' ')"
    op.execute(
        "CREATE TEMPORARY TABLE held AS "
        f"SELECT repository_id, digest_id, {joined} AS tags FROM ({_HELD}) AS h GROUP BY repository_id, digest_id"
    )
    op.execute("CREATE UNIQUE INDEX held_by_digest ON held (repository_id, digest_id)")
    op.execute(
        "UPDATE digest SET tags = (SELECT h.tags FROM held h "
        "WHERE h.repository_id = digest.repository_id AND h.digest_id = digest.digest_id)"
    )
    op.execute("DROP TABLE held")
