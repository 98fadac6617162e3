"""How long an acknowledged event takes until a read of its customer's profile shows it: 99 of 100 are faster.

same process     the process that appends follows the log itself, as a server does with its own events
another process  the events are appended elsewhere, by a process that tells nobody: an ingest, or another server

Each with 200 events a second, and with a few when nothing else goes on. Clocks are those of one machine. Beside it stands what
was promised: 100 ms.

    python -m benchmarks.visible URL COUNT RATE     (what appends from another process)
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import numpy as np

from benchmarks.entry import Entry, Size, less_is_better
from benchmarks.orders import order
from features.following import Follower
from features.log import Log, Record
from features.projector import Projector
from features.schema import ProfileSpec
from features.stores import Store, open_store
from features.yaml_nodes import decode
from tests import redis_server

PROMISED_MS = 100.0
ZONE = "America/New_York"
NOW = datetime(2018, 1, 1, tzinfo=UTC)

_TOPICS = ", ".join(f"topic{at}: [T{at}]" for at in range(40))
_PROFILE = f"""
topics: {{{_TOPICS}}}
views:
  orders:
    purpose: personalisation
    on: {{event: Order Completed}}
    features:
      orders: {{sum: 1}}
      orders_30d: {{sum: 1, half_life: 30d}}
      spend_90d: {{sum: total, half_life: 90d}}
      since_order: {{since: last}}
      "spend_90d_{{topic}}": {{sum: products.price, by: topic, half_life: 90d}}
      "day_{{day}}": {{sum: 1, by: day, half_life: 90d}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """Events of a stream, and events each alone, a pause in between."""

    streamed: int
    alone: int


_SIZES: dict[Size, _Sizes] = {
    "tiny": _Sizes(streamed=60, alone=5),
    "quick": _Sizes(streamed=2_000, alone=60),
    "full": _Sizes(streamed=12_000, alone=300),
}
_PER_SECOND = 200.0
_CUSTOMERS = 50
_PATIENCE_S = 60.0
"""Who appends must tell of the next event by then."""
_ROOT = Path(__file__).parents[1]

Acknowledged = tuple[int, float]
"""The number of an event, and when it was durable (time.perf_counter, one clock for all processes)."""


def measured(size: Size) -> list[Entry]:
    entries = []
    with tempfile.TemporaryDirectory() as folder, redis_server.running(Path(folder)) as url:
        for store, address in (("SQLite", "sqlite:///{folder}/online.db"), ("Redis", f"{url.removesuffix('/0')}/{{number}}")):
            for number, ((where, events), (load, count, rate)) in enumerate(_cases(_SIZES[size])):
                with tempfile.TemporaryDirectory() as place:
                    waited = _waits(place, address.format(folder=place, number=number), events, count, rate)
                for share in (50, 99):
                    entries.append(
                        less_is_better(
                            name=f"acknowledged to visible, {where}, {store}, {load}, p{share} of {count:,} events",
                            unit="ms",
                            kairos=float(np.percentile(waited, share)),
                            beside=PROMISED_MS,
                            other="the promise",
                            rounds=1,
                        )
                    )
    return entries


def _cases(sizes: _Sizes) -> "Iterator[tuple[tuple[str, _Events], tuple[str, int, float]]]":
    for where in (("same process", _here), ("another process", _elsewhere)):
        yield where, ("200 events/s", sizes.streamed, _PER_SECOND)
        yield where, ("idle", sizes.alone, 4.0)


def _waits(folder: str, address: str, events: "_Events", count: int, rate: float) -> list[float]:
    """Milliseconds from acknowledged to visible, an event each."""
    spec = decode(_PROFILE, ProfileSpec, file="profile.yaml")
    with ExitStack() as stack:
        log = Log(f"sqlite:///{folder}/log.db")
        stack.callback(log.close)
        store = open_store(address, spec)
        stack.callback(store.close)
        follower = Follower(log, store, Projector(log, store, spec, ZONE), now=lambda: NOW)
        stack.enter_context(follower.running())
        acknowledged = stack.enter_context(events(log, follower, count, rate))
        return [1000.0 * (_visible(store, at) - since) for at, since in (acknowledged() for _ in range(count))]


def _visible(store: Store, at: int) -> float:
    """When a read of the customer shows event number `at`, one of each customer in turn."""
    while (store.read(f"c{at % _CUSTOMERS}", NOW).get("orders") or 0.0) <= at // _CUSTOMERS:
        time.sleep(0.002)  # no oftener: to look takes processor time from what is looked at
    return time.perf_counter()


def _append(log: Log, count: int, rate: float, told: Callable[[Acknowledged], None]) -> None:
    """Append at a rate, in single commits; tell each when it is durable. Times wander, so that no two clocks beat together."""
    wander = np.random.default_rng(1).uniform(0.5, 1.5, count) / rate
    begins = time.perf_counter()
    for at, due in enumerate(np.cumsum(wander)):
        time.sleep(max(0.0, begins + due - time.perf_counter()))
        log.append([_order(at)])
        told((at, time.perf_counter()))


@contextmanager
def _here(log: Log, follower: Follower, count: int, rate: float) -> Iterator[Callable[[], Acknowledged]]:
    queue: SimpleQueue[Acknowledged] = SimpleQueue()

    def told(one: Acknowledged) -> None:
        queue.put(one)
        follower.wake()

    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # as `kairos serve` does
    thread = Thread(target=_append, args=(log, count, rate, told))
    thread.start()
    yield partial(queue.get, timeout=_PATIENCE_S)
    thread.join()
    sys.setswitchinterval(before)


@contextmanager
def _elsewhere(log: Log, follower: Follower, count: int, rate: float) -> Iterator[Callable[[], Acknowledged]]:
    url = log.query(lambda connection: str(connection.engine.url))
    command = [sys.executable, "-m", "benchmarks.visible", url, str(count), str(rate)]
    with subprocess.Popen(command, cwd=_ROOT, text=True, stdout=subprocess.PIPE) as process:
        queue: SimpleQueue[Acknowledged] = SimpleQueue()

        def read() -> None:
            for line in process.stdout or ():
                queue.put(tuple(json.loads(line)))

        thread = Thread(target=read)
        thread.start()
        yield partial(queue.get, timeout=_PATIENCE_S)
        thread.join()


_Events = Callable[[Log, Follower, int, float], AbstractContextManager[Callable[[], Acknowledged]]]


def _order(at: int) -> Record:
    moment, customer = NOW - timedelta(days=1) + timedelta(seconds=at), f"c{at % _CUSTOMERS}"
    products = [{"category": f"T{(at + line) % 40}", "price": 3.5, "quantity": 1} for line in range(3)]
    return order(at, customer, moment, products, total=10.5)


if __name__ == "__main__":
    url, count, rate = sys.argv[1:]
    _append(Log(url), int(count), float(rate), lambda one: print(json.dumps(one), flush=True))
