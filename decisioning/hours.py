"""The full hours at which an outbound message may go: outside a customer's quiet hours, counted on the clock of the brand.

Two clocks tick here. The brand's says when an hour is full and which hour of the week it is; habits are counted by it. The
customer's says when it is quiet. Neither need keep whole hours from UTC, and both may be put forward or back.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from decisioning.policy import QuietHours

HOUR_US = 3_600_000_000
"""Microseconds."""

_HOUR_S = 3_600
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_THURSDAY = 72
"""The hour of the week at which 1970 began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHours:
    """The starts of full hours, ascending, in microseconds since 1970, and which hour of the brand's week (n,) each is."""

    at_us: tuple[int, ...]
    of_week: NDArray[np.int64]


@lru_cache(maxsize=4096)
def open_hours(*, zone: ZoneInfo, brand_zone: ZoneInfo, quiet: QuietHours | None, first: int, count: int) -> OpenHours:
    """The brand's full hours within `count` hours of UTC that are not quiet in `zone`, from the `first` since 1970 on.

    An hour that the brand's clock leaves out is not there, one that comes twice is there twice.
    """
    starts = [
        (at, ahead)
        for at, ahead in _full_hours(first, count, brand_zone)
        if quiet is None or not is_quiet(datetime.fromtimestamp(at, zone), quiet)
    ]
    return OpenHours(
        at_us=tuple(at * 1_000_000 for at, _ in starts),
        of_week=np.array([(_THURSDAY + (at + ahead) // _HOUR_S) % 168 for at, ahead in starts], dtype=np.int64),
    )


def microseconds(at: datetime) -> int:
    """Since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def moment_of(at_us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=at_us)


def hour_of_week(local: datetime) -> int:
    """0 is the hour from Monday 0:00 on, 167 the last of Sunday."""
    return local.weekday() * 24 + local.hour


def is_quiet(local: datetime, quiet: QuietHours | None) -> bool:
    """Whether a local time of day lies in the quiet hours; they may span midnight; the end is outside."""
    if quiet is None or quiet.start == quiet.end:
        return False
    at = local.time()
    if quiet.start < quiet.end:
        return quiet.start <= at < quiet.end
    return at >= quiet.start or at < quiet.end


def _full_hours(first: int, count: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """When a zone's clock shows a full hour, and how far it is ahead of UTC then; in seconds.

    Mostly once in each hour of UTC. Where the clock is put forward by half an hour one may have none, put back two.
    """
    before = _ahead(first * _HOUR_S, zone)
    for start in range(first * _HOUR_S, (first + count) * _HOUR_S, _HOUR_S):
        after = _ahead(start + _HOUR_S, zone)
        if before == after:
            yield start + -before % _HOUR_S, before
        else:
            starts = ((start + -ahead % _HOUR_S, ahead) for ahead in (before, after))
            yield from sorted((at, ahead) for at, ahead in starts if _ahead(at, zone) == ahead)
        before = after


def _ahead(second: int, zone: ZoneInfo) -> int:
    """Seconds that a zone is ahead of UTC; the data of zones hold whole ones."""
    ahead = datetime.fromtimestamp(second, zone).utcoffset()
    assert ahead is not None
    return ahead.days * 86_400 + ahead.seconds
