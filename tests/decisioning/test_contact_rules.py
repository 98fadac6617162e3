"""The rules of contact: caps, cool-down, fatigue, pace, repetition, stock and time, each at its limits."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.customer import Refusal, State
from decisioning.policy import Cap, Contact, Fatigue, Scope
from decisioning.preferences import Preference
from tests import worlds
from tests.decisioning.rule_cases import (
    DAY,
    MOMENT,
    QUIET,
    TWO_SEEN,
    capped,
    rejection,
)
from tests.worlds import NOW


def test_the_budget_of_an_action_nobody_has_taken_is_whole() -> None:
    assert rejection(worlds.action(budget=1)) is None


def test_stock_binds_only_what_has_a_budget() -> None:
    assert rejection(worlds.action(), stock={"coupon": 0}) is None


@pytest.mark.parametrize(
    ("days", "group", "out"), [(0, "coupons", True), (13, "coupons", True), (14, "coupons", False), (1, "others", False)]
)
def test_a_refused_group_rests_as_long_as_the_brand_says(days: int, group: str, out: bool) -> None:
    refusal = Refusal(action="another", group=group, at=NOW - days * DAY)
    assert (rejection(state=worlds.state(refusals=(refusal,))) is not None) is out


@pytest.mark.parametrize(
    ("seen", "out"),
    [
        (worlds.contact(NOW - 3 * DAY + MOMENT), True),
        (worlds.contact(NOW - 3 * DAY), False),
        (worlds.contact(NOW - DAY, mandatory=True), True),
        (worlds.contact(NOW - DAY, action="another"), False),
        (worlds.contact(NOW - DAY, channel="email", touchpoint="email"), True),
        (worlds.contact(NOW - DAY, confirmed=False, expires_at=NOW), False),
        (worlds.contact(NOW - DAY, confirmed=False, expires_at=NOW + MOMENT), True),
        (worlds.contact(NOW + DAY, confirmed=False, expires_at=NOW + 8 * DAY), True),
    ],
    ids=["just within", "long enough ago", "mandatory", "another", "elsewhere", "expired", "reserved", "goes tomorrow"],
)
@pytest.mark.parametrize("mandatory", [False, True])
def test_the_same_message_is_said_at_most_once_in_its_time(seen: Any, out: bool, mandatory: bool) -> None:
    action = worlds.action(every=3 * DAY, mandatory=mandatory)
    assert (rejection(action, state=worlds.state(contacts=(seen,))) is not None) is out


@pytest.mark.parametrize("rule", ["cap", "fatigue", "pace"])
@pytest.mark.parametrize(
    ("contact", "counts"),
    [
        (worlds.contact(NOW - 7 * DAY + MOMENT), True),
        (worlds.contact(NOW - 7 * DAY), False),
        (worlds.contact(NOW - DAY, mandatory=True), False),
        (worlds.contact(NOW - DAY, confirmed=False, expires_at=NOW + MOMENT), True),
        (worlds.contact(NOW - DAY, confirmed=False, expires_at=NOW), False),
        (worlds.contact(NOW - DAY, expires_at=NOW - DAY), True),
        (worlds.contact(NOW + DAY, confirmed=False, expires_at=NOW + 8 * DAY), True),
        (worlds.contact(NOW - DAY, channel="email", touchpoint="email", action="gone", group="gone"), True),
    ],
    ids=["just within", "just beyond", "mandatory", "reserved", "expired", "seen late", "goes tomorrow", "of another kind"],
)
def test_one_message_in_a_week_is_counted_alike_by_every_limit(rule: str, contact: Any, counts: bool) -> None:
    """Each limit allows one message a week, over all actions and channels."""
    limits: dict[str, Contact] = {
        "cap": Contact(caps=(Cap(rule="cap", most=1, within=7 * DAY),)),
        "fatigue": Contact(fatigue=Fatigue(within=7 * DAY, least=1, most=1)),
        "pace": Contact(),
    }
    wish = {"pace": Preference(at=NOW, a_week=1)} if rule == "pace" else {}
    state: State = worlds.state(contacts=(contact,), preferences=wish)
    why = rejection(policy=worlds.policy(contact=limits[rule]), state=state)
    assert (why.rule if why else None) == (rule if counts else None)


hours = st.integers(1, 24 * 30)


@given(st.lists(hours, max_size=8), st.integers(1, 4), st.integers(1, 24 * 20))
def test_a_cap_rejects_exactly_where_its_window_holds_too_many(hours_ago: list[int], most: int, within: int) -> None:
    contacts = tuple(worlds.contact(NOW - timedelta(hours=hour)) for hour in hours_ago)
    policy = capped(Cap(rule="cap", most=most, within=timedelta(hours=within)))
    why = rejection(policy=policy, state=worlds.state(contacts=contacts))
    assert (why is not None) is (sum(hour < within for hour in hours_ago) >= most)


PAST = {
    "same": worlds.contact(),
    "another action": worlds.contact(action="another"),
    "another group": worlds.contact(action="stranger", group="others"),
    "another channel": worlds.contact(channel="email", touchpoint="email"),
    "another job": worlds.contact(action="thanks"),
    "gone": worlds.contact(action="gone", group="others", job="sell"),
    "gone, of which less is known": worlds.contact(action="gone", group="others"),
    "another job then": worlds.contact(job="celebrate"),
}


OTHER_GROUP = {"another group", "gone", "gone, of which less is known"}


@pytest.mark.parametrize(
    ("each", "scope", "counted"),
    [
        ("customer", Scope(), set(PAST)),
        ("action", Scope(), {"same", "another channel", "another job then"}),
        ("group", Scope(), set(PAST) - OTHER_GROUP),
        ("channel", Scope(), set(PAST) - {"another channel"}),
        ("customer", Scope(channel=("app",)), set(PAST) - {"another channel"}),
        ("customer", Scope(group=("coupons",)), set(PAST) - OTHER_GROUP),
        ("customer", Scope(action=("coupon",)), {"same", "another channel", "another job then"}),
        # the job that an action had when it was taken, else the one it has now; neither is known of what has left the catalog
        ("customer", Scope(job=("sell",)), {"same", "another action", "another channel", "gone"}),
        ("customer", Scope(job=("celebrate",)), set()),
        ("customer", Scope(channel=("mail",)), set()),
    ],
)
def test_a_cap_counts_what_its_scope_and_its_each_say(each: str, scope: Scope, counted: set[str]) -> None:
    policy = capped(Cap(rule="cap", most=1, within=7 * DAY, each=each, scope=scope))
    others = (worlds.action("another"), worlds.action("thanks", job="celebrate"))
    found = {
        name
        for name, contact in PAST.items()
        if rejection(others=others, policy=policy, state=worlds.state(contacts=(contact,)))
    }
    assert found == counted


def test_of_two_full_caps_the_one_that_is_written_first_is_named() -> None:
    caps = tuple(Cap(rule=name, most=1, within=7 * DAY) for name in ("z", "a"))
    why = rejection(policy=capped(*caps), state=worlds.state(contacts=TWO_SEEN))
    assert why is not None and why.rule == "z"


def test_an_inbound_message_is_always_in_time() -> None:
    assert rejection(**QUIET) is None
