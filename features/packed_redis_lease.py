"""Leases in Redis: the one writer at a time, and the one follower of the log that folds for all.

A lease is a key with the token of its holder. It ends by itself when its time runs out, and at once when the connection of
its holder ends, as it does with the holder's process: the token names the connection, and who waits asks Redis whether that
one is still there. Whoever lost the writer's lease cannot commit: the transaction watches it, so that a writer that slept
through its time writes nothing.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import redis

from features.stores import StoreError

WRITER, FOLLOWER = b"kairos:writer", b"kairos:follower"

_LEASE_MS = 10_000
_FOLLOWER_MS = 2_000
_BUSY_S = 15.0
_PAUSE_S, _ASKING_S = 0.002, 0.02


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write, of the holder of `token`."""

    client: Any
    url: str
    token: bytes

    def renew(self) -> None:
        """Have the whole time again. Raises StoreError where it is too late."""
        self.commit(lambda trip: trip.pexpire(WRITER, _LEASE_MS))

    def commit(self, told: Callable[[Any], object]) -> None:
        """Do all that `told` adds to a transaction at once. Raises StoreError, nothing done, where the lease ran out."""
        if not _while_held(self.client, WRITER, self.token, told):
            raise StoreError(f"{self.url}: the write took longer than {_LEASE_MS} ms; nothing was written")


@contextmanager
def leased(client: Any, url: str) -> Iterator[Lease]:
    """Be the one writer; wait for the one before. Raises StoreError where that takes longer than 15 s."""
    with client.client() as own:
        lease, until = Lease(client, url, _token(own)), time.monotonic() + _BUSY_S
        asking = 0.0
        while not client.set(WRITER, lease.token, nx=True, px=_LEASE_MS):
            at = time.monotonic()
            if at > until:
                raise StoreError(f"{url}: another process has been writing for {_BUSY_S:.0f} s; try again")
            if at > asking:
                _bury(client, WRITER)
                asking = at + _ASKING_S
            time.sleep(_PAUSE_S)
        try:
            yield lease
        finally:
            # where it ran out or Redis is away, it ends by itself
            with suppress(StoreError, redis.RedisError):
                lease.commit(lambda trip: trip.delete(WRITER))


class FollowerLease:
    """The lease of a store in Redis (see `features.stores.Lease`), on a connection of its own. For one thread."""

    def __init__(self, client: Any, url: str) -> None:
        self._client, self._url = client, url
        self._own: Any = None
        self._token = b""

    def held(self) -> bool:
        try:
            return self._kept() or self._taken()
        except redis.RedisError as error:
            raise StoreError(f"{self._url}: {error}") from error

    def release(self) -> None:
        if self._own is None:
            return
        # where Redis is away, the connection is too
        with suppress(redis.RedisError):
            _while_held(self._client, FOLLOWER, self._token, lambda trip: trip.delete(FOLLOWER))
        self._own.close()
        self._own, self._token = None, b""

    def _kept(self) -> bool:
        if not self._token:
            return False
        trip = self._client.pipeline(transaction=False)
        # where it was another's already, that one has it a little longer
        holder, _ = trip.get(FOLLOWER).pexpire(FOLLOWER, _FOLLOWER_MS).execute()
        if holder != self._token:
            self._token = b""
        return bool(self._token)

    def _taken(self) -> bool:
        _bury(self._client, FOLLOWER)
        if self._client.exists(FOLLOWER):
            return False
        if self._own is None:
            self._own = self._client.client()
        token = _token(self._own)
        if self._client.set(FOLLOWER, token, nx=True, px=_FOLLOWER_MS):
            self._token = token
        return bool(self._token)


def _token(own: Any) -> bytes:
    """A token that names a connection."""
    return b"%d:%s" % (own.client_id(), secrets.token_hex(8).encode())


def _bury(client: Any, key: bytes) -> None:
    """End a lease whose holder's connection is gone."""
    token = client.get(key)
    if token is None:
        return
    try:
        alive = bool(client.client_list(client_id=[token.partition(b":")[0].decode()]))
    except redis.ResponseError:
        return  # Redis before 6.2, or a user who may not ask: the lease ends when its time does
    if not alive:
        _while_held(client, key, token, lambda trip: trip.delete(key))


def _while_held(client: Any, key: bytes, token: bytes, told: Callable[[Any], object]) -> bool:
    """Do all that `told` adds to a transaction at once, or nothing where the lease is not, or no longer, the token's."""
    with client.pipeline(transaction=True) as trip:
        trip.watch(key)
        if trip.get(key) != token:
            return False
        trip.multi()
        told(trip)
        try:
            trip.execute()
        except redis.WatchError:
            return False
    return True
