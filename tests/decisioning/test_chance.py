"""Chance as an argument: integers that sum exactly, and draws that keep what the integers promise."""

from collections import Counter
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from decisioning.chance import WHOLE, draw, hashed, to_units

names = st.text("abcdef_0123456789", min_size=1, max_size=8)
weights = st.dictionaries(
    names, st.one_of(st.just(0.0), st.floats(1e-300, 1e300), st.floats(0.0, 1.0)), min_size=1, max_size=20
).filter(lambda given: any(weight > 0 for weight in given.values()))


@given(weights)
def test_units_sum_to_exactly_the_whole_and_none_is_negative(given_weights: dict[str, float]) -> None:
    units = to_units(given_weights)
    assert sum(units.values()) == WHOLE
    assert all(unit >= 0 for unit in units.values())


@given(weights)
def test_a_weight_of_exactly_zero_stays_exactly_zero(given_weights: dict[str, float]) -> None:
    units = to_units(given_weights)
    assert all(units[name] == 0 for name, weight in given_weights.items() if weight == 0)


@given(weights)
def test_units_are_within_one_of_the_exact_share(given_weights: dict[str, float]) -> None:
    total = sum(map(Fraction, given_weights.values()))
    units = to_units(given_weights)
    assert all(abs(units[name] - Fraction(weight) * WHOLE / total) < 1 for name, weight in given_weights.items())


@given(weights, st.randoms(use_true_random=False))
def test_the_order_in_which_weights_are_given_does_not_matter(given_weights: dict[str, float], random: Random) -> None:
    shuffled = list(given_weights.items())
    random.shuffle(shuffled)
    assert to_units(dict(shuffled)) == to_units(given_weights)


def test_what_is_left_over_goes_to_the_largest_remainder() -> None:
    assert to_units({"a": 1.0, "b": 2.0}) == {"a": WHOLE // 3, "b": 2 * (WHOLE // 3) + 1}


def test_of_equal_remainders_the_smaller_name_comes_first() -> None:
    units = to_units({"b": 1.0, "c": 1.0, "a": 1.0})
    assert units["a"] == units["b"] + 1 == units["c"] + 1


@pytest.mark.parametrize("none", [{}, {"a": 0.0}, {"a": 0.0, "b": 0.0}])
def test_weights_that_are_all_zero_are_refused(none: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        to_units(none)


@given(weights, st.integers(0, WHOLE - 1))
def test_every_point_of_the_whole_draws_a_name_that_has_units(given_weights: dict[str, float], at: int) -> None:
    units = to_units(given_weights)
    assert units[draw(units, at)] > 0


@given(weights)
def test_a_name_is_drawn_by_as_many_points_as_it_has_units(given_weights: dict[str, float]) -> None:
    units = to_units(given_weights)
    reached = 0
    for name in sorted(units):
        if units[name]:
            assert draw(units, reached) == draw(units, reached + units[name] - 1) == name
        reached += units[name]


def test_units_that_do_not_sum_to_the_whole_are_refused_when_the_draw_falls_beyond() -> None:
    with pytest.raises(ValueError, match="sum"):
        draw({"a": 5}, 5)


def test_a_hash_is_the_same_on_every_machine() -> None:
    assert hashed("salt", "draw", "d1", "main/0") == 417817235497


def test_a_hash_depends_on_the_salt_and_on_where_one_part_ends() -> None:
    assert len({hashed("s", "ab", "c"), hashed("s", "a", "bc"), hashed("t", "ab", "c"), hashed("s", "abc")}) == 4


@pytest.mark.parametrize(
    "shares",
    [{"a": 0.5, "b": 0.5}, {"a": 0.9, "b": 0.07, "c": 0.03, "d": 0.0}, {f"a{at:02d}": 1.0 + at % 5 for at in range(30)}],
    ids=["a coin", "a favourite", "thirty"],
)
def test_draws_come_as_often_as_their_units_say(shares: dict[str, float]) -> None:
    units = to_units(shares)
    count = 20_000
    drawn = Counter(draw(units, hashed("salt", "draw", f"decision {at}", "main/0")) for at in range(count))
    likely = sorted(name for name in units if units[name])
    assert set(drawn) <= set(likely)
    test = stats.chisquare([drawn[name] for name in likely], [units[name] / WHOLE * count for name in likely])
    assert test.pvalue > 0.001
