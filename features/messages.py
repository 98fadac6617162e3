"""A message of the Segment spec as records: what happened, and who is who by it. One reading for calls and files."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec

from features.join import ANONYMOUS, is_anonymous
from features.log import Record, identity_record
from features.log.felt import FELT
from features.log.identity import LinkType
from features.log.message_ids import LINK, RESERVED, is_reserved

TYPES = ("track", "identify", "page", "screen", "group", "alias")
IDS = ("userId", "anonymousId", "previousId")


def id_faults(message: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(field, what is wrong with it and the cure) of a message's id and of whom it is about. Ids that are there are text."""
    if is_reserved(message["messageId"]):
        yield "messageId", RESERVED
    needed = ("previousId", "userId") if message["type"] == "alias" else ()
    for field in needed:
        if not message.get(field):
            yield field, "is empty; an alias says that previousId is the customer whom userId names"
    if not needed and not message.get("userId") and not message.get("anonymousId"):
        yield "userId", "userId and anonymousId are empty; every message needs one of them"
    if is_anonymous(message.get("userId") or ""):
        yield "userId", f"only anonymous ids begin with {ANONYMOUS!r}; send what follows it as anonymousId"
    if is_anonymous(message.get("anonymousId") or ""):
        yield "anonymousId", f"send it without {ANONYMOUS!r}"
    if message.get("previousId") == ANONYMOUS:
        yield "previousId", f"names nobody; an anonymousId follows {ANONYMOUS!r}"


def records_of(message: Mapping[str, Any], *, at: datetime, known: datetime) -> tuple[Record, ...]:
    """The records of a message without faults; the first has the message's own id.

    A message with a userId is that customer's; one without is of the anonymous customer. An identify with both says that
    they are one, an alias (nothing else) that previousId is; it begins with `anonymous:` where it was an anonymousId.
    What a message says of feelings that were read in it is dropped: that is written here, by `features.hearing`.
    """
    message = {name: said for name, said in message.items() if name != FELT}
    message_id, kind, customer = message["messageId"], message["type"], message.get("userId") or ""
    visitor = ANONYMOUS + message["anonymousId"] if message.get("anonymousId") else ""

    def linked(how: LinkType, source: str, own_id: str) -> Record:
        return identity_record(how, source=source, target=customer, message_id=own_id, event_time=at, known_time=known)

    if kind == "alias":
        return (linked("alias", message["previousId"], message_id),)
    event = Record(
        kind="event",
        message_id=message_id,
        customer_id=customer or visitor,
        event_time=at,
        known_time=known,
        payload=msgspec.json.encode(message),
    )
    is_link = kind == "identify" and customer and visitor
    return (event, linked("identify", visitor, message_id + LINK)) if is_link else (event,)
