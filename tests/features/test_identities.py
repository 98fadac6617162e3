"""Offline and online, a customer of several ids is one customer from the moment that was known, and whole again after."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given

from features import builds, identities, offline
from features.forgetting import forget
from features.join import Joined, Link
from features.known import Known
from features.log import Record
from features.log.records import moment
from features.packed import PackedStore
from features.projector import Projector
from features.provenance import provenance
from features.stores import open_store
from features.workspace import Workspace
from tests.features import brute
from tests.features.test_join import DEVICES, KNOWN, LINKS
from tests.features.worlds import (
    DAY,
    IDS,
    PROFILE,
    RICH,
    START,
    ZONE,
    consent,
    contest,
    identify,
    joined_life,
    labels,
    linked,
    log_of,
    order,
    workspace,
)

X = "anonymous:x"
AFTER = START + 400 * DAY


def _built(folder: Path, records: Sequence[Record], **form: str) -> Workspace:
    where = workspace(folder, **form)
    with log_of(where, records) as log:
        offline.build(where, log)
    return where


def _points(where: Workspace, *moments: datetime, ids: Sequence[str]) -> list[list[float | None]]:
    """At each moment the points of each id, beside as many labels as there were."""
    frame = offline.training_frame(where, labels(ids, *moments), ["points"])
    points = frame["points"].to_list()
    return [points[at : at + len(ids)] for at in range(0, len(points), len(ids))]


def test_from_the_moment_ids_are_known_to_be_one_any_of_them_gives_all_that_is_known(tmp_path: Path) -> None:
    where = _built(
        tmp_path,
        [
            order("a", X, START, total=1.0),
            order("b", "B", START + DAY, total=2.0),
            order("c", "b", START + DAY, total=4.0),
            linked("in", X, "B", START, known=START + 2 * DAY),
            linked("renamed", "b", "B", START + 3 * DAY),
            order("d", X, START + 4 * DAY, total=8.0),
        ],
    )
    just_after = [START + day * DAY for day in (1.5, 2, 2.5, 3.5, 5)]
    assert _points(where, *just_after, ids=[X, "B", "b"]) == [
        [1.0, 2.0, 4.0],
        [1.0, 2.0, 4.0],  # a label does not see what becomes known at its own moment
        [3.0, 3.0, 4.0],
        [7.0, 7.0, 7.0],
        [15.0, 15.0, 15.0],
    ]


DEVICE_MOVES = [
    order("a", X, START, total=1.0),
    linked("late", X, "B", START + 2 * DAY),
    linked("first", X, "A", START + DAY, known=START + 4 * DAY),
]
"""A device that was B's, until it is learned that it was A's before."""

MATCHED = PROFILE.replace("key: household\n", "key: household\n    match: {trait: email}\n").replace("2017-02-01", "2017-01-01")
TOLD = identify("told", X, START, email="x@x")
"""The device says who uses it, and a file that is matched by what it says knows how many they are."""


def test_what_turns_out_to_be_another_persons_is_in_nobodys_row_any_more(tmp_path: Path) -> None:
    where = _built(tmp_path, DEVICE_MOVES)
    assert _points(where, START + DAY, START + 3 * DAY, START + 5 * DAY, ids=[X, "A", "B"]) == [
        [1.0, None, None],
        [1.0, None, 1.0],
        [1.0, 1.0, None],
    ]
    with log_of(where) as log:
        loaded = offline.materialize(where, log)
    assert loaded.rows["orders"] == 1


def test_what_was_bought_of_them_stays_with_nobody_who_turns_out_to_be_another(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAIROS_ONLINE_URL", address)
    where = workspace(tmp_path / "brand", profile=MATCHED, households="household,age,size\nx@x,25-34,2\nc@c,25-34,5\n")
    others = [identify("c", "C", START, email="c@c"), linked("also", "anonymous:y", "C", START + 2 * DAY)]
    with log_of(where, [TOLD, *others, *DEVICE_MOVES[:2]]) as log:
        offline.build(where, log)
        offline.materialize(where, log)
        store = open_store(address, where.profile)
        found = [[store.read(one, AFTER).get("members") for one in ("A", "B", "C", X)]]
        log.append([*DEVICE_MOVES[2:], linked("another", "anonymous:z", "C", START + 4 * DAY)])
        Projector(log, store, where.profile, ZONE).run_once()
        found.append([store.read(one, AFTER).get("members") for one in ("A", "B", "C", X)])
        offline.build(where, log)
        offline.materialize(where, log)
        found.append([store.read(one, AFTER).get("members") for one in ("A", "B", "C", X)])
        store.close()
    # what is said of C, who gets a device and loses none, stays
    assert found == [[None, 2.0, 5.0, None], [None, None, 5.0, None], [2.0, None, 5.0, None]]


def test_who_comes_second_to_a_shared_device_keeps_what_was_bought_of_them(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAIROS_ONLINE_URL", address)
    where = workspace(tmp_path / "brand", profile=MATCHED, households="household,age,size\nc@c,25-34,5\n")
    with log_of(where, [identify("c", "C", START, email="c@c")]) as log:
        offline.build(where, log)
        offline.materialize(where, log)
        log.append(
            [
                linked("first", "anonymous:tablet", "A", START + DAY),
                linked("own", "anonymous:phone", "C", START + 2 * DAY),
                linked("second", "anonymous:tablet", "C", START + 3 * DAY),
            ]
        )
        store = open_store(address, where.profile)
        Projector(log, store, where.profile, ZONE).run_once()
        assert store.read("C", AFTER).get("members") == 5.0
        store.close()


@pytest.mark.parametrize("size", [1, 2, 10])
def test_online_too_it_goes_to_whose_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, address: str) -> None:
    monkeypatch.setattr("features.projector.BATCH", size)
    where = workspace(tmp_path / "brand")
    store = open_store(address, where.profile)
    with log_of(where, DEVICE_MOVES[:2]) as log:
        project = Projector(log, store, where.profile, ZONE)
        assert project.run_once() == 2
        points = [store.read(one, AFTER).get("points") for one in (X, "B")]
        log.append(DEVICE_MOVES[2:])
        project.run_once()
        after = [store.read(one, AFTER).known for one in (X, "A", "B")]
    store.close()
    assert (points, after) == ([None, 1.0], [False, True, False])


def test_an_erased_customer_is_nobody_that_an_id_ever_meant(tmp_path: Path) -> None:
    where = _built(tmp_path, DEVICE_MOVES)
    assert forget(where.data / "offline", ["B"]) > 0
    folder = where.data / "offline" / builds.current(where.data / "offline").stamp
    said = [value for file in folder.glob("*.parquet") for row in pl.read_parquet(file).iter_rows() for value in row]
    assert "A" in said
    assert "B" not in said
    assert _points(where, START + 5 * DAY, ids=[X, "A"]) == [[1.0, 1.0]]


def test_what_an_erased_customers_device_brought_to_whose_it_was_thought_to_be_goes_too(tmp_path: Path) -> None:
    records = [
        TOLD,
        order("own", "B", START, total=2.0),
        consent("yes", "B", START, purpose="personalisation", granted=True),
        contest("fine", "B", START, feature="orders_30d", settled=True),
        *DEVICE_MOVES,
        order("later", "B", START + 2.5 * DAY, total=4.0),
    ]
    records.sort(key=lambda record: record.known_time)
    where = _built(tmp_path, records, profile=MATCHED, households="household,age,size\nx@x,25-34,2\n")
    moments = [START + day * DAY for day in (1, 3, 5)]

    def said(who: str) -> list[tuple[float | None, float | None]]:
        return offline.training_frame(where, labels([who], *moments), ["points", "members"]).select("points", "members").rows()

    before = said("B")
    assert before == [(2.0, None), (7.0, 2.0), (6.0, None)]
    assert said("A") == [(None, None), (None, None), (1.0, 2.0)]
    assert forget(where.data / "offline", ["A", X]) > 0
    assert said("B") == [before[0], (None, None), *before[2:]]
    assert said("A") == said(X) == [(None, None)] * 3
    with log_of(where) as log:
        assert provenance(where, log, "B", "members", moments[1]).value is None
    folder = where.data / "offline" / builds.current(where.data / "offline").stamp
    doubts = pl.read_parquet(folder / "contests.parquet")
    assert dict(doubts.select(pl.col("known").cast(pl.Datetime("us", "UTC")), "contested").rows()) == {
        START: False,
        START + 2 * DAY: True,
        START + 4 * DAY: False,
    }
    words = pl.read_parquet(folder / "consents.parquet")
    assert dict(words.select(pl.col("known").cast(pl.Datetime("us", "UTC")), "granted").rows()) == {
        START: True,
        START + 2 * DAY: False,
        START + 4 * DAY: True,
    }


def test_what_a_file_says_of_an_id_is_said_of_its_customer(tmp_path: Path) -> None:
    where = _built(tmp_path, [order("a", "c9", START), linked("renamed", "c2", "c9", START + 60 * DAY)])
    asked = labels(["c2", "c9"], START + 59 * DAY, START + 61 * DAY)
    members = offline.training_frame(where, asked, ["members"])["members"].to_list()
    assert members == [4.0, None, 4.0, 4.0]
    with log_of(where) as log:
        assert offline.materialize(where, log).rows["households"] == 4
        store = PackedStore(where.data / offline.ONLINE, where.profile)
        log.append([linked("again", "c0", "c9", START + 70 * DAY), linked("new", "c1", "c7", START + 70 * DAY)])
        Projector(log, store, where.profile, ZONE).run_once()
        found = {one: store.read(one, AFTER).get("members") for one in ("c0", "c1", "c2", "c7", "c9")}
        store.close()
    # c9 keeps what was said of it, c7 gets what was said of c1 (nobody knows how many they are)
    assert found == {"c0": None, "c1": None, "c2": None, "c7": None, "c9": 4.0}


def test_a_key_that_any_id_told_is_the_customers(tmp_path: Path) -> None:
    matched = PROFILE.replace("key: household\n", "key: household\n    match: {trait: email}\n")
    file = "household,age,size\nx@x,25-34,2\ny@y,19-24,5\n"
    records = [
        identify("t", X, START, email="x@x"),
        identify("u", "B", START, email="y@y"),
        linked("in", X, "B", START + 60 * DAY),
        identify("v", X, START + 61 * DAY, email="x@x"),
    ]
    where = _built(tmp_path, records, profile=matched, households=file)
    asked = labels([X, "B"], *(START + day * DAY for day in (59, 60.5, 62)))
    found = offline.training_frame(where, asked, ["members"])["members"].to_list()
    assert found == [2.0, 5.0, 5.0, 5.0, 2.0, 2.0]


@given(links=LINKS)
def test_an_id_means_whom_it_was_known_to_mean_just_before(links: list[Link]) -> None:
    asked = labels([*KNOWN, *DEVICES, "nobody"], *map(moment, range(8)))
    found = identities.named(asked, identities.of(Known(links)))
    for one, at, name in zip(asked["customer_id"], asked["at"], found["customer_id"], strict=True):
        assert name == Joined(link for link in links if moment(link.known_us) < at).customer(one).name


def test_links_known_after_a_label_change_nothing_in_it(tmp_path: Path) -> None:
    records, at = joined_life(np.random.default_rng(5), records=60, links=5, words=6), START + 150 * DAY
    later = [linked(f"late {to}", one, to, START, known=at) for one, to in ((X, "C"), ("A", "B"), ("anonymous:new", "A"))]
    before = [record for record in records if record.known_time < at]
    frames = []
    for name, kept in {"as it was": before, "with what came": records + later}.items():
        where = _built(tmp_path / name, sorted(kept, key=lambda record: record.known_time), profile=RICH)
        frames.append(offline.training_frame(where, labels([*IDS, "anonymous:new"], at, at - 30 * DAY)))
    assert frames[0].equals(frames[1])
    assert any(one.kind == "identity" for one in before)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_frame_and_store_are_what_the_slow_reference_says_of_a_joined_life(tmp_path: Path, seed: int) -> None:
    records = joined_life(np.random.default_rng(seed), records=120, links=8, words=10)
    where = workspace(tmp_path, profile=RICH)
    with log_of(where, records[:90]) as log:
        offline.build(where, log)
        log.append(records[90:])
        offline.materialize(where, log)  # a build of before, and what came after it
        names = log.names(IDS)
        store = PackedStore(where.data / offline.ONLINE, where.profile)
        online = np.stack([store.read(names.get(one, one), AFTER).values for one in IDS])
        assert not any(store.read(one, AFTER).known for one in names)
        store.close()
        report = offline.build(where, log)
    moments = [records[60].known_time, records[-20].known_time, AFTER]
    frame = offline.training_frame(where, labels(IDS, *moments))
    features = [feature for feature in where.profile.index.features if feature.source == "first_party"]
    made = frame.select(feature.name for feature in features).fill_null(np.nan).to_numpy()
    expected = np.array([[_said(records, one, at, where, features) for one in IDS] for at in moments]).reshape(made.shape)
    np.testing.assert_array_equal(np.isnan(made), np.isnan(expected))
    np.testing.assert_allclose(made, expected, rtol=1e-5, atol=1e-30)
    last = np.array([brute.profile_values(where.profile, records, one, AFTER) for one in IDS])
    first_party = [where.profile.index.positions[feature.name] for feature in features]
    np.testing.assert_array_equal(np.isnan(online[:, first_party]), np.isnan(last))
    np.testing.assert_allclose(online[:, first_party], last, rtol=1e-5, atol=1e-30)
    kept = pl.read_parquet(builds.table_file(where.data / "offline", report.stamp, "orders"))
    assert kept.select("customer_id", "event_timestamp").is_unique().all()


def _said(records: Sequence[Record], one: str, at: datetime, where: Workspace, features: Sequence[object]) -> list[float]:
    """The first-party values that the customer's consents let be seen."""
    values = brute.profile_values(where.profile, records, one, at)
    purposes = {feature.purpose for feature in features}
    agrees = {purpose: brute.agrees(records, one, purpose, at, default=True) for purpose in purposes}
    return [value if agrees[feature.purpose] else np.nan for feature, value in zip(features, values, strict=True)]


def test_only_those_who_name_a_customer_are_counted(tmp_path: Path) -> None:
    records = [
        order("a", X, START),
        order("b", "c0", START),
        order("c", "c1", START),
        linked("in", X, "c0", START + DAY),
        linked("renamed", "c1", "c0", START + DAY),
        consent("no", "c1", START + DAY, purpose="personalisation", granted=False),
    ]
    where = workspace(tmp_path)
    with log_of(where, records) as log:
        report = offline.build(where, log)
        loaded = offline.materialize(where, log)
    assert (report.refused, report.tables[2].match_rate) == ({"personalisation": 1}, 1.0)
    # c2 and a stranger are in the file only
    assert (loaded.rows["orders"], loaded.rows["households"]) == (1, 3)
