"""Who was known to be whom, kept beside the tables of a build, and what it means for their rows."""

import polars as pl

from features.known import Known

FILE = "identities.parquet"
"""Beside the tables of a build."""

_MOMENT = pl.Datetime("us", "UTC")


def of(known: Known) -> pl.DataFrame:
    """customer_id, start (microseconds), name: whom each id meant from a moment on, in the order of time.

    An id that is not in it was always its own.
    """
    rows = [(one, epoch.start_us, epoch.customer.name) for epoch in known.epochs for one in epoch.customer.members]
    return pl.DataFrame(rows, schema={"customer_id": pl.String, "start": pl.Int64, "name": pl.String}, orient="row")


def named(asked: pl.DataFrame, meant: pl.DataFrame) -> pl.DataFrame:
    """`asked` (customer_id, at and more) with the customer whom each id meant just before `at`, by what `of` made."""
    if meant.is_empty():
        return asked
    rows = asked.select("customer_id", start=pl.col("at").to_physical() - 1).with_row_index("row").sort("start")
    found = rows.join_asof(meant, on="start", by="customer_id", check_sortedness=False).sort("row")
    return asked.with_columns(customer_id=found.select(pl.coalesce("name", "customer_id")).to_series())


def ended(frame: pl.DataFrame, as_of: str, known: Known) -> pl.DataFrame:
    """The rows of a table (customer_id, event_timestamp, `as_of`, values) and one without values wherever an id stopped to
    mean whom it had meant and nothing is known of whom it means now: the old row must not stay in force.

    Rows stand customer by customer, oldest first, as they did.
    """
    if not known:
        return frame
    turns = pl.DataFrame(known.turns(), schema={"customer_id": pl.String, "turn": pl.Int64}, orient="row")
    first = frame.group_by("customer_id").agg(first=pl.col("event_timestamp").min())
    stale = turns.with_columns(event_timestamp=pl.col("turn").cast(_MOMENT)).join(first, on="customer_id")
    blank = stale.filter(pl.col("event_timestamp") > pl.col("first")).join(
        frame, on=["customer_id", "event_timestamp"], how="anti"
    )
    blank = blank.select("customer_id", "event_timestamp", pl.col("turn").alias(as_of))
    return pl.concat([frame, blank], how="diagonal").sort("customer_id", "event_timestamp", maintain_order=True)
