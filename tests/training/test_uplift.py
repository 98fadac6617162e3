from dataclasses import dataclass
from functools import cache, partial

import numpy as np
import pytest

from features.answers import scored
from measure.qini import uplift_curve
from training.errors import TrainingError
from training.models import raw
from training.parameters import Parameters
from training.uplift import FittedUplift, learn_uplift

_DAY = 86_400_000_000
_PARAMETERS = Parameters(num_iterations=80, num_leaves=6)


@dataclass(frozen=True, kw_only=True)
class World:
    """Some who need the message, some who do it anyway, some whom it drives away; a fifth gets nothing, by chance."""

    matrix: np.ndarray
    labels: np.ndarray
    treated: np.ndarray
    effect: np.ndarray
    without: np.ndarray

    @property
    def given(self) -> dict[str, object]:
        block = (np.arange(len(self.labels)) * 4 // len(self.labels)).astype(np.int32)
        at = block.astype(np.int64) * 30 * _DAY
        return {"matrix": self.matrix, "labels": self.labels, "treated": self.treated, "block": block, "at_us": at,
                "closes_us": at + 14 * _DAY, "columns": ["moved", "anyway", "noise"], "parameters": _PARAMETERS}  # fmt: skip


def _world(*, rows: int = 12_000, seed: int = 1, strength: float = 1.0, control: float = 0.2) -> World:
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(rows, 3)).astype(np.float32)
    without = np.clip(1 / (1 + np.exp(1.5 - 1.2 * matrix[:, 1])), 0.15, 0.8)
    effect = strength * np.where(matrix[:, 0] > 0.5, 0.15, np.where(matrix[:, 0] < -1, -0.12, 0.0))
    treated = random.random(rows) >= control
    labels = (random.random(rows) < without + treated * effect).astype(np.uint8)
    return World(matrix=matrix, labels=labels, treated=treated, effect=effect, without=without)


@cache
def _fitted() -> FittedUplift:
    return learn_uplift(**_world(rows=24_000).given)


def _effects(fitted: FittedUplift, world: World) -> np.ndarray:
    with_it, without = fitted.predict(world.matrix)
    return with_it - without


def test_whom_it_moves_is_found_well_above_chance():
    new = _world(rows=20_000, seed=2)
    found = _effects(_fitted(), new)
    random = np.random.default_rng(3)

    drawn = []
    for _ in range(200):
        rows = random.integers(0, len(found), len(found))
        drawn.append(uplift_curve(new.labels[rows], new.treated[rows], found[rows]).coefficient)

    assert np.quantile(drawn, 0.025) > 0.01
    perfect = uplift_curve(new.labels, new.treated, new.effect).coefficient
    assert uplift_curve(new.labels, new.treated, found).coefficient > 0.7 * perfect


def test_sleeping_dogs_and_persuadables_are_told_apart():
    new = _world(rows=20_000, seed=2)
    found = _effects(_fitted(), new)

    assert (found[new.effect < 0] < 0).mean() > 0.8
    assert (found[new.effect > 0] > 0).mean() > 0.9
    assert found.mean() == pytest.approx(new.effect.mean(), abs=0.02)


def test_both_chances_come_true():
    new = _world(rows=20_000, seed=2)
    with_it, without = _fitted().predict(new.matrix)

    assert with_it.mean() == pytest.approx((new.without + new.effect).mean(), abs=0.02)
    assert without.mean() == pytest.approx(new.without.mean(), abs=0.02)
    for tenth in np.array_split(np.argsort(without), 10):
        assert without[tenth].mean() == pytest.approx(new.without[tenth].mean(), abs=0.07)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_nothing_is_moved_next_to_nothing_is_said(seed):
    found = _effects(learn_uplift(**_world(seed=seed, strength=0.0).given), _world(seed=9, strength=0.0))

    assert abs(found.mean()) < 0.03  # three standard errors of the average effect of 1,800 untreated rows
    assert found.std() < 0.02


def test_with_few_untreated_rows_it_falls_back_and_says_so():
    world = _world(rows=2_000, control=0.01)

    fitted = learn_uplift(**world.given)
    with_it, without = fitted.predict(world.matrix)

    assert fitted.answer is None
    assert fitted.fallback is not None
    assert "without the message, and at least 20 of each are needed" in fitted.fallback
    assert "declared incrementality" in fitted.fallback
    assert np.isnan(without).all()
    assert with_it.mean() == pytest.approx(world.labels[world.treated].mean(), abs=0.02)


def test_where_nothing_can_be_held_out_the_pooled_learner_stands_unjudged_and_it_says_so():
    world = _world(rows=4_000)
    never_over = world.given | {"closes_us": world.given["closes_us"] + 1000 * _DAY}

    fitted = learn_uplift(**never_over)

    assert fitted.fallback is None
    assert fitted.answer is not None and fitted.answer.learner == "pooled"
    assert fitted.unjudged is not None and "held out in time" in fitted.unjudged
    assert np.corrcoef(_effects(fitted, world), world.effect)[0, 1] > 0.4


def test_where_nothing_can_be_held_out_and_bounds_forbid_a_line_it_falls_back_and_says_so():
    given = _world(rows=4_000).given
    never_over = given | {"closes_us": given["closes_us"] + 1000 * _DAY, "rises_with": ["anyway"]}

    fitted = learn_uplift(**never_over)

    assert fitted.fallback is not None and fitted.unjudged is None
    assert "held out in time" in fitted.fallback


def test_with_too_few_treated_rows_it_refuses():
    with pytest.raises(TrainingError, match="with the message, and at least 20"):
        learn_uplift(**_world(rows=300, control=0.97).given)


@pytest.mark.parametrize("bounds", [{}, {"rises_with": ["anyway"]}], ids=["pooled", "T or X"])
def test_the_chance_without_the_message_does_not_depend_on_what_the_message_is_like(bounds):
    given = _world(rows=4_000).given | bounds
    steps = np.zeros((50, 3), dtype=np.float32)
    steps[:, 1] = np.linspace(-3, 3, 50)

    blind = learn_uplift(**given | {"only_with_message": ["anyway"]})
    assert blind.answer is not None and (blind.answer.learner == "pooled") == (not bounds)
    forests = {name: partial(raw, text) for name, text in blind.forests.items()}
    of_line = scored(blind.answer, forests, steps)
    with_it, without = blind.answer.both(of_line)

    assert len(np.unique(without)) == 1
    assert len(np.unique(with_it)) > 1


def test_a_share_that_is_known_row_by_row_is_used_where_it_is_known():
    """Who gets the message goes by a column that the model does not see; only the logged share can tell."""
    random = np.random.default_rng(4)
    world = _world(rows=12_000, seed=5)
    hidden = random.random(12_000) < 0.5
    share = np.where(hidden, 0.8, 0.2)
    treated = random.random(12_000) < share
    labels = (random.random(12_000) < np.where(hidden, 0.5, 0.2)).astype(np.uint8)
    given = world.given | {"labels": labels, "treated": treated}

    blind, told = (learn_uplift(**given | {"share": one}).folds["effect"] for one in (None, share))

    assert blind > 0.12
    assert abs(told) < 0.04


def test_bounds_hold_for_both_chances_of_the_forests():
    world = _world(rows=4_000)
    fitted = learn_uplift(**world.given | {"falls_with": ["anyway"]})  # the data say the opposite
    steps = np.zeros((50, 3), dtype=np.float32)
    steps[:, 1] = np.linspace(-3, 3, 50)

    for forest in ("treated", "nothing"):
        assert (np.diff(raw(fitted.forests[forest], steps)) <= 0).all()


def test_the_same_rows_teach_the_same_byte_for_byte():
    given = _world(rows=3_000).given

    assert learn_uplift(**given) == learn_uplift(**given)
