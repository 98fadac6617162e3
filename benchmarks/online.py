"""The online store beside Feast's own: how fast it is loaded and read, how much room a customer takes, how both grow.

    python -m benchmarks.online [--quick] [--out FILE]

Both sides take turns, round by round, on this machine and the same Redis; numbers are medians, ratio > 1 means ours is
better. Feast is given fewer customers, or it would take minutes: the names say how many.
"""

import argparse
import itertools
import json
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as Printed

from benchmarks.online_sides import (
    FEATURES,
    PROFILE,
    VIEWS,
    Taken,
    asked_us,
    built,
    feasts_in_file,
    feasts_in_redis,
    materialised,
    ours_in_file,
    ours_in_redis,
    read_us,
    rows_of,
    served_at,
)
from features import feast_door
from features.packed import PackedStore
from features.stores import open_store
from features.workspace import Workspace
from tests import redis_server
from tests.features.worlds import workspace


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
        "file": lambda: ours_in_file(ours),
        "redis": lambda: ours_in_redis(ours, url),
        "feast file": lambda: feasts_in_file(feasts),
        "feast redis": lambda: feasts_in_redis(feasts, url, place),
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
        store.load({f"view{view}": rows_of(view, count) for view in range(VIEWS)}, cursor=0, meta={})
        store.close()
        stores[count], room[count] = PackedStore(file, spec), file.stat().st_size / count
    times: dict[int, list[float]] = {count: [] for count in sizes.growth}
    for _, count in itertools.product(range(sizes.rounds), sizes.growth):
        times[count].append(read_us(stores[count], count, sizes.reads))
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


def _reads(sizes: Sizes, ours: Workspace, feasts: Workspace, urls: Mapping[str, str], place: str) -> Iterator[Entry]:
    """The stores hold what was loaded last, but Redis held Feast's last: ours goes beside it, in another database."""
    urls = {**urls, "redis": urls["redis"].removesuffix("/0") + "/1"}
    with served_at(urls["redis"]):
        materialised(ours)
    blocks = {"file": f"{{type: sqlite, path: '{(feasts.data / 'feast.db').resolve()}'}}"}
    blocks["redis"] = f"{{type: redis, connection_string: '{place}'}}"
    for kind, other in (("file", "SQLite"), ("redis", "Redis")):
        store = open_store(urls[kind], ours.profile)
        with feast_door.serving(feasts, "bench", blocks[kind]) as shop:
            pairs = [
                (read_us(store, sizes.ours, sizes.reads), asked_us(shop, feasts, sizes.feasts, sizes.reads // 10))
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


if __name__ == "__main__":
    main()
