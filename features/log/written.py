"""A customer's state as it is written: fields that came later are left out where they say nothing.

So what an older version wrote is read as it was meant, and a record of a decision, which holds the state, stays small.
"""

from collections.abc import Callable
from dataclasses import MISSING, fields
from operator import attrgetter
from typing import Any

import msgspec

from decisioning.customer import Contact, State
from decisioning.promises import Promise


def _writes(kind: type, *always: str) -> Callable[[Any], Any]:
    """What makes of a noun what is written of it: these fields, which it has had from the first, and those that say more."""
    struct: Any = msgspec.defstruct(
        kind.__name__,
        [(name, Any) for name in always]
        + [
            (
                one.name,
                Any,
                one.default if one.default_factory is MISSING else msgspec.field(default_factory=one.default_factory),
            )
            for one in fields(kind)
            if one.name not in always
        ],
        omit_defaults=True,
    )
    values = attrgetter(*struct.__struct_fields__)
    return lambda noun: struct(*values(noun))


_state = _writes(
    State,
    "customer_id", "known", "consents", "consents_at", "closed_channels", "open_complaints", "complaints",
    "all_complaints_closed_at", "emotion", "contacts", "refusals", "time_zone", "locale", "traits",
)  # fmt: skip
_contact = _writes(
    Contact, "decision_id", "placement", "action", "group", "touchpoint", "channel", "at", "expires_at", "confirmed"
)
_promise = _writes(Promise, "made_at", "what", "due", "by", "touchpoint", "decision_id", "make_good", "status", "ended_at")


def written(state: State) -> Any:
    """A state as JSON holds it, for msgspec to encode."""
    made = _state(state)
    made.contacts = [_contact(one) for one in state.contacts]
    if state.promises:
        made.promises = {promise_id: _promise(one) for promise_id, one in state.promises.items()}
    return made


def encode(state: State) -> bytes:
    return msgspec.json.encode(written(state))


def decode(body: bytes) -> State:
    return msgspec.json.decode(body, type=State)
