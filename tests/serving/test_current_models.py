"""The models that answer: those of the promoted bundle, where it fits the profile."""

from pathlib import Path

import lightgbm
import numpy as np
import pytest

from decisioning.customer import Profile
from decisioning.domain import HoursOf
from features import bundle
from features.answers import Answer, Response, Uplift, Value
from features.bundle import Bundle, BundledModel
from features.calibration import Isotonic, Platt
from features.line import Line, Numbers
from features.playbook import Playbook
from features.receptive import HOUR
from features.rows import Column, RowSpec
from serving.scoring.current import CurrentModels
from tests import corner
from tests.features.test_receptive import own, timing

BAND = "      points: {sum: total, unit: points}\n"
TIER = f"{BAND}      tier: {{band: points, cuts: [100], labels: [low, high]}}\n"


def book(cut: int = 100) -> Playbook:
    return corner.playbook(profile=corner.TEXTS["profile.yaml"].replace(BAND, TIER.replace("100", str(cut))))


def forest(objective: str = "binary", rounds: int = 3) -> str:
    """The text of a forest that learned to repeat the band, from 1 on where it is to be an amount."""
    rows = np.array([[0.0], [1.0]] * 20)
    data = lightgbm.Dataset(rows, rows[:, 0] + (objective == "gamma"), params={"min_data_in_leaf": 1, "verbosity": -1})
    return lightgbm.train({"objective": objective, "num_threads": 1, "verbosity": -1}, data, rounds).model_to_string()


def promoted(folder: Path, of: Playbook, metric: float = 0.5) -> Bundle:
    """A bundle of one model that reads the band, made with this profile and promoted."""
    text = forest()
    row = RowSpec((Column(name="tier", side="customer", of="tier"),))
    answer = Response(about="customer", calibration=Platt())
    model = BundledModel(name="churn", forests={"response": text}, row=row, answer=answer, metrics={"auc": metric})
    made = bundle.bundled([model], of.profile.index, tuple(of.profile.topics))
    bundle.write(made, folder)
    bundle.switch(folder, made.hash)
    return made


def known(of: Playbook) -> Profile:
    values = np.zeros(len(of.profile.index), dtype=np.float32)
    return Profile(index=of.profile.index, values=values, present=np.ones(len(values), dtype=np.bool_))


def test_a_promoted_bundle_that_fits_answers_from_the_next_prediction_on(tmp_path: Path) -> None:
    models = CurrentModels(tmp_path, book().catalog, book().profile.index)
    assert (models.bundle, models.trouble) == (None, None)
    made = promoted(tmp_path, book())
    assert (models.bundle, models.trouble) == (made.hash, None)
    assert 0 < models.predict(known(book()))[0].customer["churn"] < 1


@pytest.mark.parametrize("cut", [90, 110])
def test_a_bundle_that_learned_another_band_is_refused_and_the_one_before_answers_on(cut: int, tmp_path: Path) -> None:
    fits = promoted(tmp_path, book())
    models = CurrentModels(tmp_path, book().catalog, book().profile.index)
    before = models.predict(known(book()))[0].customer
    promoted(tmp_path, book(cut))
    assert models.bundle == fits.hash
    assert models.trouble is not None and f"cut at {cut}" in models.trouble and "train again" in models.trouble
    assert models.predict(known(book()))[0].customer == before
    again = promoted(tmp_path, book(), metric=0.6)
    assert (models.bundle, models.trouble) == (again.hash, None)


def test_a_server_that_starts_on_a_bundle_that_does_not_fit_has_no_model_and_says_why(tmp_path: Path) -> None:
    promoted(tmp_path, book(90))
    models = CurrentModels(tmp_path, book().catalog, book().profile.index)
    assert models.bundle is None and models.trouble is not None
    predictions, missing = models.predict(known(book()))
    assert predictions.customer == {} and missing == ("model_missing:preference",)


ROW = RowSpec((Column(name="tier", side="customer", of="tier"),))
LINE = Isotonic(scores=(-1.0, 1.0), probabilities=(0.1, 0.9))


def answering(folder: Path, of: Playbook, name: str, answer: Answer, row: RowSpec = ROW) -> CurrentModels:
    """The server's models once this one alone is promoted; its forests differ by how long they learned."""
    kinds = {"amount": "gamma", "effect_treated": "regression", "effect_nothing": "regression"}
    forests = {one: forest(kinds.get(one, "binary"), at + 2) for at, one in enumerate(answer.forests)}
    made = bundle.bundled(
        [BundledModel(name=name, forests=forests, row=row, answer=answer)], of.profile.index, of.catalog.topics
    )
    bundle.write(made, folder)
    bundle.switch(folder, made.hash)
    return CurrentModels(folder, of.catalog, of.profile.index)


def raw(answer: Answer, rows: int) -> dict[str, np.ndarray]:
    """What the same forests say of the customer whose band is 0."""
    kinds = {"amount": "gamma", "effect_treated": "regression", "effect_nothing": "regression"}
    asked = np.zeros((rows, 1))
    return {
        one: lightgbm.Booster(model_str=forest(kinds.get(one, "binary"), at + 2)).predict(asked, raw_score=True)
        for at, one in enumerate(answer.forests)
    }


def test_a_rising_line_and_several_horizons_are_answered_as_training_says(tmp_path: Path) -> None:
    answer = Response(about="customer", calibration=LINE)
    said = answering(tmp_path, book(), "churn_60", answer).predict(known(book()))[0]
    assert said.customer == {"churn_60": pytest.approx(answer.probabilities(raw(answer, 1))[0])}
    assert said.nothing is None


def test_a_value_is_a_prediction_of_the_customer_in_its_unit(tmp_path: Path) -> None:
    answer = Value(any=Platt(), scale=40.0, highest=1.0)
    said = answering(tmp_path, book(), "value", answer).predict(known(book()))[0]
    assert said.customer == {"value": pytest.approx(answer.amounts(raw(answer, 1))[0])}
    assert said.customer["value"] > 1


LINES = {
    "pooled": Line(
        customer=Numbers(columns=(0, 0), codes=(0, 1), mean=(0.0, 0.0), spread=(1.0, 1.0)),
        message=Numbers(columns=(), codes=(), mean=(), spread=()),
        pairs=True,
        each=True,
        middle=(0.1,),
        weights=(-0.5, 0.4, -0.4, 0.7, 0.3, 0.2, -0.2, 0.1),
    )
}


@pytest.mark.parametrize("learner", ["t", "x", "pooled"])
def test_an_uplift_says_the_chance_with_and_without_for_its_own_actions_only(learner: str, tmp_path: Path) -> None:
    asked = corner.TEXTS["catalog.yaml"].replace("model: preference", "model: uplift")
    of = corner.playbook(profile=corner.TEXTS["profile.yaml"].replace(BAND, TIER), catalog=asked)
    answer = Uplift(learner=learner, treated=LINE, nothing=Platt(), slope=0.8, shift=0.02, share=0.9, line=LINES.get(learner))
    said, _ = answering(tmp_path, of, "uplift", answer).predict(known(of))
    of_line = {}
    if answer.line is not None:
        of_line["line"], of_line["line_without"] = answer.line.log_odds(np.zeros((1, 1), np.float32))
    with_it, without = answer.probabilities(raw(answer, 1) | of_line)
    asks = np.array([action.response.model == "uplift" for action in of.catalog.actions])
    assert asks.sum() == 1 and said.nothing is not None
    assert said.response[asks] == pytest.approx(with_it)
    assert said.nothing[asks] == pytest.approx(without)
    assert np.isnan(said.nothing[~asks]).all()


def test_hours_are_weighed_for_the_channel_from_habits_that_the_model_learned_from(tmp_path: Path) -> None:
    of = book()
    row = RowSpec((Column(name="hour_09", side="customer", of="hour_09"), Column(name=HOUR, side="action", of=HOUR)))
    answer = timing(channel="email", learned_from="visits")
    models = answering(tmp_path, of, "timing", answer, row)
    values = np.full(len(of.profile.index), np.nan, dtype=np.float32)
    values[[of.profile.index.positions[name] for name in ("hour_09", "hour_20")]] = 30.0
    said, _ = models.predict(Profile(index=of.profile.index, values=values, present=~np.isnan(values)))
    assert said.hours_of == {"email": HoursOf(learned_from="visits", own=True)}
    assert said.hours["email"] == pytest.approx(answer.factors(own(hour_09=30.0)[None])[0])
    stranger, _ = models.predict(Profile.empty(of.profile.index))
    assert stranger.hours_of == {"email": HoursOf(learned_from="visits", own=False)}
    assert stranger.hours["email"] == pytest.approx(answer.factors(own()[None])[0])
