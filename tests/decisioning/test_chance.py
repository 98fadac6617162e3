"""Chance as an argument: integers that sum exactly, and draws that keep what the integers promise."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray

from decisioning.chance import WHOLE, apportion, hashed

weights = st.lists(st.one_of(st.just(0.0), st.floats(1e-300, 1e300), st.floats(0.0, 1.0)), min_size=1, max_size=20).filter(
    lambda given: any(weight > 0 for weight in given)
)


def units_of(given_weights: ArrayLike) -> NDArray[np.int64]:
    units = np.empty(np.size(given_weights), dtype=np.int64)
    assert apportion(np.array(given_weights, dtype=np.float64), units)
    return units


@given(weights)
def test_units_sum_to_exactly_the_whole_and_none_is_negative(given_weights: list[float]) -> None:
    units = units_of(given_weights)
    assert units.sum() == WHOLE
    assert units.min() >= 0


@given(weights)
def test_a_weight_of_exactly_zero_stays_exactly_zero(given_weights: list[float]) -> None:
    units = units_of(given_weights)
    assert all(unit == 0 for unit, weight in zip(units, given_weights, strict=True) if weight == 0)


@given(weights)
def test_units_are_within_one_of_the_exact_share(given_weights: list[float]) -> None:
    total = sum(map(Fraction, given_weights))
    units = units_of(given_weights).tolist()
    shares = [Fraction(weight) * WHOLE / total for weight in given_weights]
    # weights are read to 2^-52 of the largest: twenty of them move a share by less than 2^-7 units
    assert all(abs(unit - share) < 1 + Fraction(1, 128) for unit, share in zip(units, shares, strict=True))


@given(st.lists(st.integers(0, 2**31), min_size=1, max_size=40).filter(any))
def test_it_is_the_largest_remainder_of_exact_arithmetic(counts: list[int]) -> None:
    total = sum(counts)
    floors = [count * WHOLE // total for count in counts]
    rest = sorted(range(len(counts)), key=lambda at: (-(counts[at] * WHOLE % total), at))
    for at in rest[: WHOLE - sum(floors)]:
        floors[at] += 1
    assert units_of(counts).tolist() == floors


@given(weights, st.integers(-900, 20))
def test_the_scale_of_the_weights_does_not_matter(given_weights: list[float], power: int) -> None:
    near_one = [weight for weight in given_weights if 1e-30 < weight <= 1.0] or [1.0]
    scaled = np.ldexp(np.array(near_one), power)
    assert units_of(scaled).tolist() == units_of(near_one).tolist()


def test_what_is_left_over_goes_to_the_largest_remainder() -> None:
    assert units_of([1.0, 2.0]).tolist() == [WHOLE // 3, 2 * (WHOLE // 3) + 1]


def test_of_equal_remainders_the_first_comes_first() -> None:
    units = units_of([1.0, 0.0, 1.0, 1.0])
    assert units[0] == units[2] + 1 == units[3] + 1


@pytest.mark.parametrize("size", [511, 512, 1000, 5000])
def test_many_weights_still_sum_exactly(size: int) -> None:
    random = np.random.default_rng(size)
    units = units_of(random.random(size))
    assert units.sum() == WHOLE and units.min() >= 0
    assert units_of(np.ones(size)).max() - units_of(np.ones(size)).min() <= 1


@pytest.mark.parametrize("none", [[], [0.0], [0.0, 0.0], [1.0, -1.0], [1.0, float("nan")], [float("inf"), 1.0]], ids=str)
def test_weights_that_are_no_weights_are_refused(none: list[float]) -> None:
    assert not apportion(np.array(none, dtype=np.float64), np.empty(len(none), dtype=np.int64))


def test_a_hash_is_the_same_on_every_machine() -> None:
    assert hashed("salt", "draw", "d1", "main/0") == 417817235497


def test_a_hash_depends_on_the_salt_and_on_where_one_part_ends() -> None:
    assert len({hashed("s", "ab", "c"), hashed("s", "a", "bc"), hashed("t", "ab", "c"), hashed("s", "abc")}) == 4
