"""Group commit: what the threads of one process change at once shares one durable commit, each with its own answer.

The first to come commits at once and alone. Who comes while a commit is under way waits for its end; then the first of
those who wait commits for all of them. Nobody waits for company. (DeWitt et al., Implementation Techniques for Main Memory
Database Systems, SIGMOD 1984.)
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import Event, Lock
from typing import Any, TypeVar

import sqlalchemy as sa

from decisioning.errors import KairosError
from features.log import databases
from features.log.faults import LogUnavailable, guarded

_T = TypeVar("_T")
TOGETHER = 64
"""Works in one commit at most: a bound on how long the first of them waits for the last."""


class Commits:
    """Safe for threads. `writing` opens a transaction that is alone until it is committed, and commits it at its end."""

    def __init__(self, writing: Callable[[], AbstractContextManager[sa.Connection]], *, together: int = TOGETHER) -> None:
        self._writing, self._together = writing, together
        self._lock = Lock()
        self._waiting: list[_Work] = []
        self._busy = False

    def run(self, work: Callable[[sa.Connection], _T]) -> _T:
        """What `work` returned, committed; or raises what it raised, and nothing that it wrote is kept.

        Works run one after the other: each sees what those before it wrote. `work` may run in another thread, and must not
        call this again. Raises LogUnavailable where the commit itself failed, or the database gave the transaction up by
        itself during any of its works: then no work of it is kept.
        """
        mine = _Work(work)
        with self._lock:
            self._waiting.append(mine)
            if not self._busy:
                self._appoint()
        try:
            mine.woken.wait()
        except BaseException:
            self._leave(mine)
            raise
        if not mine.over:
            self._lead()
        if mine.error is not None:
            raise mine.error
        return mine.result  # type: ignore[no-any-return]

    def _appoint(self) -> None:
        """The first of those who wait leads the next commit. The caller holds the lock."""
        self._busy = bool(self._waiting)
        for first in self._waiting[:1]:
            first.leads = True
            first.woken.set()

    def _leave(self, one: "_Work") -> None:
        """Of a thread that was interrupted while it waited: what has not begun does not begin."""
        with self._lock:
            if one in self._waiting:
                self._waiting.remove(one)
                if one.leads:
                    self._appoint()

    def _lead(self) -> None:
        """Commit those who wait; the first of them is the caller's. Then wake them, and one more to lead the others."""
        with self._lock:
            group, self._waiting = self._waiting[: self._together], self._waiting[self._together :]
        try:
            self._commit(group)
        except BaseException as error:
            for one in group:
                one.error = _again(error)
            group[0].error = error
        finally:
            with self._lock:
                self._appoint()
            for one in group:
                one.over = True
                one.woken.set()

    def _commit(self, group: Sequence["_Work"]) -> None:
        """Any error of this is one of the whole group: whatever its works returned or raised, none is kept."""
        with guarded(), self._writing() as connection:
            if len(group) == 1:
                group[0].result = group[0].work(connection)
                _must_go_on(connection, None)
                return
            for one in group:
                savepoint = connection.begin_nested()
                try:
                    with guarded():
                        one.result = one.work(connection)
                except Exception as error:
                    _undo(savepoint, connection, error)
                    one.error = error
                else:
                    _must_go_on(connection, None)
                    savepoint.commit()


def _undo(savepoint: sa.NestedTransaction, connection: sa.Connection, error: Exception) -> None:
    """Take back what one work wrote. Where that cannot be done alone the whole group is given up."""
    try:
        savepoint.rollback()
    except sa.exc.SQLAlchemyError:
        raise _given_up(error) from error
    # a full disk ends the transaction and every savepoint: the next savepoint would begin a transaction of its own, and
    # what the works before wrote would be lost without a word
    _must_go_on(connection, error)


def _must_go_on(connection: sa.Connection, error: Exception | None) -> None:
    if not databases.goes_on(connection):
        raise _given_up(error) from error


def _given_up(error: Exception | None) -> LogUnavailable:
    return LogUnavailable(f"the database gave up what was being written: {error or 'it does not say why'}")


def _again(error: BaseException) -> Exception:
    """What one thread met, for another: one error cannot be raised in both, each would add its own story to it."""
    if isinstance(error, KairosError):
        return type(error)(*error.args)
    return LogUnavailable(f"the commit was given up: {error!r}")


class _Work:
    __slots__ = ("error", "leads", "over", "result", "woken", "work")

    def __init__(self, work: Callable[[sa.Connection], Any]) -> None:
        self.work, self.woken = work, Event()
        self.leads = self.over = False
        self.result: Any = None
        self.error: BaseException | None = None
