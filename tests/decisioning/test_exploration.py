"""Who is chosen with what probability: the integral against simulation, and what may never be chosen."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from decisioning.arbitration import Worth
from decisioning.chance import WHOLE
from decisioning.domain import Terms
from decisioning.exploration import JOBS_IN_DISTRESS, NOTHING, choose, highest, probabilities, trial_group
from tests import worlds

SAMPLES = 200_000


def worth(name: str = "coupon", *, unit: float = 1.0, shape: float = 2.0, rate: float = 2.0, **changes: Any) -> Worth:
    """An action whose sampled priority is min(top, unit * Gamma(shape, rate)); its terms say P = 0.1 unless told."""
    p, job = changes.pop("p", 0.1), changes.pop("job", "sell")
    given_: dict[str, Any] = {"threshold": 0.0, "response": 0.1, "top": 10.0}
    return Worth(
        action=worlds.action(name, job=job),
        terms=Terms(p=p, c=1.0, v=unit / p if p else 0.0, l=1.0),
        unit=unit,
        shape=shape,
        rate=rate,
        **(given_ | changes),
    )


RIVALS = {
    "alone": [worth("a", threshold=0.7)],
    "alike": [worth("a"), worth("b")],
    "three priors": [worth("a"), worth("b", unit=1.2), worth("c", unit=0.5, shape=8, rate=4)],
    "thresholds of their own": [
        worth("a", unit=0.9, threshold=0.5),
        worth("b", unit=0.8, shape=4, rate=4, threshold=0.8),
        worth("c", shape=8, rate=4, threshold=1.2),
    ],
    "certainty is likely for two": [
        worth("a", unit=0.9, top=1.0),
        worth("b", unit=0.8, top=1.1, shape=4, rate=4),
        worth("c", shape=8, rate=4),
    ],
    "one top, shared": [worth("a", unit=0.9, top=1.0), worth("b", unit=0.9, top=1.0)],
    "one that can never pay": [worth("a", unit=0.9, top=1.0, threshold=1.5), worth("b", threshold=0.3)],
    "one that is worth nothing": [worth("a", unit=0.0, top=0.0), worth("b", threshold=0.4)],
    "much evidence against little": [
        worth("a", shape=5_000, rate=5_000),
        worth("b", unit=1.01, shape=60_000, rate=60_000),
        worth("c", unit=1.1),
    ],
    "hardly any evidence": [worth("a", shape=0.1, rate=0.1), worth("b", unit=0.8, shape=0.1, rate=0.1), worth("c")],
    "thirty": [worth(f"a{at:02d}", unit=1 + at / 30, shape=2 + at % 5, rate=2 + at % 3, threshold=0.3) for at in range(30)],
}


@pytest.mark.parametrize("rivals", RIVALS.values(), ids=RIVALS.keys())
def test_the_integral_agrees_with_simulation(rivals: list[Worth]) -> None:
    best, nothing = highest(rivals)
    counted, none = _simulated(rivals)
    for ours, theirs in zip((*best, nothing), (*counted, none), strict=True):
        # four standard errors, and what the grid may cost
        assert ours == pytest.approx(theirs, abs=4 * np.sqrt(max(theirs * (1 - theirs), 1 / SAMPLES) / SAMPLES) + 0.001)


@pytest.mark.parametrize("rivals", RIVALS.values(), ids=RIVALS.keys())
def test_the_shares_and_nothing_sum_to_one_and_none_is_negative(rivals: list[Worth]) -> None:
    best, nothing = highest(rivals)
    assert best.sum() + nothing == pytest.approx(1.0, abs=1e-12)
    assert best.min() >= 0.0 and nothing >= 0.0


@pytest.mark.parametrize("rivals", RIVALS.values(), ids=RIVALS.keys())
def test_the_grid_is_fine_enough(rivals: list[Worth]) -> None:
    np.testing.assert_allclose(highest(rivals)[0], highest(rivals, points=513)[0], rtol=0, atol=0.0015)


def test_alike_actions_are_alike_likely() -> None:
    a, b = highest([worth("a"), worth("b")])[0]
    assert a == b


def test_a_threshold_that_no_posterior_reaches_leaves_only_nothing() -> None:
    units = probabilities([worth("a", top=1.0, threshold=1.0)], group="treatment", mass=0.0)
    assert units == {"a": 0, NOTHING: WHOLE}


@given(st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_a_higher_threshold_never_makes_an_action_likelier(low: float, more: float) -> None:
    def likely(threshold: float) -> float:
        return float(highest([worth("a", threshold=threshold), worth("b", threshold=0.2)])[0][0])

    assert likely(low + more) <= likely(low) + 0.002


posteriors = st.builds(
    lambda unit, shape, rate, threshold, top, p: {
        "unit": unit if p > 0 else 0.0, "shape": shape, "rate": rate, "threshold": threshold, "top": top * unit, "p": p
    },
    unit=st.floats(0.0, 10.0),
    shape=st.floats(0.05, 500.0),
    rate=st.floats(0.05, 500.0),
    threshold=st.floats(0.0, 5.0),
    top=st.floats(1.0, 50.0),
    p=st.sampled_from([0.0, 0.05, 0.3]),
)  # fmt: skip
crowds = st.lists(posteriors, min_size=0, max_size=6).map(
    lambda given_: [worth(f"a{at}", **one) for at, one in enumerate(given_)]
)
masses = st.sampled_from([0.0, 0.05, 0.5])


@given(crowds, masses, st.booleans())
def test_units_sum_to_the_whole_for_any_crowd(crowd: list[Worth], mass: float, in_distress: bool) -> None:
    units = probabilities(crowd, group="treatment", mass=mass, in_distress=in_distress)
    assert sum(units.values()) == WHOLE
    assert set(units) == {one.action.name for one in crowd} | {NOTHING}
    assert min(units.values()) >= 0


@given(crowds, masses, st.booleans(), st.sampled_from(["treatment", "control"]))
def test_what_does_not_help_is_never_chosen_outside_the_random_group(
    crowd: list[Worth], mass: float, in_distress: bool, group: Any
) -> None:
    units = probabilities(crowd, group=group, mass=mass, in_distress=in_distress)
    assert all(units[one.action.name] == 0 for one in crowd if one.terms.p <= 0)


@given(crowds, masses, st.permutations(range(6)))
def test_the_order_of_the_candidates_does_not_matter(crowd: list[Worth], mass: float, order: list[int]) -> None:
    shuffled = [crowd[at] for at in order if at < len(crowd)]
    given_, again = (probabilities(one, group="treatment", mass=mass) for one in (crowd, shuffled))
    assert all(abs(given_[name] - again[name]) <= 64 for name in given_)


@given(crowds, st.sampled_from([0.05, 0.5]))
def test_every_helpful_action_gets_its_part_of_the_exploration_mass(crowd: list[Worth], mass: float) -> None:
    units = probabilities(crowd, group="treatment", mass=mass)
    helpful = [one.action.name for one in crowd if one.terms.p > 0]
    assert all(units[name] >= int(mass / len(helpful) * WHOLE) - 1 for name in helpful)


def test_the_random_group_chooses_among_all_that_passed_alike_and_never_nothing() -> None:
    units = probabilities([worth("a"), worth("b", p=0.0), worth("c", threshold=9.0)], group="random", mass=0.05)
    assert units[NOTHING] == 0
    assert max(units["a"], units["b"], units["c"]) - min(units["a"], units["b"], units["c"]) <= 1


@pytest.mark.parametrize("group", ["treatment", "control", "random"])
def test_without_candidates_nothing_is_certain(group: Any) -> None:
    assert probabilities([], group=group, mass=0.05) == {NOTHING: WHOLE}


@pytest.mark.parametrize("position", range(len(JOBS_IN_DISTRESS) - 1))
def test_in_distress_only_the_first_job_of_the_order_competes(position: int) -> None:
    first, second = JOBS_IN_DISTRESS[position : position + 2]
    units = probabilities(
        [worth("a", unit=5.0, job=second), worth("b", unit=0.1, job=first), worth("c", unit=0.1, job=first)],
        group="treatment",
        mass=0.05,
        in_distress=True,
    )
    assert units["a"] == 0
    assert units["b"] == pytest.approx(units["c"], abs=1)


def test_in_distress_a_job_whose_actions_do_not_help_gives_way_to_the_next() -> None:
    rivals = [worth("a", job="recover", p=0.0, unit=0.0), worth("b", job="serve")]
    assert probabilities(rivals, group="treatment", mass=0.0, in_distress=True)["b"] == WHOLE


def test_selling_has_no_place_in_the_order_of_distress() -> None:
    assert not {"sell", "refer"} & set(JOBS_IN_DISTRESS)
    assert probabilities([worth("a")], group="treatment", mass=0.05, in_distress=True)[NOTHING] == WHOLE


def test_what_is_chosen_comes_as_often_as_its_logged_probability() -> None:
    units = probabilities(RIVALS["thresholds of their own"], group="treatment", mass=0.05)
    count = 20_000
    chosen = Counter(choose(units, salt="salt", decision_id=f"d{at}", slot="main/0") for at in range(count))
    names = sorted(units)
    test = stats.chisquare([chosen[name] for name in names], [units[name] / WHOLE * count for name in names])
    assert test.pvalue > 0.001


def test_a_choice_is_repeated_by_the_same_id_and_slot_and_not_by_others() -> None:
    units = probabilities([worth(f"a{at}") for at in range(8)], group="random", mass=0.0)
    choices = [choose(units, salt="s", decision_id="d", slot=f"main/{slot}") for slot in range(40)]
    assert choices == [choose(units, salt="s", decision_id="d", slot=f"main/{slot}") for slot in range(40)]
    assert len(set(choices)) == 8
    assert choices != [choose(units, salt="another", decision_id="d", slot=f"main/{slot}") for slot in range(40)]


def test_trial_groups_have_their_shares_and_customers_keep_theirs() -> None:
    groups = Counter(trial_group(str(at), control=0.1, random=0.05, salt="s") for at in range(20_000))
    assert groups["control"] == pytest.approx(2_000, abs=4 * np.sqrt(1_800))
    assert groups["random"] == pytest.approx(1_000, abs=4 * np.sqrt(950))
    stayed = [trial_group(str(at), control=0.2, random=0.05, salt="s") for at in range(2_000)]
    before = [trial_group(str(at), control=0.1, random=0.05, salt="s") for at in range(2_000)]
    assert all(now == "control" for now, then in zip(stayed, before, strict=True) if then == "control")


@pytest.mark.parametrize(("control", "random", "group"), [(1.0, 0.0, "control"), (0.0, 1.0, "random"), (0.0, 0.0, "treatment")])
def test_a_share_of_all_takes_all(control: float, random: float, group: str) -> None:
    assert {trial_group(str(at), control=control, random=random, salt="s") for at in range(500)} == {group}


def _simulated(rivals: list[Worth]) -> tuple[np.ndarray, float]:
    """How often each has the highest sampled priority of those above their thresholds, ties shared; how often none has."""
    random = np.random.default_rng(2018)
    sampled = np.array([np.minimum(one.top, one.unit * random.gamma(one.shape, 1 / one.rate, SAMPLES)) for one in rivals])
    above = np.where(sampled > np.array([[one.threshold] for one in rivals]), sampled, -np.inf)
    top = above.max(axis=0)
    best = (above == top) & np.isfinite(top)
    return (best / np.maximum(best.sum(axis=0), 1)).mean(axis=1), float(np.isinf(top).mean())
