"""Who was known to be whom, kept beside the tables of a build, and what it means for their rows."""

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from features.join import Link
from features.known import Known

FILE = "identities.parquet"
"""Beside the tables of a build."""

_SCHEMA = {"customer_id": pl.String, "source": pl.String, "event": pl.Int64, "known": pl.Int64}
_MOMENT = pl.Datetime("us", "UTC")


def of(links: Iterable[Link]) -> pl.DataFrame:
    """customer_id (the target), source, event and known (microseconds): a row a link."""
    rows = [(link.target, link.source, link.event_us, link.known_us) for link in links]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def kept(file: Path) -> Known:
    """What `of` made, read again."""
    rows = pl.read_parquet(file).iter_rows()
    return Known(Link(source=source, target=target, event_us=event, known_us=known) for target, source, event, known in rows)


def named(asked: pl.DataFrame, known: Known) -> pl.DataFrame:
    """`asked` (customer_id, at and more) with the customer whom each id meant just before `at`."""
    if not known:
        return asked
    names = known.names(asked["customer_id"].to_list(), asked["at"].to_physical().to_numpy())
    return asked.with_columns(customer_id=pl.Series(names, dtype=pl.String))


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
