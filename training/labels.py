"""What happened afterwards, read from the log: the labels that models learn from.

Whoever is labelled was known at `at`, as the customer known then: ids that turned out later to be one are several. What
followed counts when it happened inside the horizon or window, under any id of what turned out to be the same customer.
Where a record says that it happened after it was known, it happened when it was known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TypeVar

import msgspec
import polars as pl

from features import identities
from features.identities import named
from features.known import Known
from features.log import Log
from features.log.records import SEEN
from training.errors import TrainingError
from training.settings import Churn, Preference

_Form = TypeVar("_Form")

Midnight = Callable[[date], datetime]
"""A day's first moment in the brand's time zone, as aware UTC."""

_MOMENT = pl.Datetime("us", "UTC")
_COLUMNS = ("customer_id", "at", "label", "test", "block", "closes_at")
_OFFER_COLUMNS = ("decision_id", "action", "group", "topics", "features")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """`frame`, a row each: customer_id, at (UTC), label (0 or 1), test (bool), block (Int32), closes_at; with more columns
    for offers. Rows stand in the order of at and customer.

    `block` numbers the parts of the training rows from 0; -1 in the test. A block may be predicted by a model that learned
    from the rows of earlier blocks that close (`closes_at`) no later than its first `at`. `counted` says, in words, what
    was left out and what was kept all the same.
    """

    frame: pl.DataFrame
    counted: Mapping[str, int] = field(default_factory=dict)


def churn(log: Log, settings: Churn, *, midnight: Midnight, now: datetime) -> Labels:
    """One row a cut-off and customer active before it; label 1 where no event followed within the horizon.

    Active: an event from at - active_within on that was known before `at`. Followed: an event in [at, at + horizon).
    Raises TrainingError where a cut-off's horizon ends after `now`.
    """
    events, known = _events(log, settings.event), Known(log.links())
    meant = identities.of(known)
    cuts = [*((day, False) for day in settings.train), *((day, True) for day in settings.test)]
    frames = []
    for block, (day, test) in enumerate(cuts):
        at = midnight(day)
        closes_at = at + settings.horizon
        if closes_at > now:
            raise TrainingError(
                f"churn: the {settings.horizon.days} days after the cut-off {day} are not over at {now:%Y-%m-%d %H:%M} UTC; "
                f"choose an earlier cut-off in models.yaml"
            )
        before = (pl.col("at") >= at - settings.active_within) & (pl.col("known_at") < at)
        active = events.filter(before).select("customer_id", at=pl.lit(at, dtype=_MOMENT)).unique()
        active = named(active, meant).unique().with_columns(one=_in_the_end(known))
        back = events.filter((pl.col("at") >= at) & (pl.col("at") < closes_at)).select(one=_in_the_end(known)).unique()
        frames.append(
            active.join(back.with_columns(back=True), on="one", how="left").select(
                "customer_id",
                at=pl.lit(at, dtype=_MOMENT),
                label=pl.col("back").is_null().cast(pl.UInt8),
                test=pl.lit(test),
                block=pl.lit(-1 if test else block, dtype=pl.Int32),
                closes_at=pl.lit(closes_at, dtype=_MOMENT),
            )
        )
    return Labels(frame=pl.concat(frames).sort("at", "customer_id"))


def preference(log: Log, settings: Preference, *, midnight: Midnight, now: datetime) -> Labels:
    """One row an offer at the touchpoint; label 1 where its outcome `success` came before its window closed.

    An offer is an action among the results of a decision. Its window is the success window that the decision states, from
    the moment it was to be sent or, where later, was seen; where none is stated, the window ends when the offer expires.
    Only offers that were seen count: those of imported decisions, and those with an outcome that shows it. What a machine
    opened or clicked was seen, and is no success.

    Training takes offers decided in `train` whose window closed before the first test offer was made; the others are purged.
    The test takes all offers decided in `test`, also those whose window is still open at `now`, with what is known of them:
    leaving them out would favour short campaigns.

    More columns: decision_id, action, group, topics (list of text), features (the offer's features as JSON text).
    """
    offers, outcomes = _offers(log, settings.touchpoint), _outcomes(log, settings.touchpoint)
    if offers.is_empty():
        raise TrainingError(
            f"preference: the log holds no decision with an offer at the touchpoint {settings.touchpoint!r}; "
            f"import past messages, or name another touchpoint in models.yaml"
        )
    key = ["decision_id", "action"]
    seen = outcomes.filter(pl.col("outcome").is_in(sorted(SEEN))).group_by(key).agg(seen_at=pl.col("outcome_at").min())
    success = (
        outcomes.filter(pl.col("outcome") == settings.success, ~pl.col("machine"))
        .group_by(key)
        .agg(success_at=pl.col("outcome_at").min())
    )
    opens_at = pl.max_horizontal("send_at", "seen_at")
    labelled = (
        offers.join(seen, on=key, how="left")
        .join(success, on=key, how="left")
        .with_columns(closes_at=pl.coalesce(opens_at + pl.col("window"), "expires_at", "at"))
        .with_columns(label=((pl.col("success_at") <= pl.col("closes_at")).fill_null(value=False)).cast(pl.UInt8))
    )
    shown = labelled.filter(pl.col("imported") | pl.col("seen_at").is_not_null())
    tested = shown.filter(_within(settings.test.start, settings.test.until, midnight))
    taught = shown.filter(_within(settings.train.start, settings.train.until, midnight))
    first_test = tested["at"].min() if tested.height else midnight(settings.test.start)
    closed = taught.filter(pl.col("closes_at") <= pl.lit(first_test, dtype=_MOMENT))
    edges = [midnight(day) for day in settings.folds]
    block = pl.sum_horizontal(pl.lit(0), *((pl.col("at") >= edge).cast(pl.Int32) for edge in edges)).cast(pl.Int32)
    frame = pl.concat(
        [
            closed.with_columns(test=pl.lit(False), block=block),
            tested.with_columns(test=pl.lit(True), block=pl.lit(-1, dtype=pl.Int32)),
        ]
    )
    frame = named(frame, identities.of(Known(log.links())))
    return Labels(
        frame=frame.select(*_COLUMNS, *_OFFER_COLUMNS).sort("at", "customer_id", "decision_id", "action"),
        counted={
            "offers never seen by anyone": labelled.height - shown.height,
            "training offers whose window closed after the first test offer was made": taught.height - closed.height,
            "test offers whose window is still open, taken as known so far": tested.filter(pl.col("closes_at") > now).height,
        },
    )


def _in_the_end(known: Known) -> pl.Expr:
    """The customer whom an id means by everything that is known."""
    return pl.col("customer_id").replace(dict(known.last())) if known else pl.col("customer_id")


def _within(start: date, until: date, midnight: Midnight) -> pl.Expr:
    return (pl.col("at") >= midnight(start)) & (pl.col("at") < midnight(until))


class _Event(msgspec.Struct):
    event: str | None = None


class _Offer(msgspec.Struct):
    kind: str
    action: str | None = None
    group: str | None = None
    topics: list[str] = []
    features: msgspec.Raw = msgspec.Raw(b"{}")
    send_at: datetime | None = None
    expires_at: datetime | None = None
    window_us: int | None = None


class _Decision(msgspec.Struct):
    decision_id: str
    touchpoint: str
    origin: str
    results: list[_Offer]


class _Outcome(msgspec.Struct):
    outcome: str
    touchpoint: str | None = None
    decision_id: str | None = None
    action: str | None = None
    machine: bool | None = None


def _events(log: Log, name: str) -> pl.DataFrame:
    """customer_id, at, known_at of the events with this name."""
    records, said = _records(log, "event", _Event)
    named = pl.Series("named", [one is not None and one.event == name for one in said], dtype=pl.Boolean)
    return records.filter(named).drop_nulls("customer_id")


def _offers(log: Log, touchpoint: str) -> pl.DataFrame:
    """A row an offer made at the touchpoint."""
    records, said = _records(log, "decision", _Decision)
    rows = [
        (
            row,
            decision.decision_id,
            decision.origin == "imported",
            offer.action,
            offer.group or offer.action,
            offer.topics,
            bytes(offer.features).decode(),
            offer.send_at,
            offer.expires_at,
            None if offer.window_us is None else timedelta(microseconds=offer.window_us),
        )
        for row, decision in enumerate(said)
        if decision is not None and decision.touchpoint == touchpoint
        for offer in decision.results
        if offer.kind == "action"
    ]
    made = pl.DataFrame(rows, schema=_OFFERS, orient="row")
    return made.join(records.with_row_index("row"), on="row").drop_nulls("customer_id").drop("row")


def _outcomes(log: Log, touchpoint: str) -> pl.DataFrame:
    """decision_id, action, outcome, machine, outcome_at of the outcomes tied to a decision at the touchpoint."""
    records, said = _records(log, "outcome", _Outcome)
    tied = [one is not None and one.touchpoint in (touchpoint, None) and one.decision_id is not None for one in said]
    kept = [one for one, is_tied in zip(said, tied, strict=True) if is_tied and one is not None]
    return pl.DataFrame(
        {name: [getattr(one, name) for one in kept] for name in ("decision_id", "action", "outcome")}
        | {"machine": [bool(one.machine) for one in kept]},
        schema={"decision_id": pl.String, "action": pl.String, "outcome": pl.String, "machine": pl.Boolean},
    ).with_columns(outcome_at=records.filter(pl.Series(tied, dtype=pl.Boolean))["at"])


_OFFERS: dict[str, pl.DataType | type[pl.DataType]] = {
    "row": pl.UInt32,
    "decision_id": pl.String,
    "imported": pl.Boolean,
    "action": pl.String,
    "group": pl.String,
    "topics": pl.List(pl.String),
    "features": pl.String,
    "send_at": _MOMENT,
    "expires_at": _MOMENT,
    "window": pl.Duration("us"),
}


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
        "customer_id", at=pl.min_horizontal("at", "known_at").cast(_MOMENT), known_at=pl.col("known_at").cast(_MOMENT)
    )
    decoder = msgspec.json.Decoder(form)
    return moments, [_read(decoder, payload) for payload in columns["payload"]]


def _read(decoder: msgspec.json.Decoder[_Form], payload: bytes) -> _Form | None:
    try:
        return decoder.decode(payload)
    except msgspec.MsgspecError:  # one unreadable record must not stop training; ingest refuses malformed ones
        return None
