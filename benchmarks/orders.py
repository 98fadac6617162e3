"""An order as a till sends it: the record that benchmarks append."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from features.log import Record


def order(number: int, customer: str, at: datetime, products: Sequence[Mapping[str, Any]], **properties: Any) -> Record:
    """Order `number` of a customer, known when it happened."""
    body = {
        "type": "track",
        "event": "Order Completed",
        "messageId": f"m{number}",
        "userId": customer,
        "timestamp": at,
        "properties": {**properties, "products": products},
    }
    return Record(
        kind="event",
        message_id=f"m{number}",
        customer_id=customer,
        event_time=at,
        known_time=at,
        payload=msgspec.json.encode(body),
    )
