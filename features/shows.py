"""Messages that were shown and whose window of success is over: what was expected of them, and what came, as sums.

A week is seven days up to now, counted back; a message belongs to the week in which its window ended, for only then is known
that nothing came.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from decisioning.chance import hashed
from features.decay import DAY_US
from features.known import Known
from features.log import Log
from features.log.records import microseconds
from features.log.tables import offers

LOTS = 128
"""Customers are put by a hash into so many lots: how far apart those are tells how alike a customer's messages are."""

WEEK_US = 7 * DAY_US
_AT_ONCE = 10_000


@dataclass(slots=True)
class Sums:
    """Over some messages: their number, the responses expected, their variance if each came by chance alone, the successes.

    `lots` (LOTS,) sums successes less what was expected, by lot of customers.
    """

    shows: int = 0
    expected: float = 0.0
    variance: float = 0.0
    successes: int = 0
    lots: NDArray[np.float64] = field(default_factory=lambda: np.zeros(LOTS))

    def add(self, expected: float, success: bool, lot: int) -> None:
        self.shows += 1
        self.expected += expected
        self.variance += expected * (1 - expected)
        self.successes += success
        self.lots[lot] += success - expected


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """`recent` holds the messages by (action, touchpoint) whose window ended in the period; `weeks` those of every week, by
    (weeks before now, 0 for the last one, action). `open` counts messages shown whose window is not over."""

    recent: Mapping[tuple[str, str], Sums]
    weeks: Mapping[tuple[int, str], Sums]
    open: int


def read_closed(
    log: Log, *, since: datetime, now: datetime, made_since: datetime | None, weeks: int, progress: Callable[[str, float], None]
) -> Closed:
    """Those whose window ended from `since` on; among `recent` only those due from `made_since` on, when the champion came in.

    What is kept grows with actions, touchpoints and `weeks`, not with messages.
    """
    names, salt = Known(log.links()).last(), log.setting("salt") or ""
    now_us, since_us = microseconds(now), microseconds(since)
    made_us = microseconds(made_since) if made_since is not None else 0
    recent, by_week, still = dict[tuple[str, str], Sums](), dict[tuple[int, str], Sums](), 0

    def read(connection: sa.Connection) -> None:
        nonlocal still
        shown = sa.and_(offers.c.kind == "action", offers.c.shown_us.is_not(None), offers.c.window_us.is_not(None))
        total = int(connection.execute(sa.select(sa.func.count()).select_from(offers).where(shown)).scalar_one())
        columns = ("customer_id", "action", "touchpoint", "expected", "due_us", "shown_us", "window_us", "success_us")
        query = sa.select(*(offers.c[name] for name in columns)).where(shown, offers.c.expected.is_not(None))
        rows = connection.execute(query.execution_options(yield_per=_AT_ONCE))
        for count, row in enumerate(rows, start=1):
            if count % _AT_ONCE == 0:
                progress("reading outcomes", count / total)
            closes = max(row.due_us, row.shown_us) + row.window_us
            if closes > now_us:
                still += 1
                continue
            week = (now_us - closes) // WEEK_US
            if week >= weeks and closes < since_us:
                continue
            lot = hashed(salt, "lot", names.get(row.customer_id, row.customer_id)) % LOTS
            if week < weeks:
                by_week.setdefault((week, row.action), Sums()).add(row.expected, row.success_us is not None, lot)
            if closes >= since_us and row.due_us >= made_us:
                cell = recent.setdefault((row.action, row.touchpoint), Sums())
                cell.add(row.expected, row.success_us is not None, lot)
        progress("reading outcomes", 1.0)

    log.query(read)
    return Closed(recent=recent, weeks=by_week, open=still)
