"""All that is known of one customer, each value with where it came from."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from decisioning.customer import Profile, State
from decisioning.facts import consented
from features.log import Record
from features.log.forms import NoteForm, read
from features.schema import Entry
from features.traces import Trace, traces
from serving.customer_schemas import ConsentOut, CustomerOut, ExchangeOut, LinkOut, ValueOut, WrittenOut
from serving.plain_words import exchanged, sentences
from serving.ports import Ports, ProfilesUnavailable, Stored

SEVERAL_FILES = "Of several files the online store does not keep which one said a value: the build's tables do."
NOT_READABLE = "The online profiles cannot be read now: no values are shown."


def customer_page(customer_id: str, ports: Ports) -> CustomerOut | None:
    """What is known of the customer whom an id means, now; None for somebody nobody has heard of."""
    now, spec = ports.clock.now(), ports.playbook.profile
    who = ports.log.identity(customer_id)
    state, version = ports.log.state(who.name)
    records = list(ports.log.read_of(who.members))
    untold: list[str] = []
    try:
        profile = ports.profiles.read(who.name, now)
        bought = [name for name, view in spec.views.items() if view.source == "third_party"]
        stored = {name: row for name in bought if (row := ports.profiles.stored(who.name, name)) is not None}
    except ProfilesUnavailable:
        profile, stored = Profile.empty(spec.index), {}
        untold.append(NOT_READABLE)
    if not version and not records and not profile.known:
        return None
    made = traces(spec, ports.playbook.brand.time_zone, records)
    values = [
        _value(entry, profile, stored.get(entry.view), made.get(entry.name), state, ports, now)
        for at, entry in enumerate(spec.entries)
        if profile.present[at]
    ]
    if any(len(value.files) > 1 for value in values):
        untold.append(SEVERAL_FILES)
    return CustomerOut(
        customer_id=who.name,
        members=list(who.members),
        links=[
            LinkOut(
                source=one.source,
                target=one.target,
                type=one.type,
                message_id=one.message_id,
                at=one.event_time,
                known=one.known_time,
                set_aside=one.set_aside,
            )
            for one in who.told
        ],
        at=now,
        known_since=min((record.known_time for record in records), default=None),
        records=len(records),
        consents=dict(consents(state, ports)),
        state=list(sentences(state, now)),
        exchange=_exchange(state, ports),
        values=values,
        notes=list(_written(records)),
        untold=untold,
    )


def _written(records: Iterable[Record]) -> Iterator[WrittenOut]:
    for record in records:
        if record.kind == "note":
            note = read(record, NoteForm)
            yield WrittenOut(
                note_id=record.message_id, at=record.event_time, by=note.by, text=note.text, owner=note.owner, due=note.due
            )


def _value(
    entry: Entry, profile: Profile, stored: Stored | None, trace: Trace | None, state: State, ports: Ports, now: datetime
) -> ValueOut:
    spec, feature = ports.playbook.profile, ports.playbook.profile.index[entry.name]
    doubt = state.contested.get(entry.name)
    happened, known = (trace.happened, trace.known) if trace else (None, None)
    if feature.source == "third_party" and stored is not None:
        happened, known = stored.as_of, stored.known
    return ValueOut(
        feature=entry.name,
        says=feature.says,
        value=profile.get(entry.name),
        unit=entry.unit,
        view=entry.view,
        source=feature.source,
        made=feature.made,
        purpose=entry.purpose,
        used=entry.purpose in consented(state, ports.playbook.policy) and (doubt is None or doubt.settled),
        contested=None if doubt is None or doubt.settled else doubt.at,
        owner=entry.owner,
        licence=entry.licence,
        expires=spec.expiries.get(entry.name),
        happened=happened,
        known=known,
        age_days=None if happened is None else max((now - happened).total_seconds(), 0.0) / 86_400,
        records=trace.records if trace else 0,
        message_id=trace.message_id if trace else None,
        files=[delivery.file for delivery in spec.views[entry.view].deliveries],
    )


def consents(state: State, ports: Ports) -> Iterator[tuple[str, ConsentOut]]:
    """By purpose, what holds now and whether the customer said so."""
    for name, purpose in ports.playbook.brand.purposes.items():
        said = state.consents.get(name)
        yield (
            name,
            ConsentOut(
                granted=purpose.default if said is None else said,
                said=said is not None,
                at=state.consents_at.get(name),
                says=purpose.says,
            ),
        )


def _exchange(state: State, ports: Ports) -> ExchangeOut:
    held = state.exchange
    says = exchanged(held, ports.playbook.brand.currency)
    return ExchangeOut(gave=dict(held.given), got=held.received, worth=held.worth, says=says)
