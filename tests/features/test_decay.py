from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features import decay
from features.decay import DAY_US, fold, restarted
from features.tables import Aggregate

COLUMNS = (
    Aggregate(name="decayed", how="sum", on=("event:x",), half_life_days=7.0),
    Aggregate(name="total", how="sum", on=("event:x",)),
    Aggregate(name="last", how="last", on=("event:x",)),
    Aggregate(name="first", how="first", on=("event:x",)),
)
events = st.lists(
    st.tuples(
        st.integers(0, 3),  # customer
        st.integers(0, 400 * 24),  # hour
        st.floats(-100, 1000, allow_nan=False).map(lambda amount: round(amount, 2)),
        st.booleans(),  # counts for last and first
    ),
    max_size=60,
)


def _folded(rows: list[tuple[int, int, float, bool]]) -> tuple[np.ndarray, np.ndarray]:
    """Running values and as-of after each row, rows put customer by customer in the order given."""
    rows = sorted(rows, key=lambda row: row[0])
    times = np.array([hour * 3_600_000_000 for _, hour, _, _ in rows], dtype=np.int64)
    ends = np.where([seen for *_, seen in rows], times.astype(float), np.nan)
    terms = np.column_stack([[x for _, _, x, _ in rows]] * 2 + [ends, ends]) if rows else np.empty((0, 4))
    first = np.array([True, *(a[0] != b[0] for a, b in pairwise(rows))][: len(rows)], dtype=bool)
    made = fold(COLUMNS, terms, times, first)
    return made.values, made.as_of_us


@given(events)
def test_folding_is_the_sum_of_what_each_record_is_still_worth(rows: list[tuple[int, int, float, bool]]) -> None:
    values, as_of = _folded(rows)
    rows = sorted(rows, key=lambda row: row[0])
    for at, (who, *_) in enumerate(rows):
        so_far = [row for row in rows[: at + 1] if row[0] == who]
        latest = max(hour for _, hour, _, _ in so_far)
        assert as_of[at] == latest * 3_600_000_000
        decayed = sum(x * 2 ** (-(latest - hour) / 24 / 7) for _, hour, x, _ in so_far)
        total = sum(x for _, _, x, _ in so_far)
        seen = [hour for _, hour, _, counts in so_far if counts]
        expected = [
            decayed,
            total,
            (latest - max(seen)) / 24 if seen else np.nan,
            (latest - min(seen)) / 24 if seen else np.nan,
        ]
        np.testing.assert_allclose(values[at], expected, rtol=1e-9, atol=1e-9)


@given(st.lists(events, min_size=1, max_size=3), st.integers(1, 40))
def test_long_histories_fold_like_short_ones(some: list[list[tuple[int, int, float, bool]]], long: int) -> None:
    rows = [row for part in some for row in part]
    values, as_of = _folded(rows)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(decay, "_LONG", long)
        others, other_as_of = _folded(rows)
    np.testing.assert_allclose(others, values, rtol=1e-9, atol=1e-9)
    np.testing.assert_array_equal(other_as_of, as_of)


@given(events, st.randoms(use_true_random=False))
def test_the_order_of_folding_does_not_matter(rows: list[tuple[int, int, float, bool]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for who in {row[0] for row in rows}:
        one, other = ([row for row in some if row[0] == who] for some in (rows, shuffled))
        np.testing.assert_allclose(_folded(one)[0][-1], _folded(other)[0][-1], rtol=1e-9, atol=1e-9)


@given(events, st.integers(0, 60))
def test_folding_on_from_a_stored_row_is_folding_everything(rows: list[tuple[int, int, float, bool]], cut: int) -> None:
    mine = [(0, *row[1:]) for row in rows]
    if not 0 < cut < len(mine):
        return
    values, as_of = _folded(mine[:cut])
    times = np.array([as_of[-1], *(hour * 3_600_000_000 for _, hour, _, _ in mine[cut:])], dtype=np.int64)
    ends = np.where([seen for *_, seen in mine[cut:]], times[1:].astype(float), np.nan)
    new = np.column_stack([[x for _, _, x, _ in mine[cut:]]] * 2 + [ends, ends])
    terms = np.concatenate([restarted(COLUMNS, values[-1:], as_of[-1:]), new])
    on = fold(COLUMNS, terms, times, np.arange(len(times)) == 0)
    np.testing.assert_allclose(on.values[-1], _folded(mine)[0][-1], rtol=1e-9, atol=1e-9)


def test_a_late_event_folds_in_exactly() -> None:
    late = _folded([(0, 14 * 24, 1.0, True), (0, 0, 8.0, True)])[0][-1]
    in_time = _folded([(0, 0, 8.0, True), (0, 14 * 24, 1.0, True)])[0][-1]
    np.testing.assert_array_equal(late, in_time)
    np.testing.assert_array_equal(late, [1.0 + 8.0 / 4, 9.0, 0.0, 14.0])


def test_years_between_events_do_not_overflow() -> None:
    hours = [0, 24 * 365 * 40, 5, 24 * 365 * 90]
    values, _ = _folded([(0, hour, 1.0, True) for hour in hours])
    assert np.isfinite(values).all()
    assert values[-1, 0] == pytest.approx(1.0)


def test_ages_are_days() -> None:
    assert timedelta(microseconds=DAY_US) == timedelta(days=1)
