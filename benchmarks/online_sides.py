"""What the benchmark of the online store times: ours and Feast's, over a build of made-up customers."""

import io
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import redis

from benchmarks.entry import Cost, timed
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
    """What a load took: seconds (of processors those of Redis too), and bytes in the file or in Redis's memory."""

    customers: int
    cost: Cost
    size: float


def rows_of(view: int, count: int) -> StoredRows:
    values = np.random.default_rng(view).exponential(50.0, (count, A_VIEW)).astype(np.float32).astype(np.float64)
    times = np.full(count, microseconds(START), dtype=np.int64)
    return StoredRows([f"c{at:07d}" for at in range(count)], values, times, times)


def ours_in_file(where: Workspace) -> Taken:
    file = where.data / "online.db"
    file.unlink(missing_ok=True)
    taken, count = materialised(where)
    return Taken(count, taken, file.stat().st_size)


def ours_in_redis(where: Workspace, url: str) -> Taken:
    with served_at(url):
        return _into_redis(url, lambda: materialised(where))


def materialised(where: Workspace) -> tuple[Cost, int]:
    """What `kairos features materialize` takes from the build's tables to the loaded store, and how many rows a view has."""
    log = Log(where.log_url)
    reports: list[offline.MaterializeReport] = []
    try:
        taken = timed(lambda: reports.append(offline.materialize(where, log)))
    finally:
        log.close()
    return taken, reports[0].rows["view0"]


def feasts_in_file(where: Workspace) -> Taken:
    file = where.data / "feast.db"
    file.unlink(missing_ok=True)
    taken, count = _by_feast(where, f"{{type: sqlite, path: '{file.resolve()}'}}")
    return Taken(count, taken, file.stat().st_size)


def feasts_in_redis(where: Workspace, url: str, place: str) -> Taken:
    return _into_redis(url, lambda: _by_feast(where, f"{{type: redis, connection_string: '{place}'}}"))


def _by_feast(where: Workspace, online_store: str) -> tuple[Cost, int]:
    count = pl.scan_parquet(where.data / "offline" / "bench" / "view0.parquet").select(pl.len()).collect().item()
    with feast_door.serving(where, "bench", online_store) as shop, _quiet():
        return timed(lambda: shop.materialize(START - timedelta(days=1), NOW)), count


def _into_redis(url: str, load: Callable[[], tuple[Cost, int]]) -> Taken:
    with redis.Redis.from_url(url) as server:
        server.flushall()
        before, worked = server.info("memory")["used_memory"], _worked_s(server)
        taken, count = load()
        return Taken(
            count,
            Cost(taken.cpu_s + _worked_s(server) - worked, taken.wall_s),
            server.info("memory")["used_memory"] - before,
        )


def _worked_s(server: Any) -> float:
    used = server.info("cpu")
    return float(used["used_cpu_user"] + used["used_cpu_sys"])


def read_us(store: Store, customers: int, reads: int) -> float:
    """The median time of a read, of customers anywhere in the store."""
    store.read("c0000000", NOW)  # what the first read prepares
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
    shop.get_online_features(features=features, entity_rows=[{"customer_id": "c0000000"}])
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
