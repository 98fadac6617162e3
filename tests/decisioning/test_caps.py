"""Contacts counted: whether they count, against what, until when, and how many a customer likes."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.caps import allowance, counted_within, counts, ends, full_until, key_of
from decisioning.customer import Contact
from decisioning.policy import CONTACT_MEMORY, Cap, Fatigue, Policy, Scope
from decisioning.policy import Contact as Limits
from decisioning.rulebook import Plan, compile_rules
from tests import worlds
from tests.worlds import NOW

DAY = timedelta(days=1)
WEEK = 7 * DAY
MOMENT = timedelta(microseconds=1)
EACH = ("customer", "action", "group", "channel")


def plan(*caps: Cap) -> Plan:
    """Of the app's home, with two coupons and a greeting, under these caps."""
    of = worlds.catalog(worlds.action("a"), worlds.action("b"), worlds.action("hello", group="greetings", job="inform"))
    policy: Policy = worlds.policy(contact=Limits(caps=caps))
    return compile_rules(of, policy, worlds.index()).plans["app_home"]


# ----------------------------------------------------------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("confirmed", "expires", "counted"),
    [
        (True, NOW - DAY, True),
        (True, NOW + DAY, True),
        (False, NOW + MOMENT, True),
        (False, NOW, False),
        (False, NOW - DAY, False),
    ],
    ids=["seen", "seen early", "reserved", "just expired", "expired"],
)
def test_a_reservation_counts_until_it_expires_and_for_good_once_it_was_seen(
    confirmed: bool, expires: datetime, counted: bool
) -> None:
    assert counts(worlds.contact(NOW - 2 * DAY, confirmed=confirmed, expires_at=expires), NOW) is counted


past_and_future = st.lists(
    st.builds(
        lambda hours, confirmed, expires, mandatory: worlds.contact(
            NOW - timedelta(hours=hours),
            confirmed=confirmed,
            expires_at=NOW + timedelta(hours=expires),
            mandatory=mandatory,
        ),
        st.integers(-48, 24 * 10),
        st.booleans(),
        st.integers(-48, 48),
        st.booleans(),
    ),
    max_size=8,
)


@given(past_and_future, st.integers(1, 24 * 9))
def test_a_window_holds_what_counts_since_it_began_and_what_is_yet_to_go(contacts: list[Contact], hours: int) -> None:
    window = timedelta(hours=hours)
    expected = [
        one for one in contacts if not one.mandatory and one.at > NOW - window and (one.confirmed or one.expires_at > NOW)
    ]
    assert counted_within(contacts, window, NOW) == expected


@given(past_and_future, st.integers(1, 24 * 9))
def test_a_contact_counts_until_its_end_and_not_from_then_on(contacts: list[Contact], hours: int) -> None:
    window = timedelta(hours=hours)
    for one in counted_within(contacts, window, NOW):
        end = ends(one, window)
        assert end > NOW
        assert counted_within([one], window, end - MOMENT) == [one]
        assert counted_within([one], window, end) == []


@given(past_and_future, st.integers(1, 24 * 9), st.integers(1, 4))
def test_a_window_is_full_until_fewer_are_left_than_it_may_hold(contacts: list[Contact], hours: int, most: int) -> None:
    window = timedelta(hours=hours)
    counted = counted_within(contacts, window, NOW)
    if len(counted) >= most:
        until = full_until(counted, most, window)
        assert len(counted_within(contacts, window, until - MOMENT)) >= most > len(counted_within(contacts, window, until))


# -------------------------------------------------------------------------------------------------------------------- keys


def test_each_count_of_a_cap_has_its_counter_and_a_message_counts_against_its_own() -> None:
    caps = tuple(Cap(rule=each, most=at + 1, within=WEEK, each=each) for at, each in enumerate(EACH))
    here = plan(*caps)
    assert set(here.caps.counters) == {
        *((0, ""), (1, "a"), (1, "b"), (1, "hello"), (2, "coupons"), (2, "greetings"), (3, "app"))
    }
    found = here.caps.counted([worlds.contact(action="a"), worlds.contact(action="b", channel="email")], NOW)
    by_key = {key: found[counter] for key, counter in here.caps.counters.items()}
    assert by_key == {
        (0, ""): 2,
        (1, "a"): 1,
        (1, "b"): 1,
        (1, "hello"): 0,
        (2, "coupons"): 2,
        (2, "greetings"): 0,
        (3, "app"): 1,
    }
    assert [here.caps.most[here.caps.counters[key]] for key in ((0, ""), (1, "a"), (2, "coupons"), (3, "app"))] == [1, 2, 3, 4]


def test_a_cap_that_binds_no_candidate_here_is_not_counted_here() -> None:
    by_mail = Cap(rule="mail", most=1, within=WEEK, scope=Scope(channel=("email",)))
    assert plan(by_mail).caps.counters == {}
    assert plan(by_mail).caps.counted([worlds.contact(channel="email")], NOW) == []


@pytest.mark.parametrize(("each", "key"), [("customer", ""), ("action", "a"), ("group", "coupons"), ("channel", "app")])
def test_the_key_of_an_action_is_what_the_cap_tells_apart(each: str, key: str) -> None:
    assert key_of(Cap(rule="x", most=1, within=WEEK, each=each), worlds.action("a"), worlds.touchpoint()) == key


def test_each_cap_looks_back_as_far_as_it_says_whatever_the_others_do() -> None:
    caps = tuple(Cap(rule=f"{days}", most=1, within=days * DAY) for days in (1, 7, 30))
    contacts = [worlds.contact(NOW - hours * timedelta(hours=1)) for hours in (1, 24, 25, 24 * 7 - 1, 24 * 8, 24 * 29, 24 * 31)]
    assert plan(*caps).caps.counted(contacts, NOW) == [1, 4, 6]


def test_counting_again_gives_the_same() -> None:
    caps = plan(Cap(rule="x", most=1, within=WEEK, each="action")).caps
    contacts = [worlds.contact(action=name) for name in ("a", "a", "b", "gone")]
    assert caps.counted(contacts, NOW) == caps.counted(contacts, NOW) == [2, 1, 0]


# --------------------------------------------------------------------------------------------------------------- allowance


def seen(count: int, answered: int) -> list[Contact]:
    return [worlds.contact(NOW - at * timedelta(minutes=1), answered=at < answered) for at in range(count)]


@pytest.mark.parametrize(
    ("count", "answered", "allowed"),
    [(0, 0, 7), (10, 0, 4), (30, 0, 2), (10, 1, 7), (10, 10, 7), (40, 2, 4), (40, 0, 2), (1_000_000, 0, 1)],
)
def test_who_answers_less_than_usual_is_told_less_and_nobody_more_than_the_brand_says(
    count: int, answered: int, allowed: int
) -> None:
    """1 to 7 a week; the usual share is 10%, as of 10 messages: least + floor(6 * min(1, share / 10%))."""
    fatigue = Fatigue(within=WEEK, least=1, most=7, usual=0.1, weight=10.0)
    assert allowance(fatigue, seen(min(count, 2_000), answered) * (count // 2_000 or 1), NOW) == allowed


fatigues = st.builds(
    lambda least, more, usual, weight: Fatigue(within=WEEK, least=least, most=least + more, usual=usual, weight=weight),
    st.integers(0, 5),
    st.integers(1, 10),
    st.floats(0.001, 1.0),
    st.floats(0.1, 100.0),
)


@given(fatigues, st.integers(0, 60), st.integers(0, 60))
def test_an_allowance_lies_between_the_least_and_the_most_and_answers_never_lower_it(
    fatigue: Fatigue, count: int, answered: int
) -> None:
    allowed = allowance(fatigue, seen(count, answered), NOW)
    assert fatigue.least <= allowed <= fatigue.most
    assert allowance(fatigue, seen(count, answered + 1), NOW) >= allowed
    assert allowance(fatigue, seen(count + 1, answered if answered <= count else count), NOW) <= allowed


@given(fatigues)
def test_of_whom_nothing_is_known_the_most_is_expected(fatigue: Fatigue) -> None:
    assert allowance(fatigue, [], NOW) == fatigue.most


def test_only_what_was_seen_and_not_mandatory_says_how_much_a_customer_likes() -> None:
    fatigue = Fatigue(within=WEEK, least=1, most=7)
    unseen = [worlds.contact(confirmed=False), worlds.contact(mandatory=True, answered=True)] * 30
    assert allowance(fatigue, [*unseen, *seen(10, 0)], NOW) == allowance(fatigue, seen(10, 0), NOW)


def test_what_is_long_past_says_nothing_of_how_much_a_customer_likes() -> None:
    fatigue = Fatigue(within=WEEK, least=1, most=7)
    long_ago = [worlds.contact(NOW - CONTACT_MEMORY - at * DAY) for at in range(30)]
    assert allowance(fatigue, long_ago, NOW) == fatigue.most
    assert allowance(fatigue, long_ago, NOW - 31 * DAY) < fatigue.most
