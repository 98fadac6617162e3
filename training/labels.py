"""What happened afterwards, read from the log: the labels that models learn from.

Whoever is labelled was known at `at`, as the customer known then: ids that turned out later to be one are several. What
followed counts when it happened inside the horizon or window, under any id of what turned out to be the same customer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import polars as pl

from features import identities
from features.identities import named
from features.known import Known
from features.log import Log
from features.log.records import SEEN
from features.rows import RowSpec
from training import records
from training.errors import TrainingError
from training.records import MOMENT
from training.settings import Churn, Offers, Preference, Value
from training.timing import About

Midnight = Callable[[date], datetime]
"""A day's first moment in the brand's time zone, as aware UTC."""

_COLUMNS = ("customer_id", "at", "label", "test", "block", "closes_at")
_OFFER_COLUMNS = ("decision_id", "action", "group", "topics", "features")
_WINDOW_COLUMNS = ("known_share", "success_share")


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """`frame`, a row each: customer_id, at (UTC), label (0 or 1), test (bool), block (Int32), closes_at; with more columns
    for offers. Rows stand in the order of at and customer.

    `block` numbers the parts of the training rows from 0; -1 in the test. A block may be predicted by a model that learned
    from the rows of earlier blocks that close (`closes_at`) no later than its first `at`. `counted` says, in words, what
    was left out and what was kept all the same. `timing` says of what a model of timing will be, and `row` in which columns,
    where models.yaml does not.
    """

    frame: pl.DataFrame
    counted: Mapping[str, int] = field(default_factory=dict)
    timing: About | None = None
    row: RowSpec | None = None


def churn(log: Log, settings: Churn, *, midnight: Midnight, now: datetime) -> Labels:
    """One row a cut-off and customer active before it; label 1 where no event followed within the (first) horizon.

    Active: an event from at - active_within on that was known before `at`. Followed: an event in [at, at + horizon).
    Raises TrainingError where a cut-off's horizon ends after `now`.
    """
    frame = _cut_offs(log, records.events(log, settings.event), settings, settings.horizons[0], midnight=midnight, now=now)
    return Labels(frame=frame.with_columns(label=pl.col("followed").is_null().cast(pl.UInt8)).drop("followed"))


def value(log: Log, settings: Value, *, midnight: Midnight, now: datetime) -> Labels:
    """One row a cut-off and customer active before it, as for churn; label 1 where what followed adds up to more than 0.

    One more column, `amount`: the sum of what followed within the horizon, times the margin, 0 where nothing did.
    """
    spent = records.amounts(log, settings.event, settings.amount)
    frame = _cut_offs(log, spent, settings, settings.horizon, midnight=midnight, now=now)
    frame = frame.with_columns(amount=pl.col("followed").fill_null(0.0) * settings.margin).drop("followed")
    return Labels(frame=frame.with_columns(label=(pl.col("amount") > 0).cast(pl.UInt8)))


def _cut_offs(
    log: Log, events: pl.DataFrame, settings: Churn | Value, horizon: timedelta, *, midnight: Midnight, now: datetime
) -> pl.DataFrame:
    """All of the columns of labels but the label; `followed` is the sum of the amounts of what followed (without amounts: how
    many did), null where nothing did.
    """
    known = Known(log.links())
    meant = identities.of(known)
    said = pl.col("amount") if "amount" in events.columns else pl.lit(1.0)
    cuts = [*((day, False) for day in settings.train), *((day, True) for day in settings.test)]
    frames = []
    for block, (day, test) in enumerate(cuts):
        at = midnight(day)
        closes_at = at + horizon
        if closes_at > now:
            raise TrainingError(
                f"the {horizon.days} days after the cut-off {day} are not over at {now:%Y-%m-%d %H:%M} UTC; "
                f"choose an earlier cut-off in models.yaml"
            )
        before = (pl.col("at") >= at - settings.active_within) & (pl.col("known_at") < at)
        active = events.filter(before).select("customer_id", at=pl.lit(at, dtype=MOMENT)).unique()
        active = named(active, meant).unique().with_columns(one=in_the_end(known))
        after = events.filter((pl.col("at") >= at) & (pl.col("at") < closes_at)).select(one=in_the_end(known), said=said)
        back = after.group_by("one").agg(followed=pl.col("said").sum())
        frames.append(
            active.join(back, on="one", how="left").select(
                "customer_id",
                "followed",
                at=pl.lit(at, dtype=MOMENT),
                test=pl.lit(test),
                block=pl.lit(-1 if test else block, dtype=pl.Int32),
                closes_at=pl.lit(closes_at, dtype=MOMENT),
            )
        )
    return pl.concat(frames).sort("at", "customer_id")


def preference(log: Log, settings: Preference, *, midnight: Midnight, now: datetime) -> Labels:
    """One row an offer at the touchpoint; label 1 where its outcome `success` came before its window closed.

    An offer is an action among the results of a decision. Its window is the success window that the decision states, from
    the moment it was to be sent or, where later, was seen; where none is stated, the window ends when the offer expires.
    Only offers that were seen count: those of imported decisions, and those with an outcome that shows it. What a machine
    opened or clicked was seen, and is no success.

    Training takes offers decided in `train` whose window closed before the first test offer was made; the others are purged.
    The test takes all offers decided in `test`, also those whose window is still open at `now`, with what is known of them:
    leaving them out would favour short campaigns.

    More columns: decision_id, action, group, topics (list of text), features (the offer's features as JSON text), known_share
    (the share of the window that is over at `now`, 0 to 1) and success_share (after which share of the window the success
    came, null where none did).
    """
    offers, outcomes = records.offers(log, settings.touchpoint), records.outcomes(log, settings.touchpoint)
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
    began = pl.coalesce(pl.when(pl.col("window").is_not_null()).then(opens_at), "send_at", "at")
    labelled = (
        offers.join(seen, on=key, how="left")
        .join(success, on=key, how="left")
        .with_columns(closes_at=pl.coalesce(opens_at + pl.col("window"), "expires_at", "at"))
        .with_columns(label=((pl.col("success_at") <= pl.col("closes_at")).fill_null(value=False)).cast(pl.UInt8))
        .with_columns(
            known_share=_share(pl.lit(now, dtype=MOMENT), began),
            success_share=pl.when(pl.col("label") == 1).then(_share(pl.col("success_at"), began)),
        )
    )
    shown = labelled.filter(pl.col("imported") | pl.col("seen_at").is_not_null())
    tested = shown.filter(within(settings.test.start, settings.test.until, midnight))
    taught = shown.filter(within(settings.train.start, settings.train.until, midnight))
    first_test = tested["at"].min() if tested.height else midnight(settings.test.start)
    closed = taught.filter(pl.col("closes_at") <= pl.lit(first_test, dtype=MOMENT))
    frame = named(numbered(closed, tested, settings, midnight), identities.of(Known(log.links())))
    return Labels(
        frame=frame.select(*_COLUMNS, *_OFFER_COLUMNS, *_WINDOW_COLUMNS).sort("at", "customer_id", "decision_id", "action"),
        counted={
            "offers never seen by anyone": labelled.height - shown.height,
            "training offers whose window closed after the first test offer was made": taught.height - closed.height,
            "test offers whose window is still open, taken as known so far": tested.filter(pl.col("closes_at") > now).height,
        },
    )


def _share(moment: pl.Expr, began: pl.Expr) -> pl.Expr:
    """The share of an offer's window that is over at a moment, 0 to 1; all of a window without length."""
    length = (pl.col("closes_at") - began).dt.total_microseconds()
    gone = (moment - began).dt.total_microseconds()
    return pl.when(length > 0).then((gone / length).clip(0.0, 1.0)).otherwise(1.0)


def numbered(taught: pl.DataFrame, tested: pl.DataFrame, settings: Offers, midnight: Midnight) -> pl.DataFrame:
    """Training and test rows in one, with `test` and the `block` that each is in by the beginnings of the folds."""
    edges = [midnight(day) for day in settings.folds]
    block = pl.sum_horizontal(pl.lit(0), *((pl.col("at") >= edge).cast(pl.Int32) for edge in edges)).cast(pl.Int32)
    parts = (
        taught.with_columns(test=pl.lit(False), block=block),
        tested.with_columns(test=pl.lit(True), block=pl.lit(-1, dtype=pl.Int32)),
    )
    return pl.concat(parts)


def in_the_end(known: Known) -> pl.Expr:
    """The customer whom an id means by everything that is known."""
    return pl.col("customer_id").replace(dict(known.last())) if known else pl.col("customer_id")


def within(start: date, until: date, midnight: Midnight) -> pl.Expr:
    """Whether a row is of a period."""
    return (pl.col("at") >= midnight(start)) & (pl.col("at") < midnight(until))
