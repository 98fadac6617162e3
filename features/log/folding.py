"""Keeping the states of customers: folded record by record, and folded anew from the log where ids became one customer.

A customer has one state, under the name that `features.log.identity` tells; records keep the id that they came with.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import sqlalchemy as sa

from decisioning.customer import State
from features.agreed import Word, agreed
from features.join import Customer, Link
from features.log import bulk, identity, ledger, linking, sealed, state, written
from features.log.faults import Conflict
from features.log.keys import Vault
from features.log.records import Record, microseconds, moment
from features.log.state import StateRules
from features.log.tables import customers, records, settings

_AT_ONCE = 500
_ERASED = "highest_version_erased"


def follow(
    connection: sa.Connection,
    vault: Vault,
    rules: StateRules,
    fresh: Sequence[Record],
    sequences: Iterable[int],
    expecting: Mapping[str, int],
) -> None:
    """Fold new records, which stand in the log under these sequences, into the states. Raises Conflict."""
    ids = sorted({record.customer_id for record in fresh if record.customer_id is not None})
    names = identity.names(connection, ids)
    kept = _kept(connection, sorted({names.get(one, one) for one in ids}))
    for one in expecting.keys() & set(ids):
        _, version = kept.get(names.get(one, one), (None, 0))
        if expecting[one] != version:
            raise Conflict("the customer's state changed while the decision was made")
    told = [(at, identity.link_of(record)) for at, record in zip(sequences, fresh, strict=True) if record.kind == "identity"]
    change = linking.follow(connection, told) if told else linking.Change()
    anew = rejoined(connection, vault, rules, change)
    if change.customers:
        names = identity.names(connection, ids)
    theirs: dict[str, list[Record]] = defaultdict(list)
    for record in fresh:
        if record.customer_id is not None and names.get(record.customer_id, record.customer_id) not in anew:
            theirs[names.get(record.customer_id, record.customer_id)].append(record)
    changed, earlier = {}, []
    for name, new in theirs.items():
        before, version = kept.get(name) or (State(customer_id=name), 0)
        after = before
        for record in new:
            after = state.fold(after, record, rules)
        if after.members and any(record.kind == "consent" for record in new):
            after = _with_consents(connection, vault, after)
        if after != before:
            changed[name] = (after, version)
            earlier.append(before)
    write(connection, changed)
    ledger.follow(connection, earlier, (after for after, _ in changed.values()))


def rejoined(connection: sa.Connection, vault: Vault, rules: StateRules, change: linking.Change) -> frozenset[str]:
    """Fold anew the states of customers who are others than before; their names.

    Their version is above that of every state that went into theirs: what was decided from one of those is a conflict.
    """
    if not change.customers:
        return frozenset()
    members = sorted({one for customer in change.customers for one in customer.members})
    kept = _kept(connection, members)
    folded = {}
    for customer, after in zip(change.customers, folded_from(connection, vault, rules, change.customers), strict=True):
        folded[customer.name] = (after, max((kept[one][1] for one in customer.members if one in kept), default=0))
    drop(connection, change.gone)
    write(connection, folded)
    ledger.follow(connection, (before for before, _ in kept.values()), (after for after, _ in folded.values()))
    return frozenset(folded)


def folded_from(connection: sa.Connection, vault: Vault, rules: StateRules, of: Sequence[Customer]) -> Iterator[State]:
    """The state that all records of each customer's ids imply, in the order of the log."""
    for start in range(0, len(of), _AT_ONCE):
        part = of[start : start + _AT_ONCE]
        names = {one: customer.name for customer in part for one in customer.members}
        states = {
            customer.name: State(
                customer_id=customer.name, members=tuple(one for one in customer.members if one != customer.name)
            )
            for customer in part
        }
        words: dict[str, list[Word]] = defaultdict(list)
        for row in identity.records_of(connection, list(names)):
            record, name = sealed.record_of(row, vault), names[row.customer_id]
            states[name] = state.fold(states[name], record, rules)
            if record.kind == "consent" and states[name].members:
                words[name].append(_word(record))
        links: dict[str, list[Link]] = defaultdict(list)
        for link in identity.links_within(connection, [one for one in names if names[one] in words]):
            if names[link.source] == names[link.target]:
                links[names[link.target]].append(link)
        for name, said in words.items():
            states[name] = _agreed(states[name], said, links[name])
        yield from states.values()


def write(connection: sa.Connection, changed: Mapping[str, tuple[State, int]]) -> None:
    """Keep states, each with the version after the one given."""
    if not changed:
        return
    first = 0 if all(version for _, version in changed.values()) else _before_the_first(connection)
    rows = [(name, (version or first) + 1, written.encode(after)) for name, (after, version) in changed.items()]
    bulk.insert(connection, customers, rows, over="customer_id")


def forget(connection: sa.Connection, members: Sequence[str]) -> int:
    """Delete the states of an erased customer, and keep how far their versions went; how many there were."""
    highest = max((version for _, version in _kept(connection, members).values()), default=0)
    if highest > _highest_erased(connection):
        bulk.insert(connection, settings, [(_ERASED, str(highest))], over="name")
    return drop(connection, members)


def drop(connection: sa.Connection, names: Sequence[str]) -> int:
    """Delete the states of ids that name no customer; how many there were."""
    return bulk.delete(connection, customers.c.customer_id, names)


def _kept(connection: sa.Connection, names: Sequence[str]) -> dict[str, tuple[State, int]]:
    columns = (customers.c.customer_id, customers.c.version, customers.c.body)
    return {row[0]: (written.decode(row[2]), row[1]) for row in bulk.those_in(connection, columns[0], names, *columns)}


def _before_the_first(connection: sa.Connection) -> int:
    """The version that a customer without a state has been at, at most: who was erased may have had one.

    Each erasure keeps the highest version that it deleted: new rules raise versions without any record. Those of before
    that was kept are covered by their own sequences, as far as a version came from a record.
    """
    query = sa.select(sa.func.max(records.c.sequence)).where(records.c.kind == "erasure")
    return max(connection.execute(query).scalar_one() or 0, _highest_erased(connection))


def _highest_erased(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(settings.c.value).where(settings.c.name == _ERASED)).scalar_one_or_none() or 0)


def _with_consents(connection: sa.Connection, vault: Vault, merged: State) -> State:
    ids = (merged.customer_id, *merged.members)
    words = [_word(sealed.record_of(row, vault)) for row in identity.records_of(connection, ids, kinds=("consent",))]
    return _agreed(merged, words, identity.links_within(connection, ids))


def _agreed(merged: State, words: Sequence[Word], links: Sequence[Link]) -> State:
    """With what all ids have agreed to, which is more than the last word: see `features.agreed`."""
    said = agreed(words, links)
    return replace(
        merged,
        consents={purpose: granted for purpose, (granted, _) in said.items()},
        consents_at={purpose: moment(at_us) for purpose, (_, at_us) in said.items()},
    )


def _word(record: Record) -> Word:
    body = record.body
    return str(record.customer_id), body["purpose"], bool(body["granted"]), microseconds(record.event_time)
