"""`ingest.yaml`: how the columns of a brand's exports become records."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from decisioning.timing import zone_named
from features.ingest_files import MAX_ROW_BYTES
from features.ingest_values import Type, flag, happened, identifier, known_id, missing, value
from features.log import Record
from features.quarantine import Refused

_PRODUCT = "products."


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """`type` is what a cell must be; where it is left out, what the file says it is (in CSV: text)."""

    column: str
    type: Type | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeColumn:
    """`form` as in `ingest_values.happened`; `zone` is the IANA zone of times without an offset, the brand's if left out."""

    column: str
    form: str = "iso"
    zone: str | None = None

    def __post_init__(self) -> None:
        if self.form not in ("iso", "seconds", "milliseconds") and "%" not in self.form:
            raise ValueError(
                f"unknown form {self.form!r}; write iso, seconds, milliseconds or a pattern such as '%d.%m.%Y %H:%M'"
            )
        if self.zone is not None and zone_named(self.zone) is None:
            raise ValueError(f"unknown zone {self.zone!r}; write an IANA name such as Europe/Paris")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventColumn:
    """The column that says what happened. `names` turns its codes into events; a code that is not there is refused."""

    column: str
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMapping:
    """One kind of export.

    A row becomes a `track` message with an `event` and its `properties`, an `identify` message with `traits`, or nothing
    but its `consents`: purpose to column, an empty cell says nothing. `products.price` and the like are properties of the
    one product that the row is about. `message_id` names the columns that tell a row from every other of this mapping.
    `known`: when Kairos could have known a row; it decides what a training frame may see.
    """

    kind: Literal["track", "identify", "consent"]
    customer: str
    time: TimeColumn
    message_id: tuple[str, ...]
    event: str | EventColumn | None = None
    properties: Mapping[str, str | Column] = field(default_factory=dict)
    traits: Mapping[str, str | Column] = field(default_factory=dict)
    consents: Mapping[str, str] = field(default_factory=dict)
    known: Literal["when_it_happened", "on_arrival"] | TimeColumn = "when_it_happened"
    delimiter: str = ","
    encoding: Literal["utf-8", "latin-1", "cp1252"] = "utf-8"
    decimal: Literal[".", ","] = "."

    def __post_init__(self) -> None:
        faults = {
            "kind track needs an event": self.kind == "track" and not self.event,
            "kind consent needs consents": self.kind == "consent" and not self.consents,
            f"kind {self.kind} has no event": self.kind != "track" and self.event is not None,
            f"kind {self.kind} has no properties": self.kind != "track" and bool(self.properties),
            f"kind {self.kind} has no traits": self.kind != "identify" and bool(self.traits),
            "message_id names at least one column": not self.message_id,
            "delimiter is one character": len(self.delimiter) != 1,
        }
        if found := [cause for cause, is_so in faults.items() if is_so]:
            raise ValueError("; ".join(found))

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that it reads, once."""
        times = [self.time, self.known] if isinstance(self.known, TimeColumn) else [self.time]
        named = [self.customer, *(one.column for one in times), *self.message_id, *self.consents.values()]
        named += [self.event.column] if isinstance(self.event, EventColumn) else []
        named += [_column(one).column for one in (*self.properties.values(), *self.traits.values())]
        return tuple(dict.fromkeys(named))


class MappedReader:
    """Reads rows of the mapping `name` at the engine's time `now`. `zone` is the brand's (IANA)."""

    def __init__(self, name: str, mapping: FileMapping, *, zone: str, now: datetime) -> None:
        self._name, self._mapping, self._now = name, mapping, now
        self._zone = zone
        # one place a time: looked up once, not a row
        self._zones = {one: ZoneInfo(one) for one in {zone, mapping.time.zone or zone}}
        if isinstance(mapping.known, TimeColumn):
            self._zones[mapping.known.zone or zone] = ZoneInfo(mapping.known.zone or zone)
        self._traits = {name: _column(one) for name, one in (*mapping.properties.items(), *mapping.traits.items())}

    @property
    def known(self) -> str:
        """When its rows count as known, for a person."""
        match self._mapping.known:
            case TimeColumn(column=column):
                return f"when {column} says"
            case "on_arrival":
                return "on arrival"
            case _:
                return "when it happened (assumed)"

    def records(self, row: Mapping[str, Any]) -> tuple[Record, ...]:
        """The message of one row, then its consents. Raises Refused for the row as a whole."""
        mapping = self._mapping
        customer = known_id(row[mapping.customer], field=mapping.customer)
        message_id = self._message_id(row)
        at = self._time(row, mapping.time)
        known = self._now if mapping.known == "on_arrival" else at
        if isinstance(mapping.known, TimeColumn):
            known = self._time(row, mapping.known)
        return tuple(
            Record(
                kind=kind,  # type: ignore[arg-type]
                message_id=own_id,
                customer_id=customer,
                event_time=at,
                known_time=known,
                payload=_payload(body),
            )
            for kind, own_id, body in self._bodies(row, customer, message_id, at)
        )

    def _bodies(self, row: Mapping[str, Any], customer: str, message_id: str, at: datetime) -> Iterator[tuple[str, str, Any]]:
        mapping = self._mapping
        if mapping.kind != "consent":
            body = {"type": mapping.kind, "messageId": message_id, "userId": customer, "timestamp": at}
            if mapping.kind == "track":
                body["event"] = self._event(row)
            body["properties" if mapping.kind == "track" else "traits"] = self._told(row)
            yield "event", message_id, body | {"context": {"ingest": self._name}}
        for purpose, column in mapping.consents.items():
            if not missing(row[column]):
                granted = flag(row[column], field=column)
                told = {"customer_id": customer, "purpose": purpose, "granted": granted, "source": f"ingest {self._name}"}
                yield "consent", f"{message_id}-{purpose}", told

    def _event(self, row: Mapping[str, Any]) -> str:
        event = self._mapping.event
        if not isinstance(event, EventColumn):
            return str(event)
        code = identifier(row[event.column], field=event.column, absent="unknown_kind")
        if event.names and code not in event.names:
            raise Refused("unknown_kind", f"{event.column}: {code!r} is none of {', '.join(event.names)}; add it to `names`")
        return event.names.get(code, code)

    def _told(self, row: Mapping[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {}
        product: dict[str, Any] = {}
        for name, one in self._traits.items():
            if missing(row[one.column]):
                continue
            found = value(row[one.column], one.type, field=one.column, decimal=self._mapping.decimal)
            if name.startswith(_PRODUCT):
                product[name.removeprefix(_PRODUCT)] = found
            else:
                told[name] = found
        return told | {"products": [product]} if product else told

    def _time(self, row: Mapping[str, Any], time: TimeColumn) -> datetime:
        zone = self._zones[time.zone or self._zone]
        return happened(row[time.column], field=time.column, now=self._now, form=time.form, zone=zone)

    def _message_id(self, row: Mapping[str, Any]) -> str:
        cells = [row[name] for name in self._mapping.message_id]
        for name, cell in zip(self._mapping.message_id, cells, strict=True):
            if missing(cell):
                # rows that differ in nothing else would be taken for one
                raise Refused("no_message_id", f"{name} is empty; the mapping tells rows apart by it")
        digest = hashlib.sha256(json.dumps([self._name, *cells], default=str).encode())
        return f"{self._name}-{digest.hexdigest()[:32]}"


def _column(written: str | Column) -> Column:
    return written if isinstance(written, Column) else Column(column=written)


def _payload(body: Mapping[str, Any]) -> bytes:
    try:
        payload = msgspec.json.encode(body)
    except (TypeError, ValueError, RecursionError) as error:
        raise Refused("wrong_type", f"{error}; map columns of text, numbers, flags and times") from error
    if len(payload) > MAX_ROW_BYTES:
        raise Refused("oversized", f"{len(payload):,} bytes; a row has at most {MAX_ROW_BYTES:,}")
    return payload
