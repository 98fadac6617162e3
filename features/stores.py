"""The online store as the rest of the house sees it: one row a customer and view, wherever it is kept.

sqlite:///FILE               a file (see `features.packed`)
redis://HOST:PORT/DATABASE   a Redis database (see `features.packed_redis`); rediss:// and unix:// too
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Protocol

from decisioning.customer import Profile
from decisioning.errors import KairosError
from features.packed_rows import StoredRows
from features.schema import ProfileSpec

_FILE = "sqlite:///"
_REDIS = ("redis://", "rediss://", "unix://")


class StoreError(KairosError):
    """The online store does not hold what the profile asks for, or cannot be reached."""


class Writing(Protocol):
    """An open transaction of a store. What it put is what it reads."""

    @property
    def cursor(self) -> int: ...

    def move(self, cursor: int) -> None: ...

    def rows(self, view: str, customers: Sequence[str]) -> StoredRows:
        """The stored rows of those customers who have one."""
        ...

    def put(self, view: str, stored: StoredRows) -> None:
        """Write rows, over those that were there."""
        ...

    def delete(self, customer_id: str) -> int:
        """Delete a customer's row from every view, those of older profiles too; how many there were."""
        ...


class Lease(Protocol):
    """The right of one process to fold the log into a store for all. It ends when its holder lets go or dies."""

    def held(self) -> bool:
        """Take it, or keep it; False where another holds it. Raises StoreError where that cannot be told."""
        ...

    def release(self) -> None:
        """Let go of it, where it is held."""
        ...


class Store(Protocol):
    """An online store, opened for a profile. Safe for threads.

    A view whose stored schema is not that of the profile is stale: it reads as not found, and nothing may be written before
    the store is loaded anew (`features materialize`).
    """

    @property
    def stale(self) -> tuple[str, ...]:
        """The views whose stored schema is not that of the profile."""
        ...

    @property
    def cursor(self) -> int:
        """The sequence of the last record of the log folded in; 0 where none was."""
        ...

    def close(self) -> None: ...

    def read(self, customer_id: str, now: datetime) -> Profile:
        """The customer's profile aged to `now`; empty for one nobody has heard of.

        A row of a third-party view that takes effect after `now` is not there yet, one past its ttl no more.
        """
        ...

    def rows(self, view: str, customers: Sequence[str]) -> StoredRows:
        """The stored rows of those customers who have one; none of a stale view."""
        ...

    def meta(self, name: str) -> str | None: ...

    def population(self) -> dict[str, float]:
        """What the habits of all customers add up to, by feature name, as of the last load; empty where nothing was loaded."""
        ...

    def count(self, view: str) -> int:
        """How many customers have a row in a view."""
        ...

    def writing(self) -> AbstractContextManager[Writing]:
        """One transaction, alone among writers; readers see all of it or nothing. Raises StoreError for a stale store."""
        ...

    def changing(self) -> AbstractContextManager[Writing]:
        """One transaction like `writing`, in a store that may be stale: enough to delete, and to move the cursor."""
        ...

    def load(self, rows: Mapping[str, StoredRows], *, cursor: int, meta: Mapping[str, str]) -> None:
        """Replace everything at once: the rows of each view, what they mean, the cursor and further notes."""
        ...

    def lease(self) -> Lease:
        """The lease of this store; for one thread, which folds only while it holds it or the holder does not get on."""
        ...

    def renew(self, views: Collection[str] = ()) -> None:
        """Make the stale views and those named anew, empty. Raises StoreError where the store follows a log (cursor > 0):
        their history would be lost, so it must be loaded instead."""
        ...


def open_store(url: str, spec: ProfileSpec) -> Store:
    """The store at `url`, made empty where there is none. Raises StoreError for an address that is none, or unreachable."""
    if url.startswith(_FILE):
        from features.packed import PackedStore

        return PackedStore(Path(url.removeprefix(_FILE)), spec)
    if url.startswith(_REDIS):
        try:
            from features.packed_redis import PackedRedisStore
        except ModuleNotFoundError as error:
            raise StoreError("a store in Redis needs its client; install kairos-nba[redis]") from error
        return PackedRedisStore(url, spec)
    raise StoreError(f"{url!r} is no address of an online store; write sqlite:///FILE or redis://HOST:PORT/DATABASE")
