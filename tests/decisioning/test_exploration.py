"""Who is chosen with what probability: what may never be chosen, what comes first, and draws as often as logged."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from decisioning import gamma
from decisioning.beliefs import Beliefs, rounded
from decisioning.chance import WHOLE, hashed
from decisioning.domain import SELLING, Job
from decisioning.exploration import JOBS, JOBS_IN_DISTRESS, Contenders, choose, distribution
from tests.choices import choices

Crowd = list[dict[str, Any]]


def one(**changes: Any) -> dict[str, Any]:
    """A candidate whose sampled priority is min(top, scale * Gamma(2, 2) - offset), and that helps, unless told."""
    given_ = {"scale": 1.0, "offset": 0.0, "top": 10.0, "threshold": 0.0, "p": 0.1, "job": "sell", "mandatory": False}
    given_ |= {"shape": 2.0, "rate": 2.0, "alive": True} | changes
    return {"priority": given_["scale"] * given_["shape"] / given_["rate"] - given_["offset"]} | given_


def units_of(crowd: Crowd, *, group: Any = "treatment", mass: float = 0.05, in_distress: bool = False) -> list[int]:
    """The units of each candidate and, last, of nothing."""

    def column(name: str, dtype: Any = np.float64) -> Any:
        return np.array([candidate[name] for candidate in crowd], dtype=dtype)

    contenders = Contenders(
        **{name: column(name) for name in ("scale", "offset", "top", "threshold", "p", "priority")},
        jobs=np.array([JOBS.index(candidate["job"]) for candidate in crowd], dtype=np.int8),
        mandatory=column("mandatory", np.bool_),
    )
    beliefs = Beliefs.of(column("shape"), column("rate"))
    alive = column("alive", np.bool_)
    return distribution(contenders, beliefs, alive=alive, group=group, mass=mass, in_distress=in_distress).tolist()


posteriors = st.builds(
    lambda scale, shape, rate, top, p, **rest: one(
        scale=scale if p > 0 else 0.0, shape=rounded(shape, shape)[0], rate=rate, top=top * scale, p=p, **rest
    ),
    scale=st.floats(0.0, 10.0),
    offset=st.sampled_from([0.0, 0.0, 0.2, 2.0]),
    shape=st.floats(gamma.LEAST, 500.0),
    rate=st.floats(0.05, 500.0),
    threshold=st.floats(0.0, 5.0),
    top=st.floats(0.0, 50.0),
    p=st.sampled_from([-0.1, 0.0, 0.05, 0.3]),
    job=st.sampled_from(JOBS),
    alive=st.sampled_from([True, True, True, False]),
)
crowds = st.lists(posteriors, min_size=0, max_size=6)
masses = st.sampled_from([0.0, 0.05, 0.5])
groups = st.sampled_from(["treatment", "control", "random"])


@given(crowds, masses, groups, st.booleans())
def test_units_sum_to_the_whole_for_any_crowd(crowd: Crowd, mass: float, group: Any, in_distress: bool) -> None:
    units = units_of(crowd, mass=mass, group=group, in_distress=in_distress)
    assert sum(units) == WHOLE and len(units) == len(crowd) + 1
    assert min(units) >= 0


@given(crowds, masses, groups, st.booleans())
def test_who_is_out_has_exactly_none(crowd: Crowd, mass: float, group: Any, in_distress: bool) -> None:
    units = units_of(crowd, mass=mass, group=group, in_distress=in_distress)
    assert all(unit == 0 for unit, candidate in zip(units, crowd, strict=False) if not candidate["alive"])


@given(crowds, masses, st.booleans(), st.sampled_from(["treatment", "control"]))
def test_what_does_not_help_is_never_chosen_outside_the_random_group(
    crowd: Crowd, mass: float, in_distress: bool, group: Any
) -> None:
    units = units_of(crowd, group=group, mass=mass, in_distress=in_distress)
    assert all(unit == 0 for unit, candidate in zip(units, crowd, strict=False) if candidate["p"] <= 0)


@given(crowds, masses, st.booleans(), st.randoms(use_true_random=False))
def test_the_order_of_the_candidates_does_not_matter(crowd: Crowd, mass: float, in_distress: bool, random: Any) -> None:
    order = list(range(len(crowd)))
    random.shuffle(order)
    units = units_of(crowd, mass=mass, in_distress=in_distress)
    again = units_of([crowd[at] for at in order], mass=mass, in_distress=in_distress)
    assert all(abs(units[at] - unit) <= 256 for at, unit in zip([*order, len(crowd)], again, strict=True))


@given(crowds, st.sampled_from([0.05, 0.5]))
def test_every_helpful_action_gets_its_part_of_the_exploration_mass(crowd: Crowd, mass: float) -> None:
    units = units_of(crowd, mass=mass)
    helpful = [unit for unit, candidate in zip(units, crowd, strict=False) if candidate["p"] > 0 and candidate["alive"]]
    assert all(unit >= int(mass / len(helpful) * WHOLE) - 1 for unit in helpful)


@given(crowds, masses, groups, st.booleans())
def test_an_action_that_is_out_changes_nothing(crowd: Crowd, mass: float, group: Any, in_distress: bool) -> None:
    units = units_of(crowd, mass=mass, group=group, in_distress=in_distress)
    more = [one(job="recover", scale=9.0, alive=False), *crowd]
    assert units_of(more, mass=mass, group=group, in_distress=in_distress) == [0, *units]


def test_alike_actions_have_the_same_units_up_to_one() -> None:
    units = units_of([one(threshold=0.3)] * 7)
    assert max(units[:7]) - min(units[:7]) <= 1


def test_a_threshold_that_no_posterior_reaches_leaves_only_nothing() -> None:
    assert units_of([one(top=1.0, threshold=1.0)], mass=0.0) == [0, WHOLE]


def test_the_random_group_chooses_among_all_that_passed_alike_and_never_nothing() -> None:
    *units, out, nothing = units_of([one(), one(p=-0.1), one(threshold=9.0), one(alive=False)], group="random")
    assert out == nothing == 0
    assert max(units) - min(units) <= 1


@pytest.mark.parametrize("in_distress", [False, True])
@pytest.mark.parametrize("group", ["treatment", "control", "random"])
@pytest.mark.parametrize("crowd", [[], [one(alive=False)], [one(alive=False, mandatory=True)]], ids=["none", "out", "all out"])
def test_without_candidates_nothing_is_certain(crowd: Crowd, group: Any, in_distress: bool) -> None:
    assert units_of(crowd, group=group, in_distress=in_distress) == [0] * len(crowd) + [WHOLE]


@pytest.mark.parametrize("in_distress", [False, True])
@pytest.mark.parametrize("group", ["treatment", "control", "random"])
@pytest.mark.parametrize("p", [0.1, 0.0])
def test_what_is_mandatory_comes_before_all_else(group: Any, in_distress: bool, p: float) -> None:
    notice = one(scale=0.01, p=p, mandatory=True, job="inform")
    crowd = [one(scale=5.0, job="recover"), notice, one(alive=False, mandatory=True, scale=9.0)]
    assert units_of(crowd, group=group, in_distress=in_distress) == [0, WHOLE, 0, 0]


def test_of_several_mandatory_ones_the_highest_priority_comes_first_and_of_equals_the_first() -> None:
    crowd = [one(mandatory=True, priority=value) for value in (0.1, 0.4, 0.4, 0.2)]
    assert units_of(crowd) == [0, WHOLE, 0, 0, 0]


@pytest.mark.parametrize("position", range(len(JOBS_IN_DISTRESS) - 1))
def test_in_distress_only_the_first_job_of_the_order_competes(position: int) -> None:
    first, second = JOBS_IN_DISTRESS[position : position + 2]
    crowd = [one(scale=5.0, job=second), one(scale=0.1, job=first), one(scale=0.1, job=first)]
    later, one_unit, other_unit, nothing = units_of(crowd, in_distress=True)
    assert later == nothing == 0
    assert one_unit == pytest.approx(other_unit, abs=1)


@pytest.mark.parametrize(
    "given_way",
    [one(job="recover", p=0.0, scale=0.0), one(job="recover", threshold=1.1), one(job="recover", alive=False)],
    ids=["does not help", "is not worth the attention", "is out"],
)
def test_in_distress_a_job_that_cannot_help_gives_way_to_the_next(given_way: dict[str, Any]) -> None:
    assert units_of([given_way, one(job="serve", threshold=0.9)], in_distress=True) == [0, WHOLE, 0]


@pytest.mark.parametrize("job", sorted(SELLING))
def test_selling_has_no_place_in_the_order_of_distress(job: Job) -> None:
    assert units_of([one(job=job)], in_distress=True) == [0, WHOLE]


def test_every_job_has_its_number_and_those_of_distress_come_first() -> None:
    assert set(JOBS) == set(Job.__args__) and len(JOBS) == 8  # type: ignore[attr-defined]
    assert JOBS[: len(JOBS_IN_DISTRESS)] == JOBS_IN_DISTRESS


@pytest.mark.parametrize("number", ["scale", "offset", "top", "threshold", "rate"])
def test_what_has_a_number_that_is_no_number_is_not_chosen(number: str) -> None:
    units = units_of([one(), one(**{number: float("nan")})], mass=0.0)
    assert units[0] > 0 and units[1] == 0


def test_what_is_chosen_comes_as_often_as_its_logged_probability() -> None:
    units = np.array(units_of([one(scale=0.9, threshold=0.5), one(threshold=0.8), one(scale=0.5), one(alive=False)]))
    count = 20_000
    chosen = Counter(choose(units, hashed("salt", "draw", f"d{at}", "main/0")) for at in range(count))
    possible = np.flatnonzero(units)
    assert set(chosen) == set(possible.tolist())
    test = stats.chisquare([chosen[int(at)] for at in possible], units[possible] / WHOLE * count)
    assert test.pvalue > 0.001


@given(crowds, st.integers(0, WHOLE - 1))
def test_only_what_has_units_is_chosen(crowd: Crowd, at: int) -> None:
    units = np.array(units_of(crowd))
    assert units[choose(units, at)] > 0


@given(crowds)
def test_nothing_has_the_first_stretch_and_the_candidates_theirs_in_their_order(crowd: Crowd) -> None:
    units = np.array(units_of(crowd))
    reached = 0
    for position in [len(crowd), *range(len(crowd))]:
        if units[position]:
            assert choose(units, reached) == choose(units, reached + int(units[position]) - 1) == position
        reached += int(units[position])


def test_units_that_do_not_sum_to_the_whole_are_refused_when_the_draw_falls_beyond() -> None:
    with pytest.raises(ValueError, match="sum"):
        choose(np.array([5, 5]), 10)


def test_problems_of_every_kind_are_chosen_from_alike_each_time() -> None:
    for problem, again in zip(choices(seed=11, count=66), choices(seed=11, count=66), strict=True):
        units = problem.units()
        assert units.sum() == WHOLE and units.min() >= 0
        assert units.tolist() == again.units().tolist()
