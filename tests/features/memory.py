"""A log that is a list: what readers of the log see, without a database. Who is who is worked out anew at each question."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from features.facts import KINDS
from features.join import NEVER, Customer, Joined, Link, is_anonymous
from features.log import Record
from features.log.identity import Identity, Told, link_of
from features.log.records import microseconds, moment


class MemoryLog:
    def __init__(self, records: Sequence[Record] = ()) -> None:
        self._records: list[Record] = []
        self.append(records)

    def append(self, records: Sequence[Record]) -> None:
        start = len(self._records) + 1
        self._records += [replace(record, sequence=at) for at, record in enumerate(records, start)]

    def read(self, *, after: int = 0, kinds: Sequence[str] = (), limit: int | None = None) -> Iterator[Record]:
        found = [record for record in self._records if record.sequence > after and (not kinds or record.kind in kinds)]
        yield from found[:limit]

    def read_of(self, customer_ids: Sequence[str], *, until: int | None = None, kinds: Sequence[str] = ()) -> Iterator[Record]:
        for record in self.read(kinds=kinds):
            if record.customer_id in customer_ids and (until is None or record.sequence <= until):
                yield record

    def columns(self, *, kinds: Sequence[str] = KINDS) -> dict[str, list[Any]]:
        found = list(self.read(kinds=kinds))
        return {
            "sequence": [record.sequence for record in found],
            "kind": [record.kind for record in found],
            "customer_id": [record.customer_id for record in found],
            "event_us": [microseconds(record.event_time) for record in found],
            "known_us": [microseconds(record.known_time) for record in found],
            "payload": [record.payload for record in found],
        }

    def links(self, *, until: int | None = None) -> list[Link]:
        told = self.read(kinds=("identity",))
        return [link_of(record) for record in told if until is None or record.sequence <= until]

    def customer(self, customer_id: str) -> Customer:
        return Joined(self.links()).customer(customer_id)

    def identity(self, customer_id: str) -> Identity:
        who = Joined(self.links()).customer(customer_id)
        links = [(record, link_of(record)) for record in self.read(kinds=("identity",))]
        told = tuple(
            Told(
                source=link.source,
                target=link.target,
                type=record.body["type"],
                message_id=record.message_id,
                event_time=moment(link.event_us),
                known_time=moment(link.known_us),
                set_aside=None if link.source in who.members else "shared device",
            )
            for record, link in links
            if link.target in who.members
        )
        return Identity(name=who.name, members=who.members, told=told)

    def names(self, customer_ids: Sequence[str]) -> dict[str, str]:
        names = Joined(self.links()).names()
        return {one: names[one] for one in customer_ids if one in names}

    def relinked(self, *, after: int, until: int) -> dict[str, int]:
        since: dict[str, int] = {}
        holders: dict[str, list[tuple[int, str]]] = defaultdict(list)  # who ever had an anonymous id, and since when
        for record in [one for one in self.read(kinds=("identity",)) if one.sequence <= until]:
            link, place = link_of(record), (link_of(record).event_us, link_of(record).target)
            if is_anonymous(link.source):
                if min(holders[link.source], default=(NEVER, "")) <= place:
                    continue
                holders[link.source].append(place)
            if record.sequence > after:
                for one in (link.source, link.target, *(target for _, target in holders[link.source])):
                    since[one] = max(since.get(one, link.known_us), link.known_us)
        return since


class GrowingLog(MemoryLog):
    """One that others append to while it is read: the next of `coming` at each question who is who."""

    def __init__(self, coming: Sequence[Sequence[Record]]) -> None:
        super().__init__()
        self._coming = list(coming)
        self.grow()

    def grow(self) -> None:
        if self._coming:
            self.append(self._coming.pop(0))

    def names(self, customer_ids: Sequence[str]) -> dict[str, str]:
        self.grow()
        return super().names(customer_ids)

    def customer(self, customer_id: str) -> Customer:
        self.grow()
        return super().customer(customer_id)
