"""Hints of time: at the moment that a rejection names the rule passes by itself, and not a moment before."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.conditions import parse
from decisioning.customer import Contact, Emotion, Refusal
from decisioning.domain import Rejection
from decisioning.policy import Cap, Fatigue
from decisioning.policy import Contact as Limits
from decisioning.preferences import Preference
from tests import worlds
from tests.decisioning.rule_cases import MOMENT, rejection
from tests.worlds import NOW

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
SOME = tuple(worlds.contact(NOW - at * timedelta(hours=7, seconds=11)) for at in (1, 2, 9))
HELD = worlds.contact(NOW - DAY, confirmed=False, expires_at=NOW + timedelta(hours=5, seconds=1))
"""A reservation that expires long before the window has passed it."""

LIMITS: dict[str, dict[str, Any]] = {
    "cap": {"policy": worlds.policy(contact=Limits(caps=(Cap(rule="cap", most=2, within=7 * DAY),)))},
    "fatigue": {"policy": worlds.policy(contact=Limits(fatigue=Fatigue(within=7 * DAY, least=1, most=2)))},
    "pace": {"preferences": {"pace": Preference(at=NOW, a_week=2)}},
    "too_soon": {"action": worlds.action(every=7 * DAY)},
}

UNTIL: dict[str, dict[str, Any]] = {
    "not yet valid": {"action": worlds.action(valid_from=NOW + 3 * DAY + MOMENT)},
    "pause": {"preferences": {"pause": Preference(at=NOW, until=NOW + HOUR)}},
    "anger": {"emotion": Emotion(valence=-0.9, intensity=0.8, confidence=1.0, at=NOW - DAY)},
    "anger before joy": {
        "emotion": Emotion(valence=0.9, intensity=1.0, confidence=1.0, at=NOW),
        "unhealed": (Emotion(valence=-0.9, intensity=0.8, confidence=1.0, at=NOW - DAY),),
    },
    "anger of two days": {
        "emotion": Emotion(valence=-0.9, intensity=1.0, confidence=0.6, at=NOW - 2 * DAY),
        "unhealed": (Emotion(valence=-0.9, intensity=0.8, confidence=1.0, at=NOW - DAY),),
    },
    "cool-down": {
        "refusals": tuple(Refusal(action="a", group="coupons", at=NOW - days * DAY) for days in (1, 9)),
    },
    "fatigue, an answer is soon forgotten": {
        "policy": worlds.policy(contact=Limits(fatigue=Fatigue(within=7 * DAY, least=1, most=7, usual=0.1, weight=1.0))),
        "contacts": (
            worlds.contact(NOW - 59 * DAY, answered=True),
            *(worlds.contact(NOW - half_days * 12 * HOUR) for half_days in range(1, 11)),
        ),
    },
    "fatigue, until a message is liked at all": {
        "policy": worlds.policy(contact=Limits(fatigue=Fatigue(within=DAY, least=0, most=1))),
        "contacts": (worlds.contact(NOW - 3 * DAY),),
    },
    **{f"{name}, seen": limit | {"contacts": SOME} for name, limit in LIMITS.items()},
    **{f"{name}, reserved": limit | {"contacts": (SOME[2], HELD)} for name, limit in LIMITS.items()},
    **{f"{name}, reserved alone": limit | {"contacts": (HELD, HELD)} for name, limit in LIMITS.items()},
}


def rejected(now: datetime = NOW, *, action: Any = None, policy: Any = None, **of_state: Any) -> Rejection | None:
    return rejection(action, policy=policy or worlds.policy(), state=worlds.state(**of_state), now=now)


@pytest.mark.parametrize("world", UNTIL.values(), ids=UNTIL.keys())
def test_at_the_time_it_names_a_rule_passes_and_just_before_it_does_not(world: dict[str, Any]) -> None:
    why = rejected(**world)
    assert why is not None and why.until is not None and why.until > NOW
    before = rejected(why.until - MOMENT, **world)
    assert before is not None and before.rule == why.rule
    assert rejected(why.until, **world) is None


@pytest.mark.parametrize("world", UNTIL.values(), ids=UNTIL.keys())
def test_at_the_minute_that_the_hint_names_the_rule_passes(world: dict[str, Any]) -> None:
    why = rejected(**world)
    assert why is not None
    named = why.unlock.rsplit("Z", 1)[0][-16:]
    assert rejected(datetime.fromisoformat(f"{named}:00+00:00"), **world) is None


def test_a_group_rests_from_its_latest_refusal() -> None:
    why = rejected(**UNTIL["cool-down"])
    assert why is not None and why.until == NOW + 13 * DAY


def test_what_was_said_last_is_named_and_not_what_was_reserved_before() -> None:
    why = rejected(action=worlds.action(every=7 * DAY), contacts=(HELD, worlds.contact(NOW - 2 * DAY)))
    assert why is not None
    assert why.unlock == "the same message was said at 2017-12-30 14:00Z; again from 2018-01-06 14:00Z"


past = st.lists(
    st.builds(
        lambda hours, confirmed, expires: worlds.contact(
            NOW - hours * HOUR, confirmed=confirmed, expires_at=NOW + expires * HOUR
        ),
        st.integers(-24, 24 * 10),
        st.booleans(),
        st.integers(1, 24 * 8),
    ),
    max_size=6,
)


@given(past, st.integers(1, 3), st.sampled_from(["cap", "pace", "too_soon"]))
def test_whatever_was_said_the_time_that_a_limit_names_is_true(contacts: list[Contact], most: int, limit: str) -> None:
    world: dict[str, Any] = {
        "cap": {"policy": worlds.policy(contact=Limits(caps=(Cap(rule="cap", most=most, within=7 * DAY),)))},
        "pace": {"preferences": {"pace": Preference(at=NOW, a_week=most)}},
        "too_soon": LIMITS["too_soon"],
    }[limit] | {"contacts": tuple(contacts)}
    why = rejected(**world)
    if why is not None:
        assert why.until is not None
        assert rejected(why.until - MOMENT, **world) is not None
        assert rejected(why.until, **world) is None


long_past = st.lists(
    st.builds(
        lambda hours, answered: worlds.contact(NOW - hours * HOUR, answered=answered),
        st.one_of(st.integers(1, 24 * 8), st.integers(24 * 50, 24 * 60)),
        st.booleans(),
    ),
    max_size=12,
)


@given(long_past, st.integers(0, 2), st.integers(1, 4), st.sampled_from([0.1, 1.0]), st.sampled_from([0.5, 10.0]))
def test_who_is_tired_is_told_again_from_the_time_that_is_named_though_old_answers_are_forgotten_until_then(
    contacts: list[Contact], least: int, more: int, usual: float, weight: float
) -> None:
    fatigue = Fatigue(within=7 * DAY, least=least, most=least + more, usual=usual, weight=weight)
    world: dict[str, Any] = {"policy": worlds.policy(contact=Limits(fatigue=fatigue)), "contacts": tuple(contacts)}
    why = rejected(**world)
    if why is not None:
        assert why.until is not None
        assert rejected(why.until - MOMENT, **world) is not None
        assert rejected(why.until, **world) is None


def test_a_condition_names_no_time_even_where_time_would_unlock_it() -> None:
    why = rejected(action=worlds.action(relevant=parse("profile.since_order > 30")))
    assert why is not None
    assert (why.until, why.unlock) == (None, "profile.since_order > 30 (is 4)")
