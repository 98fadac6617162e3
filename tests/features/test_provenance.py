import sqlite3
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features import builds, forgetting, offline, third_party
from features.builds import FeatureStoreError
from features.log import identity_record
from features.log.keys import KeyFault
from features.provenance import provenance
from features.traces import traces
from tests.features.worlds import DAY, PROFILE, RICH, START, labels, life, linked, log_of, order, outcome, rating, workspace


def test_a_sum_names_the_records_that_added_to_it_newest_first(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    records = [order(f"m{at}", "c0", START + at * DAY, total=float(at)) for at in range(8)]
    late = order("late", "c0", START + 5 * DAY, known=START + 50 * DAY, total=9.0)
    with log_of(where, [*records, order("other", "c1", START), late]) as log:
        made = provenance(where, log, "c0", "spend_30d", START + 10 * DAY)
        after = provenance(where, log, "c0", "spend_30d", START + 51 * DAY)
    # the order of nothing added nothing, and the late one was not known yet
    assert (made.records, [maker.message_id for maker in made.makers]) == (7, ["m7", "m6", "m5", "m4", "m3"])
    assert made.makers[0].adds == {"spend_30d": 7.0} and made.makers[0].name == "event:Order Completed"
    assert (made.as_of, made.age) == (START + 7 * DAY, 3 * DAY)
    assert (made.source, made.unit, made.owner, made.purpose) == ("first_party", "USD", "tests", "personalisation")
    assert (after.records, after.makers[2].message_id, after.makers[2].known) == (8, "m5", START + 5 * DAY)
    assert "late" in [maker.message_id for maker in after.makers]


def test_a_ratio_and_a_band_name_what_made_both_their_parts(tmp_path: Path) -> None:
    where = workspace(tmp_path, profile=RICH)
    records = [
        outcome("a", "c0", START, kind="delivered"),
        outcome("b", "c0", START + DAY, kind="accepted"),
        outcome("c", "c0", START + DAY, kind="clicked"),
        rating("d", "c0", START, event="Satisfaction Rated", touchpoint="mailer", value=4),
    ]
    with log_of(where, records) as log:
        rate, eager, mean, since = (
            provenance(where, log, "c0", name, START + 2 * DAY) for name in ("rate", "eager", "mean_mailer", "since_accepted")
        )
    assert (rate.made_of, [maker.message_id for maker in rate.makers]) == (("sent", "taken"), ["b", "a"])
    assert (eager.value, eager.type, eager.made_of) == ("very", "label", ("sent", "taken"))
    assert (mean.value, mean.purpose) == (4.0, "research")
    assert mean.makers[0].adds == {"rated_mailer": 4.0, "ratings_mailer": 1.0}
    assert (since.value, [maker.message_id for maker in since.makers]) == (1.0, ["b"])


def test_a_bought_value_names_its_files_licence_and_end(tmp_path: Path) -> None:
    profile = PROFILE.replace("members: {column: size}", "members: {column: size, expires: 2017-06-01, licence: bureau}")
    where = workspace(tmp_path, profile=profile)
    with log_of(where, [order("a", "c0", START)]) as log:
        with pytest.raises(FeatureStoreError, match="nothing is built yet"):
            provenance(where, log, "c0", "members", START + 60 * DAY)
        offline.build(where, log)
        made = provenance(where, log, "c0", "members", START + 61 * DAY)
        over = provenance(where, log, "c0", "members", START + 200 * DAY)
        band = provenance(where, log, "c0", "age_band", START + 61 * DAY)
        before = provenance(where, log, "c0", "members", START + 3 * DAY)
    assert (made.value, made.files, made.licence, made.expires) == (3.0, ("households.csv",), "bureau", date(2017, 6, 1))
    assert (made.records, made.makers, made.age) == (0, (), 30 * DAY)
    assert (over.value, band.value, before.value, before.as_of) == (None, "19-24", None, None)


def test_what_nobody_knows_or_asks_for_says_so(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where) as log:
        nobody = provenance(where, log, "stranger", "points", START)
        assert (nobody.value, nobody.as_of, nobody.age, nobody.makers) == (None, None, None, ())
        with pytest.raises(FeatureStoreError, match="no feature 'visits'"):
            provenance(where, log, "c0", "visits", START)


def test_every_value_is_that_of_the_training_frame(tmp_path: Path) -> None:
    where = workspace(tmp_path, profile=RICH)
    at = START + 200 * DAY + timedelta(hours=5)
    names = ["orders_30d", "tier", "since_order", "mean_mailer", "rate_care", "eager", "sent_coupons", "members"]
    with log_of(where, life(np.random.default_rng(11), customers=3, records=150)) as log:
        offline.build(where, log)
        frame = offline.training_frame(where, labels(["c0", "c1", "c2"], at), names)
        for who, row in zip(("c0", "c1", "c2"), frame.select(names).iter_rows(named=True), strict=True):
            for name in names:
                value = provenance(where, log, who, name, at).value
                index = where.profile.index[name]
                expected = index.labels[int(row[name])] if index.labels and row[name] is not None else row[name]
                assert value == (pytest.approx(expected, rel=1e-5) if isinstance(expected, float) else expected), (who, name)


@pytest.mark.parametrize(
    ("conflicts", "members", "since"),
    [("newest", (4.0, "bureau.csv"), START + 120 * DAY), ("order", (2.0, "households.csv"), START + 31 * DAY)],
)
def test_of_several_files_the_one_that_won_is_named_for_each_column(
    conflicts: str, members: tuple[float, str], since: datetime, tmp_path: Path
) -> None:
    more = f"    known_at: 2017-02-01\n    conflicts: {conflicts}\n    files: [{{file: bureau.csv, known_at: 2017-05-01}}]\n"
    where = workspace(tmp_path, profile=PROFILE.replace("    known_at: 2017-02-01\n", more))
    (tmp_path / "bureau.csv").write_text("household,age,size\nc0,,4\n")
    (tmp_path / "households.csv").write_text("household,age,size\nc0,19-24,2\n")
    at = START + 200 * DAY
    with log_of(where, [order("a", "c0", START), order("b", "c0", at)]) as log:
        offline.build(where, log)
        size, age = (provenance(where, log, "c0", name, at) for name in ("members", "age_band"))
        stranger = provenance(where, log, "c9", "members", at)
        offline.materialize(where, log)
    assert ((size.value, size.file), size.files) == (members, ("households.csv", "bureau.csv"))
    assert (age.value, age.file, age.as_of) == ("19-24", "households.csv", START + 31 * DAY)
    assert size.as_of is not None and abs(size.as_of - since) < timedelta(hours=2)  # summer time
    assert (stranger.value, stranger.file, stranger.as_of) == (None, None, None)
    assert forgetting.forget(where.data / "offline", ["c0"]) > 0
    kept = builds.current(where.data / "offline")
    assert kept is not None
    origins = pl.read_parquet(third_party.origins_file(where.data / "offline" / kept.stamp, "households"))
    assert origins.filter(pl.col("customer_id") == "c0").height == 0


def test_only_the_records_of_this_customer_are_read(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    with log_of(where, [order("a", "c0", START), order("b", "c1", START)]) as log:
        assert provenance(where, log, "c0", "points", START + DAY).value == 10.0
    with sqlite3.connect(where.data / "log.db") as damaged:
        damaged.execute("UPDATE records SET payload = x'00' WHERE message_id = 'b'")
    damaged.close()
    with log_of(where) as log:
        assert provenance(where, log, "c0", "points", START + DAY).value == 10.0
        with pytest.raises(KeyFault):
            provenance(where, log, "c1", "points", START + DAY)


def test_what_two_ids_did_counts_for_the_customer_from_when_they_were_known_to_be_one(tmp_path: Path) -> None:
    where = workspace(tmp_path)
    told = START + 10 * DAY
    link = identity_record("identify", source="anonymous:a", target="c0", message_id="i", event_time=told, known_time=told)
    with log_of(where, [order("a", "anonymous:a", START, total=7.0), order("b", "c0", START, total=3.0), link]) as log:
        before, after, asked_by_device = (
            provenance(where, log, who, "points", at)
            for who, at in (("c0", told), ("c0", told + DAY), ("anonymous:a", told + DAY))
        )
    assert (before.value, [maker.message_id for maker in before.makers]) == (3.0, ["b"])
    assert (after.value, {maker.message_id for maker in after.makers}) == (10.0, {"a", "b"})
    assert asked_by_device == after


def test_whose_a_device_was_thought_to_be_is_judged_by_what_was_known_then(tmp_path: Path) -> None:
    where, device, days = workspace(tmp_path), "anonymous:x", [START + day * DAY for day in (1, 3, 5)]
    records = [
        order("a", device, START, total=1.0),
        linked("late", device, "B", START + 2 * DAY),
        linked("first", device, "A", START + DAY, known=START + 4 * DAY),
        linked("renamed", "b", "B", START + 4 * DAY),
    ]
    with log_of(where, records) as log:
        offline.build(where, log)
        for who in (device, "A", "B", "b"):
            frame = offline.training_frame(where, labels([who], *days), ["points"])["points"].to_list()
            assert [provenance(where, log, who, "points", at).value for at in days] == frame, who
        then = provenance(where, log, "B", "points", days[1])
        assert (then.value, [maker.message_id for maker in then.makers]) == (1.0, ["a"])
        assert provenance(where, log, "B", "points", days[2]).value is None


def test_the_traces_of_a_customer_are_the_newest_of_the_makers_of_each_value(tmp_path: Path) -> None:
    where = workspace(tmp_path, profile=RICH)
    records = life(np.random.default_rng(4), customers=1, records=80)
    with log_of(where, records) as log:
        found = traces(where.profile, where.brand.time_zone, list(log.read_of(["c0"])))
        at = START + 1_000 * DAY
        for entry in where.profile.entries:
            if entry.view == "households":
                assert entry.name not in found
                continue
            made, trace = provenance(where, log, "c0", entry.name, at), found.get(entry.name)
            assert made.records == (0 if trace is None else trace.records), entry.name
            if trace is not None:
                assert (trace.happened, trace.known) in {(one.happened, one.known) for one in made.makers[:2]}
                assert trace.happened == made.makers[0].happened
