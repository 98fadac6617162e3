"""What was promised to a customer and what became of it: by when it was said, in whatever order that becomes known."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

Ending = Literal["kept", "waived", "broken"]
PromiseStatus = Literal["open", "kept", "waived", "broken"]

_STRICTEST: tuple[Ending, ...] = ("kept", "waived", "broken")
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """`made_at` is None while only its ending is known: the word that made it may still come.

    `by` is the person or the part that promised, `action` the one whose message promised it, `make_good` the action that
    makes up for it where it is broken. `ended_at` is when it was last said to be kept, waived or broken; None while it is
    open. `made_good_at` is when the customer took what makes up for it.
    """

    made_at: datetime | None = None
    what: str = ""
    due: datetime | None = None
    by: str = ""
    touchpoint: str | None = None
    decision_id: str | None = None
    make_good: str | None = None
    status: PromiseStatus = "open"
    ended_at: datetime | None = None
    action: str | None = None
    made_good_at: datetime | None = None


def made(promises: Mapping[str, Promise], promise_id: str, promise: Promise) -> dict[str, Promise]:
    """The promises once it is known that one was made. Of two with one id the one that was made first stands.

    At one moment: the one that is due first, then the smaller text.
    """
    before = promises.get(promise_id, Promise())
    if before.made_at is not None and _place(before) <= _place(promise):
        return dict(promises)
    return {**promises, promise_id: replace(promise, status=before.status, ended_at=before.ended_at)}


def ended(promises: Mapping[str, Promise], promise_id: str, ending: Ending, at: datetime) -> dict[str, Promise]:
    """The promises once it is known what became of one. The last word holds; of two at one moment the worse one."""
    before = promises.get(promise_id, Promise())
    worse = before.status != "open" and _STRICTEST.index(before.status) >= _STRICTEST.index(ending)
    if before.ended_at is not None and (before.ended_at > at or (before.ended_at == at and worse)):
        return dict(promises)
    return {**promises, promise_id: replace(before, status=ending, ended_at=at)}


def _place(promise: Promise) -> tuple[datetime, datetime, tuple[str, ...]]:
    """Which of two comes first: by when it was made, when it is due, then by every word of it."""
    words = (promise.what, promise.by, promise.touchpoint, promise.decision_id, promise.make_good)
    return promise.made_at or _NEVER, promise.due or _NEVER, tuple(one or "" for one in words)
