"""How many appends a second are durable when threads come at once: sharing commits, beside a commit for each.

Each append is one event of a customer, as a server's thread writes it, chained and sealed; on a file and, where PostgreSQL
is installed, on a server of the benchmark's own. Both sides are the same log; one lets a commit take a single append.
"""

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.entry import Entry, Size, in_turns, median, more_is_better
from benchmarks.log_append import event
from features.log import Log, Record, StateRules
from tests import postgres_server


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    """`appends` of each thread in a round."""

    appends: int
    threads: tuple[int, ...]
    rounds: int


_SIZES: Mapping[Size, _Sizes] = {
    "full": _Sizes(appends=200, threads=(1, 4, 16), rounds=5),
    "quick": _Sizes(appends=15, threads=(1, 4, 16), rounds=3),
    "tiny": _Sizes(appends=3, threads=(2,), rounds=1),
}


def measured(size: Size) -> list[Entry]:
    sizes = _SIZES[size]
    entries = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for place, url in _places(stack, folder):
            shared = stack.enter_context(closing(Log(url, StateRules(), folder=folder)))
            single = stack.enter_context(closing(Log(url, StateRules(), folder=folder, together=1)))
            records = _records()
            for threads in sizes.threads:
                given = in_turns(
                    sizes.rounds,
                    {
                        "shared": partial(_rate, shared, records, threads, sizes.appends),
                        "single": partial(_rate, single, records, threads, sizes.appends),
                    },
                )
                entries.append(
                    more_is_better(
                        name=f"durable appends of one event, {place}, {threads} threads",
                        unit="commits/s",
                        kairos=median(given["shared"]),
                        beside=median(given["single"]),
                        other="a commit for each",
                        rounds=sizes.rounds,
                    )
                )
    return entries


def _places(stack: ExitStack, folder: Path) -> Iterator[tuple[str, str]]:
    yield "SQLite", f"sqlite:///{folder / 'log.db'}"
    if postgres_server.binaries() is not None:
        server = stack.enter_context(postgres_server.running())
        yield "PostgreSQL", server.url + "postgres"


def _records() -> Iterator[Record]:
    """Each another order."""
    at = 0
    while True:
        yield event(at)
        at += 1


def _rate(log: Log, records: Iterator[Record], threads: int, appends: int) -> float:
    """Appends a second over all threads."""
    given = [[next(records) for _ in range(appends)] for _ in range(threads)]
    start = threading.Barrier(threads + 1)

    def append(mine: list[Record]) -> None:
        start.wait()
        for one in mine:
            log.append([one])

    writers = [threading.Thread(target=append, args=(mine,)) for mine in given]
    for writer in writers:
        writer.start()
    start.wait()
    began = time.perf_counter()
    for writer in writers:
        writer.join()
    return threads * appends / (time.perf_counter() - began)
