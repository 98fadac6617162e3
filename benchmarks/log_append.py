"""How many events a second one core appends durably, in batches of 500, chained and sealed.

The events are orders of 10,000 customers, about 1 KB each with three products, as the server builds them. Beside it stands
what Metarank's documentation publishes for its ingestion, 1,000 to 3,000 events a second.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.entry import Cost, Entry, Size, median, more_is_better, timed
from benchmarks.orders import order
from decisioning.emotion import Feeling, Signal
from features.log import Log, Record, StateRules

BATCH = 500
CUSTOMERS = 10_000
METARANK = 3_000
_RULES = StateRules(signals={"Complaint Opened": Signal(complaint="opened", emotion=Feeling(valence=-0.9, intensity=0.9))})
_BEGINNING = datetime(2018, 1, 1, tzinfo=UTC)


def event(at: int) -> Record:
    """Order number `at`."""
    moment, customer = _BEGINNING + timedelta(seconds=at), f"customer-{at * 7919 % CUSTOMERS}"
    products = [
        {
            "product_id": f"{at * 31 + line}",
            "category": "BAKERY",
            "brand": "private",
            "name": f"A product of department {line}, in its usual size, as the receipt prints it",
            "price": 3.5 + line,
            "quantity": 1,
            "discount": 0.0,
        }
        for line in range(3)
    ]
    told = {"order_id": f"o{at}", "total": 13.5, "discount": 0.0, "store": "411", "payment": "card", "till": "point-of-sale 4"}
    return order(at, customer, moment, products, **told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    batches: int
    rounds: int


_SIZES: Mapping[Size, _Sizes] = {
    "full": _Sizes(batches=60, rounds=5),
    "quick": _Sizes(batches=20, rounds=3),
    "tiny": _Sizes(batches=2, rounds=1),
}


def measured(size: Size) -> list[Entry]:
    sizes = _SIZES[size]
    events = [event(at) for at in range(sizes.batches * BATCH)]
    with _on_one_core():
        taken = [appended(events) for _ in range(sizes.rounds)]
    return [
        more_is_better(
            name=f"durable append, batches of {BATCH}, chain and encryption on, one core",
            unit=unit,
            kairos=median([len(events) / getattr(one, of) for one in taken]),
            beside=METARANK,
            other="what Metarank publishes, of its own machine and all it does with an event",
            rounds=sizes.rounds,
        )
        for of, unit in (("cpu_s", "events/CPU s"), ("wall_s", "events/s"))
    ]


def appended(events: list[Record]) -> Cost:
    """Into an empty log on the disk of the temporary folder."""

    def append() -> None:
        for start in range(0, len(events), BATCH):
            log.append(events[start : start + BATCH])

    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'log.db'}", _RULES)
        taken = timed(append)
        log.close()
    return taken


@contextmanager
def _on_one_core() -> Iterator[None]:
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)
