"""A campaign's table is evaluated on the rows held out, or refused with the cause and the cure."""

import json
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pytest

from features.campaign_files import Campaign
from tests.proofs.campaign_worlds import CampaignWorld, null
from training.campaign_leaks import leaks
from training.campaign_policies import learn
from training.campaigns import CampaignRefused, CampaignReport, evaluate_campaign


def campaign_of(world: CampaignWorld) -> Campaign:
    names = tuple(f"column {at}" for at in range(world.matrix.shape[1]))
    return Campaign(
        arms=tuple(f"arm {at}" for at in range(world.means.shape[1])),
        action=world.action,
        reward=world.reward,
        propensity=world.propensity,
        matrix=world.matrix,
        columns=names,
        origins=names,
        warnings=("column 'id' is left out: it looks like an id",),
    )


def with_column(campaign: Campaign, values: np.ndarray) -> Campaign:
    return replace(
        campaign,
        matrix=np.column_stack([campaign.matrix, values]),
        columns=(*campaign.columns, "later"),
        origins=(*campaign.origins, "later"),
    )


WORLD = null(np.random.default_rng(5), 1_500)
CAMPAIGN = campaign_of(WORLD)


def clear_crossover() -> CampaignWorld:
    """Two kinds of customers, each with an arm of its own."""
    random = np.random.default_rng(2)
    side, action = random.choice([-1.0, 1.0], size=2_000), random.integers(0, 2, 2_000)
    means = 0.5 + 0.3 * np.column_stack([-side, side])
    return CampaignWorld(
        matrix=np.column_stack([side, random.normal(size=2_000)]),
        means=means,
        action=action,
        reward=(random.random(2_000) < means[np.arange(2_000), action]).astype(np.float64),
        propensity=np.full(2_000, 0.5),
    )


CLEAR = clear_crossover()


@pytest.fixture(scope="module")
def report() -> CampaignReport:
    return evaluate_campaign(CAMPAIGN, seed=3)


def test_the_report_is_the_form_that_machines_read(report: CampaignReport) -> None:
    told: dict[str, Any] = json.loads(json.dumps(asdict(report)))
    assert list(told) == [
        "n", "uniform", "logging", "static", "learned", "recommended", "qini", "uplift_at", "ess", "warnings",
    ]  # fmt: skip
    assert told["n"] == 750
    assert list(told["static"]) == list(CAMPAIGN.arms)
    assert list(told["uplift_at"]) == ["10", "20", "30"]
    assert list(told["recommended"]) == ["policy", "value", "low", "high"]
    for value in (told["uniform"], told["logging"], told["learned"], told["recommended"], *told["static"].values()):
        assert value["low"] <= value["value"] <= value["high"]
    assert told["warnings"] == ["column 'id' is left out: it looks like an id"]


def test_where_nothing_is_to_be_personalised_one_arm_is_recommended(report: CampaignReport) -> None:
    policy = report.recommended.policy
    assert policy.startswith("static:")
    assert report.static[policy.removeprefix("static:")].value == report.recommended.value
    assert report.ess > 100


def test_a_person_reads_it_too(report: CampaignReport) -> None:
    lines = report.lines()
    assert lines[0].startswith("750 rows held out")
    assert sum("<- recommended" in line for line in lines) == 1


def test_a_seed_gives_the_same_report(report: CampaignReport) -> None:
    assert evaluate_campaign(CAMPAIGN, seed=3) == report
    assert evaluate_campaign(CAMPAIGN, seed=4) != report


def test_what_is_held_out_chooses_nothing(report: CampaignReport) -> None:
    # rewards of rows that were held out, turned around: the same policy is recommended, at another value
    random, held = np.random.default_rng(3), np.zeros(len(CAMPAIGN.action), dtype=bool)
    for arm in np.unique(CAMPAIGN.action):
        rows = random.permutation(np.flatnonzero(CAMPAIGN.action == arm))
        held[rows[: round(0.5 * len(rows))]] = True
    turned = np.where(held, CAMPAIGN.reward.max() - CAMPAIGN.reward, CAMPAIGN.reward)
    other = evaluate_campaign(replace(CAMPAIGN, reward=turned), seed=3)
    assert other.recommended.policy == report.recommended.policy
    assert other.recommended.value > report.recommended.value


def test_a_clear_crossover_is_learned_and_recommended() -> None:
    told = evaluate_campaign(campaign_of(CLEAR), seed=1)
    assert told.recommended.policy == "learned"
    assert told.recommended.low > max(one.high for one in told.static.values())
    assert told.qini > 0
    assert told.ess == pytest.approx(500, rel=0.1)


def test_many_arms_with_few_rows_each_leave_nothing_to_prefer() -> None:
    random = np.random.default_rng(2)
    world = CampaignWorld(
        matrix=random.normal(size=(1_000, 1)),
        means=np.zeros((1_000, 12)),
        action=np.arange(1_000) % 12,
        reward=random.random(1_000),
        propensity=np.full(1_000, 1 / 12),
    )
    told = evaluate_campaign(campaign_of(world), seed=1)
    assert told.recommended.policy == "uniform"
    assert any("none can be preferred" in line for line in told.warnings)


def test_without_any_column_the_best_arm_is_recommended() -> None:
    bare = replace(CAMPAIGN, matrix=CAMPAIGN.matrix[:, :0], columns=(), origins=())
    assert evaluate_campaign(bare, seed=3).recommended.policy.startswith("static:")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"reward": np.ones(1_500)}, "every reward is 1"),
        ({"propensity": np.zeros(1_500)}, "not above 0 and at most 1"),
        ({"propensity": np.full(1_500, 33.3)}, "as a share and not in percent"),
        ({"propensity": np.full(1_500, 0.99)}, "the propensities do not fit the action 'arm 0'"),
    ],
)
def test_what_no_split_would_cure_is_refused(change: dict[str, np.ndarray], says: str) -> None:
    with pytest.raises(CampaignRefused, match=says):
        evaluate_campaign(replace(CAMPAIGN, **change), seed=3)


def test_a_propensity_that_fits_on_average_only_is_refused_for_the_arm_that_it_does_not_fit() -> None:
    action = (np.arange(1_500) % 10 == 0).astype(np.int64)
    lopsided = replace(CAMPAIGN, arms=("a", "b"), action=action, propensity=np.full(1_500, 0.5))
    with pytest.raises(CampaignRefused, match=r"'a': it is 90.0% of the rows"):
        evaluate_campaign(lopsided, seed=3)


def test_an_action_with_few_rows_is_refused() -> None:
    faxed = replace(
        CAMPAIGN, arms=("mail", "fax"), action=(np.arange(1_500) < 19).astype(np.int64), propensity=np.full(1_500, 0.5)
    )
    with pytest.raises(CampaignRefused, match=r"fewer than 20 rows of the action 'fax'; leave these rows out"):
        evaluate_campaign(faxed, seed=3)


def test_few_rows_are_refused() -> None:
    few = replace(CAMPAIGN, **{name: getattr(CAMPAIGN, name)[:150] for name in ("action", "reward", "propensity", "matrix")})
    with pytest.raises(CampaignRefused, match="effective sample size"):
        evaluate_campaign(few, seed=3)


@pytest.mark.parametrize("holdout", [0.0, 1.0, float("nan")])
def test_a_share_that_leaves_nothing_is_refused(holdout: float) -> None:
    with pytest.raises(CampaignRefused, match=r"between 0.1 and 0.9"):
        evaluate_campaign(CAMPAIGN, holdout=holdout, seed=3)


REWARD = CAMPAIGN.reward
LATER = {
    "what followed some of the rewards": np.where(np.arange(1_500) % 3 == 0, (REWARD > 0).astype(float), 0.0),
    "missing where there was none": np.where(REWARD > 0, 1.0 + np.arange(1_500), np.nan),
    "the reward with noise": REWARD + np.random.default_rng(0).normal(size=1_500) * 0.01,
    "its opposite": -REWARD,
}


@pytest.mark.parametrize("values", LATER.values(), ids=list(LATER))
def test_a_column_that_knows_the_reward_is_refused_with_what_to_drop(values: np.ndarray) -> None:
    with pytest.raises(CampaignRefused, match=r"as if written after it: 'later'.*--drop 'later'"):
        evaluate_campaign(with_column(CAMPAIGN, values), seed=3)


def test_a_column_that_only_predicts_the_reward_well_is_no_leak() -> None:
    random = np.random.default_rng(1)
    noisy = REWARD + random.normal(size=1_500) * REWARD.std()
    assert leaks(with_column(CAMPAIGN, noisy)) == {}


def test_a_policy_learned_says_what_it_gained_on_rows_that_it_did_not_learn_from() -> None:
    told = learn(CLEAR.matrix, CLEAR.action, CLEAR.reward, CLEAR.propensity, arms=2, seed=1)
    # who is sent what suits them answers in 8 of 10 cases, anybody in half
    assert told.policy.gain_error > 0
    assert abs(told.policy.gain - 0.3) < 4 * told.policy.gain_error
    assert (told.policy.choose(CLEAR.matrix) == (CLEAR.matrix[:, 0] > 0)).mean() > 0.99


def test_an_arm_is_not_the_best_for_one_large_amount() -> None:
    # the second arm sells twice as often; on the first, one customer bought a hundred times as much as others
    random, action = np.random.default_rng(6), np.arange(4_000) % 2
    reward = np.where(random.random(4_000) < np.where(action == 0, 0.05, 0.10), random.gamma(4.0, 5.0, size=4_000), 0.0)
    reward[np.flatnonzero((action == 0) & (reward > 0))[0]] = 3_000.0
    assert reward[action == 0].mean() > reward[action == 1].mean()
    told = learn(random.normal(size=(4_000, 1)), action, reward, np.full(4_000, 0.5), arms=2, seed=1)
    assert (told.best, told.policy.credible) == (1, False)
