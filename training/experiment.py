"""Decisions that said something beside those that said nothing though they might have: the labels of uplift."""

import hashlib
from datetime import datetime

import polars as pl

from features import identities
from features.identities import named
from features.known import Known
from features.log import Log
from features.log.records import SEEN
from training import records
from training.errors import TrainingError
from training.labels import Labels, Midnight, in_the_end, numbered, within
from training.records import MOMENT
from training.settings import Uplift

_COLUMNS = (
    "customer_id",
    "at",
    "label",
    "treated",
    "test",
    "block",
    "closes_at",
    "decision_id",
    "action",
    "topics",
    "features",
    "share",
)


def uplift(log: Log, settings: Uplift, *, midnight: Midnight, now: datetime) -> Labels:
    """One row a live decision at the touchpoint; label 1 where an event of the customer followed within the window.

    `treated`: an offer was shown that needed not be said (the first of several). Not treated: the control group, at a decision
    that said nothing, and others at one where something passed the rules and nothing was chosen. Such a row holds, as action,
    topics and features, an offer that was shown to a treated one of the same part of the data, drawn by its decision id: what
    is like a message is then alike on both sides.

    `share` is the probability that something would be said: what the decision logged before its choice, times the share of
    those not in the control group. It is null of the control group, for which nothing was worked out, and where a record holds
    none: there the model learns from the profile who is told something. So one assumption remains, that what decides over
    silence beyond logged chance is among the columns.

    Left out: decisions where nothing passed the rules (there is nothing to compare them with), windows
    that were not over at `now`, and training rows whose window closed after the first test decision.

    Raises TrainingError where nothing live was ever shown at the touchpoint.
    """
    shown = _shown(log, settings.touchpoint)
    if shown.is_empty():
        raise TrainingError(
            f"uplift: the log holds no live decision with a message that was shown at the touchpoint {settings.touchpoint!r}; "
            f"let the engine decide there first, or name another touchpoint in models.yaml"
        )
    without = records.left_without(log, settings.touchpoint).with_columns(treated=pl.lit(False))
    known = Known(log.links())
    both = pl.concat([shown.with_columns(treated=pl.lit(True)), without], how="diagonal")
    both = both.join(records.chances(log, settings.touchpoint), on="decision_id", how="left")
    both = both.with_columns(share=pl.col("share") * (1 - without["control"].sum() / both.height))
    both = both.with_columns(closes_at=pl.col("at") + settings.window)
    over = both.filter(pl.col("closes_at") <= pl.lit(now, dtype=MOMENT))
    tested = over.filter(within(settings.test.start, settings.test.until, midnight))
    taught = over.filter(within(settings.train.start, settings.train.until, midnight))
    first_test = tested["at"].min() if tested.height else midnight(settings.test.start)
    closed = taught.filter(pl.col("closes_at") <= pl.lit(first_test, dtype=MOMENT))
    frame = _paired(numbered(closed, tested, settings, midnight).sort("at", "decision_id"))
    frame = _labelled(frame, records.events(log, settings.event), known)
    return Labels(
        frame=named(frame, identities.of(known)).select(_COLUMNS).sort("at", "customer_id", "decision_id"),
        counted={
            "decisions of the control group": int(without["control"].sum()),
            "decisions that said nothing by choice, taken as without a message": int((~without["control"]).sum()),
            "decisions whose window is not over": both.height - over.height,
            "training decisions whose window closed after the first test decision": taught.height - closed.height,
        },
    )


def _shown(log: Log, touchpoint: str) -> pl.DataFrame:
    """The first offer of each live decision that was seen and needed not be said."""
    offers, outcomes = records.offers(log, touchpoint), records.outcomes(log, touchpoint)
    key = ["decision_id", "action"]
    seen = outcomes.filter(pl.col("outcome").is_in(sorted(SEEN))).select(key).unique()
    made = offers.filter(~pl.col("imported"), ~pl.col("mandatory")).join(seen, on=key, how="semi", maintain_order="left")
    one = made.unique("decision_id", keep="first", maintain_order=True)
    return one.select("customer_id", "at", "known_at", "decision_id", "action", "topics", "features")


def _paired(frame: pl.DataFrame) -> pl.DataFrame:
    """Rows without an offer get one of a treated row of their block."""
    parts = []
    for part in frame.partition_by("block", maintain_order=True):
        offered = part.filter("treated").select("action", "topics", "features")
        left = part.filter(~pl.col("treated"))
        if offered.is_empty():
            nothing = {"action": pl.lit(""), "topics": pl.lit([], dtype=pl.List(pl.String)), "features": pl.lit("{}")}
            parts.append(part.with_columns(**nothing))
            continue
        drawn = [_draw(name, offered.height) for name in left["decision_id"]]
        parts += [part.filter("treated"), left.with_columns(offered[drawn])]
    return pl.concat(parts)


def _draw(name: str, many: int) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % many


def _labelled(frame: pl.DataFrame, events: pl.DataFrame, known: Known) -> pl.DataFrame:
    came = events.select(came_at="at", one=in_the_end(known)).sort("came_at")
    rows = frame.with_columns(one=in_the_end(known)).sort("at")
    joined = rows.join_asof(came, left_on="at", right_on="came_at", by="one", strategy="forward", check_sortedness=False)
    return joined.with_columns(label=(pl.col("came_at") < pl.col("closes_at")).fill_null(value=False).cast(pl.UInt8))
