"""What the records of one customer imply for the next decision: a pure fold, record by record."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from decisioning import episodes, exchange, promises
from decisioning.complaints import all_closed, complained
from decisioning.customer import Contact, Refusal, State
from decisioning.emotion import Feeling, Signal, felt
from decisioning.policy import CONTACT_MEMORY
from features.log import stated
from features.log.felt import SAID, feeling_of
from features.log.records import ANSWERED, SEEN, Record

_LARGEST = 1e15
"""A greater number is no rating."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StateRules:
    """How a brand reads its events: which are complaints or ratings, which property holds a customer's own words, how long a
    feeling lasts, its touchpoints' channels.
    """

    signals: Mapping[str, Signal] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    half_life: timedelta = timedelta(days=7)
    channels: Mapping[str, str] = field(default_factory=dict)


def fold(state: State, record: Record, rules: StateRules) -> State:
    """The state after one more record of this customer. The record's own times are used; no clock is read."""
    if not state.known and _tells_of_a_customer(record):
        state = replace(state, known=True)
    match record.kind:
        case "event":
            return _event(state, record, rules)
        case "outcome":
            return _outcome(state, record, rules)
        case "consent":
            return _consent(state, record)
        case "decision":
            return _decision(state, record, rules)
        case "preference":
            return _gave(stated.preferred(state, record), "preference")
        case "promise":
            return stated.promised(state, record)
        case "contest":
            return _gave(stated.contested(state, record), "contest")
        case "note":
            heard = feeling_of(record.body, SAID)
            return felt(state, heard, at=record.event_time, half_life=rules.half_life)
        case _:
            return state


def _tells_of_a_customer(record: Record) -> bool:
    """Whether the brand has heard of the customer; that somebody asked what to show to a stranger tells nothing."""
    return record.kind != "decision" or record.body.get("origin") == "imported"


def _event(state: State, record: Record, rules: StateRules) -> State:
    # most events say nothing of the state; do not decode their payload (unless a name in it may be written in escapes)
    names = ("identify", *rules.signals, *rules.words)
    if b"\\" not in record.payload and not any(name.encode() in record.payload for name in names):
        return state
    body = record.body
    if body.get("type") == "identify":
        return _traits(state, body.get("traits") or {}, at=record.event_time)
    event, at = body.get("event", ""), record.event_time
    heard = feeling_of(body, rules.words.get(event))
    signal = rules.signals.get(event)
    if signal is None:
        return felt(state, heard, at=at, half_life=rules.half_life)
    properties = body.get("properties") or {}
    if signal.complaint == "opened":
        state = complained(state, str(properties.get("complaint_id", record.message_id)), opened_at=at)
    elif signal.complaint == "closed":
        # a closing event that names no complaint closes them all
        named = properties.get("complaint_id")
        state = all_closed(state, at) if named is None else complained(state, str(named), closed_at=at)
    if signal.hardship == "began":
        state = replace(state, hardship=episodes.told(state.hardship, opened_at=at))
    elif signal.hardship == "ended":
        state = replace(state, hardship=episodes.told(state.hardship, closed_at=at))
    rating = properties.get(signal.rating) if signal.rating else None
    number = float(rating) if isinstance(rating, int | float) and abs(rating) <= _LARGEST else None
    if number is not None:
        # who gives a rating says it in a number: their words add nothing to that
        state, heard = _gave(state, "rating"), None
    state = felt(state, heard, at=at, half_life=rules.half_life)
    return felt(state, signal.feeling(number), at=at, half_life=rules.half_life)


def _consent(state: State, record: Record) -> State:
    """The word given last holds, whichever came first; of two given at one moment the one that withholds."""
    body, at = record.body, record.event_time
    purpose, granted = body["purpose"], bool(body["granted"])
    if granted:
        state = _gave(state, "consent")
    before = state.consents_at.get(purpose)
    if before is not None and (before > at or (before == at and granted)):
        return state
    consents, consents_at = {**state.consents, purpose: granted}, {**state.consents_at, purpose: at}
    return replace(state, consents=consents, consents_at=consents_at)


def _traits(state: State, told: Mapping[str, Any], *, at: datetime) -> State:
    """What was told last holds, whichever came first; of two things told at one moment the greater text."""
    traits, traits_at = dict(state.traits), dict(state.traits_at)
    for name, value in told.items():
        if value is not None and (name not in traits_at or (traits_at[name], traits[name]) < (at, str(value))):
            traits[name], traits_at[name] = str(value), at
    return replace(
        state,
        traits=traits,
        traits_at=traits_at,
        time_zone=traits.get("time_zone", state.time_zone),
        locale=traits.get("locale", state.locale),
    )


def _outcome(state: State, record: Record, rules: StateRules) -> State:
    body, at = record.body, record.event_time
    outcome, action = body["outcome"], body.get("action")
    # what a machine opened reached its customer, but nobody answered
    by_a_person = not body.get("machine")
    if outcome in SEEN:
        answered = outcome in ANSWERED and by_a_person
        state = replace(state, contacts=tuple(_met(contact, body, answered) for contact in state.contacts))
    if body.get("success") and by_a_person and action:
        state = _took(replace(state, promises=promises.taken(state.promises, action, at)), body)
    if outcome in ("rejected", "maybe_later") and action:
        refusal = Refusal(action=action, group=body.get("group") or action, at=at)
        if outcome == "rejected":
            return replace(state, refusals=_recent((*state.refusals, refusal)))
        return replace(state, postponed=_recent((*state.postponed, refusal)))
    if outcome == "referred":
        return _gave(state, "referral")
    if outcome == "complained":
        state = complained(state, record.message_id, opened_at=at)
        return felt(state, Feeling(valence=-0.9, intensity=0.9), at=at, half_life=rules.half_life)
    if outcome == "unsubscribed":
        channel = rules.channels.get(body["touchpoint"], body["touchpoint"])
        return replace(state, closed_channels=tuple(sorted({*state.closed_channels, channel})))
    return state


def _gave(state: State, kind: exchange.Given) -> State:
    return replace(state, exchange=exchange.gave(state.exchange, kind))


def _took(state: State, outcome: Mapping[str, Any]) -> State:
    """An offer is got once, however often its success is told; of one whose contact is no longer remembered each counts."""
    if any(contact.taken and _is_of(contact, outcome) for contact in state.contacts):
        return state
    return replace(
        state,
        exchange=exchange.got(state.exchange, outcome.get("gives", 0.0)),
        contacts=tuple(replace(contact, taken=True) if _is_of(contact, outcome) else contact for contact in state.contacts),
    )


def _met(contact: Contact, outcome: Mapping[str, Any], answered: bool) -> Contact:
    """The contact after an outcome, which may be of another one."""
    if not _is_of(contact, outcome):
        return contact
    return replace(contact, confirmed=True, answered=contact.answered or answered)


def _is_of(contact: Contact, outcome: Mapping[str, Any]) -> bool:
    return contact.decision_id == outcome.get("decision_id") and outcome.get("action") in (None, contact.action)


def _decision(state: State, record: Record, rules: StateRules) -> State:
    """Every action chosen takes one contact; an imported decision took one, whatever it offered.

    A customer of several ids stays in the group of the one that was decided for first.
    """
    body = record.body
    imported = body.get("origin") == "imported"
    if state.members and state.group_id is None and not imported:
        state = replace(state, group_id=record.customer_id)
    chosen = [result for result in body["results"] if result["kind"] == "action"]
    contacts = list(state.contacts)
    for result in chosen[:1] if imported else chosen:
        at = datetime.fromisoformat(result.get("send_at") or body["at"])
        contacts.append(
            Contact(
                decision_id=body["decision_id"],
                placement=result.get("placement", "main"),
                action=result["action"],
                group=result.get("group", ""),
                touchpoint=body["touchpoint"],
                channel=rules.channels.get(body["touchpoint"], body["touchpoint"]),
                at=at,
                expires_at=datetime.fromisoformat(result["expires_at"]),
                confirmed=imported,
                mandatory=bool(result.get("mandatory")),
                job=result.get("job"),
            )
        )
    return replace(state, contacts=_recent(tuple(contacts)))


def _recent(entries: tuple[Any, ...]) -> tuple[Any, ...]:
    """Those that are not too old beside the newest, oldest first; the same in any order of arrival."""
    newest = max((one.at for one in entries), default=None)
    return tuple(sorted((one for one in entries if newest - one.at <= CONTACT_MEMORY), key=_place))


def _place(entry: Contact | Refusal) -> tuple[Any, ...]:
    return (entry.at, entry.decision_id) if isinstance(entry, Contact) else (entry.at, entry.action, entry.group)
