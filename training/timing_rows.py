"""What a model of timing learns from: messages that went and were answered or not; visits, where too few were answered."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl

from decisioning.catalog import Touchpoint
from decisioning.customer import FeatureIndex
from decisioning.hours import is_quiet
from decisioning.policy import QuietHours
from features import identities
from features.identities import named
from features.known import Known
from features.log import Log
from features.log.records import SEEN
from features.receptive import EXPECTED, HOUR, WEEK, habits_of
from features.rows import Column, RowSpec
from features.workspace import Workspace
from training import records
from training.errors import TrainingError
from training.folds import FEWEST
from training.labels import Labels, Midnight, in_the_end
from training.records import MOMENT
from training.settings import Timing
from training.timing import PROBABILITY, About

LEAST = 200
"""Answers, and messages without one, below which visits teach instead; visits below which nothing does."""
VISITS_EACH = 2
"""Visits, at most, of one customer after one date: who comes daily is not to speak for all."""

_MONDAY = datetime(2018, 1, 1, tzinfo=UTC)
_COLUMNS = ("customer_id", "at", "label", "test", "block", "closes_at", "topics", "features")


def timing(log: Log, workspace: Workspace, settings: Timing, *, midnight: Midnight, now: datetime) -> Labels:
    """One row a message that went at the touchpoint; label 1 where its customer answered within the window, by no machine.

    Sent: imported, or with an outcome that shows that it reached its customer; what had to be said is left out, since it
    follows what customers do. Its hour is that of `send_at` on the brand's clock. Training takes messages whose window closed
    before the first date of test.

    Where fewer than LEAST in training, or FEWEST in the test, were answered (or were not), one row a visit of a customer
    active before a date, within the horizon, in an hour that is not quiet: label 1. Beside each stands one with label 0, of
    the same customer, at an hour drawn from all that are not quiet, all alike: what tells them apart is the density of visits
    (noise-contrastive estimation, Gutmann and Hyvarinen, AISTATS 2010).

    Raises TrainingError where there are too few visits too, where the touchpoint's channel is not known, or no habit is
    counted.
    """
    zone, channel = workspace.brand.time_zone, _channel(workspace.playbook.catalog.touchpoints, settings.touchpoint)
    row = _row(workspace.profile.index, channel)
    allowed = _allowed(workspace.playbook.policy.contact.quiet_hours)
    messages, counted = _messages(log, settings, midnight=midnight, now=now, zone=zone)
    answers = [_fewest(messages.filter(part)) for part in (~pl.col("test"), pl.col("test"))]
    if answers[0] >= LEAST and answers[1] >= FEWEST:
        frame, of, randomised = messages, "answers", bool(messages[PROBABILITY].is_not_null().all())
        said = "drawn by chance" if randomised else "chosen by a policy: what is said of hours is observational"
        counted = {**counted, f"messages whose hours were {said}": messages.height}
    else:
        frame, of, randomised = _visits(log, settings, allowed, midnight=midnight, now=now, zone=zone), "visits", False
        few = (
            f"messages answered, or not where these are fewer: under {LEAST} in training or {FEWEST} in the test, visits teach"
        )
        counted = {**counted, few: sum(answers)}
        if (seen := frame.filter(~pl.col("test")).height // 2) < LEAST:
            raise TrainingError(
                f"timing: the log has {sum(answers)} answers to messages at {settings.touchpoint!r} and {seen} visits "
                f"({settings.event}) after the dates of train, and {LEAST} of either are needed; take in more history, or "
                f"leave timing out of models.yaml: the habits of customers then choose the hours"
            )
    return Labels(
        frame=named(frame, identities.of(Known(log.links()))).select(_COLUMNS).sort("at", "customer_id", "features", "label"),
        counted=counted,
        timing=About(
            channel=channel, learned_from="answers" if of == "answers" else "visits", randomised=randomised, allowed=allowed
        ),
        row=row,
    )


def _messages(
    log: Log, settings: Timing, *, midnight: Midnight, now: datetime, zone: str
) -> tuple[pl.DataFrame, Mapping[str, int]]:
    offers, outcomes = records.offers(log, settings.touchpoint), records.outcomes(log, settings.touchpoint)
    made = offers.filter(~pl.col("mandatory")).unique("decision_id", keep="first", maintain_order=True)
    seen = outcomes.filter(pl.col("outcome").is_in(sorted(SEEN)))
    went = made.join(seen.select("decision_id", went=pl.lit(True)).unique(), on="decision_id", how="left")
    went = went.filter(pl.col("imported") | pl.col("went")).with_columns(sent_at=pl.coalesce("send_at", "at"))
    answered = outcomes.filter(pl.col("outcome").is_in(settings.success), ~pl.col("machine"))
    answered = answered.group_by("decision_id").agg(answered_at=pl.col("outcome_at").min())
    closes_at = pl.col("sent_at") + settings.window
    rows = went.join(answered, on="decision_id", how="left", maintain_order="left").with_columns(
        closes_at=closes_at, label=(pl.col("answered_at") <= closes_at).fill_null(value=False).cast(pl.UInt8)
    )
    over = rows.filter(pl.col("closes_at") <= pl.lit(now, dtype=MOMENT))
    edges, tests = [midnight(day) for day in settings.train], [midnight(day) for day in settings.test]
    until_test = (pl.col("at") >= edges[0]) & (pl.col("at") < tests[0])
    taught = over.filter(until_test, pl.col("closes_at") <= tests[0])
    tested = over.filter(pl.any_horizontal((pl.col("at") >= at) & (pl.col("at") < at + settings.horizon) for at in tests))
    block = pl.sum_horizontal((pl.col("at") >= edge).cast(pl.Int32) for edge in edges) - 1
    frame = pl.concat(
        [
            taught.with_columns(test=pl.lit(False), block=block.cast(pl.Int32)),
            tested.with_columns(test=pl.lit(True), block=pl.lit(-1, dtype=pl.Int32)),
        ]
    ).with_columns(_hour_of("sent_at", zone))
    counted = {
        "messages of which nothing shows that they arrived": made.height - went.height,
        "messages whose window was not over": rows.height - over.height,
        "training messages whose window closed after the test began": over.filter(until_test).height - taught.height,
    }
    return _described(frame), counted


def _visits(
    log: Log, settings: Timing, allowed: tuple[bool, ...], *, midnight: Midnight, now: datetime, zone: str
) -> pl.DataFrame:
    events, known = records.events(log, settings.event), Known(log.links())
    came = events.select(one=in_the_end(known), came_at="at").with_columns(_hour_of("came_at", zone))
    came = came.filter(pl.col(HOUR).is_in([hour for hour in range(WEEK) if allowed[hour]]))
    random, frames = np.random.default_rng(settings.parameters.seed), []
    cuts = [*((day, False) for day in settings.train), *((day, True) for day in settings.test)]
    for block, (day, test) in enumerate(cuts):
        at = midnight(day)
        if at + settings.horizon > now:
            raise TrainingError(
                f"timing: the {settings.horizon.days} days after {day} are not over at {now:%Y-%m-%d %H:%M} UTC; choose "
                f"earlier dates in models.yaml"
            )
        before = (pl.col("at") >= at - settings.active_within) & (pl.col("known_at") < at)
        active = named(events.filter(before).select("customer_id", at=pl.lit(at, dtype=MOMENT)), identities.of(known)).unique()
        after = came.filter((pl.col("came_at") >= at) & (pl.col("came_at") < at + settings.horizon))
        found = active.with_columns(one=in_the_end(known)).join(after, on="one").sort("customer_id", "came_at")
        drawn = found.with_columns(order=pl.Series(random.permutation(found.height))).sort("order")
        few = drawn.group_by("customer_id", maintain_order=True).head(VISITS_EACH)
        frames.append(
            few.with_columns(
                test=pl.lit(test),
                block=pl.lit(-1 if test else block, dtype=pl.Int32),
                closes_at=pl.lit(at + settings.horizon, dtype=MOMENT),
                label=pl.lit(1, dtype=pl.UInt8),
            )
        )
    visits = pl.concat(frames)
    hours = random.choice(np.flatnonzero(allowed), visits.height)
    others = visits.with_columns(pl.Series(HOUR, hours, dtype=pl.Int64), label=pl.lit(0, dtype=pl.UInt8))
    return _described(pl.concat([visits, others]))


def _described(frame: pl.DataFrame) -> pl.DataFrame:
    """With the hour, and what was known of it, as an offer's features: the one form in which rows are built."""
    # what was expected of some messages only would tell them from the others
    whole = [name for name in (EXPECTED, PROBABILITY) if name in frame.columns and not frame[name].has_nulls()]
    names = [HOUR, *whole]
    features = [
        msgspec.json.encode({name: one for name, one in row.items() if one is not None}).decode()
        for row in frame.select(names).iter_rows(named=True)
    ]
    return frame.with_columns(features=pl.Series(features, dtype=pl.String), topics=pl.lit([], dtype=pl.List(pl.String)))


def _hour_of(moment: str, zone: str) -> pl.Expr:
    """The hour of the week on a zone's clock: an hour that comes twice is one."""
    local = pl.col(moment).dt.convert_time_zone(zone)
    return ((local.dt.weekday() - 1).cast(pl.Int64) * 24 + local.dt.hour()).alias(HOUR)


def _allowed(quiet: QuietHours | None) -> tuple[bool, ...]:
    """The hours that do not begin in quiet ones; all, where none is left: then nothing is ever sent."""
    loud = tuple(not is_quiet(_MONDAY + timedelta(hours=hour), quiet) for hour in range(WEEK))
    return loud if any(loud) else (True,) * WEEK


def _fewest(frame: pl.DataFrame) -> int:
    """How many were answered, or were not where these are fewer."""
    answered = int(frame["label"].sum())
    return min(answered, frame.height - answered)


def _channel(touchpoints: Mapping[str, Touchpoint], name: str) -> str:
    """That of a touchpoint whose messages can wait."""
    outbound = [one for one, touchpoint in touchpoints.items() if touchpoint.direction == "outbound"]
    if name not in outbound:
        known = f"name one of {', '.join(outbound)}" if outbound else "leave timing out: no touchpoint is outbound"
        raise TrainingError(f"timing: touchpoints.yaml has no outbound touchpoint {name!r}; in models.yaml, {known}")
    return touchpoints[name].channel


def _row(index: FeatureIndex, channel: str) -> RowSpec:
    habits = [name for name in habits_of(channel) if name in index.positions]
    if not habits:
        raise TrainingError(
            "timing: profile.yaml counts no habits; add 'hour_{hour}' and 'day_{day}' (split by hour and day), or "
            "'answers_{channel}_{hour}' and 'answers_{channel}_{day}', as examples/grocer/profile.yaml does"
        )
    customer = (Column(name=name, side="customer", of=name) for name in habits)
    return RowSpec((*customer, *(Column(name=name, side="action", of=name) for name in (HOUR, EXPECTED, PROBABILITY))))
