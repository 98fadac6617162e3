from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import builds, offline, quality_report
from features.log import Record
from features.quality import Distribution, Quality, QualityError, measured, psi
from features.workspace import Workspace
from tests.features.worlds import DAY, PROFILE, START, log_of, order, spec, workspace

RANGE = PROFILE.replace("spend_30d: {sum: total,", "spend_30d: {range: [0, 100], sum: total,")


def _orders(totals: dict[str, float], name: str = "m") -> list[Record]:
    return [order(f"{name}{at}", who, START, total=total) for at, (who, total) in enumerate(totals.items())]


def _kept(where: Workspace) -> tuple[set[str], str]:
    return {file.name for file in (where.data / "quality").iterdir()}, builds.current(where.data / "offline").stamp


def test_a_broken_bound_stops_the_build_keeps_the_last_good_one_and_names_feature_number_and_bound(tmp_path: Path) -> None:
    where = workspace(tmp_path, profile=RANGE)
    with log_of(where, _orders({"c0": 50.0, "c1": 60.0})) as log:
        good = offline.build(where, log)
        assert _kept(where) == ({"accepted.json", "accepted.html"}, good.stamp)
        log.append(_orders({"c2": 500.0}, "dear"))
        with pytest.raises(QualityError) as refused:
            offline.build(where, log)
        says = str(refused.value)
        assert "spend_30d: the highest value is 500, range ends at 100. The build is not used" in says
        assert "kairos features build --accept" in says and "refused.html" in says
        assert _kept(where) == ({"accepted.json", "accepted.html", "refused.json", "refused.html"}, good.stamp)
        assert sorted(path.name for path in (where.data / "offline").iterdir()) == sorted(["current", good.stamp])
        # refused again, until somebody says that the world has changed
        with pytest.raises(QualityError):
            offline.build(where, log)
        taken = offline.build(where, log, accept=True)
        assert _kept(where) == ({"accepted.json", "accepted.html"}, taken.stamp)
        assert quality_report.accepted(where.data / "quality").faults == (
            "spend_30d: the highest value is 500, range ends at 100",
        )
        assert offline.build(where, log).reused


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        pytest.param(
            "members: {column: size}",
            "members: {column: size, max_null: 0.2}",
            "members: 50.0% of the customers have no value, max_null is 20.0%",
            id="missing",
        ),
        pytest.param(
            "    known_at: 2017-02-01",
            "    known_at: 2017-02-01\n    max_null: 0.4",
            "age_band: 50.0% of the customers have no value, max_null is 40.0%",
            id="missing, as the view says",
        ),
        pytest.param("lines: {sum", "lines: {range: [1, 9], sum", "lines: the lowest value is 0, range begins at 1", id="low"),
        pytest.param(
            "    on: {outcome: [delivered, accepted]}\n",
            "    on: {outcome: [delivered, accepted]}\n    max_age: 7d\n",
            "view offers: it has no record, max_age is 7 days",
            id="empty",
        ),
        pytest.param(
            "    known_at: 2017-02-01",
            "    known_at: 2017-02-01\n    max_age: 7d",
            "view households: its newest record is 369.0 days old, max_age is 7 days",
            id="old",
        ),
    ],
)
def test_each_kind_of_bound_is_held(tmp_path: Path, before: str, after: str, says: str) -> None:
    assert before in PROFILE
    where = workspace(tmp_path, profile=PROFILE.replace(before, after))
    records = [order(f"m{at}", f"c{at}", START + 400 * DAY) for at in range(4)]
    with log_of(where, records) as log, pytest.raises(QualityError, match=says):
        offline.build(where, log)


def test_customers_who_became_others_are_a_drift(tmp_path: Path) -> None:
    profile = PROFILE.replace("points: {sum", "points: {max_psi: 0.25, sum")
    where = workspace(tmp_path, profile=profile)
    with log_of(where, _orders({f"c{at}": float(at) for at in range(40)})) as log:
        offline.build(where, log)
        log.append(_orders({"c0": 1.0}, "alike"))
        offline.build(where, log)
        log.append(_orders({f"c{at}": 900.0 for at in range(30)}, "other"))
        with pytest.raises(QualityError, match=r"points: PSI \d+\.\d\d against build \w+, max_psi is 0.25"):
            offline.build(where, log)


def test_a_log_without_customers_breaks_no_bound(tmp_path: Path) -> None:
    where = workspace(tmp_path, profile=PROFILE.replace("points: {sum", "points: {max_null: 0, sum"))
    with log_of(where) as log:
        assert offline.build(where, log).records == 0


def test_the_page_is_whole_in_itself_and_shows_what_is_broken_first() -> None:
    profile = spec(RANGE)
    values = np.full((3, len(profile.index)), np.nan, dtype=np.float32)
    values[:, profile.index.positions["spend_30d"]] = [1, 2, 900]
    found = measured(profile, values, {"orders": 0}, stamp="<b>", until="2017-01-01", until_us=86_400_000_000, accepted=None)
    page = quality_report.html(found)
    assert "<script" not in page and "http" not in page and "&lt;b&gt;" in page
    assert page.index("<td>spend_30d") < page.index("<td>orders_30d")
    assert "<td>orders</td><td class=n>1.0</td>" in page


def test_a_report_of_another_form_is_no_baseline(tmp_path: Path) -> None:
    assert quality_report.accepted(tmp_path) is None
    (tmp_path / "accepted.json").write_text('{"form": 0}')
    assert quality_report.accepted(tmp_path) is None


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    profile = spec()
    values = np.arange(5 * len(profile.index), dtype=np.float32).reshape(5, -1)
    made: Quality = measured(profile, values, {"orders": None}, stamp="a", until="2017-01-01", until_us=0, accepted=None)
    quality_report.write(tmp_path, made, "accepted")
    assert quality_report.accepted(tmp_path) == made
    again = measured(profile, values, {"orders": None}, stamp="b", until="2017-01-01", until_us=0, accepted=made)
    assert {one.psi for one in again.features} == {0.0} and again.against == "a"
    assert replace(again, stamp="a", against=None, features=made.features) == made


shares = st.lists(st.floats(0, 1), min_size=3, max_size=3).map(lambda parts: tuple(x / (sum(parts) or 1) for x in parts))


@given(shares, shares)
def test_the_index_of_stability_is_symmetric_and_never_negative(a: tuple[float, ...], b: tuple[float, ...]) -> None:
    one, other = Distribution(cuts=(0.0,), shares=a), Distribution(cuts=(0.0,), shares=b)
    assert psi(one, other) == pytest.approx(psi(other, one)) and psi(one, other) >= 0
    assert psi(one, one) == 0


def test_the_index_of_stability_of_a_known_table() -> None:
    then, now = (Distribution(cuts=(0.0,), shares=shares) for shares in ((0.5, 0.3, 0.2), (0.4, 0.4, 0.2)))
    assert psi(then, now) == pytest.approx(-0.1 * np.log(0.4 / 0.5) + 0.1 * np.log(0.4 / 0.3))


def test_rows_that_take_effect_later_are_not_judged_yet(tmp_path: Path) -> None:
    profile = PROFILE.replace("members: {column: size}", "members: {column: size, range: [0, 1]}")
    where = workspace(tmp_path, profile=profile)
    with log_of(where, [order("a", "c0", START)]) as log:
        offline.build(where, log)
        log.append([order("b", "c0", START + timedelta(days=60))])
        with pytest.raises(QualityError, match="members: the highest value is 3"):
            offline.build(where, log)


@pytest.mark.parametrize("customers", [30, 300])
def test_what_chance_moves_among_few_customers_is_no_drift(customers: int) -> None:
    profile = spec(PROFILE.replace("points: {sum", "points: {max_psi: 0.05, sum"))
    random, at, faults, highest = np.random.default_rng(3), profile.index.positions["points"], 0, 0.0

    def sample(accepted: Quality | None) -> Quality:
        values = np.full((customers, len(profile.index)), np.nan, dtype=np.float32)
        values[:, at] = random.exponential(50, customers)
        return measured(profile, values, {}, stamp="a", until="2017-01-01", until_us=0, accepted=accepted)

    for _ in range(100):
        again = sample(sample(None))
        faults += bool(again.faults)
        highest = max(highest, again.features[at].psi or 0.0)
    assert faults <= 5 and highest > 0.05
