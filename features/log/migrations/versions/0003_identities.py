"""Who is who: the links that identity records tell, and the name of each id that is not its own."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "links",
        sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("event_us", sa.BigInteger, nullable=False),
        sa.Column("known_us", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("links_of_source", "links", ["source"])
    op.create_index("links_of_target", "links", ["target"])
    op.create_table(
        "identities",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("target", sa.Text),
        sa.Column("event_us", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("identities_of_name", "identities", ["name"])


def downgrade() -> None:
    for table in ("identities", "links"):
        op.drop_table(table)
