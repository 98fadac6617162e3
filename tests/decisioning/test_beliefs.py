"""What is believed of responses: new actions lean on what is like them, and soon on what they did themselves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning import gamma
from decisioning.beliefs import Beliefs, believe, rounded
from decisioning.domain import Evidence, Learner

GROUPS = {"bread": "bakery", "cake": "bakery", "roll": "bakery", "visit": "service", "survey": "service"}
STRENGTH = 2.0


def seen(expected: float, successes: int) -> Evidence:
    return Evidence(shows=int(expected * 10), expected=expected, successes=successes)


def mean_of(evidence: dict[tuple[str, str], Evidence], action: str = "bread", strength: float = STRENGTH) -> float:
    return float(beliefs_of(evidence, [action], strength).mean[0])


def beliefs_of(evidence: dict[tuple[str, str], Evidence], names: list[str], strength: float = STRENGTH) -> Beliefs:
    return believe(
        Learner(evidence=evidence),
        names,
        [GROUPS[name] for name in names],
        touchpoint="app",
        group_of=GROUPS,
        strength=strength,
    )


def test_before_any_evidence_the_prediction_is_believed() -> None:
    beliefs = beliefs_of({}, list(GROUPS))
    assert beliefs.shape.tolist() == beliefs.rate.tolist() == [STRENGTH] * 5


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        ({("bread", "app"): seen(8.0, 4)}, (2 * 1 + 4) / (2 + 8)),
        ({("cake", "app"): seen(8.0, 4)}, (2 * 1 + 4) / (2 + 8)),
        ({("visit", "app"): seen(8.0, 4)}, (2 * 1 + 4) / (2 + 8)),
        ({("bread", "mail"): seen(8.0, 4)}, (2 * 1 + 4) / (2 + 8)),
        ({("gone", "app"): seen(8.0, 4)}, (2 * 1 + 4) / (2 + 8)),
        ({("cake", "app"): seen(8.0, 4), ("bread", "app"): seen(2.0, 0)}, (2 * 0.6 + 0) / (2 + 2)),
        ({("visit", "mail"): seen(2.0, 0), ("visit", "app"): seen(2.0, 4)}, (2 * 0.5 + 4) / (2 + 2)),
        (
            {("cake", "mail"): seen(2.0, 4), ("visit", "app"): seen(2.0, 0), ("roll", "app"): seen(6.0, 1)},
            (2 * (2 * 1.5 / 4) + 1) / (2 + 6),
        ),
    ],
    ids=[
        "its own", "its group's", "its touchpoint's", "from elsewhere", "an action that is no more",
        "its own beside its group's", "its touchpoint's beside everything's", "three levels",
    ],
)  # fmt: skip
def test_each_level_leans_on_the_one_above(evidence: dict[tuple[str, str], Evidence], expected: float) -> None:
    assert mean_of(evidence) == pytest.approx(expected, rel=1e-6)


def test_no_count_is_used_twice() -> None:
    # what bread did is bread's alone: the levels above it have seen nothing
    beliefs = beliefs_of({("bread", "app"): seen(6.0, 10)}, ["bread"])
    assert (beliefs.shape[0], beliefs.rate[0]) == (12.0, 8.0)


def test_what_a_group_did_elsewhere_is_not_what_it_does_here() -> None:
    assert mean_of({("cake", "mail"): seen(50.0, 5)}) == mean_of({("visit", "mail"): seen(50.0, 5)})


def test_the_posterior_narrows_with_the_evidence_and_its_mean_goes_to_what_was_seen() -> None:
    worlds = [{("bread", "app"): seen(float(n), n // 2), ("cake", "app"): seen(100.0, 200)} for n in (2, 20, 200, 2000)]
    means = [mean_of(world) for world in worlds]
    assert means == sorted(means, reverse=True)
    assert means[-1] == pytest.approx(0.5, abs=0.002)
    shapes = [float(beliefs_of(world, ["bread"]).shape[0]) for world in worlds]
    assert shapes == sorted(shapes)


def test_a_new_action_is_sensible_from_its_first_tens_of_outcomes() -> None:
    """Predictions are twice too high for the whole group: nobody waits hundreds of shows to see it of one more action."""
    random = np.random.default_rng(2018)
    rate, pooled, alone, counted = 0.1, [], [], []
    for _ in range(400):
        truth = {name: random.gamma(20.0, 0.5 / 20.0) for name in ("bread", "cake", "roll")}
        known = {(name, "app"): seen(rate * 400, int(random.binomial(400, rate * truth[name]))) for name in ("cake", "roll")}
        own = {("bread", "app"): seen(rate * 20, int(random.binomial(20, rate * truth["bread"])))}
        pooled.append(mean_of(known | own) - truth["bread"])
        alone.append(mean_of(own) - truth["bread"])
        counted.append(own["bread", "app"].successes / (rate * 20) - truth["bread"])
    off, unpooled, raw = (float(np.sqrt(np.mean(np.square(one)))) for one in (pooled, alone, counted))
    assert off < 0.75 * unpooled and off < 0.75 * raw
    # the prediction itself is off by 0.5
    assert off < 0.27 and abs(float(np.mean(pooled))) < 0.06


def test_a_better_action_overtakes_within_tens_of_outcomes() -> None:
    world = {("cake", "app"): seen(50.0, 40), ("roll", "app"): seen(50.0, 45), ("bread", "app"): seen(4.0, 12)}
    beliefs = beliefs_of(world, ["bread", "cake", "roll"])
    assert beliefs.mean[0] > 1.5 * beliefs.mean[1:].max()


def test_the_order_of_the_evidence_changes_no_bit() -> None:
    random = np.random.default_rng(7)
    keys = [(name, place) for name in GROUPS for place in ("app", "mail", "shop")]
    world = {key: seen(float(random.random() * 30), int(random.integers(0, 30))) for key in keys}
    one, other = (beliefs_of({key: world[key] for key in order}, list(GROUPS)) for order in (keys, keys[::-1]))
    assert one.shape.tobytes() == other.shape.tobytes() and one.rate.tobytes() == other.rate.tobytes()


evidences = st.dictionaries(
    st.tuples(st.sampled_from([*GROUPS, "gone"]), st.sampled_from(["app", "mail"])),
    st.builds(seen, st.floats(0.0, 1e7), st.integers(0, 10**8)),
)


@given(evidences, st.floats(0.1, 50.0))
def test_beliefs_are_exact_in_float32_and_come_back_from_a_record(
    evidence: dict[tuple[str, str], Evidence], strength: float
) -> None:
    beliefs = beliefs_of(evidence, list(GROUPS), strength)
    shape, rate = beliefs.shape.astype(np.float32), beliefs.rate.astype(np.float32)
    again = Beliefs.of(shape, rate)
    for name in ("shape", "rate", "row", "cells", "marks"):
        assert getattr(again, name).tobytes() == getattr(beliefs, name).tobytes()
    assert np.all(beliefs.rate > 0.0) and np.all(np.isfinite(beliefs.rate))


@given(evidences, st.integers(0, 100))
def test_one_more_success_never_makes_an_action_look_worse(evidence: dict[tuple[str, str], Evidence], more: int) -> None:
    own = evidence.get(("bread", "app"), Evidence())
    better = evidence | {("bread", "app"): seen(own.expected, own.successes + more)}
    assert mean_of(better) >= mean_of(evidence) * (1 - 1e-6)


@given(st.floats(1e-9, 1e9), st.floats(1e-3, 1e9))
def test_rounding_keeps_the_mean_and_moves_the_shape_by_little(shape: float, rate: float) -> None:
    coarse, kept = rounded(shape, rate)
    assert coarse / kept == pytest.approx(shape / rate, rel=2e-7)
    if gamma.LEAST <= shape <= gamma.MOST:
        assert coarse == pytest.approx(shape, rel=1 / 128)
    assert gamma.table(coarse).cells.shape == (gamma.CELLS + 1, 6)


def test_candidates_of_one_shape_share_one_table() -> None:
    beliefs = Beliefs.of([2.0, 4.0, 2.0], [1.0, 2.0, 3.0])
    assert beliefs.row.tolist() == [0, 1, 0]
    assert beliefs.cells.shape == (2, gamma.CELLS + 1, 6) and beliefs.marks.shape == (2, 4)


def test_no_candidates_have_no_beliefs() -> None:
    beliefs = beliefs_of({}, [])
    assert len(beliefs.shape) == len(beliefs.row) == len(beliefs.cells) == 0
