"""Who may be told what, rule by rule: where each begins to bind, where it ends, and what it does not bind."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.conditions import parse
from decisioning.customer import Episode, Profile
from decisioning.domain import SELLING, TIERS, Ledger
from decisioning.eligibility import PASSES, failures
from decisioning.policy import Groups, Rule, Rules, Scope
from decisioning.preferences import Preference
from decisioning.promises import Promise
from decisioning.rulebook import Gates
from tests import worlds
from tests.decisioning.rule_cases import (
    ANGRY,
    BROKEN,
    BRONZE,
    DAY,
    GOLD_ONLY,
    MOMENT,
    NONE,
    SORRY,
    promised,
    rejection,
    wanting,
)
from tests.worlds import NOW, decided


def test_an_action_that_nothing_speaks_against_passes() -> None:
    assert rejection() is None


def test_the_first_tier_that_fails_is_the_one_reported() -> None:
    """All tiers fail; then, one by one, the first is mended."""
    wrong: dict[str, Any] = {
        "state": worlds.state(consents={}, open_complaints=("c1",)),
        "policy": worlds.policy(groups=Groups(control=1.0)),
        "place": {"jobs": ("serve",)},
        "stock": {"coupon": 0},
    }
    mended: list[dict[str, Any]] = [
        {},
        {"state": worlds.state(open_complaints=("c1",))},
        {"policy": worlds.policy()},
        {"place": {}},
        {"state": worlds.state()},
    ]
    reported = []
    for mend in mended:
        wrong |= mend
        why = rejection(worlds.action(budget=3), **wrong)
        assert why is not None
        reported.append(why.tier)
    assert tuple(reported) == TIERS


@given(st.lists(st.lists(st.integers(0, 5), max_size=5), max_size=6), st.lists(st.booleans(), min_size=6, max_size=6))
def test_what_is_reported_is_the_first_closed_gate_of_each_candidate(asked: list[list[int]], open_: list[bool]) -> None:
    gates = Gates(
        keys={},
        open=np.ones(6, dtype=np.bool_),
        gate=np.array([gate for one in asked for gate in one], dtype=np.int32),
        start=np.cumsum([0, *map(len, asked)], dtype=np.int32),
        rule=np.zeros(sum(map(len, asked)), dtype=np.int32),
        rules=(),
    )
    found = failures(gates, np.array(open_))
    for one, start, failed in zip(asked, gates.start, found, strict=False):
        closed = [at for at, gate in enumerate(one) if not open_[gate]]
        assert failed == (start + closed[0] if closed else PASSES)


def test_rejections_come_by_name_and_survivors_by_rank() -> None:
    values = {"c": 9.0, "d": 7.0, "a": 8.0}
    actions = [worlds.action(name, value=value) for name, value in values.items()]
    decision = decided(worlds.catalog(*actions, *(worlds.action(name, valid_until=NOW) for name in ("z", "b"))))
    assert [one.action for one in decision.candidates] == ["c", "a", "d"]
    assert [one.action for one in decision.rejected] == ["b", "z"]


# -------------------------------------------------------------------------------------------------- consent and eligibility


@pytest.mark.parametrize(
    ("until", "paused"),
    [(NOW + MOMENT, True), (NOW, False), (NOW - DAY, False), (None, False)],
    ids=["yet", "now", "over", "none"],
)
def test_a_pause_holds_until_it_ends_and_without_an_end_is_none(until: datetime | None, paused: bool) -> None:
    assert (rejection(**wanting(pause=Preference(at=NOW - DAY, until=until))) is not None) is paused


@pytest.mark.parametrize("wanted", ["more", "usual", "less"])
@pytest.mark.parametrize("about", ["channel:app", "topic:bakery", "group:coupons"])
def test_only_what_is_not_wanted_at_all_is_out(about: str, wanted: Any) -> None:
    state = worlds.state(preferences={about: Preference(at=NOW, wanted=wanted)})
    assert rejection(worlds.action(topics=("bakery",)), state=state) is None


@pytest.mark.parametrize("about", ["channel:email", "topic:produce", "group:others"])
def test_a_word_on_something_else_binds_nothing_here(about: str) -> None:
    assert rejection(worlds.action(topics=("bakery",)), state=worlds.state(preferences={about: NONE})) is None


@pytest.mark.parametrize(
    ("ended", "kept", "out"), [(20, 17, True), (20, 18, False), (19, 0, False), (1000, 899, True), (1000, 900, False)]
)
def test_an_action_pauses_once_enough_of_its_promises_ended_and_too_few_were_kept(ended: int, kept: int, out: bool) -> None:
    why = rejection(ledger={"coupon": Ledger(ended=ended, kept=kept), "another": Ledger(ended=99, kept=0)})
    assert (why is not None) is out


@pytest.mark.parametrize(
    ("known", "profile"), [(True, Profile.empty(worlds.index())), (False, worlds.profile())], ids=["by the log", "by a profile"]
)
def test_whom_the_log_or_the_profile_knows_is_known(known: bool, profile: Profile) -> None:
    assert rejection(state=worlds.state(known=known), profile=profile) is None


def test_an_action_is_valid_from_its_first_moment_to_before_its_last() -> None:
    action = worlds.action(valid_from=NOW, valid_until=NOW + DAY)
    rules = [
        why.rule if (why := rejection(action, now=at)) else None for at in (NOW - MOMENT, NOW, NOW + DAY - MOMENT, NOW + DAY)
    ]
    assert rules == ["not_yet_valid", None, None, "no_longer_valid"]


# ------------------------------------------------------------------------------------------------------------- suitability

DISTRESSED: dict[str, dict[str, Any]] = {
    "open_complaint": {"open_complaints": ("c1",)},
    "negative_emotion": {"emotion": ANGRY},
    "hardship": {"hardship": Episode(opened_at=NOW - DAY)},
    "broken_promise": {"promises": {"p1": Promise(made_at=NOW - 9 * DAY, due=NOW - DAY)}},
}


@pytest.mark.parametrize("job", worlds.JOBS)
@pytest.mark.parametrize("rule", DISTRESSED)
def test_distress_stops_selling_only(rule: str, job: Any) -> None:
    why = rejection(worlds.action(job=job), state=worlds.state(**DISTRESSED[rule]))
    assert (why.rule if why else None) == (rule if job in SELLING else None)


def test_of_several_reasons_not_to_sell_the_first_is_named_until_it_is_gone() -> None:
    left, named = dict(DISTRESSED), []
    while left:
        merged: dict[str, Any] = {}
        for changes in left.values():
            merged |= changes
        why = rejection(state=worlds.state(**merged))
        assert why is not None
        named.append(why.rule)
        del left[why.rule]
    assert named == list(DISTRESSED)


@pytest.mark.parametrize(
    ("changes", "out"),
    [
        ({}, True),
        ({"place": {"jobs": ("sell", "inform")}}, False),
        ({"others": ()}, False),
        ({"others": (worlds.action("sorry", job="recover", treatments={"email": worlds.treatment()}),)}, False),
        ({"others": (worlds.action("sorry", job="recover", valid_until=NOW),)}, True),
    ],
    ids=["here", "no place to recover", "nothing makes good", "nothing to say here", "not possible now"],
)
def test_what_makes_good_comes_first_where_it_could_be_said(changes: dict[str, Any], out: bool) -> None:
    """Also where it cannot be said just now: nothing else takes its place."""
    world = promised(**BROKEN, make_good="sorry") | {"others": (SORRY,)} | changes
    why = rejection(worlds.action(job="inform"), **world)
    assert (why is not None and why.rule == "make_good_first") is out


def test_what_makes_good_passes_itself_and_so_does_what_makes_good_another_promise() -> None:
    promises = {
        name: Promise(made_at=NOW - 9 * DAY, due=NOW - DAY, make_good=action)
        for name, action in [("p", "sorry"), ("q", "gift")]
    }
    gift = worlds.action("gift", job="serve")
    decision = decided(worlds.catalog(SORRY, gift, worlds.action(job="inform")), state=worlds.state(promises=promises))
    assert {one.action for one in decision.candidates} == {"sorry", "gift"}


def test_a_rule_speaks_of_the_actions_in_its_scope_only() -> None:
    rules = Rules(
        suitability=(replace(GOLD_ONLY, scope=Scope(job=("refer",))), replace(GOLD_ONLY, scope=Scope(channel=("mail",))))
    )
    assert rejection(policy=worlds.policy(rules=rules), **BRONZE) is None
    assert rejection(worlds.action(job="refer"), policy=worlds.policy(rules=rules), **BRONZE) is not None


def test_a_rule_that_reads_the_action_alone_is_asked_of_each_of_them() -> None:
    rules = Rules(eligibility=(Rule(rule="cheap", require=parse("action.value < 10")),))
    decision = decided(worlds.catalog(worlds.action("a", value=9.0), worlds.action("b")), policy=worlds.policy(rules=rules))
    assert [(one.action, one.rule, one.unlock) for one in decision.rejected] == [("b", "cheap", "action.value < 10 (is 10)")]
    assert [one.action for one in decision.candidates] == ["a"]
