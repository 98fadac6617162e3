"""Record v2: a hash chain per writer, payloads sealed per customer.

The records of version 1 are put aside as `records_v1`; the log seals and chains them when it is opened (features.log.adopt),
for a migration has no keys.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.drop_index("records_of_kind", "records")
    op.rename_table("records", "records_v1")
    op.create_table(
        "records",
        sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("message_id", sa.Text, nullable=False, unique=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("owner", sa.BigInteger),
        sa.Column("event_us", sa.BigInteger, nullable=False),
        sa.Column("known_us", sa.BigInteger, nullable=False),
        sa.Column("writer", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("records_of_kind", "records", ["kind", "sequence"])
    op.create_index("records_of_owner", "records", ["owner", "sequence"])
    op.create_table(
        "keys",
        sa.Column("customer_id", sa.Text, primary_key=True),
        sa.Column("owner", sa.BigInteger, nullable=False, unique=True),
        sa.Column("wrapped", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "writers",
        sa.Column("writer", sa.Text, primary_key=True),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    if op.get_bind().scalar(sa.text("SELECT 1 FROM records_v1 LIMIT 1")) is None:
        op.drop_table("records_v1")


def downgrade() -> None:
    raise NotImplementedError("payloads that were sealed, and customers that were erased, cannot go back to version 1")
