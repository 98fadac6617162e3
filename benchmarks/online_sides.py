"""What the benchmark of the online store times: ours and Feast's, over a build of made-up customers."""

import io
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import redis

from features import builds, feast_door, offline
from features.log import Log
from features.log.records import microseconds
from features.packed_rows import StoredRows
from features.stores import Store
from features.workspace import Workspace
from tests.features.worlds import START, workspace

VIEWS, A_VIEW = 3, 20
PROFILE = "views:\n" + "".join(
    f"  view{view}:\n    purpose: personalisation\n    on: {{event: Order Completed}}\n    features:\n"
    + "".join(f"      f{view}_{at}: {{sum: total, half_life: {at + 1}d}}\n" for at in range(A_VIEW))
    for view in range(VIEWS)
)
FEATURES = f"{VIEWS * A_VIEW} float features in {VIEWS} views"
NOW = START + timedelta(days=30)


def built(folder: Path, count: int) -> Workspace:
    """A workspace whose current build holds `count` customers."""
    where = workspace(folder, PROFILE, None)
    profile = builds.profile_stamp(where.profile, where.brand.time_zone)
    report = builds.BuildReport(
        stamp="bench", profile=profile, sequence=0, records=0, unreadable=0, anonymous=0, ahead=0, tables=(), seconds=0.0
    )
    with builds.writing(where.data / "offline", report.stamp) as partial:
        for view, table in enumerate(where.profile.tables):
            rows = rows_of(view, count)
            pl.DataFrame(
                {
                    "customer_id": list(rows.customers),
                    "event_timestamp": pl.Series(rows.known_us).cast(pl.Datetime("us", "UTC")),
                    table.as_of: rows.as_of_us,
                    **{name: rows.values[:, at] for at, name in enumerate(table.names)},
                }
            ).write_parquet(partial / f"{table.name}.parquet")
        (partial / builds.REPORT).write_bytes(msgspec.json.encode(report))
    builds.switch(where.data / "offline", report)
    return where


@dataclass(frozen=True, slots=True)
class Taken:
    """What a load took: seconds, and bytes in the file or in Redis's memory."""

    customers: int
    seconds: float
    size: float


def rows_of(view: int, count: int) -> StoredRows:
    values = np.random.default_rng(view).exponential(50.0, (count, A_VIEW)).astype(np.float32).astype(np.float64)
    times = np.full(count, microseconds(START), dtype=np.int64)
    return StoredRows([f"c{at:07d}" for at in range(count)], values, times, times)


def ours_in_file(where: Workspace) -> Taken:
    file = where.data / "online.db"
    file.unlink(missing_ok=True)
    seconds, count = materialised(where)
    return Taken(count, seconds, file.stat().st_size)


def ours_in_redis(where: Workspace, url: str) -> Taken:
    with redis.Redis.from_url(url) as server:
        server.flushall()
        before = server.info("memory")["used_memory"]
        with served_at(url):
            seconds, count = materialised(where)
        return Taken(count, seconds, server.info("memory")["used_memory"] - before)


def materialised(where: Workspace) -> tuple[float, int]:
    """Seconds that `kairos features materialize` takes from the build's tables to the loaded store, and how many rows."""
    log = Log(where.log_url)
    try:
        began = time.perf_counter()
        report = offline.materialize(where, log)
        return time.perf_counter() - began, report.rows["view0"]
    finally:
        log.close()


def feasts_in_file(where: Workspace) -> Taken:
    file = where.data / "feast.db"
    file.unlink(missing_ok=True)
    seconds, count = _by_feast(where, f"{{type: sqlite, path: '{file.resolve()}'}}")
    return Taken(count, seconds, file.stat().st_size)


def feasts_in_redis(where: Workspace, url: str, place: str) -> Taken:
    with redis.Redis.from_url(url) as server:
        server.flushall()
        before = server.info("memory")["used_memory"]
        seconds, count = _by_feast(where, f"{{type: redis, connection_string: '{place}'}}")
        return Taken(count, seconds, server.info("memory")["used_memory"] - before)


def _by_feast(where: Workspace, online_store: str) -> tuple[float, int]:
    count = pl.scan_parquet(where.data / "offline" / "bench" / "view0.parquet").select(pl.len()).collect().item()
    with feast_door.serving(where, "bench", online_store) as shop, _quiet():
        began = time.perf_counter()
        shop.materialize(START - timedelta(days=1), NOW)
        return time.perf_counter() - began, count


def read_us(store: Store, customers: int, reads: int) -> float:
    """The median time of a read, of customers anywhere in the store."""
    taken = []
    for at in np.random.default_rng(0).integers(customers, size=reads):
        customer = f"c{at:07d}"
        began = time.perf_counter()
        profile = store.read(customer, NOW)
        taken.append(time.perf_counter() - began)
        assert profile.present.all()
    return statistics.median(taken) * 1e6


def asked_us(shop: Any, where: Workspace, customers: int, reads: int) -> float:
    features = [f"{table.name}:{name}" for table in where.profile.tables for name in table.names]
    taken = []
    for at in np.random.default_rng(0).integers(customers, size=reads):
        rows = [{"customer_id": f"c{at:07d}"}]
        began = time.perf_counter()
        found = shop.get_online_features(features=features, entity_rows=rows)
        taken.append(time.perf_counter() - began)
        assert all(result.statuses == [1] for result in found.proto.results)
    return statistics.median(taken) * 1e6


@contextmanager
def served_at(url: str) -> Iterator[None]:
    """With the online store there, for whoever asks the workspace."""
    os.environ["KAIROS_ONLINE_URL"] = url
    try:
        yield
    finally:
        del os.environ["KAIROS_ONLINE_URL"]


@contextmanager
def _quiet() -> Iterator[None]:
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield
