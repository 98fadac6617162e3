"""The point-in-time frame beside hand-written DuckDB: the same tables, the same labels, the same decayed values out.

Each side runs in a process of its own. Ours also checks the labels, each customer's consents and that no row was lost.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl

from benchmarks.entry import Entry, Size, in_turns, less_is_better, median
from benchmarks.frame_sides import LABELS, SIDES, STAMP, VIEWS, half_life_days, names
from features import builds, consents, contests, identities
from features.known import Known
from features.log.records import microseconds
from features.workspace import Workspace
from tests.features.worlds import START, workspace

_DAYS = 365
_US = 86_400_000_000
_PROFILE = "views:\n" + "".join(
    f"  {view}:\n    purpose: personalisation\n    on: {{event: Order Completed}}\n    features:\n"
    + "".join(f"      {name}: {{sum: total, half_life: {half_life_days(at)}d}}\n" for at, name in enumerate(names(view)))
    for view in VIEWS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """`rows` of each view's history, of `customers`; `labels` at moments anywhere in the same year."""

    customers: int
    rows: int
    labels: int
    rounds: int


_SIZES: Mapping[Size, _Sizes] = {
    "full": _Sizes(customers=50_000, rows=1_000_000, labels=500_000, rounds=3),
    "quick": _Sizes(customers=5_000, rows=100_000, labels=50_000, rounds=2),
    "tiny": _Sizes(customers=50, rows=500, labels=200, rounds=1),
}


def measured(size: Size) -> list[Entry]:
    sizes = _SIZES[size]
    with tempfile.TemporaryDirectory() as folder:
        where = built(Path(folder), sizes)
        taken = in_turns(sizes.rounds, {side: lambda side=side: _run(side, where.path) for side in SIDES})  # type: ignore[misc]
    _same([*taken["kairos"], *taken["duckdb"]])
    what = f"{sizes.labels:,} labels x {sum(VIEWS.values())} features of {sizes.rows:,} rows a view"
    return [
        less_is_better(
            name=f"point-in-time frame, {what}{of}",
            unit=unit,
            kairos=median([one[key] / scale for one in taken["kairos"]]),
            beside=median([one[key] / scale for one in taken["duckdb"]]),
            other="hand-written DuckDB ASOF",
            rounds=sizes.rounds,
        )
        for key, of, unit, scale in (
            ("cpu_s", "", "CPU s", 1),
            ("wall_s", "", "s", 1),
            ("peak_bytes", ": peak memory of the process", "MB", 1e6),
        )
    ]


def built(folder: Path, sizes: _Sizes) -> Workspace:
    """A workspace with a build of made-up histories, and the labels beside it."""
    where = workspace(folder, _PROFILE, None)
    profile = builds.profile_stamp(where.profile, where.brand.time_zone)
    report = builds.BuildReport(
        stamp=STAMP, profile=profile, sequence=0, records=0, unreadable=0, anonymous=0, ahead=0, tables=(), seconds=0.0
    )
    with builds.writing(where.data / "offline", report.stamp) as partial:
        for seed, table in enumerate(where.profile.tables):
            _history(table.name, table.as_of, sizes, seed).write_parquet(partial / f"{table.name}.parquet")
        nothing: dict[str, list[Any]] = {"customer_id": [], "event_us": [], "known_us": [], "payload": []}
        consents.of(nothing, Known()).write_parquet(partial / consents.FILE)
        contests.of(nothing, Known()).write_parquet(partial / contests.FILE)
        identities.of(Known()).write_parquet(partial / identities.FILE)
        (partial / builds.REPORT).write_bytes(msgspec.json.encode(report))
    builds.switch(where.data / "offline", report)
    random = np.random.default_rng(99)
    who, at = random.integers(sizes.customers, size=sizes.labels), _moments(random, sizes.labels)
    pl.DataFrame({"customer_id": _ids(who), "at": at, "y": random.integers(2, size=sizes.labels)}).write_parquet(
        folder / LABELS
    )
    return where


def _history(view: str, as_of: str, sizes: _Sizes, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    frame = pl.DataFrame(
        {
            "customer_id": _ids(random.integers(sizes.customers, size=sizes.rows)),
            "event_timestamp": _moments(random, sizes.rows),
            **{name: random.exponential(50.0, sizes.rows) for name in names(view)},
        }
    )
    frame = frame.unique(["customer_id", "event_timestamp"]).sort("customer_id", "event_timestamp")
    return frame.insert_column(2, frame["event_timestamp"].cast(pl.Int64).alias(as_of))


def _ids(who: np.ndarray[Any, np.dtype[np.int64]]) -> pl.Series:
    return pl.Series([f"c{one:07d}" for one in who.tolist()])


def _moments(random: np.random.Generator, count: int) -> pl.Series:
    return pl.Series(microseconds(START) + random.integers(_DAYS * _US, size=count)).cast(pl.Datetime("us", "UTC"))


def _run(side: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.frame_sides", side, str(folder)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], stdout=subprocess.PIPE, check=True, text=True)
    told: dict[str, float] = json.loads(done.stdout)
    return told


def _same(told: list[dict[str, float]]) -> None:
    """Stops where the sides did not make the same frame: then there is nothing to compare."""
    first = told[0]
    for other in told:
        assert (other["rows"], other["known"]) == (first["rows"], first["known"]), (first, other)
        assert abs(other["total"] - first["total"]) <= 1e-5 * abs(first["total"]), (first, other)
