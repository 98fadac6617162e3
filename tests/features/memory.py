"""A log that is a list: what readers of the log see, without a database. Who is who is worked out anew at each question."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from features.facts import KINDS
from features.join import Customer, Joined, Link
from features.log import Record
from features.log.identity import link_of
from features.log.records import microseconds


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

    def names(self, customer_ids: Sequence[str]) -> dict[str, str]:
        names = Joined(self.links()).names()
        return {one: names[one] for one in customer_ids if one in names}

    def relinked(self, *, after: int, until: int) -> dict[str, int]:
        told = [link_of(record) for record in self.read(after=after, kinds=("identity",)) if record.sequence <= until]
        since: dict[str, int] = {}
        for fresh in told:
            for link in self.links():
                if link.source == fresh.source:
                    since |= {one: max(since.get(one, 0), fresh.known_us) for one in (link.source, link.target)}
        return since
