"""The online store as it grows: the time of a read should stay flat, and so should the bytes a customer takes."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import redis

from benchmarks.entry import Entry, Size, in_turns, less_is_better, median
from benchmarks.online_sides import FEATURES, PROFILE, VIEWS, read_us, rows_of
from features.schema import ProfileSpec
from features.stores import Store, open_store
from tests import redis_server
from tests.features.worlds import workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    customers: tuple[int, ...]
    reads: int
    rounds: int


_SIZES: Mapping[Size, _Sizes] = {
    "full": _Sizes(customers=(10_000, 100_000, 1_000_000), reads=5_000, rounds=5),
    "quick": _Sizes(customers=(1_000, 10_000, 100_000), reads=1_000, rounds=3),
    "tiny": _Sizes(customers=(10, 100), reads=20, rounds=1),
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A store of so many customers, and the bytes that each takes."""

    store: Store
    bytes_each: float


def measured(size: Size) -> list[Entry]:
    sizes = _SIZES[size]
    with tempfile.TemporaryDirectory() as folder, redis_server.running(Path(folder)) as url, ExitStack() as open_:
        spec = workspace(Path(folder) / "growth", PROFILE, None).profile
        files = {count: _filled(_file(Path(folder), count), spec, count, open_) for count in sizes.customers}
        # a database each, side by side in one server
        served = {
            count: _filled(f"{url.removesuffix('/0')}/{at}", spec, count, open_) for at, count in enumerate(sizes.customers)
        }
        return [*_entries("SQLite", files, sizes), *_entries("Redis", served, sizes)]


def _entries(name: str, kept: Mapping[int, _Kept], sizes: _Sizes) -> Iterator[Entry]:
    sides: Mapping[str, Callable[[], float]] = {
        str(count): lambda one=one, count=count: read_us(one.store, count, sizes.reads)  # type: ignore[misc]
        for count, one in kept.items()
    }
    read = {int(count): median(some) for count, some in in_turns(sizes.rounds, sides).items()}
    room = {count: one.bytes_each for count, one in kept.items()}
    first = sizes.customers[0]
    for count in sizes.customers[1:]:
        for what, unit, found in (("read one of", "us", read), ("room of one of", "bytes", room)):
            yield less_is_better(
                name=f"growth: {what} {count:,} customers in {name}, {FEATURES}",
                unit=unit,
                kairos=found[count],
                beside=found[first],
                other=f"ours with {first:,} customers",
                rounds=sizes.rounds,
            )


def _file(folder: Path, count: int) -> str:
    return f"sqlite:///{folder / f'growth-{count}.db'}"


def _filled(url: str, spec: ProfileSpec, count: int, open_: ExitStack) -> _Kept:
    before = _size(url)
    with closing(open_store(url, spec)) as store:
        store.load({f"view{view}": rows_of(view, count) for view in range(VIEWS)}, cursor=0, meta={})
    return _Kept(open_.enter_context(closing(open_store(url, spec))), (_size(url) - before) / count)


def _size(url: str) -> int:
    if url.startswith("sqlite:///"):
        file = Path(url.removeprefix("sqlite:///"))
        return file.stat().st_size if file.exists() else 0
    with redis.Redis.from_url(url) as server:
        return int(server.info("memory")["used_memory"])
