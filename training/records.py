"""What the log says happened, as frames: events, offers, decisions that said nothing, outcomes. Unreadable records are none.

Where a record says that it happened after it was known, it happened when it was known.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import msgspec
import polars as pl

from decisioning.chance import WHOLE
from features.log import Log

_Form = TypeVar("_Form")

MOMENT = pl.Datetime("us", "UTC")
_LARGEST = 1e15
"""A greater number is no rating."""

BY_CHOICE = "nothing_is_worth_the_attention"
"""Why nothing was said where something might have been."""


def events(log: Log, name: str) -> pl.DataFrame:
    """customer_id, at, known_at of the events with this name."""
    records, said = _records(log, "event", _Event)
    named = pl.Series("named", [one is not None and one.event == name for one in said], dtype=pl.Boolean)
    return records.filter(named).drop_nulls("customer_id")


def amounts(log: Log, name: str, amount: str) -> pl.DataFrame:
    """The same with `amount`, the number among its properties; 0 where it has none."""
    records, said = _records(log, "event", _EventInFull)
    named = [one is not None and one.event == name for one in said]
    numbers = [_number(one.properties.get(amount)) for one, kept in zip(said, named, strict=True) if kept and one is not None]
    found = records.filter(pl.Series("named", named, dtype=pl.Boolean))
    return found.with_columns(amount=pl.Series(numbers, dtype=pl.Float64)).drop_nulls("customer_id")


def rated(log: Log, named: Mapping[str, tuple[str, str]]) -> pl.DataFrame:
    """customer_id, at, known_at, event, text, rating of the events that hold both: `named` tells their properties, by event."""
    records, said = _records(log, "event", _EventInFull)
    rows = [
        (row, event, text, _number(rating))
        for row, event, properties in (
            (row, one.event, one.properties) for row, one in enumerate(said) if one is not None and one.event is not None
        )
        if event in named
        for text, rating in [tuple(properties.get(name) for name in named[event])]
        if isinstance(text, str) and text.strip() and _is_rating(rating)
    ]
    schema = {"row": pl.UInt32, "event": pl.String, "text": pl.String, "rating": pl.Float64}
    found = pl.DataFrame(rows, schema=schema, orient="row")
    return found.join(records.with_row_index("row"), on="row").drop_nulls("customer_id").drop("row")


def offers(log: Log, touchpoint: str) -> pl.DataFrame:
    """A row an offer made at the touchpoint: customer_id, at, known_at, decision_id, imported, mandatory, action, group,
    topics, features (as JSON text), send_at, expires_at, window, expected (the chance of success as predicted then), and
    hour_probability (that with which its hour was drawn, where chance chose it).
    """
    records, said = _records(log, "decision", _Decision)
    rows = [
        (
            row,
            decision.decision_id,
            decision.origin == "imported",
            offer.mandatory,
            offer.action,
            offer.group or offer.action,
            offer.topics,
            bytes(offer.features).decode(),
            offer.send_at,
            offer.expires_at,
            None if offer.window_us is None else timedelta(microseconds=offer.window_us),
            offer.expected,
            offer.hour_probability,
        )
        for row, decision in enumerate(said)
        if decision is not None and decision.touchpoint == touchpoint
        for offer in decision.results
        if offer.kind == "action"
    ]
    made = pl.DataFrame(rows, schema=_OFFERS, orient="row")
    return made.join(records.with_row_index("row"), on="row").drop_nulls("customer_id").drop("row")


def left_without(log: Log, touchpoint: str) -> pl.DataFrame:
    """customer_id, at, known_at, decision_id, `control` of live decisions there that said nothing though they might have: those
    of the control group, and of others where something passed the rules and nothing was chosen.
    """
    records, said = _records(log, "decision", _Decision)
    kept = [one is not None and one.touchpoint == touchpoint and _left(one) for one in said]
    found = [one for one, is_kept in zip(said, kept, strict=True) if is_kept and one is not None]
    return (
        records.filter(pl.Series("kept", kept, dtype=pl.Boolean))
        .with_columns(
            decision_id=pl.Series([one.decision_id for one in found], dtype=pl.String),
            control=pl.Series([one.group == "control" for one in found], dtype=pl.Boolean),
        )
        .drop_nulls("customer_id")
    )


def _left(decision: "_Decision") -> bool:
    if decision.origin == "imported" or any(offer.kind == "action" for offer in decision.results):
        return False
    return decision.group == "control" or any(offer.reason == BY_CHOICE for offer in decision.results)


def chances(log: Log, touchpoint: str) -> pl.DataFrame:
    """decision_id, `share`: the probability, logged before the choice, that a live decision there says something. The control
    group's are not among them: what chance they would have had otherwise was never worked out.
    """
    _, said = _records(log, "decision", _Decision)
    known = [
        (one.decision_id, 1 - one.units[-1] / WHOLE)
        for one in said
        if one is not None and one.touchpoint == touchpoint and one.units and one.group != "control"
    ]
    return pl.DataFrame(known, schema={"decision_id": pl.String, "share": pl.Float64}, orient="row").unique("decision_id")


def outcomes(log: Log, touchpoint: str) -> pl.DataFrame:
    """decision_id, action, outcome, machine, outcome_at of the outcomes tied to a decision at the touchpoint."""
    records, said = _records(log, "outcome", _Outcome)
    tied = [one is not None and one.touchpoint in (touchpoint, None) and one.decision_id is not None for one in said]
    kept = [one for one, is_tied in zip(said, tied, strict=True) if is_tied and one is not None]
    return pl.DataFrame(
        {name: [getattr(one, name) for one in kept] for name in ("decision_id", "action", "outcome")}
        | {"machine": [bool(one.machine) for one in kept]},
        schema={"decision_id": pl.String, "action": pl.String, "outcome": pl.String, "machine": pl.Boolean},
    ).with_columns(outcome_at=records.filter(pl.Series(tied, dtype=pl.Boolean))["at"])


class _Event(msgspec.Struct):
    event: str | None = None


class _EventInFull(msgspec.Struct):
    event: str | None = None
    properties: dict[str, Any] = {}


class _Offer(msgspec.Struct):
    kind: str
    action: str | None = None
    group: str | None = None
    topics: list[str] = []
    features: msgspec.Raw = msgspec.Raw(b"{}")
    send_at: datetime | None = None
    expires_at: datetime | None = None
    window_us: int | None = None
    expected: float | None = None
    hour_probability: float | None = None
    mandatory: bool = False
    reason: str | None = None


class _Decision(msgspec.Struct):
    decision_id: str
    touchpoint: str
    origin: str
    results: list[_Offer]
    group: str | None = None
    units: list[int] = []


class _Outcome(msgspec.Struct):
    outcome: str
    touchpoint: str | None = None
    decision_id: str | None = None
    action: str | None = None
    machine: bool | None = None


_OFFERS: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "decision_id": pl.String,
    "imported": pl.Boolean,
    "mandatory": pl.Boolean,
    "action": pl.String,
    "group": pl.String,
    "topics": pl.List(pl.String),
    "features": pl.String,
    "send_at": MOMENT,
    "expires_at": MOMENT,
    "window": pl.Duration("us"),
    "expected": pl.Float64,
    "hour_probability": pl.Float64,
}


def _is_rating(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= _LARGEST


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0


def _records(log: Log, kind: str, form: type[_Form]) -> tuple[pl.DataFrame, Sequence[_Form | None]]:
    """customer_id, at, known_at of all records of a kind, and beside each row what it says (None where unreadable)."""
    columns = log.columns(kinds=(kind,))
    table = pl.DataFrame(
        {
            "customer_id": pl.Series(columns["customer_id"], dtype=pl.String),
            "at": pl.Series(columns["event_us"], dtype=pl.Int64),
            "known_at": pl.Series(columns["known_us"], dtype=pl.Int64),
        }
    )
    moments = table.select(
        "customer_id", at=pl.min_horizontal("at", "known_at").cast(MOMENT), known_at=pl.col("known_at").cast(MOMENT)
    )
    decoder = msgspec.json.Decoder(form)
    return moments, [_read(decoder, payload) for payload in columns["payload"]]


def _read(decoder: msgspec.json.Decoder[_Form], payload: bytes) -> _Form | None:
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError:  # one unreadable record must not stop training; ingest refuses malformed ones
        return None
