"""The models that answer: those of the promoted bundle, where it fits the profile."""

from pathlib import Path

import lightgbm
import numpy as np
import pytest

from decisioning.customer import Profile
from features import bundle
from features.bundle import Bundle, BundledModel
from features.playbook import Playbook
from features.rows import Column, RowSpec
from serving.scoring.current import CurrentModels
from tests import corner

BAND = "      points: {sum: total, unit: points}\n"
TIER = f"{BAND}      tier: {{band: points, cuts: [100], labels: [low, high]}}\n"


def book(cut: int = 100) -> Playbook:
    return corner.playbook(profile=corner.TEXTS["profile.yaml"].replace(BAND, TIER.replace("100", str(cut))))


def promoted(folder: Path, of: Playbook, metric: float = 0.5) -> Bundle:
    """A bundle of one model that reads the band, made with this profile and promoted."""
    rows = np.array([[0.0], [1.0]] * 20)
    data = lightgbm.Dataset(rows, rows[:, 0], params={"min_data_in_leaf": 1, "verbosity": -1})
    text = lightgbm.train({"objective": "binary", "num_threads": 1, "verbosity": -1}, data, 3).model_to_string()
    row = RowSpec((Column(name="tier", side="customer", of="tier"),))
    model = BundledModel(name="churn", text=text, row=row, metrics={"auc": metric})
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
