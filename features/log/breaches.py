"""Broken promises as records: what nobody has said yet, and whoever looks at the customer next sees."""

from datetime import datetime

import msgspec

from decisioning.customer import State
from decisioning.promises import KAIROS, breached
from features.log.forms import PromiseForm
from features.log.message_ids import BREACH
from features.log.records import Record


def breaches(state: State, now: datetime) -> list[Record]:
    """A record for each promise that is overdue and not marked yet: it was broken when it came due, as is known since now.

    Appended while the state is as it was, each breach is recorded once, whoever sees it first.
    """
    records = []
    for promise_id in breached(state.promises, now):
        due = state.promises[promise_id].due
        assert due is not None
        said = PromiseForm(customer_id=state.customer_id, promise_id=promise_id, by=KAIROS, status="broken")
        records.append(
            Record(
                kind="promise",
                message_id=promise_id + BREACH,
                customer_id=state.customer_id,
                event_time=due,
                known_time=now,
                payload=msgspec.json.encode(said),
            )
        )
    return records
