"""One record of the log, version 3: its decisions keep what they were made from; other payloads are as in version 2."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args

import msgspec

from decisioning.domain import OutcomeKind

Kind = Literal[
    "event", "decision", "outcome", "consent", "catalog", "erasure", "identity", "preference", "promise", "note", "contest"
]  # fmt: skip

VERSION = 3
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Nothing that a customer did with a brand is older; an older time is a fault of its sender's clock or form."""
AHEAD = timedelta(minutes=5)
"""How far a sender's clock may run ahead of the engine's."""
LATEST = datetime(2100, 1, 1, tzinfo=UTC)
"""Nothing that anybody plans is later; a later time is a fault of the same kinds."""

SEEN: frozenset[OutcomeKind] = frozenset(get_args(OutcomeKind)) - {"bounced"}
"""The outcomes that show that a message reached its customer: all but one."""
ANSWERED: frozenset[OutcomeKind] = frozenset({"opened", "clicked", "accepted", "converted", "referred"})
"""The outcomes by which a customer answered a message, unless it was a machine that opened it."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What happened (`event_time`) and when Kairos came to know it (`known_time`), both aware UTC.

    `message_id` makes it idempotent: a second record with the same id is the same record. `payload` is JSON. `sequence`
    is 0 until the log gives one.
    """

    kind: Kind
    message_id: str
    customer_id: str | None
    event_time: datetime
    known_time: datetime
    payload: bytes
    sequence: int = 0
    version: int = VERSION

    @property
    def body(self) -> dict[str, Any]:
        """The payload, decoded."""
        return msgspec.json.decode(self.payload)  # type: ignore[no-any-return]


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970 of an aware time; exact."""
    return (moment - EARLIEST) // _MICROSECOND


def moment(microseconds_: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return EARLIEST + timedelta(microseconds=microseconds_)
