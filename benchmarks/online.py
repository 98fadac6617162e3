"""The online store beside Feast's own: how fast it is loaded and read, how much room a customer takes, how both grow.

    python -m benchmarks.online [--quick] [--out FILE]

Both sides take turns, round by round, on this machine and the same Redis; numbers are medians, ratio > 1 means ours is
better. Feast is given fewer customers, or it would take minutes: the names say how many.
"""

import argparse
import io
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import redis
from rich.console import Console
from rich.table import Table as Printed

from features import builds, feast_door, offline
from features.log import Log
from features.log.records import microseconds
from features.packed import PackedStore
from features.packed_rows import StoredRows
from features.stores import Store, open_store
from features.workspace import Workspace
from tests import redis_server
from tests.features.worlds import START, workspace

VIEWS, A_VIEW = 3, 20
PROFILE = "views:\n" + "".join(
    f"  view{view}:\n    purpose: personalisation\n    on: {{event: Order Completed}}\n    features:\n"
    + "".join(f"      f{view}_{at}: {{sum: total, half_life: {at + 1}d}}\n" for at in range(A_VIEW))
    for view in range(VIEWS)
)
FEATURES = f"{VIEWS * A_VIEW} float features in {VIEWS} views"
NOW = START + timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """`ours`, `feasts`: customers loaded; `reads` of ours in a round, of Feast a tenth; `growth`: customers."""

    ours: int
    feasts: int
    reads: int
    rounds: int
    growth: tuple[int, ...]


FULL = Sizes(ours=200_000, feasts=3_000, reads=3_000, rounds=3, growth=(10_000, 100_000, 1_000_000))
QUICK = Sizes(ours=20_000, feasts=300, reads=500, rounds=2, growth=(1_000, 10_000, 100_000))


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One comparison. `kairos` and `beside` in `unit`; `other` names what stands beside."""

    name: str
    unit: str
    kairos: float
    beside: float
    other: str
    ratio: float
    rounds: int


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true", help="fewer customers: to see that it runs")
    options.add_argument("--out", type=Path, help="write the JSON list there too")
    asked = options.parse_args()
    entries = measured(QUICK if asked.quick else FULL)
    printed = Printed("what", "unit", "kairos", "beside", "other", "ratio", title="Online store")
    for entry in entries:
        printed.add_row(
            entry.name, entry.unit, f"{entry.kairos:,.1f}", f"{entry.beside:,.1f}", entry.other, f"{entry.ratio:.1f}"
        )
    Console().print(printed)
    text = json.dumps([asdict(entry) for entry in entries], indent=1)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n", encoding="utf-8")


def measured(sizes: Sizes) -> list[Entry]:
    with tempfile.TemporaryDirectory() as folder, redis_server.running(Path(folder)) as url:
        return [*beside_feast(sizes, Path(folder), url), *growth(sizes, Path(folder))]


def beside_feast(sizes: Sizes, folder: Path, url: str) -> Iterator[Entry]:
    """Load, room and read, ours and Feast's."""
    ours, feasts = built(folder / "ours", sizes.ours), built(folder / "feasts", sizes.feasts)
    place = url.removeprefix("redis://").removesuffix("/0")
    loads: Mapping[str, Callable[[], Taken]] = {
        "file": lambda: _ours_in_file(ours),
        "redis": lambda: _ours_in_redis(ours, url),
        "feast file": lambda: _feasts_in_file(feasts),
        "feast redis": lambda: _feasts_in_redis(feasts, url, place),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in loads}
    for _, (name, load) in itertools.product(range(sizes.rounds), loads.items()):
        taken[name].append(load())
    rates = {name: statistics.median(one.customers / one.seconds for one in some) for name, some in taken.items()}
    room = {name: statistics.median(one.size / one.customers for one in some) for name, some in taken.items()}
    for kind, other in (("file", "SQLite"), ("redis", "Redis")):
        few = f"Feast's own {other}, {sizes.feasts:,} customers"
        yield Entry(
            name=f"bulk materialise into {kind}, {sizes.ours:,} customers x {FEATURES}",
            unit="customers/s",
            kairos=rates[kind],
            beside=rates[f"feast {kind}"],
            other=f"feast materialize into {few}",
            ratio=rates[kind] / rates[f"feast {kind}"],
            rounds=sizes.rounds,
        )
        yield Entry(
            name=f"room of a customer in {kind}, {FEATURES}",
            unit="bytes",
            kairos=room[kind],
            beside=room[f"feast {kind}"],
            other=few,
            ratio=room[f"feast {kind}"] / room[kind],
            rounds=sizes.rounds,
        )
    yield from _reads(sizes, ours, feasts, {"file": ours.online_url, "redis": url}, place)


def growth(sizes: Sizes, folder: Path) -> Iterator[Entry]:
    """Our file at each size beside the smallest: the time of a read should stay flat, and so should a customer's room."""
    spec = workspace(folder / "growth", PROFILE, None).profile
    stores: dict[int, PackedStore] = {}
    room: dict[int, float] = {}
    for count in sizes.growth:
        file = folder / f"growth-{count}.db"
        store = PackedStore(file, spec)
        store.load({f"view{view}": _rows(view, count) for view in range(VIEWS)}, cursor=0, meta={})
        store.close()
        stores[count], room[count] = PackedStore(file, spec), file.stat().st_size / count
    times: dict[int, list[float]] = {count: [] for count in sizes.growth}
    for _, count in itertools.product(range(sizes.rounds), sizes.growth):
        times[count].append(_read_us(stores[count], count, sizes.reads))
    for store in stores.values():
        store.close()
    read = {count: statistics.median(some) for count, some in times.items()}
    first = sizes.growth[0]
    for count in sizes.growth[1:]:
        for what, unit, found in (("read one", "us", read), ("room of one", "bytes", room)):
            yield Entry(
                name=f"growth: {what} of {count:,} customers in file, {FEATURES}",
                unit=unit,
                kairos=found[count],
                beside=found[first],
                other=f"ours with {first:,} customers",
                ratio=found[first] / found[count],
                rounds=sizes.rounds,
            )


def built(folder: Path, count: int) -> Workspace:
    """A workspace whose current build holds `count` customers."""
    where = workspace(folder, PROFILE, None)
    profile = builds.profile_stamp(where.profile, where.brand.time_zone)
    report = builds.BuildReport(
        stamp="bench", profile=profile, sequence=0, records=0, unreadable=0, anonymous=0, ahead=0, tables=(), seconds=0.0
    )
    with builds.writing(where.data / "offline", report.stamp) as partial:
        for view, table in enumerate(where.profile.tables):
            rows = _rows(view, count)
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


def _rows(view: int, count: int) -> StoredRows:
    values = np.random.default_rng(view).exponential(50.0, (count, A_VIEW)).astype(np.float32).astype(np.float64)
    times = np.full(count, microseconds(START), dtype=np.int64)
    return StoredRows([f"c{at:07d}" for at in range(count)], values, times, times)


def _ours_in_file(where: Workspace) -> Taken:
    file = where.data / "online.db"
    file.unlink(missing_ok=True)
    seconds, count = _materialised(where)
    return Taken(count, seconds, file.stat().st_size)


def _ours_in_redis(where: Workspace, url: str) -> Taken:
    with redis.Redis.from_url(url) as server:
        server.flushall()
        before = server.info("memory")["used_memory"]
        with _at(url):
            seconds, count = _materialised(where)
        return Taken(count, seconds, server.info("memory")["used_memory"] - before)


def _materialised(where: Workspace) -> tuple[float, int]:
    """Seconds that `kairos features materialize` takes from the build's tables to the loaded store, and how many rows."""
    log = Log(where.log_url)
    try:
        began = time.perf_counter()
        report = offline.materialize(where, log)
        return time.perf_counter() - began, report.rows["view0"]
    finally:
        log.close()


def _feasts_in_file(where: Workspace) -> Taken:
    file = where.data / "feast.db"
    file.unlink(missing_ok=True)
    seconds, count = _by_feast(where, f"{{type: sqlite, path: '{file.resolve()}'}}")
    return Taken(count, seconds, file.stat().st_size)


def _feasts_in_redis(where: Workspace, url: str, place: str) -> Taken:
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


def _reads(sizes: Sizes, ours: Workspace, feasts: Workspace, urls: Mapping[str, str], place: str) -> Iterator[Entry]:
    """The stores hold what was loaded last, but Redis held Feast's last: ours goes beside it, in another database."""
    urls = {**urls, "redis": urls["redis"].removesuffix("/0") + "/1"}
    with _at(urls["redis"]):
        _materialised(ours)
    blocks = {"file": f"{{type: sqlite, path: '{(feasts.data / 'feast.db').resolve()}'}}"}
    blocks["redis"] = f"{{type: redis, connection_string: '{place}'}}"
    for kind, other in (("file", "SQLite"), ("redis", "Redis")):
        store = open_store(urls[kind], ours.profile)
        with feast_door.serving(feasts, "bench", blocks[kind]) as shop:
            pairs = [
                (_read_us(store, sizes.ours, sizes.reads), _asked_us(shop, feasts, sizes.feasts, sizes.reads // 10))
                for _ in range(sizes.rounds)
            ]
        store.close()
        mine, theirs = (statistics.median(some) for some in zip(*pairs, strict=True))
        yield Entry(
            name=f"read one customer from {kind}, {FEATURES}, {sizes.ours:,} customers stored",
            unit="us",
            kairos=mine,
            beside=theirs,
            other=f"get_online_features of Feast's own {other}, {sizes.feasts:,} customers stored",
            ratio=theirs / mine,
            rounds=sizes.rounds,
        )


def _read_us(store: Store, customers: int, reads: int) -> float:
    """The median time of a read, of customers anywhere in the store."""
    taken = []
    for at in np.random.default_rng(0).integers(customers, size=reads):
        customer = f"c{at:07d}"
        began = time.perf_counter()
        profile = store.read(customer, NOW)
        taken.append(time.perf_counter() - began)
        assert profile.present.all()
    return statistics.median(taken) * 1e6


def _asked_us(shop: Any, where: Workspace, customers: int, reads: int) -> float:
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
def _at(url: str) -> Iterator[None]:
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


if __name__ == "__main__":
    main()
