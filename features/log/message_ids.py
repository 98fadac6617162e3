"""The message ids that Kairos gives records of its own, and that nobody else may give."""

LINK = ":identity"
"""What follows a message's id in that of its identity record, where the message is an event as well."""

BREACH = ":breach"
"""What follows a promise's id in that of the record that it was broken."""

RESERVED = f"ends in {LINK!r} or {BREACH!r}, as only ids that Kairos gives do; let it end otherwise"


def is_reserved(message_id: str) -> bool:
    """Whether a message id is one of those that Kairos gives."""
    return message_id.endswith((LINK, BREACH))
