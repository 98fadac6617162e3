"""The bounds of the demo brand's profile: each of them stops a build that breaks it, and the last good one stays."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import examples.grocer
from features import builds, offline
from features.log import Log, Record
from features.quality import QualityError
from features.workspace import Workspace
from tests.features.worlds import DAY, START, identify, order, rating

GROCER = Path(examples.grocer.__file__).parent
CUSTOMERS = 300
END = START + 200 * DAY
Spoil = Callable[[Path, Log], None]


def _orders(
    name: str, customers: range, begins: int, *, days: int = 190, visits: int = 12, total: float = 40.0
) -> list[Record]:
    """Some visit often, some once, within so many days after the one it begins."""
    random = np.random.default_rng(5)
    made = []
    for at in customers:
        for visit in range(1 + random.integers(visits)):
            happened = START + timedelta(days=begins, minutes=float(random.integers(60 * 24 * days)))
            paid = round(total * float(random.lognormal(0, 0.5)), 2)
            made.append(order(f"{name}-{at}-{visit}", f"c{at}", happened, total=paid, products=[("PASTRY", paid)]))
    return made


def _households(folder: Path, matched: int, *, age: str | None = None) -> None:
    random = np.random.default_rng(7)
    ages = ["19-24", "25-34", "35-44", "45-54", "55-64", "65+"]
    rows = range(matched)
    pl.DataFrame(
        {
            "household_id": [f"c{at}" for at in rows],
            "age": [age or ages[random.integers(6)] for _ in rows],
            "income": ["50-74K" for _ in rows],
            "home_ownership": ["Homeowner" for _ in rows],
            "household_size": ["2" for _ in rows],
            "kids_count": ["0" for _ in rows],
        }
    ).write_parquet(folder / "households.parquet")


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A brand like the demo's with a build that broke no bound."""
    folder = tmp_path_factory.mktemp("grocer")
    for file in GROCER.glob("*.yaml"):
        shutil.copy(file, folder)
    _households(folder, 120)
    place = Workspace.load(folder)
    log = Log(place.log_url)
    log.append(_orders("first", range(CUSTOMERS), 10))
    offline.build(place, log)
    log.close()
    return folder


def _many_who_never_bought(_: Path, log: Log) -> None:
    log.append([identify(f"i{at}", f"n{at}", END, first_name="Ada") for at in range(2 * CUSTOMERS)])


def _no_sale_for_weeks(_: Path, log: Log) -> None:
    log.append([identify("i", "c1", END + 15 * DAY, first_name="Ada")])


def _prices_in_cents(_: Path, log: Log) -> None:
    log.append(_orders("cents", range(CUSTOMERS), 10, total=4_000.0))


def _a_price_of_a_house(_: Path, log: Log) -> None:
    log.append([order("house", "c1", END, total=400_000.0)])


def _a_rating_of_fifty(_: Path, log: Log) -> None:
    log.append([rating("r", "c1", END, event="Satisfaction Rated", touchpoint="app_home", value=50)])


def _a_delivery_of_few(folder: Path, _: Log) -> None:
    _households(folder, 20)


def _a_delivery_of_other_people(folder: Path, _: Log) -> None:
    _households(folder, 120, age="65+")


def _a_delivery_of_years_ago(folder: Path, _: Log) -> None:
    profile = folder / "profile.yaml"
    profile.write_text(profile.read_text().replace("known_at: 2017-01-01", "known_at: 2015-01-01"))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (_many_who_never_bought, r"orders_90d: 66\.7% of the customers have no value, max_null is 50\.0%"),
        (_no_sale_for_weeks, r"view orders: its newest record is \d+\.\d days old, max_age is 14 days"),
        (_prices_in_cents, r"spend_90d: PSI \d+\.\d\d against build \w+, max_psi is 0\.25"),
        (_a_price_of_a_house, r"spend_90d: the highest value is \d\S+, range ends at 100000"),
        (_a_rating_of_fifty, r"rated_satisfaction_rated: the highest value is 50, range ends at 10"),
        (_a_delivery_of_few, r"age_band: 93\.3% of the customers have no value, max_null is 85\.0%"),
        (_a_delivery_of_other_people, r"age_band: PSI \d+\.\d\d against build \w+, max_psi is 0\.25"),
        (_a_delivery_of_years_ago, r"view households: its newest record is \d+\.\d days old, max_age is 730 days"),
    ],
)
def test_a_broken_bound_of_the_demo_stops_the_build_and_the_last_good_one_stays(
    spoil: Spoil, says: str, good: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "grocer"
    shutil.copytree(good, folder)
    before = builds.current(folder / ".kairos" / "offline")
    log = Log(f"sqlite:///{folder / '.kairos' / 'log.db'}")
    spoil(folder, log)
    with pytest.raises(QualityError, match=says):
        offline.build(Workspace.load(folder), log)
    log.close()
    assert before is not None
    assert builds.current(folder / ".kairos" / "offline") == before
    assert (folder / ".kairos" / "quality" / "refused.html").is_file()


def test_a_quiet_week_breaks_no_bound(good: Path, tmp_path: Path) -> None:
    folder = tmp_path / "grocer"
    shutil.copytree(good, folder)
    log = Log(f"sqlite:///{folder / '.kairos' / 'log.db'}")
    log.append(_orders("week", range(0, CUSTOMERS, 7), 200, days=7, visits=1))
    assert not offline.build(Workspace.load(folder), log).reused
    log.close()
