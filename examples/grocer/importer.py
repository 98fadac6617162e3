"""The demo brand's history: the Complete Journey data become records of the log, and a third-party file beside it."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from examples.grocer.complete_journey import Tables, installed, read
from examples.grocer.mailings import mailings
from examples.grocer.orders import orders
from examples.grocer.report import Entry, ImportReport
from features.log import Log, Record
from features.workspace import Workspace

RECORDS = ("kind", "message_id", "customer_id", "at", "payload")
PURPOSES = ("marketing", "personalisation", "third_party")
BATCH = 50_000

_ASSUMED = (
    "every record was known the moment it happened: the source says when things happened, not when they were learned",
    "every household consented to " + ", ".join(PURPOSES) + " when it enrolled in the loyalty programme, taken as 2017-01-01",
    "the source's timestamps are UTC; its dates are days in the brand's time zone",
)


def import_history(
    workspace: Workspace, log: Log, progress: Callable[[int, int], None] | None = None, *, source: Path | None = None
) -> ImportReport:
    """Append the history to the log, oldest first, and write `third_party/households.parquet` under the workspace's data.

    `source` is the folder of the data's files, that of the installed package when None. `progress` is called with the
    records appended so far and their total. Idempotent: what the log already holds by message id is not added again.

    Raises KairosError when the data are missing or cannot be read.
    """
    tables = read(source or installed())
    bought = orders(tables)
    mailed = mailings(tables, workspace.profile.topics, workspace.brand.time_zone)
    consents = _consents(tables, workspace.brand.time_zone)
    # at one and the same moment: a consent before the mailing it allows, the mailing before what became of it
    history = _in_order(consents, mailed.decisions, mailed.delivered, bought.records, mailed.accepted)

    new = 0
    for done, batch in _batches(history):
        new += sum(log.append(batch))
        if progress is not None:
            progress(done, history.height)
    matched, unmatched = _write_households(tables, workspace.data / "third_party" / "households.parquet")
    return ImportReport(
        kept=(
            *bought.kept,
            *mailed.kept,
            Entry(consents.height, f"consents, {len(PURPOSES)} a household"),
            Entry(matched, "households with demographics, as third-party data"),
        ),
        changed=(*bought.changed, *mailed.changed),
        left_out=(
            *bought.left_out,
            *mailed.left_out,
            Entry(unmatched, "rows of demographics", "the household has bought nothing"),
        ),
        assumed=_ASSUMED,
        new=new,
        already_there=history.height - new,
    )


def _consents(tables: Tables, time_zone: str) -> pl.DataFrame:
    households = tables.transactions.select(customer_id=pl.col("household_id").cast(pl.String)).unique().sort("customer_id")
    enrolled = pl.datetime(2017, 1, 1, time_zone=time_zone).dt.convert_time_zone("UTC")
    payload = pl.struct("customer_id", "purpose", granted=pl.lit(True), source=pl.lit("loyalty enrolment (assumed)"))
    return households.join(pl.DataFrame({"purpose": PURPOSES}), how="cross").select(
        kind=pl.lit("consent"),
        message_id=pl.format("cj-consent-{}-{}", "customer_id", "purpose"),
        customer_id="customer_id",
        at=enrolled,
        payload=payload.struct.json_encode(),
    )


def _in_order(*tables: pl.DataFrame) -> pl.DataFrame:
    ranked = [table.select(*RECORDS, rank=pl.lit(rank)) for rank, table in enumerate(tables)]
    return pl.concat(ranked).sort("at", "rank", "message_id").drop("rank")


def _batches(history: pl.DataFrame) -> Iterator[tuple[int, list[Record]]]:
    done = 0
    for part in history.iter_slices(BATCH):
        done += part.height
        columns = [part[name].to_list() for name in RECORDS[:-1]]
        payloads = part["payload"].cast(pl.Binary).to_list()
        yield (
            done,
            [
                Record(kind=kind, message_id=message, customer_id=customer, event_time=at, known_time=at, payload=payload)
                for kind, message, customer, at, payload in zip(*columns, payloads, strict=True)
            ],
        )


def _write_households(tables: Tables, file: Path) -> tuple[int, int]:
    """Write the demographics of households that bought something; whole or not at all. Returns (written, left out)."""
    matched = tables.demographics.join(tables.transactions.select("household_id").unique(), on="household_id", how="semi")
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    matched.sort("household_id").with_columns(pl.col("household_id").cast(pl.String)).write_parquet(partial)
    os.replace(partial, file)
    return matched.height, tables.demographics.height - matched.height
