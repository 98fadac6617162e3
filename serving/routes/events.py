"""POST /v1/events: what happened, in the form of the Segment spec."""

from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate

from fastapi import APIRouter

from features.log import AHEAD, EARLIEST, Record
from features.messages import IDS, id_faults, records_of
from serving.ports import Current
from serving.problems import DOCUMENTED, Problem
from serving.schemas import BatchIn, BatchOut, EventIn
from serving.settings import Settings


def router(current: Current, settings: Settings) -> APIRouter:
    routes = APIRouter(prefix="/v1/events", tags=["events"], responses=DOCUMENTED)

    @routes.post("", summary="Take in events")
    def take_in(batch: BatchIn) -> BatchOut:
        """Take in a batch: all of it, or, where one message is at fault, none. Repeated message ids count once."""
        ports = current()
        now = ports.clock.now()
        if len(batch.batch) > settings.max_batch:
            raise Problem(422, "Too many messages", f"send at most {settings.max_batch} messages a call")
        errors = [(f"batch.{at}.{key}", cause) for at, event in enumerate(batch.batch) for key, cause in _faults(event, now)]
        if errors:
            raise Problem(422, "Some messages are at fault", "Nothing of the batch was taken in.", errors=errors)
        taken = [_records(event, now) for event in batch.batch]
        new = ports.log.append(ports.hear([record for records in taken for record in records]))
        ports.profiles.heard({record.customer_id for records in taken for record in records if record.customer_id})
        # a message counts by its first record
        firsts = accumulate((len(records) for records in taken[:-1]), initial=0)
        accepted = sum(new[at] for at in firsts)
        return BatchOut(accepted=accepted, duplicates=len(taken) - accepted)

    return routes


def _faults(event: EventIn, now: datetime) -> Iterator[tuple[str, str]]:
    """(key, cause) of what the schema cannot say."""
    yield from id_faults(event.model_dump(include={"type", "messageId", *IDS}))
    if event.type == "track" and not event.event:
        yield "event", "a track message names its event"
    if event.timestamp is not None and event.timestamp < EARLIEST:
        yield "timestamp", f"is before {EARLIEST:%Y}; send when it happened, as in 2018-01-01T09:00:00Z"
    if event.timestamp is not None and event.timestamp > now + AHEAD:
        yield "timestamp", f"is after the engine's time, {now:%Y-%m-%dT%H:%M:%SZ}"


def _records(event: EventIn, now: datetime) -> tuple[Record, ...]:
    at = event.timestamp or now
    return records_of(event.model_dump(mode="json", exclude_none=True) | {"timestamp": at}, at=at, known=now)
