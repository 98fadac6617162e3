"""The oracle by the words of each rule: one world a rule in which it alone fails, and what the terms are."""

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any

import numpy as np
import pytest

from decisioning.catalog import Action
from decisioning.conditions import parse
from decisioning.customer import Emotion, Episode, Exchange, Profile, Refusal
from decisioning.domain import Evidence, Learner, Ledger
from decisioning.policy import (
    Cap,
    Experiment,
    Fatigue,
    Groups,
    Keeping,
    MaybeLater,
    QuietHours,
    Rule,
    Rules,
    Scope,
    Steering,
    Weight,
)
from decisioning.preferences import Preference
from decisioning.promises import Promise
from decisioning.voice import Voice
from tests import worlds
from tests.decisioning.oracle.facts import facts_of
from tests.decisioning.oracle.rules import allowance, failures
from tests.decisioning.oracle.seen import look
from tests.decisioning.oracle.terms import ramp, weigh
from tests.decisioning.oracle.world import World
from tests.worlds import NOW

DAY, HOUR, TICK = timedelta(days=1), timedelta(hours=1), timedelta(microseconds=1)
ANGRY = Emotion(valence=-0.9, intensity=0.9, confidence=1.0, at=NOW)
NEVER_SAID = Profile.empty(worlds.index())


def a_world(*, action: dict[str, Any] | None = None, others: tuple[Action, ...] = (), **changes: Any) -> World:
    """A coupon at app_home. A change names a part of the world, or is one of its `state`, `policy`, `contact`, ..."""
    here = {"jobs": worlds.JOBS, **changes.pop("here", {})}
    places = (worlds.touchpoint(**here), worlds.email())
    catalog = worlds.catalog(worlds.action(**(action or {})), *others, touchpoints=places)
    policy = worlds.policy(**changes.pop("policy", {}))
    given: dict[str, Any] = {
        "catalog": catalog,
        "policy": replace(policy, contact=replace(policy.contact, **changes.pop("contact", {}))),
        "request": worlds.request(**changes.pop("request", {})),
        "profile": worlds.profile(),
        "state": worlds.state(**changes.pop("state", {})),
        "predictions": worlds.predictions(catalog, **changes.pop("predictions", {})),
        "learner": worlds.learner(),
        "stock": {},
        "ledger": {},
        "population": {},
        "now": NOW,
        "salt": worlds.SALT,
    }
    return World(**(given | changes))


def wants(about: str, **word: Any) -> dict[str, Any]:
    return {"preferences": {about: Preference(at=NOW, **word)}}


def promised(**changes: Any) -> dict[str, Any]:
    return {"promises": {"k": Promise(**({"made_at": NOW - 5 * DAY, "due": NOW - TICK} | changes))}}


def contacts(*ages: timedelta, **changes: Any) -> dict[str, Any]:
    return {"contacts": tuple(worlds.contact(NOW - age, **changes) for age in ages)}


MAIL = {"request": {"touchpoint": "email"}}
RULED = Rules(suitability=(Rule(rule="shops", require=parse("profile.orders_90d > 5"), scope=Scope(job=("sell",))),))
TWO_A_DAY = Cap(rule="two_a_day", most=2, within=DAY)
FATIGUE = Fatigue(within=7 * DAY, least=1, most=5)
SORRY = worlds.action("sorry", job="recover")

FAILS: dict[str, tuple[World, list[tuple[str, str]]]] = {
    "nothing fails": (a_world(), []),
    "no consent": (a_world(state={"consents": {}}), [("consent", "consent_marketing")]),
    "a closed channel": (a_world(state={"closed_channels": ("app",)}), [("consent", "channel_closed")]),
    "a pause": (a_world(state=wants("pause", until=NOW + TICK)), [("consent", "paused")]),
    "a pause that is over": (a_world(state=wants("pause", until=NOW)), []),
    "a channel declined": (a_world(state=wants("channel:app", wanted="none")), [("consent", "channel_declined")]),
    "a topic declined": (
        a_world(action={"topics": ("bakery", "produce")}, state=wants("topic:produce", wanted="none")),
        [("consent", "topic_declined")],
    ),
    "a group declined": (a_world(state=wants("group:coupons", wanted="none")), [("consent", "group_declined")]),
    "less of a group": (a_world(state=wants("group:coupons", wanted="less")), []),
    "nobody we know": (a_world(state={"known": False}, profile=NEVER_SAID), [("eligibility", "known_customer")]),
    "held out": (a_world(policy={"groups": Groups(control=1.0)}), [("eligibility", "holdout")]),
    "not yet": (a_world(action={"valid_from": NOW + TICK}), [("eligibility", "not_yet_valid")]),
    "from now on": (a_world(action={"valid_from": NOW}), []),
    "no longer": (a_world(action={"valid_until": NOW}), [("eligibility", "no_longer_valid")]),
    "not eligible": (a_world(action={"eligible": parse("state.given > 0")}), [("eligibility", "eligible")]),
    "eligible by what was given": (
        a_world(action={"eligible": parse("state.given > 2")}, state={"exchange": Exchange(given={"a": 1, "b": 2})}),
        [],
    ),
    "promises not kept": (
        a_world(ledger={"coupon": Ledger(ended=3, kept=1)}, policy={"promises": Keeping(after=3, at_least=0.5)}),
        [("eligibility", "promises_not_kept")],
    ),
    "too few promises to tell": (
        a_world(ledger={"coupon": Ledger(ended=2, kept=0)}, policy={"promises": Keeping(after=3, at_least=0.5)}),
        [],
    ),
    "no job of the place": (a_world(here={"jobs": ("serve",)}), [("applicability", "touchpoint_job")]),
    "not relevant": (a_world(action={"relevant": parse("action.partner present")}), [("applicability", "relevant")]),
    "a complaint": (a_world(state={"open_complaints": ("k",)}), [("suitability", "open_complaint")]),
    "anger": (a_world(state={"emotion": ANGRY}), [("suitability", "negative_emotion")]),
    "anger that has halved": (a_world(state={"emotion": replace(ANGRY, at=NOW - 7 * DAY)}), []),
    "anger that joy came after": (
        a_world(state={"emotion": replace(ANGRY, valence=0.9), "unhealed": (ANGRY,)}),
        [("suitability", "negative_emotion")],
    ),
    "anger that was not sure": (a_world(state={"unhealed": (replace(ANGRY, confidence=0.4),)}), []),
    "hardship": (a_world(state={"hardship": Episode(opened_at=NOW)}), [("suitability", "hardship")]),
    "hardship that ended as it began": (a_world(state={"hardship": Episode(opened_at=NOW, closed_at=NOW)}), []),
    "a promise overdue": (a_world(state=promised()), [("suitability", "broken_promise")]),
    "a promise due now": (a_world(state=promised(due=NOW)), []),
    "a promise kept late": (a_world(state=promised(status="kept", ended_at=NOW)), []),
    "a promise broken": (a_world(state=promised(status="broken", due=NOW)), [("suitability", "broken_promise")]),
    "a promise made good": (a_world(state=promised(status="broken", made_good_at=NOW)), []),
    "all troubles, in their order": (
        a_world(state={"open_complaints": ("k",), "emotion": ANGRY, "hardship": Episode(opened_at=NOW), **promised()}),
        [("suitability", rule) for rule in ("open_complaint", "negative_emotion", "hardship", "broken_promise")],
    ),
    "something to make good": (
        a_world(action={"job": "inform"}, others=(SORRY,), state=promised(make_good="sorry")),
        [("suitability", "make_good_first")],
    ),
    "what makes good itself": (a_world(action={"job": "recover"}, state=promised(make_good="coupon")), []),
    "nothing to make good with here": (a_world(action={"job": "inform"}, state=promised(make_good="sorry")), []),
    "no place to make good": (
        a_world(action={"job": "inform"}, others=(SORRY,), state=promised(make_good="sorry"), here={"jobs": ("inform",)}),
        [],
    ),
    "no words in the tone": (
        a_world(policy={"voice": Voice(tone_of={"active": ("warm",)})}),
        [("suitability", "tone")],
    ),
    "words in the usual tone": (a_world(policy={"voice": Voice(tone="warm", tone_of={"active": ("warm",)})}), []),
    "the tone of a mood before that of a stage": (
        a_world(
            action={"job": "serve"},
            policy={"voice": Voice(tone="warm", tone_of={"active": ("warm",), "upset": ("sorry",)})},
            state={"emotion": ANGRY},
        ),
        [("suitability", "tone")],
    ),
    "a rule of the brand": (a_world(policy={"rules": RULED}), [("suitability", "shops")]),
    "a rule for others": (a_world(action={"job": "serve"}, policy={"rules": RULED}), []),
    "a refusal": (
        a_world(state={"refusals": (Refusal(action="x", group="coupons", at=NOW - 14 * DAY + TICK),)}),
        [("contact", "cool_down")],
    ),
    "a cap": (a_world(contact={"caps": (TWO_A_DAY,)}, state=contacts(HOUR, HOUR)), [("contact", "two_a_day")]),
    "a cap, the oldest just out": (a_world(contact={"caps": (TWO_A_DAY,)}, state=contacts(HOUR, DAY)), []),
    "a cap, one reserved that expired": (
        a_world(contact={"caps": (TWO_A_DAY,)}, state=contacts(HOUR, HOUR, confirmed=False, expires_at=NOW)),
        [],
    ),
    "a cap on a job, of actions that are gone": (
        a_world(
            contact={"caps": (replace(TWO_A_DAY, scope=Scope(job=("sell",))),)},
            state=contacts(HOUR, HOUR, action="gone", job="sell"),
        ),
        [("contact", "two_a_day")],
    ),
    "a cap on a job, of actions that are gone and had another": (
        a_world(
            contact={"caps": (replace(TWO_A_DAY, scope=Scope(job=("sell",))),)},
            state=contacts(HOUR, HOUR, action="gone", job="serve"),
        ),
        [],
    ),
    "a cap, mandatory ones": (a_world(contact={"caps": (TWO_A_DAY,)}, state=contacts(HOUR, HOUR, mandatory=True)), []),
    "a cap, what is still to come": (
        a_world(contact={"caps": (TWO_A_DAY,)}, state=contacts(-HOUR, -DAY)),
        [("contact", "two_a_day")],
    ),
    "fatigue": (a_world(contact={"fatigue": FATIGUE}, state=contacts(*[HOUR] * 4)), [("contact", "fatigue")]),
    "no fatigue of who answers": (a_world(contact={"fatigue": FATIGUE}, state=contacts(*[HOUR] * 4, answered=True)), []),
    "pace": (a_world(state={**wants("pace", a_week=1), **contacts(6 * DAY)}), [("contact", "pace")]),
    "too soon": (a_world(action={"every": DAY}, state=contacts(HOUR)), [("contact", "too_soon")]),
    "too soon, a mandatory one too": (
        a_world(action={"every": DAY, "mandatory": True}, state=contacts(HOUR, mandatory=True)),
        [("contact", "too_soon")],
    ),
    "nothing left": (a_world(action={"budget": 3}, stock={"coupon": 0}), [("contact", "budget")]),
    "quiet until it is over": (
        a_world(**MAIL, action={"valid_until": NOW + HOUR}, contact={"quiet_hours": QuietHours(start=time(8), end=time(20))}),
        [("contact", "in_time")],
    ),
    "a mandatory one passes where selling and contact do not": (
        a_world(
            action={"mandatory": True},
            policy={"groups": Groups(control=1.0)},
            contact={"caps": (TWO_A_DAY,), "fatigue": FATIGUE},
            state={**contacts(*[HOUR] * 9), **promised(), **wants("pause", until=NOW + DAY), "open_complaints": ("k",)},
        ),
        [],
    ),
}


@pytest.mark.parametrize(("world", "rules"), FAILS.values(), ids=FAILS.keys())
def test_a_coupon_fails(world: World, rules: list[tuple[str, str]]) -> None:
    assert list(failures(world.catalog["coupon"], look(world))) == rules


def test_the_allowance_follows_the_answers() -> None:
    def allowed(seen: int, answered: int) -> int:
        told = [worlds.contact(NOW - 30 * DAY, answered=at < answered) for at in range(seen)]
        return allowance(a_world(contact={"fatigue": FATIGUE}, state={"contacts": tuple(told)}))

    assert [allowed(*one) for one in ((0, 0), (10, 0), (10, 1), (90, 0), (10, 10))] == [5, 3, 5, 1, 5]


def test_arms_are_those_of_the_hash_and_nested_ones_only_of_who_takes_part() -> None:
    arms = {"old": 0.5, "new": 0.3}
    both = (
        Experiment(experiment="wording", arms=arms),
        Experiment(experiment="hour", arms={"early": 1.0}, within={"wording": ("new",)}),
    )
    found = [
        (facts.get("experiment.wording"), facts.get("experiment.hour"))
        for at in range(300)
        for facts in (facts_of(a_world(policy={"experiments": both}, state={"customer_id": f"c{at}"})),)
    ]
    assert set(found) == {("old", None), ("new", "early"), (None, None)}
    assert 130 < sum(one[0] == "old" for one in found) < 170


# -------------------------------------------------------------------------------------------------------------- the terms

PUT_OFF = {"postponed": (Refusal(action="x", group="coupons", at=NOW - HOUR),)}
WEIGHTED = (
    Weight(rule="w", factor=3.0, scale="prediction.churn"),
    Weight(rule="v", factor=2.0, when=parse("state.known = true")),
)
TERMS: dict[str, tuple[World, dict[str, float]]] = {
    "as declared": (a_world(), {"p": 0.1, "c": 1.0, "v": 10.0, "l": 1.0, "threshold": 0.0}),
    "what nothing gives": (a_world(predictions={"nothing": np.array([0.15])}), {"p": 0.05}),
    "what harms": (a_world(predictions={"nothing": np.array([0.3])}), {"p": -0.1}),
    "nothing known of nothing": (a_world(predictions={"nothing": np.array([np.nan])}), {"p": 0.1}),
    "an effect of the place": (a_world(here={"effect": 2.0}), {"p": 0.2}),
    "no more than certain": (a_world(here={"effect": 9.0}), {"p": 0.5}),
    "cost and attention": (a_world(action={"cost": 0.3}, here={"attention": 0.2}), {"threshold": 0.5}),
    "weights": (a_world(policy={"weights": WEIGHTED}), {"c": 2.4}),
    "steering": (
        a_world(
            action={"topics": ("bakery", "produce")},
            policy={"preferences": Steering(more=2.0, less=0.5)},
            state={
                "preferences": {
                    about: Preference(at=NOW, wanted=wanted)  # type: ignore[arg-type]
                    for about, wanted in {"topic:bakery": "more", "group:coupons": "more", "channel:app": "less"}.items()
                }
            },
        ),
        {"c": 2.0},
    ),
    "maybe later": (a_world(state=PUT_OFF), {"c": 0.1}),
    "evidence here": (
        a_world(learner=Learner(evidence={("coupon", "app_home"): Evidence(shows=9, expected=2.0, successes=4)})),
        {"p": 0.1 * (2 + 4) / (2 + 2)},
    ),
    "evidence of another group elsewhere": (
        a_world(learner=Learner(evidence={("other", "email"): Evidence(shows=9, expected=2.0, successes=4)})),
        {"p": 0.1 * 1.5},
    ),
}


@pytest.mark.parametrize(("world", "terms"), TERMS.values(), ids=TERMS.keys())
def test_a_coupon_is_worth(world: World, terms: dict[str, float]) -> None:
    worth = weigh([world.catalog["coupon"]], look(world))["coupon"]
    assert {name: getattr(worth, name) for name in terms} == pytest.approx(terms)


@pytest.mark.parametrize(
    ("after", "weight"), [(-HOUR, 1.0), (timedelta(0), 1.0), (HOUR, 0.5), (2 * HOUR, 0.0), (DAY, 1.0)], ids=str
)
def test_after_maybe_later_the_weight_falls_and_rises_again(after: timedelta, weight: float) -> None:
    since: datetime = NOW
    assert ramp(since, since + after, MaybeLater(to=0.0, down=2 * HOUR, up=22 * HOUR)) == pytest.approx(weight)
