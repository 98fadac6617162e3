"""Do catalog, policy and profile fit together? Each contradiction is found, at its place, with its cure."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from decisioning.catalog import Catalog, OutcomeRule, Text
from decisioning.check import faults
from decisioning.conditions import parse
from decisioning.policy import (
    Cap,
    Contact,
    Experiment,
    Exploration,
    Fatigue,
    Groups,
    Keeping,
    MaybeLater,
    Policy,
    Rule,
    Rules,
    Scope,
    Stage,
    Steering,
    Suppression,
    Weight,
)
from tests import worlds

NOWHERE = Scope(group=("nobody",), action=("nothing",), channel=("pigeon",))
UNKNOWN = parse("profile.unheard_of > 1")
LAST = Stage(stage="active")
A_RULE = Rule(rule="r", require=UNKNOWN)


def found(catalog: Catalog | None = None, policy: Policy | None = None) -> list[tuple[str, str, str]]:
    """Each fault as part, path and words."""
    return [
        (part, ".".join(path), words)
        for part, path, words in faults(catalog or worlds.catalog(), policy or worlds.policy(), worlds.index())
    ]


def test_what_fits_together_has_no_faults() -> None:
    assert found() == []


ACTIONS: dict[str, tuple[dict[str, Any], str, str]] = {
    "purpose": ({"purpose": "marketng"}, "purpose", "unknown consent purpose 'marketng'; the known ones are marketing, perso"),
    "topic": ({"topics": ("bakery", "toys")}, "topics", "unknown topic 'toys'; the known ones are bakery, produce"),
    "validity": ({"valid_from": worlds.NOW, "valid_until": worlds.NOW}, "valid_until", "is not after valid_from"),
    "touchpoint": (
        {"treatments": {"app_home": worlds.treatment(), "apphome": worlds.treatment()}},
        "treatments.apphome",
        "unknown touchpoint 'apphome'; the known ones are app_home, email",
    ),
    "placeholder": (
        {"treatments": {"app_home": worlds.treatment("{firstname|you}")}},
        "treatments.app_home.title",
        "unknown field {firstname}",
    ),
    "nowhere to go": ({"treatments": {}}, "job", "no touchpoint it has a treatment for does the job 'sell'"),
    "eligible": ({"eligible": UNKNOWN}, "eligible", "profile.unheard_of is not in profile.yaml"),
    "relevant": ({"relevant": parse("state.angry = true")}, "relevant", "unknown field 'state.angry'"),
    "value": ({"value": -1.0}, "value", "below 0"),
    "cost": ({"cost": -1.0}, "cost", "below 0"),
    "lever": ({"lever": -1.0}, "lever", "below 0"),
    "budget": ({"budget": -1}, "budget", "below 0"),
    "gives": ({"gives": -1.0}, "gives", "below 0"),
    "every": ({"every": timedelta(0)}, "every", "longer than 0 and at most 60d"),
    "every too long": ({"every": timedelta(days=61)}, "every", "at most 60d"),
    "expires": ({"expires": timedelta(0)}, "expires", "longer than 0"),
    "window": ({"outcome": OutcomeRule(window=timedelta(0))}, "outcome.window", "longer than 0"),
}


@pytest.mark.parametrize("case", ACTIONS.values(), ids=ACTIONS.keys())
def test_a_fault_of_an_action_is_named_at_its_key(case: tuple[dict[str, Any], str, str]) -> None:
    changes, key, words = case
    ((part, path, told),) = found(worlds.catalog(worlds.action(**changes)))
    assert (part, path) == ("catalog", f"actions.coupon.{key}")
    assert words in told


def test_an_action_of_an_unknown_group_is_named() -> None:
    catalog = Catalog(actions=(worlds.action(group="lost"),), groups={}, touchpoints=worlds.catalog().touchpoints)
    assert found(catalog) == [("catalog", "actions.coupon.group", "unknown group 'lost'; the known ones are none")]


def test_an_action_needs_a_name() -> None:
    nameless = worlds.action("", treatments={"app_home": worlds.treatment()})
    assert found(worlds.catalog(nameless)) == [("catalog", "actions.", "an action needs a name")]


def test_a_touchpoint_that_does_not_do_the_job_is_no_place_for_the_action() -> None:
    catalog = worlds.catalog(touchpoints=(worlds.touchpoint(jobs=("serve",)), worlds.email(jobs=("serve",))))
    assert [path for _, path, _ in found(catalog)] == ["actions.coupon.job"]


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"default": Text(title="", body="")}, "default.title", "the title is empty"),
        ({"attention": -0.1}, "attention", "below 0"),
        ({"effect": -0.1}, "effect", "below 0"),
        ({"horizon": timedelta(0)}, "horizon", "longer than 0"),
    ],
)
def test_a_fault_of_a_touchpoint_is_named_at_its_key(changes: dict[str, Any], key: str, words: str) -> None:
    ((part, path, told),) = found(worlds.catalog(touchpoints=(worlds.touchpoint(**changes), worlds.email())))
    assert (part, path) == ("touchpoints", f"app_home.{key}")
    assert words in told


def capped(**changes: Any) -> dict[str, Any]:
    cap: dict[str, Any] = {"rule": "cap", "most": 1, "within": timedelta(days=7)}
    return {"contact": Contact(caps=(Cap(**(cap | changes)),))}


def tired(**changes: Any) -> dict[str, Any]:
    fatigue: dict[str, Any] = {"within": timedelta(days=7), "least": 2, "most": 6}
    return {"contact": Contact(fatigue=Fatigue(**(fatigue | changes)))}


def later(**changes: Any) -> dict[str, Any]:
    return {"contact": Contact(maybe_later=MaybeLater(**changes))}


def tried(**changes: Any) -> dict[str, Any]:
    """Three experiments, the second of them changed."""
    second: dict[str, Any] = {"experiment": "second", "arms": {"x": 0.5}, "within": {"first": ("a",)}}
    first = Experiment(experiment="first", arms={"a": 0.7, "b": 0.3})
    return {"experiments": (first, Experiment(**(second | changes)), Experiment(experiment="third", arms={"a": 0.1 * 3}))}


def staged(when: str) -> dict[str, Any]:
    return {"journey": (Stage(stage="first", when=parse(when)), LAST)}


POLICIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "eligibility": ({"rules": Rules(eligibility=(A_RULE,))}, "rules.eligibility.0.require", "not in profile.yaml"),
    "applicability": ({"rules": Rules(applicability=(A_RULE,))}, "rules.applicability.0.require", "not in profile.yaml"),
    "suitability": ({"rules": Rules(suitability=(A_RULE,))}, "rules.suitability.0.require", "not in profile.yaml"),
    "weight": ({"weights": (Weight(rule="w", factor=1.0, when=UNKNOWN),)}, "weights.0.when", "not in profile.yaml"),
    "scale": (
        {"weights": (Weight(rule="w", factor=1.0, scale="profile.unheard_of"),)},
        "weights.0.scale",
        "profile.unheard_of is not in profile.yaml",
    ),
    "factor": ({"weights": (Weight(rule="w", factor=-1.0),)}, "weights.0.factor", "below 0"),
    "cap's each": (capped(each="person"), "contact.caps.0.each", "'person' is not one of customer, action, group, channel"),
    "cap's most": (capped(most=0), "contact.caps.0.most", "below 1"),
    "cap's window": (capped(within=timedelta(days=61)), "contact.caps.0.within", "at most 60d"),
    "no window": (capped(within=timedelta(0)), "contact.caps.0.within", "longer than 0"),
    "cool-down": ({"contact": Contact(cool_down=timedelta(days=61))}, "contact.cool_down", "at most 60d"),
    "stage": (staged("profile.unheard_of > 1"), "journey.0.when", "not in profile.yaml"),
    "stage of a stage": (staged("stage = active"), "journey.0.when", "not known yet"),
    "stage of an action": (staged("action.job = sell"), "journey.0.when", "not known yet"),
    "no last stage": ({"journey": (Stage(stage="a", when=parse("state.known = true")),)}, "journey", "the last stage must"),
    "a stage behind one for all": ({"journey": (Stage(stage="a"), Stage(stage="b"))}, "journey.0.stage", "move it to the end"),
    "no stage": ({"journey": ()}, "journey", "the last stage must"),
    "groups too large": ({"groups": Groups(control=0.6, random=0.5)}, "groups", "in 0..1"),
    "a negative group": ({"groups": Groups(control=-0.1, random=0.5)}, "groups", "in 0..1"),
    "mass": ({"exploration": Exploration(mass=1.0)}, "exploration.mass", "from 0 to below 1"),
    "strength": ({"exploration": Exploration(strength=0.0)}, "exploration.strength", "above 0"),
    "intensity": ({"suppression": Suppression(intensity=0.0)}, "suppression.intensity", "above 0"),
    "confidence": ({"suppression": Suppression(confidence=1.1)}, "suppression.confidence", "at most at 1"),
    "fatigue's window": (tired(within=timedelta(days=61)), "contact.fatigue.within", "longer than 0 and at most 60d"),
    "fatigue's least": (tired(least=-1), "contact.fatigue.least", "below 0"),
    "fatigue's most": (tired(most=1), "contact.fatigue.most", "at least as much as least"),
    "no contact at all": (tired(least=0, most=0), "contact.fatigue.most", "at least 1"),
    "fatigue's usual": (tired(usual=0.0), "contact.fatigue.usual", "above 0 and at most 1"),
    "fatigue's weight": (tired(weight=0.0), "contact.fatigue.weight", "above 0"),
    "maybe later": (later(to=1.1), "contact.maybe_later.to", "from 0 to 1"),
    "down at once": (later(down=timedelta(0)), "contact.maybe_later.down", "longer than 0"),
    "never up": (later(up=timedelta(0)), "contact.maybe_later.up", "longer than 0"),
    "too much later": (later(up=timedelta(days=60)), "contact.maybe_later.up", "together are at most 60d"),
    "more is less": ({"preferences": Steering(more=0.9)}, "preferences.more", "at least 1"),
    "less is none": ({"preferences": Steering(less=0.0)}, "preferences.less", "above 0 and at most 1"),
    "less is more": ({"preferences": Steering(less=1.1)}, "preferences.less", "above 0 and at most 1"),
    "share of promises": ({"promises": Keeping(at_least=1.1)}, "promises.at_least", "from 0 to 1"),
    "no promises": ({"promises": Keeping(after=0)}, "promises.after", "1 or more"),
    "stage of a mood": ({"journey": (Stage(stage="upset"),)}, "journey.0.stage", "'upset' is the name of a mood"),
    "experiment's name": (tried(experiment="a b"), "experiments.1.experiment", "use letters, figures and _"),
    "experiment twice": (tried(experiment="first"), "experiments.1.experiment", "'first' is written twice"),
    "too many in arms": (tried(arms={"a": 0.6, "b": 0.5}), "experiments.1.arms", "together at most 1"),
    "a negative arm": (tried(arms={"a": -0.1, "b": 0.5}), "experiments.1.arms", "none below 0"),
    "no arms": (tried(arms={}), "experiments.1.arms", "at least one"),
    "within what comes later": (
        tried(within={"third": ("a",)}),
        "experiments.1.within.third",
        "unknown earlier experiment 'third'; the known ones are first",
    ),
    "within itself": (tried(within={"second": ("x",)}), "experiments.1.within.second", "unknown earlier experiment"),
    "within no arm": (tried(within={"first": ()}), "experiments.1.within.first", "names no arm"),
    "within an unknown arm": (
        tried(within={"first": ("a", "c")}),
        "experiments.1.within.first",
        "unknown arm 'c'; the known ones are a, b",
    ),
    "half-life": ({"suppression": Suppression(half_life=timedelta(0))}, "suppression.half_life", "longer than 0"),
}


def test_the_limits_of_what_a_policy_may_say_are_no_faults() -> None:
    fatigue = Fatigue(within=timedelta(days=60), least=0, most=1, usual=1.0)
    contact = Contact(fatigue=fatigue, maybe_later=MaybeLater(to=0.0, down=timedelta(days=30), up=timedelta(days=30)))
    thirds = {"a": 0.1 + 0.2, "b": 0.3, "c": 0.4}  # 1 and a rounding
    policy = worlds.policy(
        contact=contact,
        preferences=Steering(more=1.0, less=1.0),
        promises=Keeping(at_least=1.0, after=1),
        experiments=(Experiment(experiment="e", arms=thirds),),
    )
    assert found(worlds.catalog(worlds.action(every=timedelta(days=60))), policy) == []


@pytest.mark.parametrize("case", POLICIES.values(), ids=POLICIES.keys())
def test_a_fault_of_the_policy_is_named_at_its_key(case: tuple[dict[str, Any], str, str]) -> None:
    changes, path, words = case
    ((part, where, told),) = found(policy=worlds.policy(**changes))
    assert (part, where) == ("policy", path)
    assert words in told


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        (
            {"rules": Rules(suitability=(Rule(rule="r", require=parse("stage = active"), scope=NOWHERE),))},
            "rules.suitability.0.scope",
        ),
        ({"weights": (Weight(rule="w", factor=1.0, scope=NOWHERE),)}, "weights.0.scope"),
        (capped(scope=NOWHERE), "contact.caps.0.scope"),
    ],
    ids=["rule", "weight", "cap"],
)
def test_a_scope_that_names_what_does_not_exist_is_named_once_for_each_name(changes: dict[str, Any], path: str) -> None:
    told = found(policy=worlds.policy(**changes))
    assert {where for _, where, _ in told} == {path}
    assert [words.split(";")[0] for _, _, words in told] == [
        "unknown group 'nobody'",
        "unknown action 'nothing'",
        "unknown channel 'pigeon'",
    ]


@pytest.mark.parametrize(
    "field",
    ["profile.tier", "state.known", "state.consent_marketing", "action.job", "context.anything", "prediction.churn", "stage"],
)
def test_a_condition_may_read_every_known_space(field: str) -> None:
    assert found(worlds.catalog(worlds.action(eligible=parse(f"{field} present")))) == []


@pytest.mark.parametrize(
    "field",
    ["profile.x", "state.mood", "state.consent_marketng", "action.colour", "weather.rain", "known", "stage.name", "context"],
)
def test_a_condition_may_not_read_what_nobody_knows(field: str) -> None:
    ((_, path, words),) = found(worlds.catalog(worlds.action(relevant=parse({"not": {"any": [f"{field} missing"]}}))))
    assert path == "actions.coupon.relevant"
    assert field in words


def test_of_many_known_names_only_the_nearest_are_told() -> None:
    many = [worlds.action(f"coupon_{number}") for number in range(20)]
    scoped = [
        Rules(eligibility=(Rule(rule="r", require=parse("state.known = true"), scope=Scope(action=(name,))),))
        for name in ("cupon_7", "x")
    ]
    (near,), (far,) = (found(worlds.catalog(*many), worlds.policy(rules=rules)) for rules in scoped)
    assert near[2].startswith("unknown action 'cupon_7'; did you mean coupon_7 or ")
    assert far[2] == "unknown action 'x'; none of the 20 known ones is like it; mend the name"


def test_all_faults_are_found_not_only_the_first() -> None:
    wrong = worlds.action(purpose="x", value=-1.0, treatments={"app_home": worlds.treatment("{a|b}", "{points}")})
    policy = worlds.policy(journey=(), groups=Groups(control=2.0))
    assert len(found(worlds.catalog(wrong), replace(policy, exploration=Exploration(mass=2.0)))) == 7
