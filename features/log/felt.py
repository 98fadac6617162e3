"""What was felt in a customer's own words, as their record keeps it: folding reads this, never the words."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from decisioning.emotion import Feeling
from features.log.records import Record

FELT = "felt"
"""The member of a payload that holds the feeling. Nobody outside may write it."""
SAID = "customer_said"
"""The field of a note that holds the customer's own words. What a colleague writes elsewhere in it is not felt."""


class _Felt(msgspec.Struct, frozen=True):
    valence: float
    intensity: float
    confidence: float
    of: str


def with_feeling(record: Record, feeling: Feeling, *, by: str, of: str) -> Record:
    """The record with the feeling in the words of the property `of`, as `by` read it. Its payload is an object without one."""
    felt = {"valence": feeling.valence, "intensity": feeling.intensity, "confidence": feeling.confidence, "by": by, "of": of}
    member = msgspec.json.encode({FELT: felt})
    return replace(record, payload=record.payload.rstrip()[:-1] + b"," + member[1:])


def feeling_of(body: Mapping[str, Any], of: str | None) -> Feeling | None:
    """The feeling that a record's body keeps of the words of a property; None where it keeps none, or one of another."""
    kept = body.get(FELT)
    if kept is None or of is None:
        return None
    try:
        found = msgspec.convert(kept, _Felt)
        return (
            Feeling(valence=found.valence, intensity=found.intensity, confidence=found.confidence) if found.of == of else None
        )
    except (msgspec.ValidationError, ValueError):
        # records of before this was kept may hold whatever their sender called so
        return None
