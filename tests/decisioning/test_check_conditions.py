"""A condition that can never hold is a fault: a field nobody knows, or a value that its field never has."""

from typing import Any

import pytest

from decisioning.catalog import Catalog
from decisioning.check import faults
from decisioning.conditions import parse
from decisioning.policy import Experiment, Rule, Rules, Stage, Weight
from decisioning.voice import Voice
from tests import worlds

JOURNEY = (Stage(stage="lapsed", when=parse("profile.since_order > 60")), Stage(stage="loyal"))
EXPERIMENTS = (Experiment(experiment="tempo", arms={"slow": 0.5, "fast": 0.5}),)
SIZE = worlds.feature("household_size", labels=("1", "2", "3+"))


def found(written: Any, **changes: Any) -> list[str]:
    """The faults of one rule, for a brand with two stages, two actions and an experiment."""
    require = Rules(eligibility=(Rule(rule="r", require=parse(written)),))
    policy = worlds.policy(**({"journey": JOURNEY, "experiments": EXPERIMENTS, "rules": require} | changes))
    told = faults(brand(), policy, worlds.index(SIZE))
    assert {(part, ".".join(path)) for part, path, _ in told} <= {("policy", "rules.eligibility.0.require")}
    return [cause for _, _, cause in told]


def brand() -> Catalog:
    return worlds.catalog(
        worlds.action("bread", partner="Hill Farm", treatments={"app_home": worlds.treatment(body="Together with {partner}")}),
        worlds.action("care", group="service", job="serve"),
    )


DISCLOSED = {"voice": Voice(partner_disclosure="Together with {partner}")}

NEVER = {
    "stage = loyl": "unknown value of stage 'loyl'; the known ones are lapsed, loyal",
    "stage in [loyal, lapsd]": "unknown value of stage 'lapsd'",
    "stage != loyl": "unknown value of stage 'loyl'",
    "stage > 3": "stage is a word, which > cannot compare; write = or in",
    "action.job = sel": "unknown value of action.job 'sel'; the known ones are celebrate, inform, onboard",
    "action.group = coupon": "unknown value of action.group 'coupon'; the known ones are coupons, service",
    "action.name in [bread, bred]": "unknown value of action.name 'bred'; the known ones are bread, care",
    "action.topic = toys": "unknown value of action.topic 'toys'; the known ones are bakery, produce",
    "action.partner = Hill": "unknown value of action.partner 'Hill'; the known ones are Hill Farm",
    "action.value = much": "action.value is a number, much is none",
    "action.gives = true": "action.gives is a number, true is none",
    "state.known = yes": "state.known is true or false; write state.known = true, or = false",
    "state.open_complaint > 0": "state.open_complaint is true or false",
    "state.consent_marketing = 1": "state.consent_marketing is true or false",
    "state.emotion_valence = bad": "state.emotion_valence is a number, bad is none",
    "profile.tier = glod": "unknown value of profile.tier 'glod'; the known ones are bronze, gold, silver",
    "profile.tier >= 2": "profile.tier is a word, which >= cannot compare",
    "profile.household_size = 1": "profile.household_size is a word, not a number; write '1' in quotes",
    "profile.household_size = 7": "unknown value of profile.household_size '7'; the known ones are 1, 2, 3+",
    "profile.points = many": "profile.points is a number, many is none; compare it with a number",
    "prediction.churn = high": "prediction.churn is a number, high is none",
    "experiment.tempo = slo": "unknown value of experiment.tempo 'slo'; the known ones are fast, slow",
    "experiment.temp = slow": "unknown experiment 'temp'; the known ones are tempo",
    "experiment.tempo > 1": "experiment.tempo is a word, which > cannot compare",
}


@pytest.mark.parametrize("written", NEVER)
def test_a_comparison_that_never_holds_is_named_with_what_could(written: str) -> None:
    (told,) = found(written, **DISCLOSED)
    assert NEVER[written] in told


MAY_HOLD = [
    "stage = loyal",
    "stage != lapsed",
    "stage missing",
    "action.job in [sell, serve]",
    "action.group = service",
    "action.topic != bakery",
    "action.partner = 'Hill Farm'",
    "action.gives > 0",
    "state.known = true",
    "state.emotion_intensity < 0.2",
    "state.consent_marketing in [true]",
    "profile.tier = gold",
    "profile.tier present",
    "profile.household_size in ['1', '3+']",
    "profile.points >= 500",
    "prediction.churn > 0.5",
    "context.anything = whatever",
    "context.anything > 3",
    "experiment.tempo = slow",
    "experiment.tempo missing",
]


@pytest.mark.parametrize("written", MAY_HOLD)
def test_a_comparison_that_may_hold_is_no_fault(written: str) -> None:
    assert found(written, **DISCLOSED) == []


def test_every_part_of_a_condition_is_looked_at_and_each_fault_told_once() -> None:
    written = {"any": ["stage = loyl", {"not": ["profile.tier = glod", "stage = loyl"]}, "state.mood = bad", "state.mood > 1"]}
    assert len(found(written, **DISCLOSED)) == 3


def test_a_weight_scales_by_a_number_of_the_customer() -> None:
    def scaled(by: str) -> list[tuple[str, str]]:
        policy = worlds.policy(weights=(Weight(rule="w", factor=2.0, scale=by),))
        return [(".".join(path), cause) for _, path, cause in faults(worlds.catalog(), policy, worlds.index())]

    assert [scaled(by) for by in ("prediction.churn", "profile.points", "state.emotion_intensity", "context.rain")] == [[]] * 4
    for by in ("stage", "profile.tier", "state.known", "action.job"):
        assert scaled(by) == [("weights.0.scale", f"{by} is no number; scale by a field in 0..1 such as prediction.churn")]
    for by in ("action.value", "action.gives"):
        assert scaled(by) == [
            ("weights.0.scale", f"{by} is no fact of the customer; scale by one in 0..1, or write factors with a scope")
        ]
    assert len(scaled("profile.unheard_of")) == 1


@pytest.mark.parametrize(
    ("unread", "written"),
    [
        ("policy", "stage = loyl"),
        ("policy", "experiment.temp = slow"),
        ("catalog", "action.group = coupon"),
        ("catalog", "action.partner = Hill"),
        ("brand", "state.consent_marketng = true"),
        ("profile", "profile.unheard_of > 1"),
        ("profile", "action.topic = toys"),
    ],
)
def test_what_a_part_that_cannot_be_read_might_have_said_is_not_judged(unread: Any, written: str) -> None:
    assert len(found(written, **DISCLOSED)) == 1
    policy = worlds.policy(journey=JOURNEY, rules=Rules(eligibility=(Rule(rule="r", require=parse(written)),)), **DISCLOSED)
    assert faults(brand(), policy, worlds.index(SIZE), unread=(unread,)) == []


@pytest.mark.parametrize(
    ("unread", "written", "named"),
    [
        ("catalog", "action.group = coupon", {"groups": tuple(brand().groups)}),
        ("brand", "state.consent_marketng = true", {"purposes": ("marketing",)}),
        ("profile", "action.topic = toys", {"topics": ("bakery",)}),
    ],
)
def test_names_that_stand_in_a_part_with_faults_are_known_all_the_same(unread: Any, written: str, named: Any) -> None:
    policy = worlds.policy(journey=JOURNEY, rules=Rules(eligibility=(Rule(rule="r", require=parse(written)),)), **DISCLOSED)
    ((_, _, told),) = faults(brand(), policy, worlds.index(SIZE), unread=(unread,), named=named)
    assert "unknown" in told
