"""The engine's time. A brand that replays history starts at its own moment; all others live on the wall clock."""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from features.log import Log
from features.playbook import Brand


class Clock(Protocol):
    def now(self) -> datetime:
        """The engine's time, aware UTC."""


class OffsetClock:
    """The wall clock, moved by a fixed offset."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self._offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset


class HeldClock:
    """A clock that stands at one moment until it is released, and runs from there on."""

    def __init__(self, at: datetime) -> None:
        self._at = at
        self._running: OffsetClock | None = None

    def now(self) -> datetime:
        return self._running.now() if self._running else self._at

    def go_on(self, by: timedelta) -> None:
        """Stand at a later moment. Raises ValueError for an earlier one."""
        if by < timedelta(0):
            raise ValueError("time does not go back")
        self._at += by

    def release(self) -> None:
        self._running = OffsetClock(self._at - datetime.now(UTC))


def engine_clock(brand: Brand, log: Log) -> OffsetClock:
    """The brand's clock: the wall clock, or one that started at the brand's own moment and has kept its offset since."""
    if brand.starts_at is None:
        return OffsetClock()
    offset = log.set_once("clock_offset_seconds", str((brand.starts_at - datetime.now(UTC)).total_seconds()))
    return OffsetClock(timedelta(seconds=float(offset)))
