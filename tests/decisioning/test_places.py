"""Filling the places of one request: nothing twice, what one takes counts for the next, and an honest nothing or wait."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.chance import WHOLE
from decisioning.domain import Decision, Placement
from decisioning.policy import Cap, Contact, Exploration, Groups
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
