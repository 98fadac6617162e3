"""What our own gain did to a choice, in words: its place and its share, with and without."""

from dataclasses import replace

import pytest

from decisioning.domain import Candidate, Decision, Result, Terms
from decisioning.own_gain import first_without_gain, own_gain
from decisioning.policy import Exploration
from tests import worlds
from tests.decisioning.explained import CATALOG, POLICY, told
from tests.worlds import decided

GREEDY = replace(POLICY, exploration=Exploration(mass=0.0, strength=1e6))


def result(decision: Decision) -> Result:
    return decision.results[0]


def test_the_place_is_told_with_our_gain_and_without() -> None:
    of = worlds.predictions(CATALOG, {"coupon_bakery": 0.2, "coupon_produce": 0.25, "thanks": 0.2})
    decision = told(predictions=of, policy=GREEDY)
    assert result(decision).action == "coupon_bakery"
    assert own_gain(result(decision), decision) == (
        "It came first. Without our own gain it would have come second. Our own gain was about half of its weight."
    )


def test_places_are_among_what_a_place_could_choose_from() -> None:
    of = worlds.predictions(CATALOG, {"coupon_bakery": 0.9, "coupon_produce": 0.25, "thanks": 0.2})
    decision = told(predictions=of, policy=GREEDY, request=worlds.request(placements=worlds.slots(2)))
    assert [one.action for one in decision.results] == ["coupon_bakery", "thanks"]
    words = own_gain(decision.results[1], decision)
    assert words is not None and words.startswith("It came first. Without our own gain it would have come second.")
    assert (first_without_gain(decision.results[0], decision), first_without_gain(decision.results[1], decision)) == (
        True,
        False,
    )


def test_in_distress_what_another_job_would_have_been_worth_is_no_rival() -> None:
    of = worlds.catalog(
        worlds.action("sorry", job="recover", group="care", value=1.0), worlds.action("party", job="celebrate", value=99.0)
    )
    decision = decided(of, state=worlds.state(open_complaints=("c1",)))
    assert (result(decision).action, decision.candidates[0].action) == ("sorry", "party")
    assert own_gain(result(decision), decision) == "None: this message sells nothing."


def test_what_sells_nothing_but_gains_by_it_says_so() -> None:
    """It comes first either way, but its weight beside the others is mostly what it brings us."""
    of = worlds.catalog(worlds.action("stay", job="retain", value=90.0), worlds.action("other", job="inform", value=1.0))
    decision = decided(of, predictions=worlds.predictions(of, {"stay": 0.3, "other": 0.25}), policy=GREEDY)
    assert own_gain(result(decision), decision) == (
        "It would have come first without our own gain, too. Our own gain was about half of its weight."
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
