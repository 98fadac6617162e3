"""Filling the places of one request: nothing twice, what one takes counts for the next, and an honest nothing or wait."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.chance import WHOLE
from decisioning.domain import Decision, Placement
from decisioning.policy import Cap, Contact, Exploration, Groups, Scope
from tests import worlds
from tests.worlds import NOW, decided

DAY = timedelta(days=1)
CERTAIN = {"exploration": Exploration(mass=0.0, strength=1e6)}
"""So much strength that the sampled priority is the expected one: the best wins."""
TEN = worlds.catalog(*(worlds.action(f"a{at}", value=5.0 + at) for at in range(10)))


def chosen(decision: Decision) -> list[str | None]:
    return [result.action for result in decision.results]


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=4), st.text("abc", max_size=3), st.sampled_from(["treatment", "random"])
)
def test_several_places_are_filled_without_saying_anything_twice(counts: list[int], decision_id: str, group: str) -> None:
    placements = tuple(Placement(id=f"p{at}", count=count) for at, count in enumerate(counts))
    policy = worlds.policy(groups=Groups(random=1.0 if group == "random" else 0.0))
    decision = decided(TEN, policy=policy, request=worlds.request(decision_id=decision_id, placements=placements))
    assert [result.placement for result in decision.results] == [one.id for one in placements for _ in range(one.count)]
    actions = [action for action in chosen(decision) if action is not None]
    assert len(actions) == len(set(actions)) == min(sum(counts), 10)


def test_the_best_of_what_is_left_is_the_reason_at_every_place() -> None:
    decision = decided(TEN, policy=worlds.policy(**CERTAIN), request=worlds.request(placements=worlds.slots(3)))
    assert chosen(decision) == ["a9", "a8", "a7"]
    assert [result.reason for result in decision.results] == ["highest_priority"] * 3


def test_each_place_has_its_own_probability_and_those_of_the_first_are_with_the_candidates() -> None:
    decision = decided(TEN, request=worlds.request(placements=worlds.slots(4)))
    units = {one.action: one.units for one in decision.candidates}
    assert sum(units.values()) + decision.nothing_units == WHOLE
    assert decision.results[0].units == units[decision.results[0].action or ""]
    assert all(result.units is not None and 0 < result.units <= WHOLE for result in decision.results)


def test_what_one_place_takes_counts_under_the_caps_of_the_next() -> None:
    policy = worlds.policy(contact=Contact(caps=(Cap(rule="cap", most=2, within=7 * DAY),)))
    asked = worlds.request(placements=worlds.slots(4))
    assert sum(action is not None for action in chosen(decided(TEN, policy=policy, request=asked))) == 2
    seen = worlds.state(contacts=(worlds.contact(),))
    assert sum(action is not None for action in chosen(decided(TEN, policy=policy, request=asked, state=seen))) == 1


def test_a_mandatory_message_takes_nothing_from_the_caps_of_the_next_place() -> None:
    policy = worlds.policy(contact=Contact(caps=(Cap(rule="cap", most=1, within=7 * DAY),)), **CERTAIN)
    catalog = worlds.catalog(worlds.action("recall", value=99.0, mandatory=True), *TEN.actions)
    assert chosen(decided(catalog, policy=policy, request=worlds.request(placements=worlds.slots(3)))) == ["recall", "a9", None]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"predictions": 0.0001}, "nothing_is_worth_the_attention"),
        ({"state": worlds.state(consents={})}, "nothing_passed_the_rules"),
        ({"policy": worlds.policy(groups=Groups(control=1.0))}, "control_group"),
    ],
)
def test_an_honest_nothing_says_why(changes: dict[str, Any], why: str) -> None:
    catalog = worlds.catalog(worlds.action(cost=1.0))
    if "predictions" in changes:
        changes = {"predictions": worlds.predictions(catalog, changes["predictions"]), "policy": worlds.policy(**CERTAIN)}
    (result,) = decided(catalog, **changes).results
    assert (result.kind, result.reason) == ("nothing", why)
    assert result.message is not None


def test_what_time_alone_unlocks_is_waited_for_outbound_and_not_inbound() -> None:
    policy = worlds.policy(contact=Contact(caps=(Cap(rule="one_a_week", most=1, within=7 * DAY),)))
    state = worlds.state(contacts=(worlds.contact(NOW - 6 * DAY),))
    (outbound,) = decided(policy=policy, state=state, request=worlds.request(touchpoint="email")).results
    assert outbound.wait is not None
    assert (outbound.kind, outbound.reason, outbound.wait.until) == ("wait", "one_a_week", NOW + DAY)
    assert (outbound.send_at, outbound.expires_at) == (NOW + DAY, NOW + 2 * DAY)
    (inbound,) = decided(policy=policy, state=state).results
    assert (inbound.kind, inbound.reason) == ("nothing", "nothing_passed_the_rules")


def test_every_place_says_why_in_its_own_words() -> None:
    catalog = worlds.catalog(
        worlds.action("recall", job="inform", mandatory=True),
        worlds.action("best", value=99.0),
        worlds.action("poor", value=1.0),
    )
    asked = worlds.request(placements=worlds.slots(4))
    results = decided(catalog, policy=worlds.policy(**CERTAIN), request=asked).results
    assert [(one.action, one.reason) for one in results] == [
        ("recall", "must_be_said"),
        ("best", "highest_priority"),
        ("poor", "highest_priority"),
        (None, "earlier_places_took_all"),
    ]


@pytest.mark.parametrize("most", [1, 9], ids=["the first place fills a cap", "the first place says all there is"])
def test_a_place_that_earlier_ones_left_nothing_for_says_so(most: int) -> None:
    policy = worlds.policy(contact=Contact(caps=(Cap(rule="cap", most=most, within=7 * DAY),)), **CERTAIN)
    catalog = TEN if most == 1 else worlds.catalog(worlds.action())
    first, second = decided(catalog, policy=policy, request=worlds.request(placements=worlds.slots(2))).results
    assert first.kind == "action"
    assert (second.kind, second.reason) == ("nothing", "earlier_places_took_all")


def test_what_comes_by_the_exploration_mass_alone_is_called_explored() -> None:
    catalog = worlds.catalog(worlds.action("best", value=99.0), worlds.action("poor", value=0.001))
    policy = worlds.policy(exploration=Exploration(mass=0.5, strength=1e6))
    reasons = {
        (one.action, one.reason)
        for at in range(60)
        for one in decided(catalog, policy=policy, request=worlds.request(decision_id=f"d{at}")).results
    }
    assert reasons == {("best", "highest_priority"), ("poor", "explored")}


@pytest.mark.parametrize("group", ["treatment", "control", "random"])
@pytest.mark.parametrize("state", [{}, {"open_complaints": ("c1",)}], ids=["calm", "in distress"])
def test_what_is_mandatory_comes_first_and_of_several_the_most_important(group: str, state: dict[str, Any]) -> None:
    policy = worlds.policy(groups=Groups(**({} if group == "treatment" else {group: 1.0})))
    catalog = worlds.catalog(
        *(
            worlds.action(name, job="inform", value=value, mandatory=True)
            for name, value in (("b", 1.0), ("a", 1.0), ("c", 2.0))
        ),
        worlds.action("gift", job="recover", value=999.0),
    )
    asked = worlds.request(placements=worlds.slots(3))
    decision = decided(catalog, policy=policy, state=worlds.state(**state), request=asked)
    assert chosen(decision) == ["c", "a", "b"]
    assert [one.units for one in decision.results] == [WHOLE] * 3


def test_a_mandatory_message_that_does_not_pass_comes_not_at_all() -> None:
    catalog = worlds.catalog(worlds.action("recall", mandatory=True, valid_until=NOW), worlds.action("coupon"))
    assert chosen(decided(catalog, policy=worlds.policy(**CERTAIN))) == ["coupon"]


def test_of_several_waits_the_first_is_taken_and_none_beyond_the_horizon() -> None:
    caps = tuple(
        Cap(rule=rule, most=1, within=within, scope=Scope(group=(group,)))
        for rule, within, group in (("slow", 7 * DAY, "a"), ("fast", 6 * DAY, "b"))
    )
    catalog = worlds.catalog(worlds.action("x", group="a"), worlds.action("y", group="b"))
    seen = tuple(worlds.contact(NOW - 5 * DAY - timedelta(hours=1), action=name, group=group) for name, group in ("xa", "yb"))
    asked: dict[str, Any] = {"policy": worlds.policy(contact=Contact(caps=caps)), "request": worlds.request(touchpoint="email")}
    (result,) = decided(catalog, state=worlds.state(contacts=seen), **asked).results
    assert result.wait is not None
    assert (result.reason, result.wait.until) == ("fast", NOW + timedelta(hours=23))
    (later,) = decided(catalog, state=worlds.state(contacts=seen), now=NOW - 2 * DAY, **asked).results
    assert (later.kind, later.reason) == ("nothing", "nothing_passed_the_rules")


SEEN = worlds.state(contacts=(worlds.contact(NOW - 6 * DAY),))
ONE_A_WEEK = Cap(rule="one_a_week", most=1, within=7 * DAY)


@pytest.mark.parametrize(
    ("action", "changes", "waits"),
    [
        ({}, {}, ("one_a_week", 24)),
        ({"every": 7 * DAY + timedelta(hours=3)}, {}, ("too_soon", 27)),
        ({"every": 9 * DAY}, {}, None),
        ({"budget": 1}, {"stock": {"coupon": 0}}, None),
        ({"valid_until": NOW + DAY}, {}, None),
        ({"valid_until": NOW + DAY + timedelta(hours=1)}, {}, ("one_a_week", 24)),
        ({"valid_from": NOW + timedelta(hours=1)}, {}, None),
    ],
    ids=["one rule", "the longer of two", "beyond the horizon", "sold out", "over by then", "just not over", "another tier"],
)
def test_a_wait_ends_when_every_rule_passes_and_not_when_the_first_does(
    action: dict[str, Any], changes: dict[str, Any], waits: tuple[str, int] | None
) -> None:
    catalog = worlds.catalog(worlds.action(**action))
    policy = worlds.policy(contact=Contact(caps=(ONE_A_WEEK,)))
    asked: dict[str, Any] = {"policy": policy, "state": SEEN, "request": worlds.request(touchpoint="email")} | changes
    (result,) = decided(catalog, **asked).results
    found = None if result.wait is None else (result.wait.because, (result.wait.until - NOW) / timedelta(hours=1))
    assert found == waits
    if result.wait is not None:
        (then,) = decided(catalog, now=result.wait.until, **asked).results
        assert then.kind == "action"


@given(st.integers(1, 6), st.integers(1, 4), st.text("abc", max_size=3))
def test_the_places_of_one_request_never_break_a_cap_together(places: int, most: int, decision_id: str) -> None:
    policy = worlds.policy(contact=Contact(caps=(Cap(rule="cap", most=most, within=7 * DAY),)))
    asked = worlds.request(decision_id=decision_id, placements=worlds.slots(places))
    decision = decided(TEN, policy=policy, request=asked, state=worlds.state(contacts=(worlds.contact(),)))
    assert sum(action is not None for action in chosen(decision)) == min(places, most - 1)


def test_what_one_place_says_is_not_referred_elsewhere_by_the_next() -> None:
    first, second = decided(request=worlds.request(placements=(Placement(count=2),))).results
    assert (first.kind, first.action) == ("action", "coupon")
    assert (second.kind, second.wait) == ("nothing", None)
