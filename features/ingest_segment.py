"""Messages of the Segment spec, as files hold them: a line a message, held to the rules of POST /v1/events."""

from datetime import datetime
from typing import Any

import msgspec

from features.ingest_values import happened, identifier
from features.join import LONGEST_ID, LONGEST_LOGGED_ID, is_anonymous
from features.log import Record
from features.messages import IDS, TYPES, id_faults, records_of
from features.quarantine import Refused

DEEPEST = 100
"""How many lists and objects may stand in each other: what reads the log later must not run out of stack."""

_OBJECTS = ("properties", "traits", "context")


class SegmentReader:
    """Reads lines at the engine's time `now`. Known is when `receivedAt` says, else (assumed) when it happened."""

    known = "when receivedAt says, else when it happened (assumed)"

    def __init__(self, now: datetime) -> None:
        self._now = now

    def records(self, line: bytes) -> tuple[Record, ...]:
        """The records of one line. Raises Refused."""
        message = _decoded(line)
        if message.get("type") not in TYPES:
            raise Refused("unknown_kind", f"type is {message.get('type')!r:.60}; it is one of {', '.join(TYPES)}")
        _check_types(message)
        message_id = identifier(message.get("messageId"), field="messageId", absent="no_message_id")
        for name in IDS:
            if message.get(name):
                longest = LONGEST_LOGGED_ID if is_anonymous(message[name]) else LONGEST_ID
                message[name] = identifier(message[name], field=name, absent="no_customer", longest=longest)
        message["messageId"] = message_id
        for field, cause in id_faults(message):
            raise Refused("wrong_type" if message.get(field) else "no_customer", f"{field}: {cause}")
        received = message.get("receivedAt")
        told = message.get("timestamp") or received
        at = happened(told, field="timestamp", now=self._now)
        known = at if received is None else happened(received, field="receivedAt", now=self._now)
        message["timestamp"] = at
        return records_of(message, at=at, known=known)


def _decoded(line: bytes) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(line)
    except UnicodeDecodeError as error:
        raise Refused("not_utf8", f"byte {error.start} of the line is not UTF-8") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise Refused("not_json", f"{error}; write one JSON object a line") from error
    if not isinstance(message, dict):
        raise Refused("not_json", "the line is no JSON object; write one message a line")
    if line.count(b"[") + line.count(b"{") > DEEPEST and _depth(message) > DEEPEST:
        raise Refused("oversized", f"more than {DEEPEST} lists and objects stand in each other")
    return {name: value for name, value in message.items() if value is not None}


def _depth(message: dict[str, Any]) -> int:
    level: list[Any] = [message]
    depth = 0
    while level:
        depth += 1
        inside = [list(one.values()) if isinstance(one, dict) else one for one in level]
        level = [one for values in inside for one in values if isinstance(one, dict | list)]
    return depth


def _check_types(message: dict[str, Any]) -> None:
    for name in _OBJECTS:
        if not isinstance(message.get(name, {}), dict):
            raise Refused("wrong_type", f"{name}: expected an object")
    for name in ("messageId", *IDS):
        if not isinstance(message.get(name, ""), str):
            raise Refused("wrong_type", f"{name}: expected text, found {message[name]!r:.60}")
    event = message.get("event", "")
    if not isinstance(event, str) or len(event) > LONGEST_ID:
        raise Refused("wrong_type", f"event: expected a name of at most {LONGEST_ID} characters")
    if message["type"] == "track" and not event:
        raise Refused("unknown_kind", "a track message names its event")
