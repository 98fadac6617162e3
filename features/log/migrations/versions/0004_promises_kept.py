"""How often the promises of each action were kept. No promise of before says which action made it: the table begins empty."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "ledger",
        sa.Column("action", sa.Text, primary_key=True),
        sa.Column("ended", sa.Integer, nullable=False),
        sa.Column("kept", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    op.drop_table("ledger")
