"""The tables of a build as files, and what became of each view."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from features import third_party, traits
from features.builds import TableReport
from features.entries import Match
from features.history import History
from features.identities import ended
from features.known import Known
from features.schema import midnight_us
from features.tables import Table
from features.workspace import Workspace


def write_tables(
    workspace: Workspace,
    past: History,
    keys: Mapping[Match, pl.DataFrame],
    known: Known,
    files: Mapping[str, Path],
    until_us: int,
    folder: Path,
) -> tuple[TableReport, ...]:
    """Write a parquet file a view. `keys` are what customers told of themselves, `known` who they were known to be, `files`
    the third-party files by name.

    A column whose licence is over by `until_us` is left empty.
    """
    spec, reports, several = workspace.profile, [], traits.ids(known)
    for table in spec.tables:
        if table.source == "first_party":
            frame = past.frames[table.name]
            report = _table_report(table, frame, past.records[table.name])
        else:
            view = spec.views[table.name]
            days = {name: day for name, day in spec.expiries.items() if name in table.names}
            found = third_party.bought(
                table,
                view,
                files,
                workspace.brand.time_zone,
                keys=keys[view.match] if view.match else several,
                expired=tuple(name for name, day in days.items() if midnight_us(day, "UTC") <= until_us),
            )
            frame = ended(found.frame, table.as_of, known)
            everyone = max(len(past.customers), 1)
            report = replace(
                _table_report(table, frame, found.records),
                match_rate=len(past.customers.intersection(frame["customer_id"])) / everyone,
                matched={name: len(past.customers & who) / everyone for name, who in found.found.items()},
                unknown=found.unknown,
                conflicts=found.conflicts,
                expired=found.expired,
                repeated=found.repeated,
                undated=found.undated,
            )
            if found.origins is not None:
                found.origins.write_parquet(third_party.origins_file(folder, table.name))
        frame.write_parquet(folder / f"{table.name}.parquet")
        reports.append(report)
    return tuple(reports)


def _table_report(table: Table, frame: pl.DataFrame, records: int) -> TableReport:
    customers = frame["customer_id"].n_unique()
    return TableReport(view=table.name, source=table.source, records=records, rows=frame.height, customers=customers)
