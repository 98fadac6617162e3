"""The online profiles as the server reads them: one packed read a customer, and a follower that keeps them up to the log.

An acknowledged record is in the profiles of all servers a moment later. Within one server the next decision on the same
customer sees it: it waits that moment, and nobody else does.
"""

import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from decisioning.customer import Profile
from features.following import Follows, Lag
from features.log import LogUnavailable
from features.log.records import moment
from features.stores import Store, StoreError
from serving.ports import ProfilesUnavailable, Stored

_MOMENT_S = 0.1
"""For how long a decision waits for what was heard of its customer."""

_POPULATION_S = 1.0
_AWAITED = 10_000


class PackedProfiles:
    """A packed store and what brings it up to the log."""

    def __init__(self, store: Store, follower: Follows) -> None:
        self._store, self._follower = store, follower
        self._lock = threading.Lock()
        self._awaited: dict[str, int] = {}  # up to which record the profile of a customer must be folded to show all heard
        self._population: Mapping[str, float] = store.population()
        self._population_at = time.monotonic()

    def read(self, customer_id: str, now: datetime) -> Profile:
        try:
            return self._store.read(customer_id, now)
        except (sqlite3.Error, StoreError) as error:
            raise ProfilesUnavailable(str(error)) from error

    def stored(self, customer_id: str, view: str) -> Stored | None:
        try:
            rows = self._store.rows(view, [customer_id])
        except (sqlite3.Error, StoreError) as error:
            raise ProfilesUnavailable(str(error)) from error
        if not len(rows.customers):
            return None
        return Stored(as_of=moment(int(rows.as_of_us[0])), known=moment(int(rows.known_us[0])))

    def population(self) -> Mapping[str, float]:
        # a load changes it, in another process too
        if time.monotonic() - self._population_at > _POPULATION_S:
            self._population_at = time.monotonic()
            try:
                self._population = self._store.population()
            except (sqlite3.Error, StoreError) as error:
                raise ProfilesUnavailable(str(error)) from error
        return self._population

    def following(self) -> AbstractContextManager[None]:
        return self._follower.running()

    def heard(self, customers: Iterable[str]) -> None:
        try:
            sequence = self._follower.wake()
        except LogUnavailable:
            return  # what was acknowledged is durable, and folded once the log can be read
        with self._lock:
            if len(self._awaited) > _AWAITED:
                awaited = self._awaited.items()
                self._awaited = {who: at for who, at in awaited if not self._follower.folded(at, within_s=0)}
            self._awaited |= dict.fromkeys(customers, sequence)

    def caught_up(self, customer_ids: Sequence[str]) -> bool:
        awaited = {one: self._awaited.get(one) for one in customer_ids}
        sequence = max((at for at in awaited.values() if at is not None), default=None)
        if sequence is not None:
            if not self._follower.folded(sequence, within_s=_MOMENT_S):
                return False
            with self._lock:
                for one, at in awaited.items():
                    if self._awaited.get(one) == at:
                        self._awaited.pop(one, None)
        return not self._follower.late()

    def lag(self) -> Lag:
        return self._follower.lag()
