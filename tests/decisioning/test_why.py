"""Why this message, a wait or silence: true of the decision, and easy to read."""

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from decisioning import explain, why
from decisioning.conditions import parse
from decisioning.customer import Episode, Refusal
from decisioning.domain import Predictions, Wait
from decisioning.explain import for_customer
from decisioning.policy import Exploration
from decisioning.preferences import Preference
from decisioning.promises import Promise
from tests import worlds
from tests.decisioning.explained import CATALOG, ONE_A_WEEK, POLICY, SITUATIONS, customer, told
from tests.reading import grade
from tests.worlds import NOW, decided

EASY = 8.0


def test_every_situation_is_a_different_story() -> None:
    stories = {name: for_customer(told(**changes))["results"][0]["why"] for name, changes in SITUATIONS.items()}
    assert stories["complaint"] == stories["anger"]
    assert len(set(stories.values())) == len(stories) - 1


GREEDY = replace(POLICY, exploration=Exploration(mass=0.0, strength=1e6))


def test_what_came_first_by_our_own_gain_is_not_said_to_help_the_customer_most() -> None:
    places = worlds.request(placements=worlds.slots(2))
    ours = worlds.predictions(CATALOG, {"coupon_bakery": 0.2, "coupon_produce": 0.25, "thanks": 0.01})
    theirs = worlds.predictions(CATALOG, {"coupon_bakery": 0.3, "coupon_produce": 0.25, "thanks": 0.01})

    def told_of(of: Predictions) -> list[str]:
        decision = told(predictions=of, policy=GREEDY, request=places)
        assert [one.action for one in decision.results] == ["coupon_bakery", "coupon_produce"]
        return [one["why"] for one in for_customer(decision)["results"]]

    assert told_of(ours) == [
        "Of all we could say to you here, this seemed best for you and for us.",
        "Of what else we could say to you here, this should help you most.",
    ]
    assert told_of(theirs)[0] == "Of all we could say to you here, this should help you most."


@pytest.mark.parametrize(
    ("job", "expected"),
    [
        ("recover", "Something went wrong for you. We want to put that right first."),
        ("serve", "Something went wrong for you. We want to put that right first."),
        ("inform", "Something went wrong for you, so we sell you nothing now."),
    ],
)
def test_only_what_puts_something_right_is_said_to_do_so(job: str, expected: str) -> None:
    of = worlds.catalog(worlds.action("note", job=job))
    assert customer(decided(of, state=worlds.state(open_complaints=("c1",))))["why"] == expected


def test_what_makes_a_broken_promise_good_says_so() -> None:
    promise = Promise(made_at=NOW - timedelta(days=9), due=NOW - timedelta(days=1), what="A call", by="Ann", make_good="sorry")
    of = worlds.catalog(worlds.action("sorry", job="recover"), worlds.action("coupon"))
    result = customer(decided(of, state=worlds.state(promises={"p": promise})))
    assert result["why"] == "We did not keep a promise to you. This is to make up for it, so it comes first."
    assert {"what": "what we promised you", "from": "what you told us"} in result["data_used"]


_WITH_TWO_UNFIT = worlds.catalog(
    worlds.action("coupon", topics=("bakery",)),
    *(worlds.action(name, group="care", relevant=parse("profile.points >= 5000")) for name in "ab"),
)
SILENT: dict[str, tuple[dict[str, Any], str]] = {
    "no consent": ({"consents": {}}, "You have not said yes to notes like these, so we stay quiet."),
    "group": (
        {"preferences": {"group:coupons": Preference(at=NOW, wanted="none"), "group:care": Preference(at=NOW, wanted="none")}},
        "You asked us for no notes like these, so we stay quiet.",
    ),
    "unsubscribed": ({"closed_channels": ("app", "email")}, "You asked us not to write to you here, so we stay quiet."),
    "complaint": ({"open_complaints": ("c1",)}, "Something went wrong for you, so we sell you nothing now."),
    "hardship": (
        {"hardship": Episode(opened_at=NOW - timedelta(days=1))},
        "Times are hard for you, so we sell you nothing now.",
    ),
    "pace": (
        {"preferences": {"pace": Preference(at=NOW, a_week=0)}},
        "You asked us for fewer notes, and you have had them for now.",
    ),
    "refused": (
        {"refusals": (Refusal(action="coupon", group="coupons", at=NOW),)},
        "You said no to this not long ago, so we let it rest.",
    ),
    "cap": (
        {"contacts": (worlds.contact(),)},
        "We do not want to come to you too often, so we stay quiet for now.",
    ),
}


@pytest.mark.parametrize(("known", "expected"), SILENT.values(), ids=SILENT)
def test_silence_says_what_kept_us_from_what_came_as_far(known: dict[str, Any], expected: str) -> None:
    """Two that have no reason to be said here did not come as far as the coupon did."""
    decision = decided(_WITH_TWO_UNFIT, policy=ONE_A_WEEK, state=worlds.state(**known))
    assert customer(decision)["why"] == expected


def test_what_kept_out_less_than_half_is_not_the_reason() -> None:
    """One of three was declined, and the two others did come further."""
    declined = worlds.state(preferences={"topic:bakery": Preference(at=NOW, wanted="none")})
    assert customer(decided(_WITH_TWO_UNFIT, state=declined))["why"] == "There was nothing that we should say to you just then."


def test_a_better_place_says_why_it_is_not_this_one() -> None:
    declined = worlds.state(preferences={"channel:email": Preference(at=NOW, wanted="none")})
    decision = decided(worlds.catalog(worlds.action()), state=declined, request=worlds.request(touchpoint="email"))
    assert customer(decision)["why"] == (
        "You asked us not to write to you here, so we stay quiet. There is a better place to tell you what we have: app home."
    )


@pytest.mark.parametrize(
    ("because", "expected"),
    [
        ("two_a_week", "We do not want to write to you too often, so we wait until Monday, January 1, 15:00."),
        ("fatigue", "You have heard enough from us for now, so we wait until Monday, January 1, 15:00."),
        ("pace", "You asked us for fewer notes, so we wait until Monday, January 1, 15:00."),
        ("better_elsewhere", "There is a better place to tell you what we have: call centre."),
    ],
)
def test_a_wait_says_why_and_until_when_by_the_customers_own_clock(because: str, expected: str) -> None:
    decision = told(state=worlds.state(time_zone="America/Chicago"))
    wait = Wait(until=NOW + timedelta(hours=7), because=because, touchpoint="call_centre")
    waits = replace(decision.results[0], kind="wait", action=None, wait=wait)
    assert customer(replace(decision, results=(waits,)))["why"] == expected


def test_every_sentence_of_ours_is_easy_to_read() -> None:
    fixed = [*why._WHY.values(), why._MAKES_GOOD, why._HARD_TIMES, why._PUTS_RIGHT, explain._NO_MODEL]
    fixed += [*(words for _, words in why._QUIET), *why._WAIT.values(), why._TOO_OFTEN]
    fixed += [why._NO_CONSENT, why._ENOUGH]
    fixed += [f"Of what else we could say to you here, {words}" for words in (why._BEST, why._BEST_FOR_BOTH)]
    assert {words: round(grade(words), 1) for words in fixed if grade(words) > EASY} == {}
    engine = ("tier", "rule", "propensity", "score", "model", "weight", "arm", "threshold", "priority", "candidate")
    assert [
        words for words in fixed if set(re.findall("[a-z]+", words.lower())) & {*engine, *(f"{one}s" for one in engine)}
    ] == []
