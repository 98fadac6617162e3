"""Reading records for a profile: payloads to names, numbers and topics. The same reading offline and online.

A number that is missing, or no number, says nothing. A record that cannot be read at all says nothing and is counted: it
must not stop those behind it. What a machine did, such as a mail server that opens a message, is nothing the customer did.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from features.decay import Floats, Ints
from features.schema import ProfileSpec

KINDS: tuple[str, ...] = ("event", "outcome")
"""The kinds of records that profiles are made of."""

_PRODUCTS = "products."
_BY_A_MACHINE = "outcome:by a machine"
_TEXTS = ("category", "touchpoint", "group")
_UNREADABLE: tuple[None, None, tuple[int, ...]] = (None, None, ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Records as columns (n,), in the order given. `moment_us` is when each became known, `time_us` when it happened.

    A record whose own clock runs ahead counts as having happened when it became known, so `time_us` is never later.
    `names` are `kind:name`, None where a record is unreadable; `codes` their positions in `Reader.names` (-1: none of them,
    or the record of nobody in particular). `numbers` are what the profile reads of a record, by name. Of its products, or
    of the topics it is about, there is a line each (m,): `line_rows` says whose, ascending, `line_topics` the topic (-1:
    none), `line_numbers` the numbers of products. A number that is not said is NaN. `touchpoints` and `groups` are positions
    in the profile's (-1: none of them, or not said).
    """

    customers: Sequence[str | None]
    moment_us: Ints
    time_us: Ints
    names: Sequence[str | None]
    codes: Ints
    numbers: Mapping[str, Floats]
    line_rows: Ints
    line_topics: Ints
    line_numbers: Mapping[str, Floats]
    touchpoints: Ints
    groups: Ints
    ahead: int

    @property
    def unreadable(self) -> int:
        return sum(name is None for name in self.names)

    @property
    def anonymous(self) -> int:
        return sum(customer is None for customer in self.customers)


class Reader:
    """Reads records for one profile.

    `names` are the records that any of its views asks for. `topics` is how many topics there are. `channel_of` is the channel
    of each touchpoint, and -1 at the end.
    """

    def __init__(self, spec: ProfileSpec) -> None:
        self._topic_of_department: dict[str | None, int] = {None: -1}
        self._topic_of_department.update(spec.topic_of)
        self._topic_at = {name: at for at, name in enumerate(spec.topics)}
        self._touchpoint_at = {name: at for at, name in enumerate(spec.touchpoints)}
        self._group_at = {name: at for at, name in enumerate(spec.groups)}
        self.names = tuple(dict.fromkeys(name for table in spec.tables for name in table.on))
        self._code_of: dict[str | None, int] = {name: at for at, name in enumerate(self.names)}
        self.topics = len(spec.topics)
        self.channel_of: Ints = np.array([*map(spec.channels.index, spec.touchpoints.values()), -1], dtype=np.int64)
        names = sorted({column.of for table in spec.tables for column in table.aggregates if column.of})
        # fields are numbered: a property's name need not be a name in Python
        self._number_of: Mapping[str, str] = {name: f"number_{at}" for at, name in enumerate(names)}
        of_record = {name: name for name in names if not name.startswith(_PRODUCTS)}
        of_product = {name: name.removeprefix(_PRODUCTS) for name in names if name.startswith(_PRODUCTS)}
        self._of_record, self._of_product = tuple(of_record), tuple(of_product)
        self._product = self._struct("Product", of_product, ("category", str | None, None))
        products: Any = ("products", list[self._product], msgspec.field(default_factory=list))  # type: ignore[name-defined]
        topics: Any = ("topics", list[str], msgspec.field(default_factory=list))
        where: Any = ("touchpoint", str | None, None)
        group: Any = ("group", str | None, None)
        self._properties = self._struct("Properties", of_record, products, where, group)
        machine: Any = ("machine", bool | None, None)
        self._outcome = self._struct("Outcome", of_record, ("outcome", str), topics, where, group, machine)
        # a message of another type (identify, page) names no event
        event = msgspec.defstruct("Event", [("event", str, ""), ("properties", self._properties | None, None)])
        self._silent, self._nothing = self._properties(), self._product()
        self._events: msgspec.json.Decoder[Any] = msgspec.json.Decoder(event)
        self._outcomes: msgspec.json.Decoder[Any] = msgspec.json.Decoder(self._outcome)

    def read(
        self,
        *,
        kinds: Sequence[str],
        customers: Sequence[str | None],
        event_us: Sequence[int],
        known_us: Sequence[int],
        payloads: Sequence[bytes],
    ) -> Batch:
        """Records of the kinds in KINDS; all arguments have the same length."""
        known, happened = np.array(known_us, dtype=np.int64), np.array(event_us, dtype=np.int64)
        said = [self._event(body) if kind == "event" else self._said(body) for kind, body in zip(kinds, payloads, strict=True)]
        names = [name for name, _, _ in said]
        bodies = [self._silent if body is None else body for _, body, _ in said]
        codes = [self._code_of.get(name, -1) if who is not None else -1 for name, who in zip(names, customers, strict=True)]
        return Batch(
            customers=customers,
            moment_us=known,
            time_us=np.minimum(happened, known),
            names=names,
            codes=np.array(codes, dtype=np.int64),
            numbers={name: self._numbers(name, bodies) for name in self._of_record},
            line_rows=np.repeat(np.arange(len(said)), np.array([len(topics) for _, _, topics in said], dtype=np.int64)),
            line_topics=np.array([topic for _, _, topics in said for topic in topics], dtype=np.int64),
            line_numbers=self._lines(bodies, [topics for _, _, topics in said]),
            touchpoints=self._positions(self._touchpoint_at, [body.touchpoint for body in bodies]),
            groups=self._positions(self._group_at, [body.group for body in bodies]),
            ahead=int(np.count_nonzero(happened > known)),
        )

    def _numbers(self, name: str, bodies: Sequence[Any]) -> Floats:
        return np.array(list(map(attrgetter(self._number_of[name]), bodies)), dtype=np.float64)

    def _lines(self, bodies: Sequence[Any], topics: Sequence[Sequence[int]]) -> Mapping[str, Floats]:
        """The numbers of the products; none of the lines of a record that has topics instead."""
        if not self._of_product:
            return {}
        lines: list[Any] = []
        for body, its in zip(bodies, topics, strict=True):
            lines += getattr(body, "products", None) or [self._nothing] * len(its)
        return {name: self._numbers(name, lines) for name in self._of_product}

    def _event(self, payload: bytes) -> tuple[str | None, Any, Sequence[int]]:
        try:
            event = self._events.decode(payload)
            name, body = event.event, event.properties
        except msgspec.ValidationError:
            name, body = self._mended_event(payload)
        except msgspec.DecodeError:
            return _UNREADABLE
        if name is None:
            return _UNREADABLE
        if body is None:
            return f"event:{name}", self._properties(), ()
        of = self._topic_of_department
        return f"event:{name}", body, [of.get(product.category, -1) for product in body.products]

    def _said(self, payload: bytes) -> tuple[str | None, Any, Sequence[int]]:
        try:
            outcome = self._outcomes.decode(payload)
        except msgspec.DecodeError:
            return _UNREADABLE
        if outcome.machine:
            return _BY_A_MACHINE, outcome, ()
        return f"outcome:{outcome.outcome}", outcome, [self._topic_at.get(topic, -1) for topic in outcome.topics]

    @staticmethod
    def _positions(of: Mapping[str, int], names: Sequence[str | None]) -> Ints:
        return np.array([-1 if name is None else of.get(name, -1) for name in names], dtype=np.int64)

    def _mended_event(self, payload: bytes) -> tuple[str | None, Any]:
        """An event with something of the wrong type in it: what is right still counts."""
        try:
            event = msgspec.json.decode(payload)
        except msgspec.DecodeError:
            return None, None
        if not isinstance(event, dict) or not isinstance(event.get("event"), str):
            return None, None
        found = event.get("properties")
        properties = found if isinstance(found, dict) else {}
        products = properties.get("products")
        lines = [one if isinstance(one, dict) else {} for one in products] if isinstance(products, list) else []
        body = self._mended(self._properties, properties)
        body.products = [self._mended(self._product, line) for line in lines]
        return event["event"], body

    def _mended(self, kind: Any, found: Mapping[str, Any]) -> Any:
        body = kind()
        for field, written in zip(kind.__struct_fields__, kind.__struct_encode_fields__, strict=True):
            value = found.get(written)
            if field in _TEXTS:
                setattr(body, field, value if isinstance(value, str) else None)
            elif isinstance(value, int | float) and not isinstance(value, bool):
                setattr(body, field, _measured(value))
        return body

    def _struct(self, name: str, numbers: Mapping[str, str], *fields: Any) -> Any:
        """A struct with a field for each number. Millions are made and none refers to itself: the collector may pass by."""
        renamed = {self._number_of[number]: written for number, written in numbers.items()}
        return msgspec.defstruct(
            name, [*fields, *((field, float | None, None) for field in renamed)], rename=renamed, kw_only=True, gc=False
        )


def _measured(number: float) -> float | None:
    """A number as it is counted; None where it has more digits than any float."""
    try:
        return float(number)
    except OverflowError:
        return None
