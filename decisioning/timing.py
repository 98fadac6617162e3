"""When: an inbound touchpoint answers now; an outbound message goes when its customer is most likely to be receptive."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numba import njit
from numpy.typing import NDArray

from decisioning.catalog import Touchpoint
from decisioning.customer import Profile
from decisioning.domain import HoursOf, Wait
from decisioning.habits import Habits, Source, Week
from decisioning.hours import HOUR_US, OpenHours, hour_of_week, is_quiet, microseconds, moment_of, open_hours
from decisioning.policy import QuietHours

WAITING_MUST_GAIN = 1.1
"""The earliest hour is taken of those that the best hour beats by no more than this factor."""

Reason = Literal["here", "a model", "a model of visits"] | Source
"""What speaks for a moment: that the customer is here, a trained model of timing, or a habit."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_WHO: Mapping[Reason, str] = {
    "own answers": "this customer usually answers",
    "own visits": "this customer usually comes",
    "answers of all": "customers usually answer",
    "visits of all": "customers usually come",
    "a model": "this customer will most likely answer",
    "a model of visits": "this customer will most likely come",
}
_MICROSECOND = timedelta(microseconds=1)
_OF_ANSWERS = HoursOf()
_NO_HOURS = OpenHours(at_us=(), of_week=np.empty(0, dtype=np.int64))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When a message goes, and what speaks for it (None: nothing does); the words are made when asked for."""

    at: datetime
    zone: ZoneInfo
    reason: Reason | None

    @property
    def because(self) -> str:
        """In the customer's time, to the quarter of an hour."""
        if self.reason == "here":
            return "the customer is here now"
        local = self.at.astimezone(self.zone)
        when = f"{_WEEKDAYS[local.weekday()]} around {local.hour:02d}:{local.minute // 15 * 15:02d}"
        return f"{when} is when {_WHO[self.reason]}" if self.reason else f"nothing is known to be better than {when}"


@dataclass(slots=True, kw_only=True)
class Moments:
    """The moments at which one touchpoint's message may go to one customer. Made by `moments`, once for a decision.

    `now` is among them where `now_of_week`, which hour of the brand's week it is, is not -1; the others are `open`, from the
    position `start` to before `end`. What they are worth is worked out when a moment is first asked for, and kept.
    """

    habits: Habits
    profile: Profile
    population: Mapping[str, float]
    hours: NDArray[np.float64] | None
    hours_of: HoursOf
    zone: ZoneInfo
    now: datetime
    now_of_week: int
    open: OpenHours = _NO_HOURS
    start: int = 0
    end: int = 0
    inbound: bool = False
    _week: Week | None = None
    _found: dict[tuple[bool, int], Moment | None] = field(default_factory=dict)

    @property
    def earliest(self) -> datetime | None:
        """The first of them, None where there is none. An action is in time where it is valid until later than that."""
        if self.now_of_week >= 0:
            return self.now
        return None if self.start == self.end else moment_of(self.open.at_us[self.start])

    def before(self, valid_until: datetime | None) -> Moment | None:
        """When a message goes that must go strictly before a time, if it must; None where no moment is left.

        Of the hours whose weight is within WAITING_MUST_GAIN of the highest, the earliest; of an hour that the clock shows
        twice, the first. Where the customer is here now it is now, whatever is valid until when.
        """
        with_now, end = self.now_of_week >= 0, self.end
        if valid_until is not None and not self.inbound:
            with_now = with_now and self.now < valid_until
            end = bisect_left(self.open.at_us, microseconds(valid_until), self.start, self.end)
        key = (with_now, end)
        if key not in self._found:
            self._found[key] = self._best(with_now=with_now, end=end)
        return self._found[key]

    def _best(self, *, with_now: bool, end: int) -> Moment | None:
        if not with_now and self.start == end:
            return None
        if self.inbound:
            return Moment(at=self.now, zone=self.zone, reason="here")
        now_of_week = self.now_of_week if with_now else -1
        later = self.open.of_week[self.start : end]
        if self._week is None and self.hours is None:
            self._week = self.habits.week(self.profile, self.population)
        # a copy: the kernel is compiled for arrays that may be written to, and a record's may not
        weights = self._week.weights if self._week is not None else np.array(self.hours, dtype=np.float64)
        at = _earliest_good(weights, now_of_week, later)
        when, hour = (self.now, now_of_week) if at < 0 else (moment_of(self.open.at_us[self.start + at]), int(later[at]))
        return Moment(at=when, zone=self.zone, reason=self._reason(weights, hour))

    def _reason(self, weights: NDArray[np.float64], hour: int) -> Reason | None:
        if self._week is not None:
            return self._week.source(hour)
        if not weights[hour] > weights.mean():
            return None
        return "a model" if self.hours_of.learned_from == "answers" else "a model of visits"


def moments(
    *,
    habits: Habits,
    touchpoint: Touchpoint,
    profile: Profile,
    population: Mapping[str, float],
    quiet: QuietHours | None,
    zone: ZoneInfo,
    brand_zone: ZoneInfo,
    now: datetime,
    hours: NDArray[np.float64] | None = None,
    hours_of: HoursOf = _OF_ANSWERS,
) -> Moments:
    """The moments of a decision: now, and every full hour of the brand's clock until the touchpoint's horizon, that included.

    Quiet hours and words are local to the customer (`zone`); they bind no touchpoint where the customer is here now. What
    an hour is worth: `hours` (168,), the trained weights of the hours of the brand's week, where there are any, learned from
    `hours_of`; otherwise the habits (see `Habits.week`, for `population` too). `habits` are those of the touchpoint's channel.
    """
    if touchpoint.direction == "inbound":
        return Moments(
            habits=habits,
            profile=profile,
            population=population,
            hours=hours,
            hours_of=hours_of,
            zone=zone,
            now=now,
            now_of_week=0,
            inbound=True,
        )
    now_us, horizon_us = microseconds(now), touchpoint.horizon // _MICROSECOND
    opened = open_hours(zone=zone, brand_zone=brand_zone, quiet=quiet, first=now_us // HOUR_US, count=horizon_us // HOUR_US + 2)
    quiet_now = quiet is not None and is_quiet(now.astimezone(zone), quiet)
    return Moments(
        habits=habits,
        profile=profile,
        population=population,
        hours=hours,
        hours_of=hours_of,
        zone=zone,
        now=now,
        now_of_week=-1 if quiet_now else hour_of_week(now.astimezone(brand_zone)),
        open=opened,
        start=bisect_right(opened.at_us, now_us),
        end=bisect_right(opened.at_us, now_us + horizon_us),
    )


def wait_for(passing: Iterable[tuple[datetime, str]], *, touchpoint: Touchpoint, now: datetime) -> Wait | None:
    """The first of the moments at which something passes, with the rule until then, if an outbound message can wait for it."""
    if touchpoint.direction == "inbound":
        return None
    soon = min((one for one in passing if one[0] <= now + touchpoint.horizon), default=None)
    return None if soon is None else Wait(until=soon[0], because=soon[1])


def zone_named(name: str | None) -> ZoneInfo | None:
    """The time zone of an IANA name; None for no name, or for one that is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones, such as America
        return None


@njit(cache=True, nogil=True)
def _earliest_good(week: NDArray[np.float64], now: int, later: NDArray[np.int64]) -> int:
    """The position of the earliest good enough among the `later` hours of the week; -1 for now (-1: not among them).

    A weight that is no positive number counts as 0.
    """
    best = week[now] if now >= 0 and week[now] > 0.0 else 0.0
    for hour in later:
        if week[hour] > best:
            best = week[hour]
    enough = best / WAITING_MUST_GAIN
    if now >= 0 and (week[now] >= enough or best == 0.0):
        return -1
    for at in range(len(later)):
        if week[later[at]] >= enough or best == 0.0:
            return at
    return -1
