"""Names of the tags of a digest that very many tags share, in pieces of their own.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ROOM = 1000


def upgrade() -> None:
    name = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    op.create_table(
        "digest_tags",
        sa.Column("repository_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("digest_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", name, nullable=False, comment="the first of the names"),
        sa.Column("names", sa.Text(), nullable=False, comment="of tags that have or had it, separated by blanks"),
        sa.PrimaryKeyConstraint("repository_id", "digest_id", "name"),
        sqlite_with_rowid=False,
    )
    bind = op.get_bind()
    long = sa.text("SELECT repository_id, digest_id FROM digest WHERE length(tags) > :room")
    of = " WHERE repository_id = :repository_id AND digest_id = :digest_id"
    for repository_id, digest_id in bind.execute(long, {"room": _ROOM}).fetchall():
        key = {"repository_id": repository_id, "digest_id": digest_id}
        names = bind.execute(sa.text("SELECT tags FROM digest" + of), key).scalar_one()
        cut = names.rfind(" ", 0, _ROOM)
        rest = names[cut + 1 :]
        bind.execute(sa.text("UPDATE digest SET tags = :names" + of), {**key, "names": names[:cut]})
        bind.execute(
            sa.text("INSERT INTO digest_tags VALUES (:repository_id, :digest_id, :name, :names)"),
            {**key, "name": rest.partition(" ")[0], "names": rest},
        )
