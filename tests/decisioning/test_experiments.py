"""Groups and experiments: shares as declared, nested where told, and none that tells of another."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from decisioning.experiments import arms, trial_group
from decisioning.policy import Experiment
from tests import worlds
from tests.worlds import decided

PEOPLE = tuple(f"c{at}" for at in range(20_000))
TONE = Experiment(experiment="tone", arms={"warm": 0.5, "plain": 0.3})
"""A fifth of the customers is in no arm."""
PRICE = Experiment(experiment="price", arms={"low": 0.5, "high": 0.5})
WORDS = Experiment(experiment="words", arms={"few": 0.5, "many": 0.5}, within={"tone": ("warm",)})


def of(*experiments: Experiment, salt: str = "s") -> list[dict[str, str]]:
    return [arms(experiments, who, salt=salt) for who in PEOPLE]


def independent(pairs: list[tuple[str, str]]) -> float:
    """The p-value of the two being independent, by chi-squared."""
    rows, columns = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
    counts = Counter(pairs)
    return float(stats.chi2_contingency([[counts[row, column] for column in columns] for row in rows]).pvalue)


def test_trial_groups_have_their_shares_and_customers_keep_theirs() -> None:
    groups = Counter(trial_group(who, control=0.1, random=0.05, salt="s") for who in PEOPLE)
    assert groups["control"] == pytest.approx(2_000, abs=4 * np.sqrt(1_800))
    assert groups["random"] == pytest.approx(1_000, abs=4 * np.sqrt(950))
    stayed = [trial_group(who, control=0.2, random=0.05, salt="s") for who in PEOPLE[:2_000]]
    before = [trial_group(who, control=0.1, random=0.05, salt="s") for who in PEOPLE[:2_000]]
    assert all(now == "control" for now, then in zip(stayed, before, strict=True) if then == "control")


@pytest.mark.parametrize(("control", "random", "group"), [(1.0, 0.0, "control"), (0.0, 1.0, "random"), (0.0, 0.0, "treatment")])
def test_a_share_of_all_takes_all(control: float, random: float, group: str) -> None:
    assert {trial_group(who, control=control, random=random, salt="s") for who in PEOPLE[:500]} == {group}


def test_arms_have_their_shares_and_the_rest_is_in_none() -> None:
    found = Counter(one.get("tone", "") for one in of(TONE))
    shares = {"warm": 0.5, "plain": 0.3, "": 0.2}
    test = stats.chisquare([found[arm] for arm in shares], [share * len(PEOPLE) for share in shares.values()])
    assert set(found) == set(shares) and test.pvalue > 0.01


@pytest.mark.parametrize(("share", "arm"), [(1.0, "all"), (0.0, None)])
def test_an_arm_of_all_has_all_and_one_of_none_has_nobody(share: float, arm: str | None) -> None:
    assert {one.get("x") for one in of(Experiment(experiment="x", arms={"all": share}))} == {arm}


def test_a_nested_experiment_splits_only_those_it_names_and_splits_them_afresh() -> None:
    found = of(TONE, WORDS)
    assert all(("words" in one) is (one.get("tone") == "warm") for one in found)
    inside = Counter(one["words"] for one in found if "words" in one)
    assert stats.chisquare([inside["few"], inside["many"]]).pvalue > 0.01


def test_with_several_arms_of_several_experiments_only_those_in_all_of_them_take_part() -> None:
    inner = Experiment(experiment="x", arms={"in": 1.0}, within={"tone": ("warm", "plain"), "price": ("low",)})
    for one in of(TONE, PRICE, inner):
        assert ("x" in one) is ("tone" in one and one["price"] == "low")


def test_experiments_and_groups_tell_nothing_of_each_other() -> None:
    found = of(TONE, PRICE, WORDS)
    groups = [trial_group(who, control=0.2, random=0.3, salt="s") for who in PEOPLE]
    assert independent([(one.get("tone", ""), one["price"]) for one in found]) > 0.01
    assert independent([(one["words"], one["price"]) for one in found if "words" in one]) > 0.01
    for name in ("tone", "price"):
        assert independent([(one.get(name, ""), group) for one, group in zip(found, groups, strict=True)]) > 0.01


def test_one_more_experiment_moves_nobody_in_the_others() -> None:
    alone, beside = of(TONE), of(PRICE, TONE)
    assert [one.get("tone") for one in alone] == [one.get("tone") for one in beside]


def test_a_new_salt_draws_all_arms_anew() -> None:
    pairs = [(old["price"], new["price"]) for old, new in zip(of(PRICE), of(PRICE, salt="t"), strict=True)]
    assert independent(pairs) > 0.01


def test_a_decision_says_the_arms_and_those_of_one_customer_outlive_a_merge_of_ids() -> None:
    policy = worlds.policy(experiments=(TONE, WORDS))
    for who in PEOPLE[:20]:
        merged = worlds.state(customer_id="name", members=(who,), group_id=who)
        expected = arms((TONE, WORDS), who, salt=worlds.SALT)
        assert decided(policy=policy, state=worlds.state(customer_id=who)).arms == expected
        assert decided(policy=policy, state=merged).arms == expected
