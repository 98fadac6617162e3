"""The probability of being the highest, against brute force and against a million draws."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special, stats

from decisioning import gamma
from decisioning.beliefs import Beliefs, rounded
from decisioning.highest import highest
from tests.choices import KINDS, Choice, choice

Crowd = list[dict[str, float]]


def rival(**changes: float) -> dict[str, float]:
    """Somebody whose sampled priority is min(top, scale * Gamma(shape, rate) - offset)."""
    return {"scale": 1.0, "offset": 0.0, "top": 10.0, "threshold": 0.0, "shape": 2.0, "rate": 2.0} | changes


def chances(crowd: Crowd, competes: list[bool] | None = None) -> tuple[np.ndarray, float]:
    column = {name: np.array([one[name] for one in crowd]) for name in rival()}
    beliefs = Beliefs.of(column["shape"], column["rate"])
    best = np.full(len(crowd), np.nan)
    nothing = highest(
        np.ones(len(crowd), dtype=np.bool_) if competes is None else np.array(competes),
        column["scale"], column["offset"], column["top"], column["threshold"],
        beliefs.rate, beliefs.row, beliefs.cells, beliefs.marks, best,
    )  # fmt: skip
    return best, nothing


def of(problem: Choice) -> Crowd:
    names = ("scale", "offset", "top", "threshold")
    columns = {name: getattr(problem.contenders, name) for name in names}
    columns |= {"shape": problem.beliefs.shape, "rate": problem.beliefs.rate}
    return [{name: float(column[at]) for name, column in columns.items()} for at in range(len(problem.alive))]


def brute(crowd: Crowd, points: int = 400_001) -> tuple[np.ndarray, float]:
    """P(i highest) by the midpoint rule over the changes of F_i on a fine grid of ln x; ties at a top shared by lots."""
    if idle := [at for at, one in enumerate(crowd) if one["scale"] == 0.0]:
        won, silent = brute([one for one in crowd if one["scale"] > 0.0], points)
        return np.insert(won, idle, 0.0), silent
    top = max(one["top"] for one in crowd)
    kinks = [one[name] for one in crowd for name in ("threshold", "top") if 0 < one[name] <= top]
    ends = [
        (special.gammaincinv(one["shape"], np.array([1e-13, 1 - 1e-15])) / one["rate"] * one["scale"] - one["offset"]).clip(
            1e-12 if one["offset"] else 1e-290
        )
        for one in crowd
    ]
    span = np.log([min(end[0] for end in ends), max(end[1] for end in ends)])
    marks = np.concatenate([np.linspace(*np.log(end), points // (4 * len(crowd))) for end in ends])
    t = np.unique(np.concatenate([np.linspace(*span, points), marks, np.log(kinks)]))
    x = np.exp(t)
    # exactly where they are
    x[np.isin(t, np.log(kinks))] = np.unique(kinks)

    def below(one: dict[str, float], at: np.ndarray) -> np.ndarray:
        at = np.maximum(at, one["threshold"])
        return np.where(
            at >= one["top"], 1.0, special.gammainc(one["shape"], (at + one["offset"]) / one["scale"] * one["rate"])
        )

    at_most = np.array([below(one, x) for one in crowd])
    short_of = at_most.copy()
    for at, one in enumerate(crowd):
        stuck = x == one["top"]
        short_of[at, stuck] = special.gammainc(one["shape"], (one["top"] + one["offset"]) / one["scale"] * one["rate"])
        if one["threshold"] >= one["top"]:
            short_of[at, stuck] = 1.0
    won = np.empty(len(crowd))
    lots, weights = np.polynomial.legendre.leggauss(24)
    jumps = (at_most > short_of).any(axis=0)
    for at in range(len(crowd)):
        others = np.delete(np.arange(len(crowd)), at)
        # between two points the others move from at_most to short_of in a straight line, and so does this one
        left, right = at_most[:, :-1], short_of[:, 1:]
        halves = sum(
            w / 2 * np.prod(left[others] + (right - left)[others] * (1 + u) / 2, axis=0)
            for u, w in zip(*np.polynomial.legendre.leggauss(2), strict=True)
        )
        won[at] = float(((right - left)[at] * halves).sum())
        for u, w in zip(lots, weights, strict=True):
            tied = np.prod((short_of + (at_most - short_of) * (1 + u) / 2)[others][:, jumps], axis=0)
            won[at] += float((w / 2 * tied * (at_most - short_of)[at, jumps]).sum())
    silent = float(np.prod([below(one, np.zeros(1))[0] for one in crowd]))
    return won, silent


CROWDS: dict[str, Crowd] = {
    "alone": [rival(threshold=0.7)],
    "alike": [rival(), rival()],
    "three priors": [rival(), rival(scale=1.2), rival(scale=0.5, shape=8, rate=4)],
    "thresholds of their own": [
        rival(scale=0.9, threshold=0.5),
        rival(scale=0.8, shape=4, rate=4, threshold=0.8),
        rival(shape=8, rate=4, threshold=1.2),
    ],
    "certainty is likely for two": [
        rival(scale=0.9, top=1.0),
        rival(scale=0.8, top=1.1, shape=4, rate=4),
        rival(shape=8, rate=4),
    ],
    "one top, shared": [rival(scale=0.9, top=1.0), rival(scale=0.9, top=1.0)],
    "one top, shared by three that differ": [
        rival(scale=0.9, top=1.0),
        rival(scale=1.5, top=1.0, shape=4, rate=3),
        rival(scale=0.4, top=1.0, threshold=0.6),
        rival(scale=0.4, top=5.0),
    ],
    "nearly surely at the top": [rival(scale=500.0, top=1.0), rival(scale=300.0, top=1.0), rival(top=0.9)],
    "one that can never pay": [rival(scale=0.9, top=1.0, threshold=1.5), rival(threshold=0.3)],
    "one that is worth nothing": [rival(scale=0.0, top=0.0), rival(threshold=0.4)],
    "much evidence against little": [
        rival(shape=4992, rate=5000),
        rival(scale=1.01, shape=60416, rate=60000),
        rival(scale=1.1),
    ],
    "hardly any evidence": [rival(shape=0.1, rate=0.1), rival(scale=0.8, shape=0.1, rate=0.1), rival()],
    "offsets": [rival(offset=0.4), rival(scale=1.1, offset=0.9), rival(offset=0.1, threshold=0.5)],
    "offsets, a top and hardly any evidence": [
        rival(offset=0.4, shape=0.2, rate=0.2, top=1.5),
        rival(scale=1.1, offset=0.2, shape=0.5, rate=0.5),
    ],
    "tops hardly ever reached, each its own": [rival(scale=1.0 + at / 50, top=4.0 + at / 3) for at in range(9)],
    "a top that is surely reached, beside one who never gets there": [
        rival(scale=100.0, top=100.0, shape=0.25, rate=18.0),
        rival(scale=200.0, top=100.0, shape=14.0, rate=1.0),
    ],
    "worlds apart": [rival(scale=1e-6, top=1e-5), rival(scale=1e6, top=1e7)],
}  # fmt: skip


@pytest.mark.parametrize("crowd", CROWDS.values(), ids=CROWDS.keys())
def test_it_equals_brute_force(crowd: Crowd) -> None:
    best, nothing = chances(crowd)
    expected, none = brute(crowd)
    np.testing.assert_allclose([*best, nothing], [*expected, none], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_it_equals_brute_force_for_crowds_of_every_kind(kind: str) -> None:
    random = np.random.default_rng(2018)
    for n in (2, 7):
        crowd = of(choice(random, kind, n, thompson_only=True))
        best, nothing = chances(crowd)
        expected, none = brute(crowd, points=150_001)
        np.testing.assert_allclose([*best, nothing], [*expected, none], rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_million_draws_come_as_often_as_it_says(kind: str) -> None:
    random = np.random.default_rng(KINDS.index(kind))
    problem = choice(random, kind, 30, thompson_only=True)
    best, nothing = chances(of(problem))
    counted = np.zeros(31)
    for _ in range(20):
        sampled = problem.sampled(random, 50_000)
        competing = np.where(sampled > problem.contenders.threshold, sampled, -np.inf)
        highest_of_all = competing.max(axis=1)
        none = np.isneginf(highest_of_all)
        counted[30] += none.sum()
        # each at the top has a lot of its own
        lots = np.where(competing == highest_of_all[:, None], random.random(competing.shape), -1.0)
        counted[:30] += np.bincount(lots.argmax(axis=1)[~none], minlength=30)
    expected = np.array([*best, nothing]) * 1_000_000
    rare = expected < 10.0
    observed = np.append(counted[~rare], counted[rare].sum())
    awaited = np.append(expected[~rare], expected[rare].sum())
    kept = awaited > 0.0
    assert observed[~kept].sum() == 0
    assert stats.chisquare(observed[kept], awaited[kept] / awaited.sum() * 1_000_000).pvalue > 0.001


@pytest.mark.parametrize("n", [2, 20, 100])
@pytest.mark.parametrize("kind", KINDS)
def test_the_chances_and_nothing_sum_to_one_and_none_is_negative(kind: str, n: int) -> None:
    best, nothing = chances(of(choice(np.random.default_rng(n), kind, n, thompson_only=True)))
    assert best.sum() + nothing == pytest.approx(1.0, abs=1e-13)
    assert best.min() >= 0.0 and nothing >= 0.0


@pytest.mark.parametrize("n", [2, 3, 40])
def test_alike_actions_are_exactly_alike_likely(n: int) -> None:
    best, _ = chances([rival(scale=0.3, threshold=0.2, top=1.0)] * n + [rival(scale=0.5)])
    assert len(set(best[:n])) == 1


def test_who_does_not_compete_changes_nothing_and_has_exactly_none() -> None:
    crowd = CROWDS["three priors"]
    best, nothing = chances([crowd[0], rival(scale=9.0), *crowd[1:]], [True, False, True, True])
    alone, none = chances(crowd)
    assert best.tolist() == [alone[0], 0.0, *alone[1:]] and nothing == none


@pytest.mark.parametrize(
    "hopeless",
    [
        rival(top=1.0, threshold=1.0),
        rival(scale=0.0),
        rival(scale=1e-3, threshold=0.5),
        rival(scale=1e-3, offset=0.5),
        rival(scale=1e-4),
    ],
    ids=["its top is its threshold", "no scale", "a threshold it never reaches", "an offset it never makes up", "far below"],
)
def test_who_can_hardly_win_has_exactly_none(hopeless: dict[str, float]) -> None:
    best, _ = chances([hopeless, rival(shape=4096.0, rate=4096.0)])
    assert best[0] == 0.0


def test_without_anybody_nothing_is_certain() -> None:
    best, nothing = chances([rival(top=0.0), rival(scale=0.0)])
    assert best.tolist() == [0.0, 0.0] and nothing == 1.0


shapes = st.one_of(st.floats(gamma.LEAST, 3.0), st.floats(3.0, 1e6)).map(lambda shape: rounded(shape, shape)[0])
rivals = st.builds(
    rival,
    scale=st.floats(0.01, 10.0),
    offset=st.one_of(st.just(0.0), st.floats(0.0, 3.0)),
    top=st.one_of(st.sampled_from([1.0, 100.0]), st.floats(0.01, 50.0)),
    threshold=st.one_of(st.sampled_from([0.0, 0.3]), st.floats(0.0, 5.0)),
    shape=shapes,
    rate=st.floats(0.05, 500.0),
)


@settings(max_examples=300)
@given(st.lists(rivals, min_size=1, max_size=8), st.floats(1.0, 3.0), st.data())
def test_a_larger_scale_never_makes_an_action_less_likely(crowd: Crowd, factor: float, data: Any) -> None:
    at = data.draw(st.integers(0, len(crowd) - 1))
    raised = [one | {"scale": one["scale"] * factor} if i == at else one for i, one in enumerate(crowd)]
    assert chances(raised)[0][at] >= chances(crowd)[0][at] - 2e-8


@settings(max_examples=300)
@given(st.lists(rivals, min_size=1, max_size=8), st.floats(0.0, 3.0), st.data())
def test_a_higher_threshold_never_makes_an_action_likelier(crowd: Crowd, more: float, data: Any) -> None:
    at = data.draw(st.integers(0, len(crowd) - 1))
    raised = [one | {"threshold": one["threshold"] + more} if i == at else one for i, one in enumerate(crowd)]
    assert chances(raised)[0][at] <= chances(crowd)[0][at] + 2e-8


@settings(max_examples=300)
@given(st.lists(rivals, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_the_order_hardly_matters(crowd: Crowd, random: Any) -> None:
    order = list(range(len(crowd)))
    random.shuffle(order)
    best, shuffled = chances(crowd)[0], chances([crowd[at] for at in order])[0]
    np.testing.assert_allclose(shuffled, best[order], rtol=0, atol=1e-10)


@settings(max_examples=200)
@given(st.lists(rivals, min_size=1, max_size=8))
def test_the_unit_of_money_does_not_matter(crowd: Crowd) -> None:
    money = {"scale", "offset", "top", "threshold"}
    cents = [{name: value * 100 if name in money else value for name, value in one.items()} for one in crowd]
    np.testing.assert_allclose(chances(cents)[0], chances(crowd)[0], rtol=0, atol=2e-8)
