"""The estimators against Open Bandit Pipeline's values, against each other, and against a log that cannot answer."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from measure.ope import Bounds, Evaluation, dm, dr, evaluate, ips, sndr, snips, switch_dr
from measure.support import LoggedChoices, Refusal
from tests.proofs.logs import simulated_log

HERE = Path(__file__).parent
VECTORS: dict[str, Any] = json.loads((HERE / "obp_vectors.json").read_text(encoding="utf-8"))
TARGET = np.array(VECTORS["target"])
ONE = simulated_log(np.random.default_rng(8))


def vector(name: str) -> tuple[LoggedChoices, np.ndarray, dict[str, Any]]:
    told = VECTORS["logs"][name]
    log = LoggedChoices.of(action=VECTORS["action"], propensity=VECTORS["propensity"], reward=told["reward"])
    return log, np.array(told["expected"]), told


@pytest.mark.parametrize("name", ["binary", "amount"])
def test_every_estimator_equals_open_bandit_pipelines_value(name: str) -> None:
    log, expected, told = vector(name)
    ours = {
        "ips": ips(log, TARGET),
        "snips": snips(log, TARGET),
        "dm": dm(TARGET, expected),
        "dr": dr(log, TARGET, expected),
        "sndr": sndr(log, TARGET, expected),
    }
    assert set(ours) == set(told["values"])
    for estimator, terms in ours.items():
        assert terms.value == pytest.approx(told["values"][estimator], rel=1e-9, abs=1e-9), estimator
    for tau, value in told["switch_dr"].items():
        assert switch_dr(log, TARGET, expected, tau=float(tau)).value == pytest.approx(value, rel=1e-9, abs=1e-9), tau


def test_a_switch_at_nought_is_the_direct_method_and_one_without_end_is_doubly_robust() -> None:
    log, expected, _ = vector("amount")
    assert switch_dr(log, TARGET, expected, tau=0.0).value == pytest.approx(dm(TARGET, expected).value)
    assert switch_dr(log, TARGET, expected, tau=np.inf).value == pytest.approx(dr(log, TARGET, expected).value)


def test_without_a_model_doubly_robust_is_inverse_propensity_scoring() -> None:
    log, expected, _ = vector("binary")
    nothing = np.zeros_like(expected)
    assert dr(log, TARGET, nothing).value == pytest.approx(ips(log, TARGET).value)
    assert sndr(log, TARGET, nothing).value == pytest.approx(snips(log, TARGET).value)


def test_the_policy_that_logged_is_worth_what_it_earned() -> None:
    random = np.random.default_rng(3)
    logging = random.dirichlet(np.ones(4), size=800)
    action = (random.random(800)[:, None] > logging.cumsum(axis=1)).sum(axis=1)
    log = LoggedChoices.of(action=action, propensity=logging[np.arange(800), action], reward=random.random(800))
    told = evaluate(log, logging, seed=1)
    assert isinstance(told, Evaluation)
    assert told["ips"].value == pytest.approx(log.reward.mean())
    assert told["snips"].value == pytest.approx(log.reward.mean())
    assert (told.support.ess, told.support.mean_weight) == pytest.approx((800, 1.0))
    assert set(told.estimates) == {"ips", "snips"}


def test_an_evaluation_holds_every_estimator_with_its_intervals() -> None:
    bounds = Bounds(least=0.0, most=ONE.most, greatest_weight=ONE.greatest_weight)
    told = evaluate(ONE.log, ONE.target, expected=ONE.expected, bounds=bounds, seed=1)
    assert isinstance(told, Evaluation)
    assert set(told.estimates) == {"ips", "snips", "dm", "dr", "sndr", "switch_dr"}
    assert {name for name, estimate in told.estimates.items() if estimate.bernstein is None} == {"snips", "sndr"}
    for estimate in told.estimates.values():
        assert estimate.bootstrap.low < estimate.value < estimate.bootstrap.high
    sure, drawn = told["dr"].bernstein, told["dr"].bootstrap
    assert sure is not None
    assert sure.high - sure.low > drawn.high - drawn.low


def test_the_open_bandit_sample_cannot_say_what_the_uniform_policy_is_worth() -> None:
    # Thompson sampling logged it; the question that the data set was published for is what uniform choice would earn
    kept = np.load(HERE / "open_bandit_women_bts.npz")
    items = int(kept["action"].max()) + 1
    log = LoggedChoices.of(action=kept["action"], propensity=kept["pscore"], reward=kept["reward"])
    assert (len(log), items) == (10_000, 46)
    told = evaluate(log, np.full((len(log), items), 1 / items), seed=1)
    assert isinstance(told, Refusal)
    assert told.reason == "too_few_effective_rows"
    assert "as much as 2.1 would tell" in told.found


@pytest.mark.parametrize(
    ("expected", "most"),
    [
        pytest.param(ONE.expected[:, 1:], ONE.most, id="of another shape"),
        pytest.param(np.full_like(ONE.expected, np.nan), ONE.most, id="no numbers"),
        pytest.param(ONE.expected + ONE.most, ONE.most, id="beyond the bounds"),
    ],
)
def test_expected_rewards_that_do_not_fit_are_a_fault_of_the_caller(expected: np.ndarray, most: float) -> None:
    bounds = Bounds(least=0.0, most=most, greatest_weight=ONE.greatest_weight)
    with pytest.raises(ValueError, match="expected"):
        evaluate(ONE.log, ONE.target, expected=expected, bounds=bounds, seed=1)
