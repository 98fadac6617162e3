"""The state of each simulated customer as the core reads it, followed as the log's fold follows records."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import numpy as np

from decisioning import promises
from decisioning.complaints import complained
from decisioning.customer import Contact, Refusal, State
from decisioning.emotion import Feeling, felt
from decisioning.policy import CONTACT_MEMORY
from decisioning.promises import Promise
from training.simulation import brand
from training.simulation.brand import GROUP_OF, GROUPS, NAMES, SORRY, START, TOUCHPOINTS
from training.simulation.environment import NOTHING, Told
from training.simulation.ranges import World
from training.simulation.truth import BREACH, COMPLAINT

Change = Callable[[State, datetime], State]

_FEELING_HALVES = timedelta(hours=brand.FEELING_HALVES)


@dataclass(slots=True)
class _Customer:
    """`coming` is what will become known of them, by when."""

    state: State
    coming: list[tuple[datetime, int, Change]] = field(default_factory=list)


class Standings:
    def __init__(self, customers: int, world: World) -> None:
        self._customers = [_Customer(State(customer_id=str(who), known=True)) for who in range(customers)]
        self._window = timedelta(days=world.delay_days)
        self._number = 0

    def state(self, who: int, now: datetime) -> State:
        """As of a moment not before any at which it was asked for."""
        one = self._customers[who]
        while one.coming and one.coming[0][0] <= now:
            at, _, change = heapq.heappop(one.coming)
            one.state = change(one.state, at)
        return one.state

    def hear(self, told: Told) -> None:
        """What was said counts at once, what came of it once it happens."""
        asked = told.asked
        for at in np.flatnonzero((told.action != NOTHING) | asked.sorry).tolist():
            self._said(told, at)

    def _said(self, told: Told, at: int) -> None:
        asked, who = told.asked, int(told.asked.who[at])
        sorry = bool(asked.sorry[at])
        name = SORRY if sorry else NAMES[told.action[at]]
        group = "service" if sorry else GROUPS[GROUP_OF[told.action[at]]]
        when, place = _moment(told.at[at]), TOUCHPOINTS[asked.touchpoint][0]
        contact = Contact(
            decision_id=f"{asked.week}/{asked.round}/{who}",
            placement="main",
            action=name,
            group=group,
            touchpoint=place,
            channel=place,
            at=when,
            expires_at=when + timedelta(days=7),
            confirmed=True,
            mandatory=sorry,
        )
        one = self._customers[who]
        kept = tuple(each for each in one.state.contacts if each.at > when - CONTACT_MEMORY)
        one.state = replace(one.state, contacts=(*kept, contact))
        if sorry:
            if told.accepted[at]:
                one.state = replace(one.state, promises=promises.taken(one.state.promises, SORRY, when))
            return
        if np.isfinite(told.refused_at[at]):
            self._comes(who, told.refused_at[at], _refused(name, group))
        if np.isfinite(told.complained_at[at]):
            self._comes(who, told.complained_at[at], _complained(contact.decision_id))
            self._comes(who, told.complained_at[at] + brand.COMPLAINT_STAYS, _settled(contact.decision_id))
        if np.isfinite(told.ordered_at[at]):
            self._comes(who, told.ordered_at[at], _answered(contact.decision_id))
        if np.isfinite(told.due_at[at]):
            due = _moment(told.due_at[at])
            self._comes(who, told.ordered_at[at], _promised(contact.decision_id, due))
            self._comes(who, told.due_at[at], _ended(contact.decision_id, broken=bool(told.broken[at])))

    def _comes(self, who: int, at: float, change: Change) -> None:
        self._number += 1
        heapq.heappush(self._customers[who].coming, (_moment(at), self._number, change))


def _moment(hours: float) -> datetime:
    return START + timedelta(hours=float(hours))


def _answered(decision_id: str) -> Change:
    def change(state: State, at: datetime) -> State:
        return replace(
            state,
            contacts=tuple(replace(one, answered=True) if one.decision_id == decision_id else one for one in state.contacts),
        )

    return change


def _refused(action: str, group: str) -> Change:
    def change(state: State, at: datetime) -> State:
        recent = tuple(one for one in state.refusals if one.at > at - CONTACT_MEMORY)
        return replace(state, refusals=(*recent, Refusal(action=action, group=group, at=at)))

    return change


def _complained(name: str) -> Change:
    def change(state: State, at: datetime) -> State:
        feeling = Feeling(valence=-COMPLAINT, intensity=COMPLAINT)
        return felt(complained(state, name, opened_at=at), feeling, at=at, half_life=_FEELING_HALVES)

    return change


def _settled(name: str) -> Change:
    return lambda state, at: complained(state, name, closed_at=at)


def _promised(name: str, due: datetime) -> Change:
    def change(state: State, at: datetime) -> State:
        promise = Promise(made_at=at, what="a delivery", due=due, by="the brand", make_good=SORRY, action=NAMES[brand.PROMISES])
        return replace(state, promises=promises.made(state.promises, name, promise))

    return change


def _ended(name: str, *, broken: bool) -> Change:
    def change(state: State, at: datetime) -> State:
        after = replace(state, promises=promises.ended(state.promises, name, "broken" if broken else "kept", at))
        if not broken:
            return after
        return felt(after, Feeling(valence=-BREACH, intensity=BREACH), at=at, half_life=_FEELING_HALVES)

    return change
