"""Who was known to be whom, kept beside the tables of a build, and what it means for their rows."""

from collections.abc import Sequence

import polars as pl

from features.join import NEVER
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


def mixed(meant: pl.DataFrame, ids: Sequence[str]) -> pl.DataFrame:
    """customer_id, start, end (microseconds, end excluded): when one of these ids meant somebody who is none of them, by what
    `of` made."""
    spans = meant.with_columns(end=pl.col("start").shift(-1, fill_value=NEVER).over("customer_id"))
    spans = spans.filter(pl.col("customer_id").is_in(ids) & ~pl.col("name").is_in(ids))
    return spans.select("start", "end", customer_id="name").unique()


def without(frame: pl.DataFrame, spans: pl.DataFrame, as_of: str) -> pl.DataFrame:
    """A frame of a build (`as_of` where it is a view's) without what it says of these customers in these times (see `mixed`).

    Of a view and its origins the rows go, and one without values begins the time, lest the row before stay in force. Of
    consents and contests the words stay and withhold: to lose one could disclose. Any other frame says nothing in time.
    """
    time = next((name for name in ("event_timestamp", "known") if name in frame.columns), None)
    if time is None or spans.is_empty():
        return frame
    rows = frame.select("customer_id", at=pl.col(time).to_physical()).with_row_index("row")
    within = rows.join(spans, on="customer_id").filter(pl.col("at").is_between("start", "end", closed="left"))
    inside = pl.Series("inside", range(frame.height), dtype=pl.UInt32).is_in(within["row"].implode())
    for column, withholds in (("granted", False), ("contested", True)):
        if column in frame.columns:
            return frame.with_columns(pl.when(inside).then(pl.lit(withholds)).otherwise(column).alias(column))
    begun = within.select("customer_id", pl.col("start").alias(as_of), event_timestamp=pl.col("start").cast(_MOMENT)).unique()
    begun = begun.select(name for name in begun.columns if name in frame.columns)
    return pl.concat([frame.filter(~inside), begun], how="diagonal").sort("customer_id", "event_timestamp", maintain_order=True)


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
