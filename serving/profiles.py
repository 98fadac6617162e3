"""The online profiles as the server reads them: one packed read a customer, kept up to date from the log."""

import sqlite3
import threading
from collections.abc import Mapping
from datetime import datetime

from decisioning.domain import Profile
from features.log.records import moment
from features.projector import Projector
from features.stores import Store, StoreError
from serving.ports import ProfilesUnavailable, Stored


class PackedProfiles:
    """A packed store and the projector that folds new records into it."""

    def __init__(self, store: Store, projector: Projector) -> None:
        self._store = store
        self._projector = projector
        self._lock = threading.Lock()
        self._population: Mapping[str, float] = store.population()
        self._trouble: str | None = None

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
        return self._population

    def follow(self) -> None:
        """Fold what the log has and the store has not.

        A fault loses nothing, since the log keeps every record and the next call folds them; until then `trouble` tells.
        The record that was just acknowledged is durable all the same, so its caller must not be told of a failure.
        """
        with self._lock:
            try:
                self._projector.run_once()
                self._trouble = None
            except Exception as error:  # whatever it is: see above, and health says it
                self._trouble = f"{type(error).__name__}: {error}"

    def trouble(self) -> str | None:
        return self._trouble
