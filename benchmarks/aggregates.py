"""Decayed aggregates over many events beside hand-written Polars: the running values, as a build keeps them.

Both sides start from decoded columns in memory (customer, when it happened, when it became known, what it was, number, topic,
touchpoint) in the order in which records became known, some late, and end with a frame a view: for each customer and moment
what was known from then on. Ours is what `features build` does after reading the log. Polars is also timed making the last
values only, which is less than ours is asked to do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl

from benchmarks.entry import Entry, Size, in_turns, less_is_better, median, timed
from features.decay import DAY_US
from features.facts import Batch, Reader
from features.history import frame_of, part_of
from features.log.records import microseconds
from tests.features.worlds import START, ZONE, spec

_TOPICS, _TOUCHPOINTS, _DAYS = 8, 6, 365
_CHUNK = 50_000  # records that a build reads at a time
_ORDER, _RATING = "event:Order Completed", "event:Satisfaction Rated"
_PROFILE = f"""
topics: {{{", ".join(f"t{at}: [T{at}]" for at in range(_TOPICS))}}}
touchpoints: {{{", ".join(f"p{at}: c{at}" for at in range(_TOUCHPOINTS))}}}
views:
  orders:
    purpose: personalisation
    on: {{event: Order Completed}}
    features:
      orders_7d: {{sum: 1, half_life: 7d}}
      orders_30d: {{sum: 1, half_life: 30d}}
      orders_90d: {{sum: 1, half_life: 90d}}
      spend_7d: {{sum: total, half_life: 7d}}
      spend_30d: {{sum: total, half_life: 30d}}
      spend_90d: {{sum: total, half_life: 90d}}
      points: {{sum: total}}
      since_order: {{since: last}}
      tenure: {{since: first}}
      "spend_{{topic}}": {{sum: products.price, by: topic, half_life: 90d}}
      "orders_{{touchpoint}}": {{sum: 1, by: touchpoint, half_life: 30d}}
  ratings:
    purpose: personalisation
    on: {{event: Satisfaction Rated}}
    features:
      "rated_{{touchpoint}}": {{sum: rating, by: touchpoint, half_life: 90d}}
      "ratings_{{touchpoint}}": {{count: rating, by: touchpoint, half_life: 90d}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sizes:
    events: int
    customers: int
    rounds: int


_SIZES: Mapping[Size, _Sizes] = {
    "full": _Sizes(events=5_000_000, customers=100_000, rounds=3),
    "quick": _Sizes(events=500_000, customers=10_000, rounds=3),
    "tiny": _Sizes(events=2_000, customers=50, rounds=1),
}


def measured(size: Size) -> list[Entry]:
    sizes = _SIZES[size]
    events = _events(sizes)
    batches = [_batch(events.slice(start, _CHUNK)) for start in range(0, events.height, _CHUNK)]
    _same(kairos(batches), running(events), last(events))
    sides = {
        "kairos": lambda: timed(lambda: kairos(batches)),
        "running": lambda: timed(lambda: running(events)),
        "last": lambda: timed(lambda: last(events)),
    }
    taken = in_turns(sizes.rounds, sides)
    columns = sum(len(table.columns) for table in spec(_PROFILE).tables)
    return [
        less_is_better(
            name=f"running decayed aggregates over {sizes.events:,} events x {columns}",
            unit=unit,
            kairos=median([getattr(one, of) for one in taken["kairos"]]),
            beside=median([getattr(one, of) for one in taken[other]]),
            other=f"hand-written Polars, {other} values",
            rounds=sizes.rounds,
        )
        for other in ("running", "last")
        for of, unit in (("cpu_s", "CPU s"), ("wall_s", "s"))
    ]


def kairos(batches: list[Batch]) -> dict[str, pl.DataFrame]:
    profile = spec(_PROFILE)
    reader = Reader(profile)
    return {table.name: frame_of(table, [part_of(table, batch, reader, ZONE) for batch in batches]) for table in profile.tables}


def running(events: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Cumulative sums of numbers that grow with their times; fine for a year, it overflows over decades."""
    start = microseconds(START) - DAY_US
    days = (pl.col("happened") - start) / DAY_US
    as_of = pl.col("happened").cum_max().over("customer_id")
    as_of_days = (as_of - start) / DAY_US

    def decayed(number: pl.Expr, half_life: float) -> pl.Expr:
        summed = (number * (2.0 ** (days / half_life))).cum_sum().over("customer_id")
        return summed * (2.0 ** (-as_of_days / half_life))

    def frame(name: str, columns: Mapping[str, pl.Expr]) -> pl.DataFrame:
        mine = events.lazy().filter(pl.col("name") == name).sort("customer_id", "known", maintain_order=True)
        made = mine.select("customer_id", "known", as_of=as_of, **columns)
        return made.unique(["customer_id", "known"], keep="last", maintain_order=True).collect()

    one, total, topic, place = pl.lit(1.0), pl.col("number"), pl.col("topic"), pl.col("touchpoint")
    orders = {
        **{f"orders_{days}d": decayed(one, days) for days in (7, 30, 90)},
        **{f"spend_{days}d": decayed(total, days) for days in (7, 30, 90)},
        "points": total.cum_sum().over("customer_id"),
        "since_order": (as_of - pl.col("happened").cum_max().over("customer_id")) / DAY_US,
        "tenure": (as_of - pl.col("happened").cum_min().over("customer_id")) / DAY_US,
        **{f"spend_t{at}": decayed(pl.when(topic == at).then(total).otherwise(0.0), 90) for at in range(_TOPICS)},
        **{f"orders_p{at}": decayed(pl.when(place == at).then(1.0).otherwise(0.0), 30) for at in range(_TOUCHPOINTS)},
    }
    ratings = {
        **{f"rated_p{at}": decayed(pl.when(place == at).then(total).otherwise(0.0), 90) for at in range(_TOUCHPOINTS)},
        **{f"ratings_p{at}": decayed(pl.when(place == at).then(1.0).otherwise(0.0), 90) for at in range(_TOUCHPOINTS)},
    }
    return {"orders": frame(_ORDER, orders), "ratings": frame(_RATING, ratings)}


def last(events: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """A group and a sum a margin; what no event touched is null."""

    def weighed(name: str) -> pl.LazyFrame:
        mine = events.lazy().filter(pl.col("name") == name)
        mine = mine.with_columns(as_of=pl.col("happened").max().over("customer_id"))
        days = (pl.col("as_of") - pl.col("happened")) / DAY_US
        return mine.with_columns(**{f"w{half_life}": 2.0 ** (-days / half_life) for half_life in (7, 30, 90)})

    def margin(of: pl.DataFrame, by: str, columns: Mapping[str, pl.Expr], short: str, parts: int) -> list[pl.DataFrame]:
        grouped = of.group_by("customer_id", by).agg(**columns)
        on = [pl.col(by) == at for at in range(parts)]
        wide = [pl.col(name).filter(on[at]).sum().alias(f"{name}_{short}{at}") for name in columns for at in range(parts)]
        return [grouped.group_by("customer_id").agg(wide)]

    number = pl.col("number")
    orders = weighed(_ORDER).collect()
    whole = orders.group_by("customer_id").agg(
        pl.col("as_of").first(),
        *(pl.col(f"w{days}").sum().alias(f"orders_{days}d") for days in (7, 30, 90)),
        *((number * pl.col(f"w{days}")).sum().alias(f"spend_{days}d") for days in (7, 30, 90)),
        points=number.sum(),
        since_order=pl.lit(0.0),
        tenure=(pl.col("as_of").first() - pl.col("happened").min()) / DAY_US,
    )
    margins = [
        *margin(orders, "topic", {"spend": (number * pl.col("w90")).sum()}, "t", _TOPICS),
        *margin(orders, "touchpoint", {"orders": pl.col("w30").sum()}, "p", _TOUCHPOINTS),
    ]
    rated = {"rated": (number * pl.col("w90")).sum(), "ratings": pl.col("w90").sum()}
    ratings = margin(weighed(_RATING).collect(), "touchpoint", rated, "p", _TOUCHPOINTS)
    joined = reduce(lambda left, right: left.join(right, on="customer_id", how="left"), margins, whole)
    return {"orders": joined, "ratings": ratings[0]}


def _events(sizes: _Sizes) -> pl.DataFrame:
    """One in nine is a rating, one in fifty became known late."""
    random = np.random.default_rng(5)
    count = sizes.events
    happened = np.sort(microseconds(START) + random.integers(_DAYS * DAY_US, size=count))
    late = np.where(random.random(count) < 0.02, random.integers(30 * DAY_US, size=count), 0)
    names = pl.Series([_ORDER, _RATING], dtype=pl.String)
    rating = random.random(count) < 1 / 9
    frame = pl.DataFrame(
        {
            "customer_id": pl.Series([f"c{one:07d}" for one in random.integers(sizes.customers, size=count).tolist()]),
            "happened": happened,
            "known": happened + late,
            "name": names.gather(rating.astype(np.uint32)),
            "number": np.where(rating, random.integers(1, 6, size=count), random.exponential(40.0, count)),
            "topic": np.where(rating, -1, random.integers(_TOPICS, size=count)),
            "touchpoint": random.integers(_TOUCHPOINTS, size=count),
        }
    )
    return frame.sort("known", maintain_order=True)


def _batch(events: pl.DataFrame) -> Batch:
    """The same columns as the reader makes of records: an order has one product."""
    reader = Reader(spec(_PROFILE))
    names = events["name"].to_list()
    ordered = (events["name"] == _ORDER).to_numpy()
    number, lines = events["number"].to_numpy(), np.flatnonzero(ordered)
    return Batch(
        customers=events["customer_id"].to_list(),
        moment_us=events["known"].to_numpy(),
        time_us=events["happened"].to_numpy(),
        names=names,
        codes=np.array([reader.names.index(name) for name in names], dtype=np.int64),
        numbers={"total": np.where(ordered, number, np.nan), "rating": np.where(ordered, np.nan, number)},
        line_rows=lines,
        line_topics=events["topic"].to_numpy()[lines],
        line_numbers={"products.price": number[lines]},
        touchpoints=events["touchpoint"].to_numpy(),
        groups=np.full(events.height, -1, dtype=np.int64),
        ahead=0,
    )


def _same(ours: Mapping[str, pl.DataFrame], run: Mapping[str, pl.DataFrame], ends: Mapping[str, pl.DataFrame]) -> None:
    """Stops where the sides do not agree: then there is nothing to compare."""
    for table in spec(_PROFILE).tables:
        mine, other = ours[table.name], run[table.name]
        assert mine["customer_id"].equals(other["customer_id"], null_equal=True), table.name
        newest = mine.unique("customer_id", keep="last", maintain_order=True)
        final = newest.select("customer_id").join(ends[table.name], on="customer_id", how="left", maintain_order="left")
        for name in table.names:
            np.testing.assert_allclose(mine[name].to_numpy(), other[name].to_numpy(), rtol=1e-6, atol=1e-6, err_msg=name)
            np.testing.assert_allclose(
                newest[name].to_numpy(), final[name].fill_null(0.0).to_numpy(), rtol=1e-6, atol=1e-6, err_msg=name
            )
