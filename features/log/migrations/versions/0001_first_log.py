"""The first log: records, and the state kept from them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "records",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("message_id", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("customer_id", sa.Text),
        sa.Column("event_us", sa.BigInteger, nullable=False),
        sa.Column("known_us", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("records_of_kind", "records", ["kind", "sequence"])
    op.create_table(
        "customers",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "offers",
        sa.Column("decision_id", sa.Text, primary_key=True),
        sa.Column("placement", sa.Text, primary_key=True),
        sa.Column("slot", sa.Integer, primary_key=True),
        sa.Column("customer_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("action", sa.Text),
        sa.Column("touchpoint", sa.Text, nullable=False),
        sa.Column("outbound", sa.Boolean, nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("expected", sa.Float),
        sa.Column("success", sa.Text),
        sa.Column("window_us", sa.BigInteger),
        sa.Column("shown_us", sa.BigInteger),
        sa.Column("success_us", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("offers_due", "offers", ["outbound", "due_us"])
    op.create_index("offers_of_action", "offers", ["action", "expires_us"])
    op.create_table(
        "learner",
        sa.Column("action", sa.Text, primary_key=True),
        sa.Column("touchpoint", sa.Text, primary_key=True),
        sa.Column("shows", sa.Integer, nullable=False),
        sa.Column("expected", sa.Float, nullable=False),
        sa.Column("successes", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    for table in ("settings", "learner", "offers", "customers", "records"):
        op.drop_table(table)
