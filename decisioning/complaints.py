"""Which complaints are open: by when they were opened and closed, in whatever order that becomes known."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from decisioning.customer import Episode, State
from decisioning.episodes import is_open, later, told


def complained(state: State, name: str, *, opened_at: datetime | None = None, closed_at: datetime | None = None) -> State:
    """The state once it is known that a complaint was opened, or closed, at a time."""
    after = told(state.complaints.get(name), opened_at=opened_at, closed_at=closed_at)
    return _opened(state, {**state.complaints, name: after}, state.all_complaints_closed_at)


def all_closed(state: State, at: datetime) -> State:
    """The state once it is known that every complaint opened until a time was closed at it."""
    return _opened(state, state.complaints, later(state.all_complaints_closed_at, at))


def _opened(state: State, complaints: Mapping[str, Episode], all_closed_at: datetime | None) -> State:
    still = tuple(sorted(name for name, one in complaints.items() if is_open(one, closed_at=all_closed_at)))
    return replace(state, open_complaints=still, complaints=complaints, all_complaints_closed_at=all_closed_at)
