"""The online store beside Feast's own: how fast it is loaded and read, and how much room a customer takes.

Both sides load from the same kind of build on the same machine, into files of their own and the same Redis. Feast is given
fewer customers, or it would take minutes; what both take grows with their number. The names say how many.
"""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.entry import Entry, Size, in_turns, less_is_better, median, more_is_better
from benchmarks.online_sides import (
    FEATURES,
    Taken,
    asked_us,
    built,
    feasts_in_file,
    feasts_in_redis,
    materialised,
    ours_in_file,
    ours_in_redis,
    read_us,
    served_at,
)
from features import feast_door
from features.stores import open_store
from features.workspace import Workspace
from tests import redis_server


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """`ours`, `feasts`: customers loaded; `reads` of ours in a round, of Feast a tenth."""

    ours: int
    feasts: int
    reads: int
    rounds: int


_SIZES: Mapping[Size, _Sizes] = {
    "full": _Sizes(ours=200_000, feasts=10_000, reads=3_000, rounds=3),
    "quick": _Sizes(ours=20_000, feasts=1_000, reads=500, rounds=2),
    "tiny": _Sizes(ours=200, feasts=20, reads=20, rounds=1),
}
_STORES = {"file": "SQLite", "redis": "Redis"}


def measured(size: Size) -> list[Entry]:
    sizes = _SIZES[size]
    with tempfile.TemporaryDirectory() as folder, redis_server.running(Path(folder)) as url:
        ours, feasts = built(Path(folder) / "ours", sizes.ours), built(Path(folder) / "feasts", sizes.feasts)
        return [*_loads(sizes, ours, feasts, url), *_reads(sizes, ours, feasts, url)]


def _loads(sizes: _Sizes, ours: Workspace, feasts: Workspace, url: str) -> Iterator[Entry]:
    loads: Mapping[str, Callable[[], Taken]] = {
        "file": lambda: ours_in_file(ours),
        "feast file": lambda: feasts_in_file(feasts),
        "redis": lambda: ours_in_redis(ours, url),
        "feast redis": lambda: feasts_in_redis(feasts, url, _place(url)),
    }
    taken = in_turns(sizes.rounds, loads)
    cpu = {name: median([one.customers / one.cost.cpu_s for one in some]) for name, some in taken.items()}
    wall = {name: median([one.customers / one.cost.wall_s for one in some]) for name, some in taken.items()}
    room = {name: median([one.size / one.customers for one in some]) for name, some in taken.items()}
    for kind, store in _STORES.items():
        few = f"Feast's own {store}, {sizes.feasts:,} customers"
        for unit, rates in (("customers/CPU s", cpu), ("customers/s", wall)):
            yield more_is_better(
                name=f"bulk materialise into {store}, {sizes.ours:,} customers x {FEATURES}",
                unit=unit,
                kairos=rates[kind],
                beside=rates[f"feast {kind}"],
                other=f"feast materialize into {few}",
                rounds=sizes.rounds,
            )
        yield less_is_better(
            name=f"room of a customer in {store}, {FEATURES}",
            unit="bytes",
            kairos=room[kind],
            beside=room[f"feast {kind}"],
            other=few,
            rounds=sizes.rounds,
        )


def _reads(sizes: _Sizes, ours: Workspace, feasts: Workspace, url: str) -> Iterator[Entry]:
    """The stores hold what was loaded last, but Redis held Feast's last: ours goes beside it, in another database."""
    urls = {"file": ours.online_url, "redis": url.removesuffix("/0") + "/1"}
    with served_at(urls["redis"]):
        materialised(ours)
    blocks = {
        "file": f"{{type: sqlite, path: '{(feasts.data / 'feast.db').resolve()}'}}",
        "redis": f"{{type: redis, connection_string: '{_place(url)}'}}",
    }
    for kind, name in _STORES.items():
        store = open_store(urls[kind], ours.profile)
        with feast_door.serving(feasts, "bench", blocks[kind]) as shop:
            sides: Mapping[str, Callable[[], float]] = {
                "ours": lambda store=store: read_us(store, sizes.ours, sizes.reads),  # type: ignore[misc]
                "feasts": lambda shop=shop: asked_us(shop, feasts, sizes.feasts, sizes.reads // 10),  # type: ignore[misc]
            }
            taken = in_turns(sizes.rounds, sides)
        store.close()
        yield less_is_better(
            name=f"read one customer from {name}, {FEATURES}, {sizes.ours:,} customers stored",
            unit="us",
            kairos=median(taken["ours"]),
            beside=median(taken["feasts"]),
            other=f"get_online_features of Feast's own {name}, {sizes.feasts:,} customers stored",
            rounds=sizes.rounds,
        )


def _place(url: str) -> str:
    return url.removeprefix("redis://").removesuffix("/0")
