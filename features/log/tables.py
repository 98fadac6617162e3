"""The log's tables. `records` is the truth, `keys` opens it; `writers` proves it whole; all others can be rebuilt."""

import sqlalchemy as sa

metadata = sa.MetaData()

records = sa.Table(
    "records",
    metadata,
    # INTEGER, not BIGINT: SQLite numbers rows by itself only for this type
    sa.Column("sequence", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("message_id", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("owner", sa.BigInteger),  # whose key opens the payload; none where it is of no customer, and open
    sa.Column("event_us", sa.BigInteger, nullable=False),
    sa.Column("known_us", sa.BigInteger, nullable=False),
    sa.Column("writer", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),  # as features.log.keys seals it
    sa.Column("hash", sa.LargeBinary, nullable=False),  # as features.log.chain links it
    sqlite_autoincrement=True,
)
sa.Index("records_of_kind", records.c.kind, records.c.sequence)
sa.Index("records_of_owner", records.c.owner, records.c.sequence)

keys = sa.Table(
    "keys",
    metadata,
    sa.Column("customer_id", sa.Text, primary_key=True),
    sa.Column("owner", sa.BigInteger, nullable=False, unique=True),
    sa.Column("wrapped", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

writers = sa.Table(
    "writers",
    metadata,
    sa.Column("writer", sa.Text, primary_key=True),
    sa.Column("hash", sa.LargeBinary, nullable=False),  # of its last record
    sqlite_with_rowid=False,
)

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("customer_id", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

links = sa.Table(
    "links",
    metadata,
    sa.Column("sequence", sa.BigInteger, primary_key=True, autoincrement=False),  # of the record that told it
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("event_us", sa.BigInteger, nullable=False),
    sa.Column("known_us", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
sa.Index("links_of_source", links.c.source)
sa.Index("links_of_target", links.c.target)

identities = sa.Table(
    "identities",
    metadata,
    sa.Column("customer_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("target", sa.Text),  # of an anonymous id: whom it was linked with first,
    sa.Column("event_us", sa.BigInteger),  # and when
    sqlite_with_rowid=False,
)
sa.Index("identities_of_name", identities.c.name)

offers = sa.Table(
    "offers",
    metadata,
    sa.Column("decision_id", sa.Text, primary_key=True),
    sa.Column("placement", sa.Text, primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True),
    sa.Column("customer_id", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # action or wait
    sa.Column("action", sa.Text),
    sa.Column("touchpoint", sa.Text, nullable=False),
    sa.Column("outbound", sa.Boolean, nullable=False),
    sa.Column("due_us", sa.BigInteger, nullable=False),
    sa.Column("expires_us", sa.BigInteger, nullable=False),
    sa.Column("expected", sa.Float),  # the response probability it was chosen with
    sa.Column("success", sa.Text),  # the outcome that counts as its success
    sa.Column("window_us", sa.BigInteger),
    sa.Column("shown_us", sa.BigInteger),
    sa.Column("success_us", sa.BigInteger),
    sqlite_with_rowid=False,
)
sa.Index("offers_due", offers.c.outbound, offers.c.due_us)
sa.Index("offers_of_action", offers.c.action, offers.c.expires_us)

learner = sa.Table(
    "learner",
    metadata,
    sa.Column("action", sa.Text, primary_key=True),
    sa.Column("touchpoint", sa.Text, primary_key=True),
    sa.Column("shows", sa.Integer, nullable=False),
    sa.Column("expected", sa.Float, nullable=False),
    sa.Column("successes", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

ledger = sa.Table(
    "ledger",
    metadata,
    sa.Column("action", sa.Text, primary_key=True),
    sa.Column("ended", sa.Integer, nullable=False),
    sa.Column("kept", sa.Integer, nullable=False),
    sqlite_with_rowid=False,
)

settings = sa.Table(
    "settings",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)
