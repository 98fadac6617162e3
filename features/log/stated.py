"""What records of preferences, promises and contests do to a customer's state."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import msgspec

from decisioning import contests, preferences, promises
from decisioning.customer import Contest, State
from decisioning.preferences import Preference
from decisioning.promises import Promise
from features.log.forms import ContestForm, PreferenceForm, PromiseForm, read
from features.log.records import Record


def preferred(state: State, record: Record) -> State:
    """The state once a word on preferences is known."""
    words = _words(read(record, PreferenceForm), record.event_time)
    return replace(state, preferences=preferences.stated(state.preferences, words))


def promised(state: State, record: Record) -> State:
    """The state once a promise, or what became of it, is known."""
    said, at = read(record, PromiseForm), record.event_time
    if said.status != "open":
        presumed = said.by == promises.KAIROS
        return replace(state, promises=promises.ended(state.promises, said.promise_id, said.status, at, presumed=presumed))
    promise = Promise(
        made_at=at,
        what=said.what or "",
        due=said.due,
        by=said.by,
        touchpoint=said.touchpoint,
        decision_id=said.decision_id,
        make_good=said.make_good,
        action=said.action,
    )
    return replace(state, promises=promises.made(state.promises, said.promise_id, promise))


def contested(state: State, record: Record) -> State:
    """The state once it is known that a datum is contested, or no longer."""
    said = read(record, ContestForm)
    word = Contest(at=record.event_time, settled=said.settled)
    return replace(state, contested=contests.said(state.contested, said.feature, word))


def _words(said: PreferenceForm, at: datetime) -> Iterator[tuple[str, Preference]]:
    yield from ((preferences.topic(name), Preference(at=at, wanted=wanted)) for name, wanted in said.topics.items())
    yield from ((preferences.channel(name), Preference(at=at, wanted=wanted)) for name, wanted in said.channels.items())
    yield from ((preferences.group(name), Preference(at=at, wanted=wanted)) for name, wanted in said.groups.items())
    if said.a_week is not msgspec.UNSET:
        yield preferences.PACE, Preference(at=at, a_week=said.a_week)
    if said.pause_until is not msgspec.UNSET:
        yield preferences.PAUSE, Preference(at=at, until=said.pause_until)
