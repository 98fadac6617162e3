"""Every rule of the five tiers, once: what fails at it, words of its hint, and a world in which what the hint says is true."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from typing import Any

from decisioning.catalog import Action
from decisioning.conditions import parse
from decisioning.customer import Emotion, Episode, Profile, Refusal
from decisioning.domain import Ledger, Rejection
from decisioning.policy import Cap, Contact, Fatigue, Groups, Policy, QuietHours, Rule, Rules
from decisioning.preferences import Preference
from decisioning.promises import Promise
from decisioning.voice import Tone, Voice
from tests import worlds
from tests.worlds import NOW, decided

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)


def rejection(
    action: Action | None = None, *, place: Mapping[str, Any] | None = None, others: tuple[Action, ...] = (), **changes: Any
) -> Rejection | None:
    """Why an action (a coupon) is out at a touchpoint (the app's home) beside others there; None where it passes."""
    action, here = action or worlds.action(), worlds.touchpoint(**(place or {}))
    of = worlds.catalog(action, *others, touchpoints=(here,))
    decision = decided(of, request=worlds.request(touchpoint=here.name), **changes)
    assert len(decision.rejected) + len(decision.candidates) == len(of.at(here.name))
    return next((one for one in decision.rejected if one.action == action.name), None)


@dataclass(frozen=True)
class Case:
    """What makes the coupon fail at a rule, words of the hint, and a world in which what the hint says is true.

    `given` is what `rejection` takes, `action` what is changed of the coupon; `then` and `then_action` come on top.
    """

    tier: str
    rule: str
    hint: str
    action: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    then: Mapping[str, Any] = field(default_factory=dict)
    then_action: Mapping[str, Any] = field(default_factory=dict)

    def rejection(self, **changes: Any) -> Rejection | None:
        return rejection(worlds.action(**(self.action | changes)), **self.given)

    def mended(self) -> Rejection | None:
        return rejection(worlds.action(**(self.action | self.then_action)), **(self.given | self.then))


def in_state(**changes: Any) -> dict[str, Any]:
    return {"state": worlds.state(**changes)}


def wanting(**words: Preference) -> dict[str, Any]:
    """A customer who has said something: `channel_app` is the word on `channel:app`."""
    return in_state(preferences={about.replace("_", ":"): word for about, word in words.items()})


def ruled(**rules: tuple[Rule, ...]) -> dict[str, Any]:
    return {"policy": worlds.policy(rules=Rules(**rules))}


def capped(*caps: Cap, **changes: Any) -> Policy:
    return worlds.policy(contact=Contact(caps=caps, **changes))


def promised(**changes: Any) -> dict[str, Any]:
    return in_state(promises={"p1": Promise(**({"made_at": NOW - 9 * DAY, "what": "a call"} | changes))})


NONE = Preference(at=NOW - DAY, wanted="none")
MORE = Preference(at=NOW, wanted="more")
ANGRY = Emotion(valence=-0.9, intensity=0.8, confidence=1.0, at=NOW - DAY)
TWO_A_WEEK = Cap(rule="two_a_week", most=2, within=7 * DAY)
GOLD_ONLY = Rule(rule="only_gold", require=parse("profile.tier = gold"))
BRONZE = {"profile": worlds.profile(tier="bronze", points=20.0)}
GOLD = {"profile": worlds.profile(tier="gold", points=500.0)}
REFUSED_YESTERDAY = Refusal(action="other", group="coupons", at=NOW - DAY)
TWO_SEEN = (worlds.contact(NOW - DAY), worlds.contact(NOW - 2 * DAY))
TIRED = Fatigue(within=7 * DAY, least=1, most=4)
COLD = tuple(worlds.contact(NOW - at * DAY) for at in range(1, 31))
CALM_ONLY = worlds.policy(voice=Voice(tones={"warm": Tone(), "calm": Tone()}, tone_of={"active": ("calm",)}))
SORRY = worlds.action("sorry", job="recover")
OUTBOUND = {"place": {"name": "email", "channel": "email", "direction": "outbound", "horizon": timedelta(hours=3)}}
QUIET = {"policy": worlds.policy(contact=Contact(quiet_hours=QuietHours(start=time(8), end=time(20))))}
BROKEN = {"due": NOW - DAY}

CASES = {
    "no consent": Case("consent", "consent_marketing", "state.consent_marketing = true", {}, in_state(consents={}), in_state()),
    "withdrawn": Case(
        "consent", "consent_service", "state.consent_service = true", {"purpose": "service"},
        in_state(consents={"service": False}), in_state(),
    ),
    "channel closed": Case(
        "consent", "channel_closed", "opens the channel app", {}, in_state(closed_channels=("app",)), in_state(),
    ),
    "pause": Case(
        "consent", "paused", "pause ends at 2018-01-04 14:00Z", {},
        wanting(pause=Preference(at=NOW - DAY, until=NOW + 3 * DAY)), {"now": NOW + 3 * DAY},
    ),
    "channel not wanted": Case(
        "consent", "channel_declined", "declines the channel app", {}, wanting(channel_app=NONE), wanting(channel_app=MORE),
    ),
    "topic not wanted": Case(
        "consent", "topic_declined", "declines the topic produce", {"topics": ("bakery", "produce")},
        wanting(topic_produce=NONE, topic_bakery=MORE), wanting(topic_produce=MORE),
    ),
    "group not wanted": Case(
        "consent", "group_declined", "messages such as coupons", {}, wanting(group_coupons=NONE), wanting(group_coupons=MORE),
    ),
    "stranger": Case(
        "eligibility", "known_customer", "state.known = true", {},
        in_state(known=False) | {"profile": Profile.empty(worlds.index())}, in_state(),
    ),
    "control group": Case(
        "eligibility", "holdout", "leaves the control group", {}, {"policy": worlds.policy(groups=Groups(control=1.0))},
        {"policy": worlds.policy()},
    ),
    "not yet valid": Case(
        "eligibility", "not_yet_valid", "at 2018-01-02 14:00Z or later", {"valid_from": NOW + DAY}, {}, {"now": NOW + DAY},
    ),
    "no longer valid": Case(
        "eligibility", "no_longer_valid", "ended at 2018-01-01 14:00Z", {"valid_until": NOW},
        then_action={"valid_until": NOW + MOMENT},
    ),
    "not eligible": Case(
        "eligibility", "eligible", "profile.points >= 500 (is 20)", {"eligible": parse("profile.points >= 500")}, BRONZE, GOLD,
    ),
    "rule of eligibility": Case(
        "eligibility", "only_gold", "profile.tier = gold", {}, ruled(eligibility=(GOLD_ONLY,)) | BRONZE, GOLD,
    ),
    "promises not kept": Case(
        "eligibility", "promises_not_kept", "at least 90% of its promises kept in time (are 17 of 20)", {},
        {"ledger": {"coupon": Ledger(ended=20, kept=17)}}, {"ledger": {"coupon": Ledger(ended=20, kept=18)}},
    ),
    "wrong place": Case(
        "applicability", "touchpoint_job", "jobs include sell", {}, {"place": {"jobs": ("serve",)}}, {"place": {}},
    ),
    "not relevant": Case(
        "applicability", "relevant", "profile.points missing", {"relevant": parse("profile.points missing")}, BRONZE,
        {"profile": worlds.profile(tier="gold")},
    ),
    "rule of applicability": Case(
        "applicability", "only_gold", "profile.tier = gold", {}, ruled(applicability=(GOLD_ONLY,)) | BRONZE, GOLD,
    ),
    "complaint": Case(
        "suitability", "open_complaint", "open_complaint = false", {}, in_state(open_complaints=("c1",)), in_state(),
    ),
    "anger": Case(
        "suitability", "negative_emotion", "state.emotion_intensity < 0.5", {}, in_state(emotion=ANGRY),
        in_state(emotion=replace(ANGRY, intensity=0.5)),
    ),
    "hardship": Case(
        "suitability", "hardship", "state.hardship = false", {"job": "refer"}, in_state(hardship=Episode(opened_at=NOW - DAY)),
        in_state(hardship=Episode(opened_at=NOW - DAY, closed_at=NOW)),
    ),
    "broken promise": Case(
        "suitability", "broken_promise", "state.broken_promise = false", {}, promised(**BROKEN),
        promised(**BROKEN, status="waived", ended_at=NOW),
    ),
    "something to make good": Case(
        "suitability", "make_good_first", "made good by sorry", {"job": "inform"},
        promised(**BROKEN, make_good="sorry") | {"others": (SORRY,)},
        promised(**BROKEN, make_good="sorry", status="broken", ended_at=NOW - DAY, made_good_at=NOW - DAY),
    ),
    "no fitting tone": Case(
        "suitability", "tone", "a tone for a customer who is usual, at the stage active",
        {"treatments": {"app_home": worlds.treatment(tone="warm")}}, {"policy": CALM_ONLY},
        then_action={"treatments": {"app_home": worlds.treatment(tone="calm")}},
    ),
    "rule of suitability": Case(
        "suitability", "only_gold", "profile.tier = gold", {}, ruled(suitability=(GOLD_ONLY,)) | BRONZE, GOLD,
    ),
    "cool-down": Case(
        "contact", "cool_down", "again from 2018-01-14 14:00Z", {}, in_state(refusals=(REFUSED_YESTERDAY,)),
        {"now": NOW + 13 * DAY},
    ),
    "cap": Case(
        "contact", "two_a_week", "fewer than 2 contacts in 7 days; again from 2018-01-06 14:00Z", {},
        {"policy": capped(TWO_A_WEEK)} | in_state(contacts=TWO_SEEN), {"now": NOW + 5 * DAY},
    ),
    "fatigue": Case(
        "contact", "fatigue", "fewer than 1 contacts in 7 days; again from 2018-01-07 14:00Z", {},
        {"policy": worlds.policy(contact=Contact(fatigue=TIRED))} | in_state(contacts=COLD), {"now": NOW + 6 * DAY},
    ),
    "pace": Case(
        "contact", "pace", "fewer than 2 contacts in 7 days; again from 2018-01-06 14:00Z", {},
        in_state(contacts=TWO_SEEN, preferences={"pace": Preference(at=NOW - DAY, a_week=2)}), {"now": NOW + 5 * DAY},
    ),
    "pace of nothing": Case(
        "contact", "pace", "asks for more than 0 messages a week", {}, wanting(pace=Preference(at=NOW - DAY, a_week=0)),
        wanting(pace=Preference(at=NOW, a_week=None)),
    ),
    "said not long ago": Case(
        "contact", "too_soon", "was said at 2017-12-31 14:00Z; again from 2018-01-10 14:00Z", {"every": 10 * DAY},
        in_state(contacts=TWO_SEEN), {"now": NOW + 9 * DAY},
    ),
    "budget": Case(
        "contact", "budget", "more than 10 of coupon", {"budget": 10}, {"stock": {"coupon": 0}}, {"stock": {"coupon": 1}},
    ),
    "quiet until too late": Case(
        "contact", "in_time", "a moment to send it", {}, OUTBOUND | QUIET, {"policy": worlds.policy()},
    ),
    "over before it can go": Case(
        "contact", "in_time", "a moment to send it", {"valid_until": NOW + timedelta(hours=11)},
        {"place": OUTBOUND["place"] | {"horizon": 2 * DAY}} | QUIET,
        then_action={"valid_until": NOW + timedelta(hours=11) + MOMENT},
    ),
}  # fmt: skip
