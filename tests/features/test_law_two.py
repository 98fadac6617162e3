"""One definition: what is built offline, what is projected online and what a slow reference says are the same numbers."""

import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import identities, offline
from features.decay import DAY_US
from features.history import history
from features.known import Known
from features.log import Record
from features.log.records import microseconds
from features.packed import PackedStore
from features.projector import Projector
from features.schema import ProfileSpec
from tests.features import brute
from tests.features.memory import GrowingLog, MemoryLog
from tests.features.worlds import (
    DAY,
    IDS,
    RICH,
    START,
    ZONE,
    consent,
    joined_life,
    labels,
    life,
    log_of,
    order,
    outcome,
    rating,
    spec,
    workspace,
)

AFTER = START + 400 * DAY
PROFILE = spec(RICH)
FIRST_PARTY = np.array([feature.source == "first_party" for feature in PROFILE.index.features])


def _slow(records: Sequence[Record], customers: Sequence[str], at: datetime, profile: ProfileSpec = PROFILE) -> np.ndarray:
    return np.array([brute.profile_values(profile, records, who, at) for who in customers])


def _offline(records: Sequence[Record], customers: Sequence[str], at: datetime) -> np.ndarray:
    """By the tables and the ageing, without Feast between them."""
    log = MemoryLog(records)
    known = Known(log.links())
    past = history(log.columns(), PROFILE, ZONE, lambda share: None, known)
    names = identities.named(labels(customers, at), identities.of(known))["customer_id"]
    values, days = np.full((len(customers), len(PROFILE.index)), np.nan), np.zeros((len(customers), len(PROFILE.index)))
    for table in PROFILE.tables:
        if table.source != "first_party":
            continue
        told = past.frames[table.name].filter(pl.col("event_timestamp") < at)
        positions = [PROFILE.index.positions[name] for name in table.names]
        for row, who in enumerate(names):
            mine = told.filter(pl.col("customer_id") == who).tail(1)
            if mine.height:
                values[row, positions] = mine.select(table.names).fill_null(np.nan).row(0)
                days[row, positions] = (microseconds(at) - mine[table.as_of][0]) / DAY_US
    return PROFILE.ageing.aged(values, days, microseconds(at))[:, FIRST_PARTY]


def _online(
    records: Sequence[Record], customers: Sequence[str], at: datetime, *, pauses: Sequence[int] = (), size: int = 2_000
) -> np.ndarray:
    """Followed `size` records at a time, of a log that grows by the parts between `pauses` meanwhile. Ids that name nobody
    have no row."""
    known = [one for one in records if one.known_time < at]
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setattr("features.projector.BATCH", size)
        ends = sorted({*(min(one, len(known)) for one in pauses), len(known)})
        log = GrowingLog([known[start:end] for start, end in pairwise((0, *ends))])
        store = PackedStore(Path(folder) / "online.db", PROFILE)
        follower = Projector(log, store, PROFILE, ZONE)
        for _ in range(len(ends) + 1):
            follower.run_once()
            log.grow()
        names = log.names(customers)
        made = np.stack([store.read(names.get(who, who), at).values for who in customers])[:, FIRST_PARTY]
        assert not any(store.read(who, at).known for who in names)
        store.close()
    return made


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 30), st.integers(0, 24 * 420))
def test_offline_online_and_the_slow_reference_are_equal_in_any_small_world(seed: int, count: int, hour: int) -> None:
    records = life(np.random.default_rng(seed), customers=2, records=count)
    at, customers = START + timedelta(hours=hour), ["c0", "c1"]
    expected = _slow(records, customers, at)
    for made in (_offline(records, customers, at), _online(records, customers, at)):
        np.testing.assert_array_equal(np.isnan(made), np.isnan(expected))
        np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-30)


@settings(max_examples=100, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    count=st.integers(0, 20),
    links=st.integers(1, 6),
    hour=st.integers(0, 24 * 420),
    pauses=st.lists(st.integers(0, 26), max_size=4),
    size=st.sampled_from([1, 2, 5, 2_000]),
    shuffled=st.booleans(),
)
def test_they_are_equal_when_ids_become_one_customer_and_part_again_however_the_log_is_followed(
    seed: int, count: int, links: int, hour: int, pauses: list[int], size: int, shuffled: bool
) -> None:
    random = np.random.default_rng(seed)
    records, at = joined_life(random, records=count, links=links), START + timedelta(hours=hour)
    if shuffled:  # imported in another order than they became known
        records = [records[place] for place in random.permutation(len(records))]
    expected = _slow(records, IDS, at)
    for made in (_offline(records, IDS, at), _online(records, IDS, at, pauses=pauses, size=size)):
        np.testing.assert_array_equal(np.isnan(made), np.isnan(expected))
        np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-30)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), links=st.integers(1, 6), day=st.integers(0, 400))
def test_the_slow_reference_names_customers_as_the_fast_one_does(seed: int, links: int, day: int) -> None:
    records, at = joined_life(np.random.default_rng(seed), records=0, links=links), START + day * DAY
    known = [record for record in records if record.known_time < at]
    for one in IDS:
        customer = MemoryLog(known).customer(one)
        assert (customer.name, set(customer.members)) == (brute.name(known, one), brute.same(known, one))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_training_frame_is_what_the_slow_reference_says(tmp_path: Path, seed: int) -> None:
    records = life(np.random.default_rng(seed), customers=6, records=250)
    where = workspace(tmp_path, profile=RICH)
    with log_of(where, records) as log:
        offline.build(where, log)
    customers = [f"c{at}" for at in range(7)]
    # right at records, at the very end of a time to live, and long after
    moments = [records[50].known_time, records[120].known_time + timedelta(microseconds=1)]
    moments += [records[100].event_time + 60 * DAY, START + 200 * DAY, AFTER]
    frame = offline.training_frame(where, labels(customers, *moments))
    names = [feature.name for feature in PROFILE.index.features if feature.source == "first_party"]
    made = frame.select(names).fill_null(np.nan).to_numpy()
    expected = np.concatenate([_slow(records, customers, at) for at in moments])
    np.testing.assert_array_equal(np.isnan(made), np.isnan(expected))
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-30)


def test_nothing_that_becomes_known_later_changes_a_row(tmp_path: Path) -> None:
    records, at = life(np.random.default_rng(4), customers=6, records=200), START + 150 * DAY
    bought = "household,age,size,known\nc0,19-24,1,2017-02-01\nc1,,2,2017-03-01\n"
    dated = RICH.replace("known_at: 2017-02-01", "known_at: known")
    said = [consent("no", "c2", START + 100 * DAY, purpose="research", granted=False)]
    later = [
        consent("yes", "c2", at, purpose="research", granted=True),
        consent("never", "c0", at + DAY, purpose="third_party", granted=False),
        *(order(f"late {who}", who, START + DAY, known=at, total=1e6) for who in ("c0", "c3", "new")),
        outcome("late", "c1", START + DAY, known=at + DAY, kind="accepted"),
        rating("late too", "c4", START + DAY, known=at, event="Satisfaction Rated", touchpoint="mailer", value=1),
    ]
    known = [record for record in records if record.known_time < at]
    worlds = {
        "as it was": (bought, known + said),
        "with what came": (bought + "c0,25-34,9,2017-12-01\nc3,19-24,5,2017-12-01\n", records + said + later),
    }
    frames = []
    for name, (file, kept) in worlds.items():
        where = workspace(tmp_path / name, profile=dated, households=file)
        with log_of(where, sorted(kept, key=lambda record: record.known_time)) as log:
            offline.build(where, log)
        frames.append(offline.training_frame(where, labels(["c0", "c1", "c2", "c3", "c4", "new"], at, at - 30 * DAY)))
    assert frames[0].equals(frames[1])
    # c2 had said no to research, and c0 was known to the file
    assert frames[0]["told_effort_rated"][2] is None
    assert frames[0]["members"][0] == 1.0


def test_a_part_of_the_features_has_the_values_of_all(tmp_path: Path) -> None:
    where = workspace(tmp_path, profile=RICH)
    with log_of(where, life(np.random.default_rng(3), customers=6, records=100)) as log:
        offline.build(where, log)
    asked = labels([f"c{at}" for at in range(6)], START + 150 * DAY, AFTER)
    whole = offline.training_frame(where, asked)
    for names in (["mean_mailer"], ["eager"], ["rate_care", "tier"]):
        assert offline.training_frame(where, asked, names).equals(whole.select("customer_id", "at", *names))
