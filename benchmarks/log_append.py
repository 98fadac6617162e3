"""How many events a second one core appends durably, in batches of 500, chained and sealed. Prints one JSON line.

The events are orders of 10,000 customers, about 1 KB each with three products, as the server builds them. Beside it stand
the 1,000 to 3,000 events a second that Metarank's documentation publishes for its ingestion.

    python -m benchmarks.log_append [--batches 60] [--rounds 5]
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from decisioning.emotion import Feeling, Signal
from features.log import Log, Record, StateRules

BATCH = 500
CUSTOMERS = 10_000
METARANK = 3_000
_RULES = StateRules(signals={"Complaint Opened": Signal(complaint="opened", emotion=Feeling(valence=-0.9, intensity=0.9))})
_BEGINNING = datetime(2018, 1, 1, tzinfo=UTC)


def event(at: int) -> Record:
    """Order number `at`."""
    moment, customer = _BEGINNING + timedelta(seconds=at), f"customer-{at * 7919 % CUSTOMERS}"
    products = [
        {
            "product_id": f"{at * 31 + line}",
            "category": "BAKERY",
            "brand": "private",
            "name": f"A product of department {line}, in its usual size, as the receipt prints it",
            "price": 3.5 + line,
            "quantity": 1,
            "discount": 0.0,
        }
        for line in range(3)
    ]
    properties = {"order_id": f"o{at}", "total": 13.5, "discount": 0.0, "store": "411", "products": products}
    body = {"type": "track", "event": "Order Completed", "messageId": f"m{at}", "userId": customer, "properties": properties}
    return Record(
        kind="event",
        message_id=f"m{at}",
        customer_id=customer,
        event_time=moment,
        known_time=moment,
        payload=msgspec.json.encode(body | {"timestamp": moment, "context": {"library": {"name": "point-of-sale"}}}),
    )


def measured(batches: int) -> float:
    """Events a second into an empty log on the disk of the temporary folder."""
    events = [event(at) for at in range(batches * BATCH)]
    with tempfile.TemporaryDirectory() as folder:
        log = Log(f"sqlite:///{Path(folder) / 'log.db'}", _RULES)
        began = time.perf_counter()
        for start in range(0, len(events), BATCH):
            log.append(events[start : start + BATCH])
        seconds = time.perf_counter() - began
        log.close()
    return len(events) / seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    rate = statistics.median(measured(asked.batches) for _ in range(asked.rounds))
    result = {
        "name": "durable append, batches of 500, chain and encryption on, one core",
        "unit": "events/s",
        "kairos": round(rate),
        "beside": METARANK,
        "other": "Metarank, published",
        "ratio": round(rate / METARANK, 2),
        "rounds": asked.rounds,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
