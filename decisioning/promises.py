"""What was promised to a customer and what became of it: by when it was said, in whatever order that becomes known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

Ending = Literal["kept", "waived", "broken"]
PromiseStatus = Literal["open", "kept", "waived", "broken"]
Standing = Literal["open", "kept", "late", "broken", "waived"]

KAIROS = "kairos"
"""Who says that a promise was broken where nobody did: it came due, and no word of it is known."""

_STRICTEST: tuple[Ending, ...] = ("kept", "waived", "broken")
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """`made_at` is None while only its ending is known: the word that made it may still come.

    `by` is the person or the part that promised, `action` the one whose message promised it, `make_good` the action that
    makes up for it where it is broken. `ended_at` is when it was last said to be kept, waived or broken; None while it is
    open. It is `presumed` to be broken where only Kairos says so. `taken_at` is when the customer last took the action that
    makes good; `made_good_at` is the same where the promise was broken by then.
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
    presumed: bool = False
    taken_at: datetime | None = None


def made(promises: Mapping[str, Promise], promise_id: str, promise: Promise) -> dict[str, Promise]:
    """The promises once it is known that one was made. Of two with one id the one that was made first stands.

    At one moment: the one that is due first, then the smaller text.
    """
    before = promises.get(promise_id, Promise())
    if before.made_at is not None and _place(before) <= _place(promise):
        return dict(promises)
    promise = replace(
        promise, status=before.status, ended_at=before.ended_at, presumed=before.presumed, taken_at=before.taken_at
    )
    return {**promises, promise_id: _made_good(promise)}


def ended(
    promises: Mapping[str, Promise], promise_id: str, ending: Ending, at: datetime, *, presumed: bool = False
) -> dict[str, Promise]:
    """The promises once it is known what became of one. The last word holds; of two at one moment the worse one.

    What is `presumed` stands only until somebody says how it was, whenever that was.
    """
    before = promises.get(promise_id, Promise())
    promise = replace(before, status=ending, ended_at=at, presumed=presumed)
    if before.status != "open" and _weight(before) >= _weight(promise):
        return dict(promises)
    return {**promises, promise_id: _made_good(promise)}


def taken(promises: Mapping[str, Promise], action: str, at: datetime) -> dict[str, Promise]:
    """The promises once it is known that the customer took an action: it makes good those broken ones that name it."""
    after = dict(promises)
    for promise_id, promise in promises.items():
        if promise.make_good == action and (promise.taken_at is None or promise.taken_at < at):
            after[promise_id] = _made_good(replace(promise, taken_at=at))
    return after


def standing(promise: Promise, now: datetime) -> Standing:
    """How a promise stands. One that is overdue is broken before anybody says so; kept after it was due it is `late`."""
    if promise.status == "open":
        return "broken" if _overdue(promise, now) else "open"
    if promise.status == "kept" and promise.due is not None and promise.ended_at is not None and promise.ended_at > promise.due:
        return "late"
    return promise.status


def breached(promises: Mapping[str, Promise], now: datetime) -> tuple[str, ...]:
    """The promises that are overdue and that nobody has marked as broken yet, in the order of their ids."""
    return tuple(sorted(promise_id for promise_id, one in promises.items() if one.status == "open" and _overdue(one, now)))


def counted(promises: Iterable[Promise]) -> dict[str, tuple[int, int]]:
    """(ended, kept) by the action that promised: how many were kept or broken, and how many were kept in time.

    Those that are open, whoever waits for them, and those that were waived are not counted.
    """
    counts: dict[str, tuple[int, int]] = {}
    for promise in promises:
        if promise.action is not None and promise.status in ("kept", "broken"):
            ended_, kept = counts.get(promise.action, (0, 0))
            in_time = standing(promise, _NEVER) == "kept"
            counts[promise.action] = (ended_ + 1, kept + in_time)
    return counts


def _overdue(promise: Promise, now: datetime) -> bool:
    return promise.made_at is not None and promise.due is not None and promise.due < now


def _made_good(promise: Promise) -> Promise:
    """The promise with when it was made good. It broke when it was due, or when somebody said so, if that was before."""
    if promise.status != "broken" or promise.taken_at is None:
        return replace(promise, made_good_at=None)
    broke_at = min(at for at in (promise.due, promise.ended_at, _NEVER) if at is not None)
    return replace(promise, made_good_at=promise.taken_at if promise.taken_at >= broke_at else None)


def _weight(promise: Promise) -> tuple[bool, datetime, int]:
    """Which of two words on what became of a promise holds: the greater."""
    ending = 0 if promise.status == "open" else _STRICTEST.index(promise.status)
    return not promise.presumed, promise.ended_at or _NEVER, ending


def _place(promise: Promise) -> tuple[datetime, datetime, tuple[str, ...]]:
    """Which of two comes first: by when it was made, when it is due, then by every word of it."""
    words = (promise.what, promise.by, promise.touchpoint, promise.decision_id, promise.make_good, promise.action)
    return promise.made_at or _NEVER, promise.due or _NEVER, tuple(one or "" for one in words)


def is_broken(promise: Promise, now: datetime) -> bool:
    """Whether it is broken, said or not, and nothing has made up for it since."""
    return promise.made_good_at is None and standing(promise, now) == "broken"


def is_open(promise: Promise, now: datetime) -> bool:
    """Whether it was made and may still be kept in time."""
    return promise.made_at is not None and standing(promise, now) == "open"
