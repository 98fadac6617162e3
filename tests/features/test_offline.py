import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features import builds, feast_door, offline
from features.builds import FeatureStoreError
from features.log import Record
from features.packed import PackedStore
from features.projector import Projector
from features.stores import open_store
from features.table_rows import in_force, stored_rows
from features.workspace import Workspace
from tests.features.worlds import DAY, HOUSEHOLDS, PROFILE, START, ZONE, labels, log_of, order, outcome, workspace, year

CUSTOMERS = [f"c{at}" for at in range(12)]
AFTER = START + 400 * DAY


def _built(folder: Path, records: Sequence[Record], **form: str) -> Workspace:
    where = workspace(folder, **form)
    with log_of(where, records) as log:
        offline.build(where, log)
    return where


def _online(where: Workspace, store: PackedStore, at: datetime) -> np.ndarray:
    return np.stack([store.read(customer, at).values for customer in CUSTOMERS])


def _values(frame: pl.DataFrame, where: Workspace) -> np.ndarray:
    return frame.select(list(where.profile.index.positions)).fill_null(np.nan).to_numpy()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_offline_row_is_the_online_row(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("features.projector.BATCH", 1)
    where = workspace(tmp_path)
    with log_of(where, year(seed)) as log:
        # third-party rows come in bulk; every record of the log is then projected, one by one
        store = PackedStore(where.data / "projected.db", where.profile)
        offline.build(where, log)
        file = builds.table_file(where.data / "offline", builds.current(where.data / "offline").stamp, "households")
        rows = stored_rows(in_force(file, 2**62), "households_as_of")
        store.load({"households": rows}, cursor=0, meta={})
        assert Projector(log, store, where.profile, ZONE).run_once() == 400
        online = _online(where, store, AFTER)
        store.close()
    built = _values(offline.training_frame(where, labels(CUSTOMERS, AFTER)), where)
    np.testing.assert_array_equal(np.isnan(built), np.isnan(online))
    np.testing.assert_allclose(online, built, rtol=1e-5)
    assert np.isnan(built).any() and not np.isnan(built).all(axis=0).any()


def test_a_materialized_row_is_the_offline_row_and_follows_the_log_from_there(tmp_path: Path) -> None:
    records = year(4)
    where = workspace(tmp_path)
    with log_of(where, records[:300]) as log:
        offline.build(where, log)
        log.append(records[300:])
        loaded = offline.materialize(where, log)
        assert (loaded.projected, loaded.reused, loaded.cursor) == (100, False, 400)
        again = offline.materialize(where, log)
        assert (again.projected, again.reused, again.rows) == (0, True, loaded.rows)
        store = PackedStore(where.data / offline.ONLINE, where.profile)
        online = _online(where, store, AFTER)
        store.close()
        offline.build(where, log)
    built = _values(offline.training_frame(where, labels(CUSTOMERS, AFTER)), where)
    np.testing.assert_array_equal(np.isnan(built), np.isnan(online))
    np.testing.assert_allclose(online, built, rtol=1e-5)


def test_the_frame_is_what_serving_would_have_seen_then(tmp_path: Path) -> None:
    records = year(6)
    where = _built(tmp_path / "all", records)
    for at in (START + 45 * DAY, START + 180 * DAY):
        then = workspace(tmp_path / f"{at:%j}")
        with log_of(then, [record for record in records if record.known_time < at]) as log:
            store = PackedStore(then.data / offline.ONLINE, then.profile)
            Projector(log, store, then.profile, ZONE).run_once()
            online = _online(then, store, at)
            store.close()
        built = _values(offline.training_frame(where, labels(CUSTOMERS, at)), where)
        first_party = [feature.source == "first_party" for feature in where.profile.index.features]
        np.testing.assert_array_equal(np.isnan(built[:, first_party]), np.isnan(online[:, first_party]))
        np.testing.assert_allclose(online[:, first_party], built[:, first_party], rtol=1e-5)


def test_what_becomes_known_after_a_label_changes_nothing_in_it(tmp_path: Path) -> None:
    records, at = year(7), START + 150 * DAY
    # later records are moved, made dear, or never come
    tampered = [
        record
        if record.known_time < at
        else replace(order(record.message_id, "c1", START, total=1e6), known_time=record.known_time)
        for number, record in enumerate(records)
        if record.known_time < at or number % 2
    ]
    assert any(record.event_time < at <= record.known_time for record in tampered)
    frames = [
        offline.training_frame(_built(tmp_path / name, some), labels(CUSTOMERS, at, at - 30 * DAY))
        for name, some in {"as_it_was": records, "tampered": tampered}.items()
    ]
    assert frames[0].equals(frames[1])


def test_a_record_known_at_the_very_moment_of_a_label_is_not_in_it(tmp_path: Path) -> None:
    where = _built(tmp_path, [order("a", "c0", START, total=5.0)])
    frame = offline.training_frame(where, labels(["c0"], START, START + timedelta(microseconds=1)), ["points"])
    assert frame["points"].to_list() == [None, 5.0]


def test_the_frame_keeps_the_labels_rows_order_and_columns(tmp_path: Path) -> None:
    where = _built(tmp_path, year(8))
    asked = labels([*CUSTOMERS, "stranger"], START + 100 * DAY, START + 50 * DAY, START - 900 * DAY)
    asked = pl.concat([asked, asked.reverse(), asked.head(5)]).with_row_index("number").with_columns(y=pl.col("number") % 2)
    frame = offline.training_frame(where, asked, ["tier", "spend_30d"])
    assert frame.columns == [*asked.columns, "tier", "spend_30d"]
    assert frame.select(asked.columns).equals(asked)
    assert frame.schema["tier"] == pl.Float32
    count = len(CUSTOMERS) + 1
    assert frame["spend_30d"][: 3 * count].to_list() == frame["spend_30d"][3 * count : 6 * count].reverse().to_list()
    assert (
        frame.filter(pl.col("customer_id") == "stranger")["tier"].null_count()
        == frame.filter(pl.col("customer_id") == "stranger").height
    )
    assert frame.filter(pl.col("at") < START)["spend_30d"].null_count() == count + count


def test_local_times_of_labels_are_the_same_moments(tmp_path: Path) -> None:
    where = _built(tmp_path, year(8))
    asked = labels(CUSTOMERS, START + 100 * DAY)
    local = asked.with_columns(pl.col("at").dt.convert_time_zone(ZONE).cast(pl.Datetime("ms", ZONE)))
    assert offline.training_frame(where, local).drop("at").equals(offline.training_frame(where, asked).drop("at"))


@pytest.mark.parametrize(
    ("asked", "features", "says"),
    [
        (pl.DataFrame({"customer_id": ["c0"], "at": [datetime(2017, 3, 1)]}), None, "times with a time zone"),  # noqa: DTZ001
        (pl.DataFrame({"customer_id": [1], "at": [START]}), None, "customer_id of text"),
        (pl.DataFrame({"customer_id": ["c0", None], "at": [START, START]}), None, "no customer_id"),
        (pl.DataFrame({"customer_id": ["c0", "c1"], "at": [START, None]}), None, "no time"),
        (pl.DataFrame({"customer_id": ["c0"], "at": [START], "tier": [1]}), None, "'tier' already"),
        (labels(["c0"], START), ["visits"], "no feature 'visits'"),
        (labels(["c0"], START), ["tier", "tier"], "asked for twice"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path: Path, asked: pl.DataFrame, features: list[str] | None, says: str) -> None:
    with pytest.raises(FeatureStoreError, match=says):
        offline.training_frame(workspace(tmp_path), asked, features)


def test_no_labels_and_no_features_give_none(tmp_path: Path) -> None:
    where = _built(tmp_path, year(8, records=20))
    assert offline.training_frame(where, labels([], START)).shape == (0, 2 + len(where.profile.index))
    assert offline.training_frame(where, labels(CUSTOMERS, START), []).columns == ["customer_id", "at"]


def test_a_log_without_records_builds_empty_tables(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where) as log:
        report = offline.build(where, log)
        assert [table.rows for table in report.tables] == [0, 0, 4]
        assert offline.materialize(where, log).rows == {"orders": 0, "offers": 0, "households": 4}
    frame = offline.training_frame(where, labels(["c0"], START + 60 * DAY))
    assert (frame["points"].to_list(), frame["members"].to_list()) == ([None], [3.0])


def test_a_build_is_reused_until_something_it_was_made_of_changes(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    where = workspace(tmp_path)
    with log_of(where, year(9, records=50)) as log:
        first = offline.build(where, log, lambda step, share: told.append((step, share)))
        assert not first.reused and told[-1][1] == 1.0
        assert [share for _, share in told] == sorted(share for _, share in told)
        again = offline.build(where, log)
        assert again.reused and again.stamp == first.stamp and again.tables == first.tables
        log.append([order("new", "c0", START)])
        assert not offline.build(where, log).reused
        where = workspace(tmp_path, households=HOUSEHOLDS + "c5,19-24,2\n")
        assert not offline.build(where, log).reused
        where = workspace(tmp_path, profile=PROFILE.replace("half_life: 7d", "half_life: 8d"), households=None)
        assert not offline.build(where, log).reused
        assert offline.build(where, log).reused
    assert len([folder for folder in (where.data / "offline").iterdir() if folder.is_dir()]) == 2


def test_an_interrupted_build_leaves_the_last_good_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where = workspace(tmp_path)
    with log_of(where, year(9, records=50)) as log:
        good = offline.build(where, log)
        log.append([order("new", "c0", START)])

        def interrupt(*_: object, **__: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(pl.DataFrame, "write_parquet", interrupt)
            with pytest.raises(KeyboardInterrupt):
                offline.build(where, log)
        assert builds.current(where.data / "offline") == replace(good, seconds=builds.current(where.data / "offline").seconds)
        assert offline.training_frame(where, labels(["c0"], AFTER), ["points"]).height == 1
        with monkeypatch.context() as patched:
            patched.setattr(feast_door, "register", interrupt)
            with pytest.raises(KeyboardInterrupt):
                offline.build(where, log)
        # the tables are whole; Feast is told when they are next asked for
        assert offline.training_frame(where, labels(["c0"], AFTER), ["points"])["points"][0] is not None
        assert offline.build(where, log).reused


def test_what_is_asked_before_a_build_or_after_a_change_says_what_to_do(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where, year(9, records=20)) as log:
        with pytest.raises(FeatureStoreError, match="nothing is built yet; run 'kairos features build'"):
            offline.materialize(where, log)
        offline.build(where, log)
        where = workspace(tmp_path, profile=PROFILE.replace("half_life: 7d", "half_life: 8d"))
        with pytest.raises(FeatureStoreError, match="changed since the features were built"):
            offline.materialize(where, log)
    with pytest.raises(FeatureStoreError, match="changed since the features were built"):
        offline.training_frame(where, labels(["c0"], START))


def test_a_changed_profile_is_loaded_anew(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where, year(9, records=50)) as log:
        offline.build(where, log)
        offline.materialize(where, log)
        where = workspace(tmp_path, profile=PROFILE.replace("half_life: 7d", "half_life: 8d"))
        offline.build(where, log)
        assert not offline.materialize(where, log).reused


def test_a_store_that_is_ahead_of_the_log_is_loaded_anew(tmp_path: Path) -> None:
    records = year(9, records=50)
    where = _built(tmp_path, records)
    with log_of(where) as log:
        log.append([order("of another telling", "c0", START + 300 * DAY, total=1e6)])
        offline.materialize(where, log)
    (where.data / "log.db").unlink()
    with log_of(where, records) as log:
        assert not offline.materialize(where, log).reused
        store = PackedStore(where.data / offline.ONLINE, where.profile)
        points = store.read("c0", AFTER).get("points")
        store.close()
    assert points is not None and float(points) < 1e6


def test_profiles_are_loaded_where_the_variable_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    where = _built(tmp_path, year(9, records=50))
    monkeypatch.setenv("KAIROS_ONLINE_URL", address)
    with log_of(where) as log:
        assert not offline.materialize(where, log).reused
        log.append([order("after the build", "c0", START + 300 * DAY, total=1e6)])
        again = offline.materialize(where, log)
    assert again.reused and again.projected == 1
    store = open_store(address, where.profile)
    points = store.read("c0", AFTER).get("points")
    store.close()
    assert points is not None and float(points) > 1e6 - 1


def test_loading_keeps_what_the_habits_of_all_customers_add_up_to(tmp_path: Path) -> None:
    where = _built(tmp_path, [order("a", "c0", START), order("b", "c1", START), order("c", "c1", START + timedelta(hours=3))])
    with log_of(where) as log:
        offline.materialize(where, log)
    store = PackedStore(where.data / offline.ONLINE, where.profile)
    population = store.population()
    store.close()
    assert (population["hour_00"], population["hour_03"], population["hour_12"]) == pytest.approx((2.0, 1.0, 0.0), rel=1e-2)
    assert population["day_sun"] == pytest.approx(3.0, rel=1e-2)


def test_what_all_customers_answer_is_kept_by_channel(tmp_path: Path) -> None:
    answers = """
  responses:
    purpose: personalisation
    owner: tests
    on: {outcome: [opened, clicked]}
    features:
      "answers_{channel}_{hour}": {sum: 1, by: [channel, hour], half_life: 180d}
      "answers_{channel}_{day}": {sum: 1, by: [channel, day], half_life: 180d}
"""
    profile = f"touchpoints: {{mailer: mail, app_home: app}}\n{PROFILE}{answers}"
    said = [
        outcome(f"o{at}", f"c{at}", START + timedelta(hours=9), kind="opened" if at else "clicked", touchpoint=seen_at)
        for at, seen_at in enumerate(["app_home", "app_home", "mailer"])
    ]
    where = _built(tmp_path, said, profile=profile)
    with log_of(where) as log:
        offline.materialize(where, log)
    store = PackedStore(where.data / offline.ONLINE, where.profile)
    population = store.population()
    store.close()
    assert (population["answers_app_09"], population["answers_mail_09"], population["answers_app_10"]) == (2.0, 1.0, 0.0)
    assert population["answers_app_sun"] == 2.0


def test_third_party_data_are_matched_coded_and_counted(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where, [order(f"m{at}", f"c{at}", START) for at in range(4)]) as log:
        bought = offline.build(where, log).tables[2]
    assert (bought.records, bought.rows, bought.repeated, bought.match_rate) == (5, 4, 1, 0.75)
    assert bought.unknown == {"age_band": 1, "members": 1}
    known = datetime(2017, 2, 1, 5, tzinfo=UTC)
    frame = offline.training_frame(where, labels(["c0", "c1", "c2", "c3"], known, known + DAY), ["age_band", "members"])
    assert frame["age_band"].to_list() == [None] * 4 + [0.0, 0.0, None, None]
    assert frame["members"].to_list() == [None] * 4 + [3.0, None, 4.0, None]


def test_third_party_data_wait_until_they_take_effect(tmp_path: Path) -> None:
    later = PROFILE.replace("known_at: 2017-02-01", "known_at: 2017-02-01\n    effective_from: 2017-06-01")
    where = _built(tmp_path, [order("a", "c0", START)], profile=later)
    moments = [datetime(2017, month, 1, 12, tzinfo=UTC) for month in (3, 6)]
    assert offline.training_frame(where, labels(["c0"], *moments), ["members"])["members"].to_list() == [None, 3.0]


def test_a_third_party_file_may_be_the_one_the_import_wrote(tmp_path: Path) -> None:
    where = workspace(tmp_path, profile=PROFILE.replace("households.csv", "households.parquet"), households=None)
    folder = where.data / "third_party"
    folder.mkdir(parents=True)
    pl.DataFrame({"household": ["c0"], "age": ["19-24"], "size": [2]}).write_parquet(folder / "households.parquet")
    with log_of(where, [order("a", "c0", START)]) as log:
        assert offline.build(where, log).tables[2].match_rate == 1.0


@pytest.mark.parametrize(
    ("households", "says"),
    [
        pytest.param(None, r"households\.csv: the file of view households is missing; put it there", id="missing"),
        pytest.param("id,age\nc0,19-24\n", "no column household, size; it has id, age", id="other columns"),
        pytest.param("", "cannot be read", id="empty"),
    ],
)
def test_a_third_party_file_that_is_unfit_says_why(tmp_path: Path, households: str | None, says: str) -> None:
    where = workspace(tmp_path, households=households)
    with log_of(where) as log, pytest.raises(FeatureStoreError, match=says):
        offline.build(where, log)


def test_records_that_say_nothing_are_counted(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    records = [
        order("a", "c0", START),
        order("b", None, START),
        order("c", "c0", START + DAY, known=START),
        replace(order("d", "c0", START), payload=b"{"),
    ]
    with log_of(where, records) as log:
        report = offline.build(where, log)
    assert (report.records, report.anonymous, report.ahead, report.unreadable) == (4, 1, 1, 1)
    assert (report.tables[0].records, report.tables[0].rows, report.tables[0].customers) == (2, 1, 1)


def test_a_workspace_that_was_copied_reads_its_own_tables(tmp_path: Path) -> None:
    where = _built(tmp_path / "here", year(9, records=50))
    before = offline.training_frame(where, labels(CUSTOMERS, AFTER))
    moved = workspace((tmp_path / "here").rename(tmp_path / "there"))
    assert offline.training_frame(moved, labels(CUSTOMERS, AFTER)).equals(before)


def test_reports_tell_a_person_what_was_built_and_left_out(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where, [order("a", "c0", START), order("b", None, START)]) as log:
        report = offline.build(where, log)
        loaded = offline.materialize(where, log)
    assert f"features  built {report.stamp}, up to record 2" in report.lines()
    assert "features  households (third_party): 4 rows of 4 customers, 100% of the customers matched" in report.lines()
    assert "features  households.age_band: 1 values unknown" in report.lines()
    assert "features  left out: 0 unreadable records, 1 of no customer" in report.lines()
    assert loaded.lines()[0].endswith("orders 1, offers 0, households 4 profiles; 0 later records folded in")
    stored = json.loads((where.data / "offline" / report.stamp / builds.REPORT).read_text())
    assert stored["records"] == 2
