from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from features import offline
from features.builds import FeatureStoreError
from features.provenance import provenance
from tests.features.worlds import DAY, PROFILE, RICH, START, labels, life, log_of, order, outcome, rating, workspace


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
