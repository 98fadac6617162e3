"""Feelings: how an event is read, what stays, when selling stops and when it may go on."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.customer import Emotion, State
from decisioning.emotion import Feeling, Signal, felt, heals_at, intensity_at, is_strong, negative, suppressing
from decisioning.policy import Suppression
from tests import worlds
from tests.worlds import NOW

HALF_LIFE = timedelta(days=7)
POLICY = Suppression(intensity=0.5, confidence=0.5, half_life=HALF_LIFE)


def angry(intensity: float = 0.8, *, days_ago: float = 0.0, confidence: float = 1.0) -> Emotion:
    return Emotion(valence=-0.9, intensity=intensity, confidence=confidence, at=NOW - timedelta(days=days_ago))


@pytest.mark.parametrize(
    ("rating", "scale", "valence"),
    [(1, (1.0, 5.0), -1.0), (3, (1.0, 5.0), 0.0), (4, (1.0, 5.0), 0.5), (5, (1.0, 5.0), 1.0), (9, (1.0, 5.0), 1.0),
     (-3, (1.0, 5.0), -1.0), (0, (10.0, 0.0), 1.0), (10, (10.0, 0.0), -1.0)],
)  # fmt: skip
def test_a_rating_is_read_on_its_scale_from_worst_to_best(rating: float, scale: tuple[float, float], valence: float) -> None:
    feeling = Signal(rating="rating", scale=scale).feeling(rating)
    assert feeling == Feeling(valence=valence, intensity=abs(valence))


def test_an_event_without_its_rating_says_nothing_and_a_fixed_emotion_needs_none() -> None:
    fixed = Feeling(valence=-0.8, intensity=0.8)
    assert Signal(rating="rating").feeling(None) is None
    assert Signal(emotion=fixed).feeling(None) == fixed
    assert Signal(complaint="opened").feeling(None) is None


@pytest.mark.parametrize("wrong", [{"valence": -1.1}, {"intensity": 1.1}, {"intensity": -0.1}, {"confidence": 2.0}])
def test_a_feeling_outside_its_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="lies in"):
        Feeling(**({"valence": 0.0, "intensity": 0.5} | wrong))


def test_a_signal_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(ValueError, match="either"):
        Signal(emotion=Feeling(valence=0.0, intensity=0.0), rating="rating")
    with pytest.raises(ValueError, match="differ"):
        Signal(rating="rating", scale=(3.0, 3.0))


@pytest.mark.parametrize(("days", "left"), [(0, 0.8), (7, 0.4), (14, 0.2), (28, 0.05), (-3, 0.8)])
def test_a_feeling_halves_every_half_life_and_is_not_felt_more_before_it_was(days: int, left: float) -> None:
    assert intensity_at(angry(0.8), NOW + timedelta(days=days), half_life=HALF_LIFE) == pytest.approx(left)


def test_a_weaker_feeling_does_not_wipe_out_what_is_left_of_a_stronger_one() -> None:
    relief = Feeling(valence=0.2, intensity=0.3)
    soon = felt(worlds.state(emotion=angry(0.8, days_ago=1)), relief, at=NOW, half_life=HALF_LIFE)
    late = felt(worlds.state(emotion=angry(0.8, days_ago=30)), relief, at=NOW, half_life=HALF_LIFE)
    assert soon.emotion == angry(0.8, days_ago=1)
    assert late.emotion is not None and late.emotion.valence == 0.2


JOY = Feeling(valence=0.9, intensity=0.95)
UNSURE = Feeling(valence=-0.9, intensity=0.95, confidence=0.2)


@pytest.mark.parametrize("feeling", [JOY, UNSURE], ids=["a stronger joy", "a stronger anger that nobody is sure of"])
@pytest.mark.parametrize("days_ago", [0, 1, -1], ids=["at once", "before", "after"])
def test_nothing_that_was_felt_hides_an_anger_that_is_sure(feeling: Feeling, days_ago: int) -> None:
    """In whatever order both become known, the anger heals as it would have by itself, and only then."""
    anger, at = Feeling(valence=-0.9, intensity=0.8), NOW - timedelta(days=days_ago)
    told = [(anger, NOW), (feeling, at)]
    for order in (told, told[::-1]):
        state = worlds.state()
        for one, when in order:
            state = felt(state, one, at=when, half_life=HALF_LIFE)
        assert suppressing(state, POLICY, NOW) == (angry(0.8),)
        assert suppressing(state, POLICY, heals_at(angry(0.8), POLICY)) == ()


def test_of_several_angers_only_those_are_kept_that_are_surer_than_the_stronger_ones() -> None:
    state = worlds.state()
    for intensity, confidence in ((0.5, 0.9), (0.9, 0.4), (0.4, 0.8), (0.7, 0.6), (0.6, 0.5)):
        state = felt(state, Feeling(valence=-1.0, intensity=intensity, confidence=confidence), at=NOW, half_life=HALF_LIFE)
    assert [(one.intensity, one.confidence) for one in negative(state)] == [(0.9, 0.4), (0.7, 0.6), (0.5, 0.9)]


def test_an_event_that_says_nothing_changes_nothing() -> None:
    state = worlds.state(emotion=angry())
    assert felt(state, None, at=NOW, half_life=HALF_LIFE) is state


feelings = st.builds(
    Feeling,
    valence=st.sampled_from([-1.0, -0.5, 0.0, 0.5]),
    intensity=st.floats(0.0, 1.0),
    confidence=st.sampled_from([0.3, 1.0]),
)
arrivals = st.lists(st.tuples(feelings, st.integers(0, 60)), min_size=2, max_size=4)


@given(arrivals)
def test_the_order_in_which_feelings_become_known_does_not_matter(known: list[tuple[Feeling, int]]) -> None:
    ends = set()
    for order in permutations(known):
        state = State(customer_id="1029")
        for feeling, days in order:
            state = felt(state, feeling, at=NOW - timedelta(days=days), half_life=HALF_LIFE)
        ends.add((state.emotion, state.unhealed))
    assert len(ends) == 1


@given(st.floats(0.5, 1.0), st.floats(0.01, 1.0), st.integers(1, 400 * 86_400))
def test_a_feeling_is_strong_until_it_heals_and_not_from_then_on(intensity: float, limit: float, half_life: int) -> None:
    limits = Suppression(intensity=min(limit, intensity), confidence=0.5, half_life=timedelta(seconds=half_life))
    healed = heals_at(angry(intensity), limits)
    assert not is_strong(angry(intensity), limits, healed)
    assert is_strong(angry(intensity), limits, healed - timedelta(seconds=1))


@pytest.mark.parametrize(
    ("emotion", "strong"),
    [(None, False), (angry(0.5), True), (angry(0.49), False), (angry(confidence=0.5), True), (angry(confidence=0.49), False),
     (angry(0.8, days_ago=6), False), (replace(angry(), valence=0.9), True)],
    ids=["none", "just strong", "slight", "just certain", "uncertain", "faded", "joy"],
)  # fmt: skip
def test_a_feeling_is_strong_that_is_certain_and_still_intense(emotion: Emotion | None, strong: bool) -> None:
    assert is_strong(emotion, POLICY, NOW) is strong
