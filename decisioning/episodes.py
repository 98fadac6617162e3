"""What begins and ends, as complaints and hardship do: by when it did, in whatever order that becomes known."""

from datetime import datetime

from decisioning.customer import Episode


def told(before: Episode | None, *, opened_at: datetime | None = None, closed_at: datetime | None = None) -> Episode:
    """The episode once it is known that it began, or ended, at a time; the last time of each counts."""
    before = before or Episode()
    return Episode(opened_at=later(before.opened_at, opened_at), closed_at=later(before.closed_at, closed_at))


def is_open(episode: Episode | None, *, closed_at: datetime | None = None) -> bool:
    """Whether it began and has not ended since; `closed_at` ended it too. What began and ended at one moment has ended."""
    if episode is None or episode.opened_at is None:
        return False
    closed = later(episode.closed_at, closed_at)
    return closed is None or episode.opened_at > closed


def later(one: datetime | None, other: datetime | None) -> datetime | None:
    """The later of two moments; where one is not known, the other."""
    return max((at for at in (one, other) if at is not None), default=None)
