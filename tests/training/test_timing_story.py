"""From a log of messages that were answered, or only of visits, to the hours that a server weighs."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from decisioning.customer import FeatureIndex, Profile
from decisioning.domain import HoursOf
from features import offline
from features.log import Log, Record
from features.receptive import HOUR, WEEK, Timing
from features.workspace import Workspace
from serving.scoring.current import CurrentModels
from tests.training.worlds import FILES, NOW, decided, offer, open_log, order, outcome, record, workspace
from training import dataset, timing_rows
from training.errors import TrainingError
from training.evidence import evidence
from training.gates import Rules, read_rules
from training.labels import Labels
from training.learn import learn
from training.promote import models_folder, promote
from training.report import timing_lines
from training.settings import FILE, Models
from training.settings import Timing as Settings
from training.train import train

ZONE = ZoneInfo("America/New_York")
PEAKS = (10, 19)
_BRAND = FILES["brand.yaml"].replace("UTC", ZONE.key)
_PLACES = "mailer: {channel: email, direction: outbound, jobs: [sell], attention: 0.1, horizon: 48h}"
_PROFILE = FILES["profile.yaml"].replace(
    "  offers:\n",
    """      "hour_{hour}": {sum: 1, by: hour, half_life: 90d}
      "day_{day}": {sum: 1, by: day, half_life: 90d}
  offers:
""",
)
_POLICY = "{journey: [{stage: active}], contact: {quiet_hours: {start: 21:00, end: 08:00}}}"
_MODELS = """
timing:
  touchpoint: mailer
  event: Order Completed
  active_within: 60d
  horizon: 30d
  train: [2017-04-01, 2017-05-01, 2017-06-01]
  test: [2017-08-01]
  parameters: {num_iterations: 20, num_leaves: 4}
"""
_RULES = """
experiment: kairos
alias: champion
models:
  timing:
    registered_as: test-timing
    gates: {gain_over_flat: {at_least: 0.0}, gain_over_everybody: {at_least: 0.0}}
"""


def _visits(customers: int, *, seed: int = 5) -> Iterator[Record]:
    """Half come around ten, half around seven in the evening, by New York's clock, from February until October."""
    random = np.random.default_rng(seed)
    for number in range(customers):
        for day in np.flatnonzero(random.random(260) < 0.15):
            hour = PEAKS[number % 2] + int(random.integers(-1, 2))
            at = datetime(2017, 2, 1, hour, 30, tzinfo=ZONE) + timedelta(days=int(day))
            yield order(f"o-{number}-{day}", f"c{number}", at.astimezone(UTC))


def _messages(customers: int, *, each: int = 16, seed: int = 6) -> Iterator[Record]:
    """To each, every ten days, at an hour drawn by chance; answered mostly at the customer's own."""
    random = np.random.default_rng(seed)
    for number in range(customers):
        for turn in range(each):
            hour = int(random.integers(8, 21))
            sent = datetime(2017, 4, 3, hour, tzinfo=ZONE) + timedelta(days=10 * turn)
            name, at = f"d-{number}-{turn}", sent.astimezone(UTC)
            offers = [offer("a", "a", "bakery", at, at + timedelta(days=9), hour_probability=1 / 13, expected=0.2)]
            yield record(
                "decision", name, f"c{number}", at - timedelta(hours=1), None, decided(name, at, offers, origin="live")
            )
            yield outcome(f"{name}-sent", name, f"c{number}", "a", at, kind="delivered")
            if random.random() < (0.75 if abs(hour - PEAKS[number % 2]) < 3 else 0.1):
                yield outcome(f"{name}-opened", name, f"c{number}", "a", at + timedelta(minutes=20), kind="opened")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    workspace: Workspace
    log: Log

    @property
    def settings(self) -> Settings:
        found = self.workspace.read(FILE, Models).timing
        assert found is not None
        return found

    def labels(self) -> Labels:
        return timing_rows.timing(self.log, self.workspace, self.settings, midnight=_midnight, now=NOW)

    def rules(self) -> Rules:
        (self.workspace.path / "registry.yaml").write_text(_RULES)
        return read_rules(self.workspace.path / "registry.yaml")


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)


def _brand(folder: Path, records: Sequence[Record], **changed: str) -> Brand:
    texts = {"brand": _BRAND, "touchpoints": _PLACES, "profile": _PROFILE, "policy": _POLICY, "models": _MODELS}
    made = workspace(folder, **(texts | changed))
    log = open_log(made.data, sorted(records, key=lambda one: one.known_time))
    offline.build(made, log)
    return Brand(workspace=made, log=log)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> Brand:
    return _brand(tmp_path_factory.mktemp("answered"), [*_visits(120), *_messages(120)])


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Brand:
    return _brand(tmp_path_factory.mktemp("visited"), [*_visits(120), *_messages(20, each=3)])


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def _customer(index: FeatureIndex, peak: int) -> Profile:
    values = np.full(len(index), np.nan, dtype=np.float32)
    values[index.positions[f"hour_{peak:02d}"]] = 20.0
    return Profile(index=index, values=values, present=~np.isnan(values))


def test_a_promoted_model_weighs_the_hours_of_each_customer(answered: Brand) -> None:
    (report,) = train(answered.workspace, answered.log, now=NOW, rules=answered.rules()).models
    assert report.learned.evaluation["gain_over_everybody"].low > 0
    assert "answers to messages; hours drawn by chance" in "\n".join(report.lines())
    promote(answered.workspace, rules=answered.rules())
    index = answered.workspace.profile.index
    models = CurrentModels(models_folder(answered.workspace), answered.workspace.playbook.catalog, index)
    for peak in PEAKS:
        said, missing = models.predict(_customer(index, peak))
        assert missing == () and said.hours_of == {"email": HoursOf(learned_from="answers", own=True)}
        loud = np.array([8 <= hour % 24 < 21 for hour in range(WEEK)])
        assert said.hours["email"][loud].mean() == pytest.approx(1.0)
        assert abs(np.where(loud, said.hours["email"], 0).argmax() % 24 - peak) <= 1
    again = train(answered.workspace, answered.log, now=NOW, rules=answered.rules()).models[0]
    assert again.reused and again.learned == report.learned


def test_visits_teach_where_too_few_messages_were_answered_and_it_is_said(visited: Brand) -> None:
    settings, found = visited.settings, visited.labels()
    assert found.row is not None
    data = dataset.build(visited.workspace, found, found.row, model="timing")
    learned, _ = evidence("timing", data, learn(data, settings), settings, visited.workspace.profile)
    assert isinstance(learned.answer, Timing) and learned.answer.learned_from == "visits" and learned.answer.own
    assert learned.evaluation["gain_over_everybody"].low > 0
    assert "visits, since too few messages were answered; observational" in timing_lines(learned.answer, learned.folds)[0]


def test_hours_are_those_of_the_brands_clock_through_its_change(answered: Brand) -> None:
    frame = answered.labels().frame
    assert answered.labels().timing is not None
    hours = frame["features"].str.json_path_match(f"$.{HOUR}").cast(int).to_numpy() % 24
    assert set(hours) == set(range(8, 21))
    monday = frame.row(0, named=True)
    assert monday["at"] == datetime(2017, 4, 3, 11, tzinfo=UTC) and f'"{HOUR}":8' in monday["features"]


def test_what_was_expected_at_the_decision_and_how_the_hour_was_drawn_are_read_from_it(answered: Brand) -> None:
    for text in answered.labels().frame["features"]:
        assert '"expected":0.2' in text and '"hour_probability":0.0769' in text


def test_training_ends_where_the_test_begins_and_every_test_row_is_later(answered: Brand) -> None:
    frame = answered.labels().frame
    taught, tested = frame.filter(~frame["test"]), frame.filter(frame["test"])
    assert taught["closes_at"].max() <= tested["at"].min()
    assert set(taught["block"]) == {0, 1, 2} and set(tested["block"]) == {-1}


def test_beside_each_visit_stands_an_hour_drawn_from_all_that_are_not_quiet(visited: Brand) -> None:
    found = visited.labels()
    hours = found.frame["features"].str.json_path_match(f"$.{HOUR}").cast(int).to_numpy() % 24
    came = found.frame["label"].to_numpy() == 1
    assert came.sum() == (~came).sum()
    assert set(hours[came]) == {9, 10, 11, 18, 19, 20}
    assert np.bincount(hours[~came], minlength=24)[8:21].min() > 0 == np.bincount(hours[~came], minlength=24)[:8].max()
    assert found.timing is not None and (found.timing.learned_from, found.timing.randomised) == ("visits", False)
    assert sum(count for text, count in found.counted.items() if "visits teach" in text) > 0


@pytest.mark.parametrize(
    ("records", "changed", "said"),
    [
        (
            [order("o", "c1", NOW - timedelta(days=200))],
            {},
            "0 answers .* and 0 visits .* 200 of either .* take in more history",
        ),
        ([], {"touchpoints": _PLACES.replace("outbound", "inbound")}, "no outbound touchpoint 'mailer'.* leave timing out"),
        ([], {"touchpoints": _PLACES.replace("mailer", "post")}, "no outbound touchpoint 'mailer'.* name one of post"),
        ([], {"profile": FILES["profile.yaml"]}, "profile.yaml counts no habits; add 'hour_{hour}'"),
        ([], {"models": _MODELS.replace("2017-08-01", "2017-10-25")}, "not over at 2017-11-01 .* choose earlier dates"),
    ],
    ids=["too little", "inbound", "another touchpoint", "no habits", "not over"],
)
def test_what_cannot_teach_is_refused_with_cause_and_cure(
    records: list[Record], changed: dict[str, str], said: str, tmp_path: Path
) -> None:
    texts = {"brand": _BRAND, "touchpoints": _PLACES, "profile": _PROFILE, "policy": _POLICY, "models": _MODELS}
    made = workspace(tmp_path, **(texts | changed))
    with closing(open_log(made.data, records)) as log, pytest.raises(TrainingError, match=said):
        Brand(workspace=made, log=log).labels()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"window": timedelta(0)}, "window must be longer"),
        ({"success": ()}, "at least one outcome"),
        ({"rises_with": ("hour_10",)}, "no columns of its own"),
    ],
)
def test_settings_that_mean_nothing_are_refused(changed: dict[str, object], said: str) -> None:
    dates = {"train": (date(2017, 4, 1),), "test": (date(2017, 8, 1),)}
    spans = {"active_within": timedelta(days=60), "horizon": timedelta(days=30)}
    with pytest.raises(ValueError, match=said):
        Settings(**({"touchpoint": "mailer", "event": "x"} | dates | spans | changed))  # type: ignore[arg-type]
