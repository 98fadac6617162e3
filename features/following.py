"""The online profiles follow the log, on a thread of every server: what was appended is folded a moment after its commit.

Of all followers of a store one holds its lease and folds; the others look on, and one of them takes over when the holder ends.
The lease saves work and no more: rows and cursor move in one transaction, so a record is folded once, whoever folds it. That
is why a follower without the lease may fold too, where the holder is alive and does not get on.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from features.log import LogUnavailable, Record
from features.projector import FOLLOWED
from features.stores import Lease, Store, StoreError

LATE_S = 1.0
"""Behind the log for longer than this, profiles are late: whoever reads them is told."""

_SHORTEST_S, _LONGEST_S = 0.004, 0.03
"""Between two looks: the shortest when something just moved or is waited for, doubling to the longest when nothing does."""

_REST_S = 0.01
"""After a fold, for more to come together; whoever waits ends it."""

_AT_START_S = 1.0
_PATIENCE_S = 1.0
_DEPUTY_S = 30.0
_FIRST_RETRY_S, _LAST_RETRY_S = 0.05, 2.0


class ReadsLog(Protocol):
    """What following needs of the log."""

    def last_sequence(self) -> int: ...
    def read(self, *, after: int, kinds: Sequence[str], limit: int | None) -> Iterator[Record]: ...


class Folds(Protocol):
    """What following needs of the projector."""

    def run_once(self, *, going_on: Callable[[], bool] = ...) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far the profiles are behind the log.

    `behind` counts the log's last records that are not known to be in them, of whatever kind; `since` is when they fell
    behind, None where they are not or it is only a moment. `late`: for longer than LATE_S. `part` (log, online store or
    projector) and `cause` tell what keeps them from following; it is tried again until it goes.
    """

    behind: int
    since: datetime | None = None
    late: bool = False
    part: str | None = None
    cause: str | None = None


class Follows(Protocol):
    """Brings the profiles up to the log."""

    def running(self) -> AbstractContextManager[None]:
        """Inside, the profiles follow."""
        ...

    def wake(self) -> int:
        """Look now; up to which sequence the log goes. Raises LogUnavailable."""
        ...

    def folded(self, sequence: int, *, within_s: float) -> bool:
        """Whether the records up to a sequence are in the profiles; waits for it, not longer than that."""
        ...

    def late(self) -> bool:
        """Whether the profiles have been behind for longer than LATE_S; costs nothing."""
        ...

    def lag(self) -> Lag:
        """Raises LogUnavailable."""
        ...


class AtOnce:
    """Follows without a thread: whoever wakes it folds. For one process that can wait."""

    def __init__(self, projector: Folds) -> None:
        self._projector = projector

    def running(self) -> AbstractContextManager[None]:
        return nullcontext()

    def wake(self) -> int:
        self._projector.run_once()
        return 0

    def folded(self, sequence: int, *, within_s: float) -> bool:
        return True

    def late(self) -> bool:
        return False

    def lag(self) -> Lag:
        return Lag(behind=0)


class Follower:
    """Follows on a thread of its own. `now` is the engine's time, for what is told of a lag."""

    def __init__(self, log: ReadsLog, store: Store, projector: Folds, *, now: Callable[[], datetime]) -> None:
        self._log, self._store, self._projector, self._now = log, store, projector, now
        self._ended, self._woken, self._hurried = threading.Event(), threading.Event(), threading.Event()
        self._ended.set()
        self._moved = threading.Condition()
        self._settled: tuple[int, int] | None = None  # log and cursor when they were last seen to agree
        self._folded, self._wanted = -1, 0  # -1: not looked yet
        self._lag = Lag(behind=0)
        self._behind_from: float | None = None
        self._behind_at = 0  # the log's last sequence then
        self._stuck: tuple[int, float] = (-1, 0.0)
        self._deputy_until = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Inside, the thread runs. To enter waits a second for what the log has already; to leave, for the batch in hand."""
        self._ended.clear()
        thread = threading.Thread(target=self._run, name="profiles follow the log", daemon=True)
        thread.start()
        try:
            with suppress(LogUnavailable):
                self.folded(self.wake(), within_s=_AT_START_S)
            yield
        finally:
            self._ended.set()
            self._hurried.set()
            self._woken.set()
            thread.join()

    def wake(self) -> int:
        last = self._log.last_sequence()
        self._wanted = max(self._wanted, last)
        self._woken.set()
        return last

    def folded(self, sequence: int, *, within_s: float) -> bool:
        if self._folded >= sequence:
            return True
        if within_s:
            self._hurried.set()
            self._woken.set()
        with self._moved:
            # where something is in the way, waiting does not help
            self._moved.wait_for(
                lambda: self._folded >= sequence or self._lag.cause is not None or self._ended.is_set(), within_s
            )
            return self._folded >= sequence

    def late(self) -> bool:
        since = self._behind_from
        return since is not None and time.monotonic() - since > LATE_S

    def lag(self) -> Lag:
        behind = max(0, self._log.last_sequence() - max(0, self._folded))
        known = self._lag
        return Lag(behind=behind, since=known.since, late=self.late(), part=known.part, cause=known.cause)

    # ----------------------------------------------------------------------------------------------------------- the thread

    def _run(self) -> None:
        pause, retry = _SHORTEST_S, _FIRST_RETRY_S
        lease = self._store.lease()
        while not self._ended.is_set():
            try:
                did = self._look(lease)
            except Exception as error:  # whatever it is, the log keeps every record: it is tried again, and health says it
                self._tell(since=self._lag.since or self._now(), part=_part(error), cause=f"{type(error).__name__}: {error}")
                self._ended.wait(retry)
                retry = min(2 * retry, _LAST_RETRY_S)
                continue
            retry = _FIRST_RETRY_S
            pause = _SHORTEST_S if did or self._folded < self._wanted else min(2 * pause, _LONGEST_S)
            (self._hurried if did else self._woken).wait(_REST_S if did else pause)
            self._hurried.clear()
            self._woken.clear()
        with suppress(StoreError):
            lease.release()

    def _look(self, lease: Lease) -> bool:
        """See what is new, and fold it where that is this follower's part; whether it did."""
        leads = lease.held()
        seen = last, cursor = self._log.last_sequence(), self._store.cursor
        if seen == self._settled:
            self._tell()
            return False
        first = next(self._log.read(after=cursor, kinds=FOLLOWED, limit=1), None)
        self._folded = last if first is None else first.sequence - 1
        if first is None:
            self._settled, self._behind_from = seen, None
            self._tell()
            return False
        since = self._lag.since
        if self._behind_from is None or since is None or first.sequence > self._behind_at:
            # all that was there when it last fell behind is folded: what is behind now came since
            self._behind_from, self._behind_at, since = time.monotonic(), last, self._now()
        # what was in the way stays told until a try succeeds
        self._tell(since=since, part=self._lag.part, cause=self._lag.cause)
        folds = leads or self._stands_in(cursor)
        folded = folds and self._projector.run_once(going_on=self._goes_on) > 0
        self._tell(since=since)
        return folded

    def _goes_on(self) -> bool:
        """Asked between batches; the way may be long, and health tells how much of it is done."""
        self._folded = max(self._folded, self._store.cursor)
        return not self._ended.is_set()

    def _stands_in(self, cursor: int) -> bool:
        """Whether the holder of the lease has left the cursor where it is for too long; then for a while."""
        at = time.monotonic()
        if cursor != self._stuck[0]:
            self._stuck = cursor, at
        elif at - self._stuck[1] > _PATIENCE_S:
            self._deputy_until = at + _DEPUTY_S
        return at < self._deputy_until

    def _tell(self, *, since: datetime | None = None, part: str | None = None, cause: str | None = None) -> None:
        with self._moved:
            self._lag = Lag(behind=0, since=since, part=part, cause=cause)
            self._moved.notify_all()


def _part(error: Exception) -> str:
    if isinstance(error, LogUnavailable):
        return "log"
    return "online store" if isinstance(error, StoreError | sqlite3.Error) else "projector"
