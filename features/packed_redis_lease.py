"""One writer at a time to the online store in Redis: a lease that ends by itself if its holder dies.

Whoever lost the lease cannot commit: the transaction watches it, so that a writer that slept through its time writes nothing.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import redis

from features.stores import StoreError

KEY = b"kairos:writer"

_LEASE_MS = 10_000
_BUSY_S = 15.0
_PAUSE_S = 0.002


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write, of the holder of `token`."""

    client: Any
    url: str
    token: bytes

    def renew(self) -> None:
        """Have the whole time again. Raises StoreError where it is too late."""
        self.commit(lambda trip: trip.pexpire(KEY, _LEASE_MS))

    def commit(self, told: Callable[[Any], object]) -> None:
        """Do all that `told` adds to a transaction at once. Raises StoreError, nothing done, where the lease ran out."""
        late = StoreError(f"{self.url}: the write took longer than {_LEASE_MS} ms; nothing was written")
        trip = self.client.pipeline(transaction=True)
        trip.watch(KEY)
        if trip.get(KEY) != self.token:
            trip.reset()
            raise late
        trip.multi()
        told(trip)
        try:
            trip.execute()
        except redis.WatchError:
            raise late from None


@contextmanager
def leased(client: Any, url: str) -> Iterator[Lease]:
    """Be the one writer; wait for the one before. Raises StoreError where that takes longer than 15 s."""
    lease, until = Lease(client, url, secrets.token_bytes(8)), time.monotonic() + _BUSY_S
    while not client.set(KEY, lease.token, nx=True, px=_LEASE_MS):
        if time.monotonic() > until:
            raise StoreError(f"{url}: another process has been writing for {_BUSY_S:.0f} s; try again")
        time.sleep(_PAUSE_S)
    try:
        yield lease
    finally:
        # where it ran out or Redis is away, it ends by itself
        with suppress(StoreError, redis.RedisError):
            lease.commit(lambda trip: trip.delete(KEY))
