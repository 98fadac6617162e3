"""The online store in Redis: one hash a customer, a field a view, the same bytes as in the file.

    kairos               hash: the generation in use, how many loads began, `schema:VIEW` checksums, `meta:NAME` notes
    kairos:writer        who writes, for as long as it may
    kairos:follower      who folds the log into the store
    kairos:GENERATION:ID hash of a customer: VIEW -> row

One database of Redis holds one workspace. A load writes a generation of its own beside the one in use and then switches:
no reader sees half of it. Rows are longer than the 64 bytes up to which Redis packs a hash by itself: give the server
`hash-max-listpack-value 512`, or a customer takes more memory than need be.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from decisioning.customer import Profile
from features import packed_redis_scripts, population
from features.packed_redis_lease import FollowerLease, leased
from features.packed_rows import Form, StoredRows
from features.packed_views import Views
from features.schema import ProfileSpec
from features.stores import StoreError

_HEAD = b"kairos"
_IN_ONE_TRIP = 2_000
_SILENCE_S = 5.0

_T = TypeVar("_T")


class PackedRedisStore:
    """The online store of one workspace, for the profile `spec` (see `features.stores.Store`). Safe for threads.

    A write whose lease ran out is refused whole (see `features.packed_redis_lease`). Raises StoreError where Redis cannot be
    reached.
    """

    def __init__(self, url: str, spec: ProfileSpec) -> None:
        self._url = re.sub("//[^@/]*@", "//", url)  # as errors show it: without a password
        self._views = Views(spec)
        # a connection that went stale is made again, once: a decision does not wait longer for its profile
        self._client: Any = redis.Redis.from_url(url, socket_timeout=_SILENCE_S, retry=Retry(NoBackoff(), 1))
        try:
            with _reached(self._url):
                self._prepare()
                self._reading = self._compiled()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._client.close()

    def read(self, customer_id: str, now: datetime) -> Profile:
        with _reached(self._url):
            reading = self._reading
            while True:
                generation, blobs = self._found(customer_id, reading)
                if generation == reading.generation:
                    return self._views.profile(reading.views, blobs, now)
                # the store was loaded anew since
                self._reading = reading = self._compiled()

    def rows(self, view: str, customers: Sequence[str]) -> StoredRows:
        with _reached(self._url):
            self._reading = reading = self._compiled()
            return _rows(self._client, reading.generation, view, self._views.forms[view], customers)

    @property
    def stale(self) -> tuple[str, ...]:
        return self._reading.stale

    @property
    def cursor(self) -> int:
        return int(self.meta("cursor") or 0)

    def meta(self, name: str) -> str | None:
        with _reached(self._url):
            found = self._client.hget(_HEAD, f"meta:{name}")
        return None if found is None else found.decode()

    def population(self) -> dict[str, float]:
        return population.decode(self.meta(population.META))

    def count(self, view: str) -> int:
        """How many customers have a row in a view. Goes through all of them."""
        with _reached(self._url):
            return packed_redis_scripts.count(self._client, _key(self._compiled().generation, "*"), view)

    @contextmanager
    def writing(self) -> Iterator["RedisWriting"]:
        with _reached(self._url), leased(self._client, self._url) as lease:
            # read again, inside: another process may have loaded the store for another profile
            self._reading = reading = self._compiled()
            if self.stale:
                views = ", ".join(self.stale)
                raise StoreError(
                    f"{self._url}: the profile changed since {views} were loaded; run 'kairos features materialize'"
                )
            writing = RedisWriting(self._client, self._views.forms, reading.generation)
            yield writing
            lease.commit(writing.told)

    @contextmanager
    def changing(self) -> Iterator["RedisWriting"]:
        with _reached(self._url), leased(self._client, self._url) as lease:
            self._reading = reading = self._compiled()
            writing = RedisWriting(self._client, self._views.forms, reading.generation)
            yield writing
            lease.commit(writing.told)

    def load(self, rows: Mapping[str, StoredRows], *, cursor: int, meta: Mapping[str, str]) -> None:
        with _reached(self._url), leased(self._client, self._url) as lease:
            generation = int(self._client.hincrby(_HEAD, "loads", 1))
            packed = {view: (stored.customers, self._views.forms[view].pack(stored)) for view, stored in rows.items()}
            for _ in packed_redis_scripts.fill(self._client, _key(generation, ""), packed):
                lease.renew()
            notes = {f"meta:{name}": value for name, value in meta.items()}
            head = {"generation": generation, "loads": generation, "meta:cursor": cursor, **self._schema(), **notes}

            def switch(trip: Any) -> None:
                trip.delete(_HEAD)
                trip.hset(_HEAD, mapping=head)

            lease.commit(switch)
            self._reading = self._compiled()
            self._sweep(before=generation)

    def lease(self) -> FollowerLease:
        return FollowerLease(self._client, self._url)

    def renew(self, views: Collection[str] = ()) -> None:
        with _reached(self._url), leased(self._client, self._url) as lease:
            self._reading = reading = self._compiled()
            anew = {*reading.stale, *views} & self._views.forms.keys()
            if anew and self.cursor:
                raise StoreError(f"{self._url}: the store follows the log; run 'kairos features materialize' to load it anew")
            keys = list(self._client.scan_iter(match=_key(reading.generation, "*"), count=_IN_ONE_TRIP)) if anew else []

            def forget(trip: Any) -> None:
                for key in keys:
                    trip.hdel(key, *anew)
                trip.hset(_HEAD, mapping=self._schema())

            lease.commit(forget)
            self._reading = self._compiled()

    def _found(self, customer_id: str, reading: "_Reading") -> tuple[int, Sequence[bytes | None]]:
        """The generation in use and the rows of the one asked for, at one moment."""
        trip = self._client.pipeline(transaction=True)
        trip.hget(_HEAD, "generation")
        if reading.views:
            trip.hmget(_key(reading.generation, customer_id), reading.views)
        generation, *found = trip.execute()
        return int(generation or 0), found[0] if found else ()

    def _prepare(self) -> None:
        """What a new store is: generation 0, empty, for this profile."""
        trip = self._client.pipeline(transaction=True)
        trip.watch(_HEAD)
        if trip.exists(_HEAD):
            trip.reset()
            return
        trip.multi()
        trip.hset(_HEAD, mapping={"generation": 0, "loads": 0, **self._schema()})
        try:
            trip.execute()
        except redis.WatchError:
            return  # another process made it first

    def _schema(self) -> dict[str, int]:
        return {f"schema:{view}": form.checksum for view, form in self._views.forms.items()}

    def _compiled(self) -> "_Reading":
        head = self._client.hgetall(_HEAD)
        stored = {
            name.decode().removeprefix("schema:"): int(value) for name, value in head.items() if name.startswith(b"schema:")
        }
        return _Reading(
            generation=int(head.get(b"generation", 0)), views=self._views.fresh(stored), stale=self._views.stale(stored)
        )

    def _sweep(self, *, before: int) -> None:
        """Forget the generations before this one, those of interrupted loads too."""
        packed_redis_scripts.sweep(self._client, b"kairos:*:*", before)


class RedisWriting:
    """An open transaction of the store: kept here until it is committed."""

    def __init__(self, client: Any, forms: Mapping[str, Form], generation: int) -> None:
        self._client, self._forms, self._generation = client, forms, generation
        self._put: dict[str, dict[str, bytes]] = {}
        self._deleted: list[bytes] = []
        self._cursor: int | None = None

    @property
    def cursor(self) -> int:
        return int(self._client.hget(_HEAD, "meta:cursor") or 0) if self._cursor is None else self._cursor

    def move(self, cursor: int) -> None:
        self._cursor = cursor

    def rows(self, view: str, customers: Sequence[str]) -> StoredRows:
        return _rows(self._client, self._generation, view, self._forms[view], customers, self._put.get(view, {}))

    def put(self, view: str, stored: StoredRows) -> None:
        blobs = self._forms[view].pack(stored)
        self._put.setdefault(view, {}).update(zip(stored.customers, blobs, strict=True))

    def delete(self, customer_id: str) -> int:
        key = _key(self._generation, customer_id)
        if key in self._deleted:
            return 0
        # a load that was interrupted leaves a generation nobody reads, until the next load sweeps it
        loads = int(self._client.hget(_HEAD, "loads") or 0)
        self._deleted += [_key(generation, customer_id) for generation in range(loads + 1)]
        return int(self._client.hlen(key))

    def told(self, trip: Any) -> None:
        """Add what was deleted, put and moved to a transaction."""
        if self._deleted:
            trip.delete(*self._deleted)
        for view, blobs in self._put.items():
            for customer, blob in blobs.items():
                trip.execute_command("HSET", _key(self._generation, customer), view, blob)
        if self._cursor is not None:
            trip.hset(_HEAD, "meta:cursor", self._cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    generation: int
    views: tuple[str, ...]
    stale: tuple[str, ...]


@contextmanager
def _reached(url: str) -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise StoreError(f"{url}: {error}") from error


def _key(generation: int, customer: str) -> bytes:
    return b"kairos:%d:%s" % (generation, customer.encode())


def _trips(of: Iterable[_T]) -> Iterator[list[_T]]:
    """As much at a time as goes to Redis in one trip."""
    left = iter(of)
    while some := list(islice(left, _IN_ONE_TRIP)):
        yield some


def _rows(
    client: Any, generation: int, view: str, form: Form, customers: Sequence[str], put: Mapping[str, bytes] | None = None
) -> StoredRows:
    put = put or {}
    asked = dict.fromkeys(customers)
    found = {customer: put.get(customer) for customer in asked}
    for some in _trips(customer for customer in asked if customer not in put):
        trip = client.pipeline(transaction=False)
        for customer in some:
            trip.hget(_key(generation, customer), view)
        found.update(zip(some, trip.execute(), strict=True))
    kept = {customer: blob for customer, blob in found.items() if blob is not None and form.fits(blob)}
    return form.unpack(list(kept), list(kept.values()))
