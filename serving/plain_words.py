"""A customer's state in plain words: one sentence for each thing that bears on the next decision."""

from collections.abc import Iterator
from datetime import datetime

from decisioning.customer import Exchange, State
from decisioning.episodes import is_open
from decisioning.preferences import PACE, PAUSE
from decisioning.promises import Promise, standing

_MANY = 5


def sentences(state: State, now: datetime) -> Iterator[str]:
    """What is kept of a customer, as of now; nothing where there is nothing to say."""
    for name in state.open_complaints:
        opened = state.complaints[name].opened_at if name in state.complaints else None
        yield f"Complaint {name} is open{_since(opened)}: nothing is sold until it is closed."
    if state.emotion is not None:
        felt = "well" if state.emotion.valence > 0 else "badly" if state.emotion.valence < 0 else "neither well nor badly"
        yield f"Last told on {_day(state.emotion.at)} that they felt {felt} (intensity {state.emotion.intensity:.1f} of 1)."
    for one in state.unhealed:
        yield f"Told on {_day(one.at)} that they felt badly (intensity {one.intensity:.1f} of 1)."
    if state.hardship is not None and is_open(state.hardship):
        yield f"In hardship{_since(state.hardship.opened_at)}: nothing is sold until that is over."
    yield from (f"The channel {name} is closed: they unsubscribed." for name in state.closed_channels)
    yield from _wishes(state, now)
    yield from (_promised(one, now) for one in state.promises.values())
    if counted := [one for one in state.contacts if not one.mandatory]:
        last, seen, answered = counted[-1], sum(one.confirmed for one in counted), sum(one.answered for one in counted)
        yield (
            f"{len(counted)} messages count towards their limits, {seen} of them seen and {answered} answered; the last one, "
            f"{last.action} by {last.channel}, of {_day(last.at)}."
        )
    yield from (f"Refused {one.action} on {_day(one.at)}." for one in state.refusals[-_MANY:])
    yield from (f"Put {one.action} off on {_day(one.at)}." for one in state.postponed[-_MANY:])
    for name, contest in sorted(state.contested.items()):
        if not contest.settled:
            yield f"Says since {_day(contest.at)} that {name} is wrong: it is not used until that is settled."
    if state.traits:
        yield f"Told us: {', '.join(f'{name} {value}' for name, value in sorted(state.traits.items()))}."


def exchanged(exchange: Exchange, currency: str) -> str:
    """What the customer gave and what they got for it, in one sentence."""
    gave = [f"{count} {kind}{'' if count == 1 else 's'}" for kind, count in sorted(exchange.given.items())]
    offers = f"{exchange.received} offer{'' if exchange.received == 1 else 's'}"
    got = f"{offers}, worth {exchange.worth:.2f} {currency} to them" if exchange.received else "nothing"
    return f"Gave {_listed(gave) or 'nothing'}; got {got}."


def _listed(names: list[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


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
    match standing(promise, now):
        case "late":
            ending += ", too late"
        case "broken" if promise.status == "open":
            ending = "overdue, and so counts as broken"
        case "broken" if promise.made_good_at is not None:
            ending += f", and made good{_on(promise.made_good_at)}"
    return f"Promised by {promise.by} on {_day(promise.made_at)}{due}: {promise.what.rstrip('.')}. It is {ending}."


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _since(at: datetime | None) -> str:
    return "" if at is None else f" since {_day(at)}"


def _on(at: datetime | None) -> str:
    return "" if at is None else f" on {_day(at)}"
