"""A customer's state in plain words: one sentence for each thing that bears on the next decision."""

from collections.abc import Iterator
from datetime import datetime

from decisioning.customer import State
from decisioning.preferences import PACE, PAUSE
from decisioning.promises import Promise

_MANY = 5


def sentences(state: State, now: datetime) -> Iterator[str]:
    """What is kept of a customer, as of now; nothing where there is nothing to say."""
    for name in state.open_complaints:
        opened = state.complaints[name].opened_at if name in state.complaints else None
        yield f"Complaint {name} is open{_since(opened)}: nothing is sold until it is closed."
    if state.emotion is not None:
        felt = "well" if state.emotion.valence > 0 else "badly" if state.emotion.valence < 0 else "neither well nor badly"
        yield f"Last told on {_day(state.emotion.at)} that they felt {felt} (intensity {state.emotion.intensity:.1f} of 1)."
    yield from (f"The channel {name} is closed: they unsubscribed." for name in state.closed_channels)
    yield from _wishes(state, now)
    yield from (_promised(one, now) for one in state.promises.values())
    if state.contacts:
        last, seen = state.contacts[-1], sum(one.confirmed for one in state.contacts)
        yield (
            f"{len(state.contacts)} messages count towards their limits, {seen} of them seen; the last one, {last.action} by "
            f"{last.channel}, of {_day(last.at)}."
        )
    yield from (f"Refused {one.action} on {_day(one.at)}." for one in state.refusals[-_MANY:])
    if state.traits:
        yield f"Told us: {', '.join(f'{name} {value}' for name, value in sorted(state.traits.items()))}."


def _wishes(state: State, now: datetime) -> Iterator[str]:
    for about, wish in sorted(state.preferences.items()):
        if about == PAUSE:
            if wish.until is not None and wish.until > now:
                yield f"Asked on {_day(wish.at)} for a pause until {_day(wish.until)}."
        elif about == PACE:
            if wish.a_week is not None:
                yield f"Asked on {_day(wish.at)} for at most {wish.a_week} messages a week."
        else:
            kind, _, name = about.partition(":")
            yield f"Asked on {_day(wish.at)} for {wish.wanted} of the {kind} {name}."


def _promised(promise: Promise, now: datetime) -> str:
    if promise.made_at is None:
        return f"A promise that is not known yet was {promise.status}{_on(promise.ended_at)}."
    due = "" if promise.due is None else f", due {_day(promise.due)}"
    ending = f"{promise.status}{_on(promise.ended_at)}" if promise.status != "open" else "open"
    late = ", and overdue" if promise.status == "open" and promise.due is not None and promise.due < now else ""
    return f"Promised by {promise.by} on {_day(promise.made_at)}{due}: {promise.what} It is {ending}{late}."


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _since(at: datetime | None) -> str:
    return "" if at is None else f" since {_day(at)}"


def _on(at: datetime | None) -> str:
    return "" if at is None else f" on {_day(at)}"
