"""What our own gain did to a choice, in words: its place and its share, with and without."""

from dataclasses import replace

import pytest

from decisioning.domain import Candidate, Decision, Result, Terms
from decisioning.own_gain import own_gain
from decisioning.policy import Exploration
from tests import worlds
from tests.decisioning.explained import CATALOG, POLICY, told

GREEDY = replace(POLICY, exploration=Exploration(mass=0.0, strength=1e6))


def result(decision: Decision) -> Result:
    return decision.results[0]


def test_the_place_is_told_with_our_gain_and_without() -> None:
    of = worlds.predictions(CATALOG, {"coupon_bakery": 0.2, "coupon_produce": 0.25, "thanks": 0.2})
    decision = told(predictions=of, policy=GREEDY)
    assert result(decision).action == "coupon_bakery"
    assert own_gain(result(decision), decision) == (
        "With our own gain counted it came in place 1, without it in place 2. Our own gain was about half of its weight."
    )


def test_a_message_that_sells_nothing_has_no_commercial_weight() -> None:
    decision = told(state=worlds.state(open_complaints=("c1",)))
    assert result(decision).action == "thanks"
    assert own_gain(result(decision), decision) == "None: this message sells nothing."


def test_what_came_by_chance_or_is_owed_has_none() -> None:
    decision = told()
    for reason in ("random_group", "must_be_said"):
        words = own_gain(replace(result(decision), reason=reason), decision)
        assert words is not None and words.startswith("None:")


def test_nothing_has_no_gain() -> None:
    decision = told(state=worlds.state(consents={}))
    assert own_gain(result(decision), decision) is None


@pytest.mark.parametrize(
    ("gain", "words"),
    [
        (1.0, "Our own gain made no real change to its weight."),
        (1.5, "Our own gain was a small part of its weight."),
        (3.0, "Our own gain was about half of its weight."),
        (900.0, "Our own gain was most of its weight."),
        (0.5, "Our own gain spoke against it."),
    ],
)
def test_the_share_of_our_gain_is_told_in_words(gain: float, words: str) -> None:
    """One of three equal candidates, whose gain is so many times that of the others."""
    terms = Terms(p=0.1, c=1.0, v=10.0, l=1.0)
    three = [
        Candidate(action=name, response=0.1, terms=terms, threshold=0.0, rank=at, units=0) for at, name in enumerate("abc", 1)
    ]
    three[0] = replace(three[0], terms=replace(terms, v=10.0 * gain))

    class Given:
        def candidates(self) -> tuple[Candidate, ...]:
            return tuple(three)

        def rejected(self) -> tuple[()]:
            return ()

    decision = replace(told(), trace=Given())
    said = own_gain(replace(result(decision), action="a", job="sell", reason="highest_priority"), decision)
    assert said is not None and said.endswith(words)
