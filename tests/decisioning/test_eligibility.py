"""The five tiers: what each rejects, which comes first, and whether `until` is true."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.catalog import Action, Touchpoint
from decisioning.conditions import parse
from decisioning.customer import Emotion, Refusal, State
from decisioning.domain import TIERS, Rejection
from decisioning.eligibility import Situation, sieve
from decisioning.policy import Cap, Contact, Policy, Rule, Rules, Scope
from tests import worlds
from tests.worlds import NOW

DAY = timedelta(days=1)
ANGRY = Emotion(valence=-0.9, intensity=0.8, confidence=1.0, at=NOW - DAY)


def situation(*actions: Action, facts: Mapping[str, Any] | None = None, **changes: Any) -> Situation:
    of = worlds.catalog(*actions)
    given_: dict[str, Any] = {
        "touchpoint": worlds.touchpoint(),
        "state": worlds.state(),
        "group": "treatment",
        "known": True,
        "catalog": of,
        "policy": worlds.policy(),
        "lookups": {action.name: (facts or {}).get for action in of.actions},
        "stock": {},
        "in_time": lambda action: True,
        "now": NOW,
    }
    return Situation(**(given_ | changes))


def rejection(action: Action, **changes: Any) -> Rejection | None:
    """Why an action is out; None where it passes."""
    passed, rejected = sieve([action], situation(action, **changes))
    assert len(passed) + len(rejected) == 1
    return rejected[0] if rejected else None


def capped(*caps: Cap, **changes: Any) -> Policy:
    return worlds.policy(contact=Contact(caps=caps, **changes))


TWO_A_WEEK = Cap(rule="cap", most=2, within=7 * DAY)
A_RULE = Rule(rule="only_loyal", require=parse("stage = loyal"))
NO_POINTS = parse("profile.points missing")


@dataclass(frozen=True)
class Case:
    """What makes the action, or the situation, fail at a rule; and words of the hint."""

    tier: str
    rule: str
    hint: str
    action: Mapping[str, Any] = field(default_factory=dict)
    situation: Mapping[str, Any] = field(default_factory=dict)


def in_state(**changes: Any) -> dict[str, Any]:
    return {"state": worlds.state(**changes)}


def ruled(**rules: tuple[Rule, ...]) -> dict[str, Any]:
    return {"policy": worlds.policy(rules=Rules(**rules))}


REFUSED_YESTERDAY = Refusal(action="other", group="coupons", at=NOW - DAY)
TWO_SEEN = (worlds.contact(NOW - DAY), worlds.contact(NOW - 2 * DAY))
OPTED_OUT = {"marketing": True, "service": False}
CLOSED = in_state(consents={"marketing": True}, closed_channels=("app",))
FEW_POINTS = {"facts": {"profile.points": 20.0}}

CASES = {
    "no consent": Case("consent", "consent_marketing", "state.consent_marketing = true", situation=in_state(consents={})),
    "withdrawn": Case(
        "consent", "consent_service", "state.consent_service = true", {"purpose": "service"}, in_state(consents=OPTED_OUT)
    ),
    "channel closed": Case("consent", "channel_closed", "opens the channel app", situation=CLOSED),
    "stranger": Case("eligibility", "known_customer", "state.known = true", situation={"known": False}),
    "control group": Case("eligibility", "holdout", "leaves the control group", situation={"group": "control"}),
    "not yet valid": Case("eligibility", "not_yet_valid", "at 2018-01-02 14:00Z or later", {"valid_from": NOW + DAY}),
    "no longer valid": Case("eligibility", "no_longer_valid", "ended at 2018-01-01 14:00Z", {"valid_until": NOW}),
    "not eligible": Case(
        "eligibility", "eligible", "profile.points >= 500 (is 20)", {"eligible": parse("profile.points >= 500")}, FEW_POINTS
    ),
    "rule of eligibility": Case("eligibility", "only_loyal", "stage = loyal", situation=ruled(eligibility=(A_RULE,))),
    "wrong place": Case(
        "applicability", "touchpoint_job", "jobs include sell", situation={"touchpoint": worlds.touchpoint(jobs=("serve",))}
    ),
    "not relevant": Case("applicability", "relevant", "profile.points missing", {"relevant": NO_POINTS}, FEW_POINTS),
    "rule of applicability": Case("applicability", "only_loyal", "stage = loyal", situation=ruled(applicability=(A_RULE,))),
    "complaint": Case("suitability", "open_complaint", "open_complaint = false", situation=in_state(open_complaints=("c1",))),
    "anger": Case("suitability", "negative_emotion", "state.emotion_intensity < 0.5", situation=in_state(emotion=ANGRY)),
    "rule of suitability": Case("suitability", "only_loyal", "stage = loyal", situation=ruled(suitability=(A_RULE,))),
    "cool-down": Case(
        "contact", "cool_down", "again from 2018-01-14 14:00Z", situation=in_state(refusals=(REFUSED_YESTERDAY,))
    ),
    "cap": Case(
        "contact",
        "cap",
        "fewer than 2 contacts in 7 days",
        situation={"policy": capped(TWO_A_WEEK)} | in_state(contacts=TWO_SEEN),
    ),
    "budget": Case("contact", "budget", "more than 10 of coupon", {"budget": 10}, {"stock": {"coupon": 0}}),
    "no moment left": Case("contact", "in_time", "a moment to send it", situation={"in_time": lambda action: False}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_each_rule_of_each_tier_rejects_and_says_what_would_unlock_it(case: Case) -> None:
    why = rejection(worlds.action(**case.action), **case.situation)
    assert why is not None
    assert (why.action, why.tier, why.rule) == ("coupon", case.tier, case.rule)
    assert case.hint in why.unlock


def test_every_tier_has_a_case() -> None:
    assert {case.tier for case in CASES.values()} == set(TIERS)


def test_an_action_that_nothing_speaks_against_passes() -> None:
    assert rejection(worlds.action()) is None


def test_the_first_tier_that_fails_is_the_one_reported() -> None:
    """All tiers fail; then, one by one, the first is mended."""
    wrong: dict[str, Any] = {
        "state": worlds.state(consents={}, open_complaints=("c1",)),
        "known": False,
        "touchpoint": worlds.touchpoint(jobs=("serve",)),
        "in_time": lambda action: False,
    }
    mended: list[dict[str, Any]] = [
        {},
        {"state": worlds.state(open_complaints=("c1",))},
        {"known": True},
        {"touchpoint": worlds.touchpoint()},
        {"state": worlds.state()},
    ]
    reported = []
    for mend in mended:
        wrong |= mend
        why = rejection(worlds.action(), **wrong)
        assert why is not None
        reported.append(why.tier)
    assert tuple(reported) == TIERS


def test_rejections_and_survivors_keep_the_order_they_were_given_in() -> None:
    actions = [worlds.action("c"), worlds.action("a", valid_until=NOW), worlds.action("b")]
    passed, rejected = sieve(actions, situation(*actions))
    assert [action.name for action in passed] == ["c", "b"]
    assert [one.action for one in rejected] == ["a"]


@pytest.mark.parametrize(
    "allowed",
    [
        {"group": "control"},
        {"policy": capped(TWO_A_WEEK), "state": worlds.state(contacts=TWO_SEEN)},
        {"state": worlds.state(refusals=(REFUSED_YESTERDAY,))},
    ],
    ids=["holdout", "cap", "cool-down"],
)
def test_a_mandatory_message_passes_holdout_caps_and_cool_down(allowed: dict[str, Any]) -> None:
    assert rejection(worlds.action(mandatory=True), **allowed) is None
    assert rejection(worlds.action(), **allowed) is not None


@pytest.mark.parametrize("job", ["recover", "serve", "inform", "onboard", "retain", "celebrate"])
def test_a_complaint_stops_selling_only(job: str) -> None:
    assert rejection(worlds.action(job=job), state=worlds.state(open_complaints=("c1",))) is None


def test_a_rule_speaks_of_the_actions_in_its_scope_only() -> None:
    rules = Rules(suitability=(replace(A_RULE, scope=Scope(job=("refer",))), replace(A_RULE, scope=Scope(channel=("mail",)))))
    assert rejection(worlds.action(), policy=worlds.policy(rules=rules)) is None
    assert rejection(worlds.action(job="refer"), policy=worlds.policy(rules=rules)) is not None


def test_the_budget_of_an_action_nobody_has_taken_is_whole() -> None:
    assert rejection(worlds.action(budget=1)) is None
    assert rejection(worlds.action(budget=0)) is not None


UNTIL = {
    "not yet valid": (worlds.action(valid_from=NOW + 3 * DAY), {}),
    "anger": (worlds.action(), {"state": worlds.state(emotion=ANGRY)}),
    "cool-down": (
        worlds.action(),
        {"state": worlds.state(refusals=(Refusal(action="coupon", group="coupons", at=NOW - DAY),))},
    ),
    "cap": (
        worlds.action(),
        {
            "policy": capped(TWO_A_WEEK),
            "state": worlds.state(
                contacts=tuple(worlds.contact(NOW - at * timedelta(hours=7, seconds=11)) for at in (1, 2, 9))
            ),
        },
    ),
}


@pytest.mark.parametrize(("action", "changes"), UNTIL.values(), ids=UNTIL.keys())
def test_at_the_time_it_names_a_rule_passes_and_just_before_it_does_not(action: Action, changes: dict[str, Any]) -> None:
    why = rejection(action, **changes)
    assert why is not None and why.until is not None
    before = rejection(action, **changes, now=why.until - timedelta(microseconds=1))
    assert before is not None and before.rule == why.rule
    assert rejection(action, **changes, now=why.until) is None


@pytest.mark.parametrize(("action", "changes"), UNTIL.values(), ids=UNTIL.keys())
def test_at_the_minute_that_the_hint_names_the_rule_passes(action: Action, changes: dict[str, Any]) -> None:
    why = rejection(action, **changes)
    assert why is not None
    named = why.unlock.rsplit("Z", 1)[0][-16:]
    assert rejection(action, **changes, now=datetime.fromisoformat(f"{named}:00+00:00")) is None


hours = st.integers(1, 24 * 30)


@given(st.lists(hours, max_size=8), st.integers(1, 4), st.integers(1, 24 * 20))
def test_a_window_rolls(hours_ago: list[int], most: int, within: int) -> None:
    """A cap rejects exactly where its window holds too many, and what it says of the time is true."""
    contacts = tuple(worlds.contact(NOW - timedelta(hours=hour)) for hour in hours_ago)
    cap = Cap(rule="cap", most=most, within=timedelta(hours=within))
    changes: dict[str, Any] = {"policy": capped(cap), "state": worlds.state(contacts=contacts)}
    why = rejection(worlds.action(), **changes)
    assert (why is not None) is (sum(hour < within for hour in hours_ago) >= most)
    if why is not None:
        assert why.until is not None and why.until > NOW
        assert rejection(worlds.action(), **changes, now=why.until) is None
        assert rejection(worlds.action(), **changes, now=why.until - timedelta(microseconds=1)) is not None


@pytest.mark.parametrize(
    ("confirmed", "expires", "counts"),
    [
        (True, NOW - DAY, True),
        (True, NOW + DAY, True),
        (False, NOW + DAY, True),
        (False, NOW, False),
        (False, NOW - DAY, False),
    ],
    ids=["seen", "seen early", "reserved", "just expired", "expired"],
)
def test_a_reservation_counts_until_it_expires_and_for_good_once_it_was_seen(
    confirmed: bool, expires: datetime, counts: bool
) -> None:
    contacts = (worlds.contact(NOW - 2 * DAY, confirmed=confirmed, expires_at=expires),)
    policy = capped(Cap(rule="cap", most=1, within=7 * DAY))
    assert (rejection(worlds.action(), policy=policy, state=worlds.state(contacts=contacts)) is not None) is counts


def test_a_message_that_will_go_tomorrow_counts_today() -> None:
    contacts = (worlds.contact(NOW + DAY, confirmed=False, expires_at=NOW + 8 * DAY),)
    why = rejection(
        worlds.action(), policy=capped(Cap(rule="cap", most=1, within=7 * DAY)), state=worlds.state(contacts=contacts)
    )
    assert why is not None and why.until == NOW + 8 * DAY


PAST = {
    "same": worlds.contact(),
    "another action": worlds.contact(action="another"),
    "another group": worlds.contact(action="stranger", group="others"),
    "another channel": worlds.contact(channel="email", touchpoint="email"),
    "another job": worlds.contact(action="thanks"),
}


@pytest.mark.parametrize(
    ("each", "scope", "counted"),
    [
        ("customer", Scope(), set(PAST)),
        ("action", Scope(), {"same", "another channel"}),
        ("group", Scope(), set(PAST) - {"another group"}),
        ("channel", Scope(), set(PAST) - {"another channel"}),
        ("customer", Scope(channel=("app",)), set(PAST) - {"another channel"}),
        ("customer", Scope(group=("coupons",)), set(PAST) - {"another group"}),
        ("customer", Scope(action=("coupon",)), {"same", "another channel"}),
        # a contact whose action has left the catalog has no job that could be looked up
        ("customer", Scope(job=("sell",)), {"same", "another action", "another channel"}),
        ("customer", Scope(job=("celebrate",)), set()),
        ("customer", Scope(channel=("mail",)), set()),
    ],
)
def test_a_cap_counts_what_its_scope_and_its_each_say(each: str, scope: Scope, counted: set[str]) -> None:
    cap = Cap(rule="cap", most=1, within=7 * DAY, each=each, scope=scope)
    actions = (worlds.action(), worlds.action("another"), worlds.action("thanks", job="celebrate"))
    found = set()
    for name, contact in PAST.items():
        now = situation(*actions, policy=capped(cap), state=worlds.state(contacts=(contact,)))
        if sieve([actions[0]], now)[1]:
            found.add(name)
    assert found == counted


@pytest.mark.parametrize(
    ("days", "group", "out"), [(0, "coupons", True), (13, "coupons", True), (14, "coupons", False), (1, "others", False)]
)
def test_a_refused_group_rests_as_long_as_the_brand_says(days: int, group: str, out: bool) -> None:
    refusal = Refusal(action="another", group=group, at=NOW - days * DAY)
    assert (rejection(worlds.action(), state=worlds.state(refusals=(refusal,))) is not None) is out


def test_the_latest_refusal_counts() -> None:
    state: State = worlds.state(
        refusals=(Refusal(action="a", group="coupons", at=NOW - DAY), Refusal(action="a", group="coupons", at=NOW - 9 * DAY))
    )
    why = rejection(worlds.action(), state=state)
    assert why is not None and why.until == NOW + 13 * DAY


def test_what_was_just_taken_counts_in_the_situation_after() -> None:
    here: Touchpoint = worlds.touchpoint()
    before = situation(worlds.action(), touchpoint=here, policy=capped(Cap(rule="cap", most=1, within=7 * DAY)))
    after = before.after(worlds.contact(NOW, confirmed=False, expires_at=NOW + DAY))
    assert sieve([worlds.action()], before)[0]
    assert sieve([worlds.action()], after)[1][0].rule == "cap"
