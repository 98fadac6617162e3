"""A decision as a record: it can be read, and decided again, bit for bit."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.catalog import Catalog
from decisioning.customer import Emotion, Profile, Refusal, State
from decisioning.domain import Decision, Evidence, Learner, Placement, Request
from decisioning.policy import Cap, Contact, Exploration, Groups, Policy
from features.log import Log, Record
from features.log.decisions import Inputs, decide_from, decision_of, inputs_of, to_record, versions_of
from tests import worlds
from tests.worlds import NOW

CATALOG = worlds.catalog(*(worlds.action(f"a{at:02d}", value=5.0 + at, cost=0.3 * (at % 3)) for at in range(12)))


def written(
    request: Request, inputs: Inputs, of: Catalog = CATALOG, policy: Policy | None = None
) -> tuple[Decision, Record, Policy]:
    policy = policy or worlds.policy()
    decision = decide_from(request, inputs, of, policy, at=NOW)
    return decision, to_record(decision, inputs, of, known_time=NOW), policy


def replayed(record: Record, of: Catalog, policy: Policy) -> Decision:
    """Decide again from the record alone."""
    first = decision_of(record)
    return decide_from(first.request, inputs_of(record, worlds.index(), of), of, policy, at=first.at)


states = st.builds(
    State,
    customer_id=st.sampled_from(["1029", "é\"'", "x" * 40]),
    known=st.just(True),
    consents=st.dictionaries(st.sampled_from(["marketing", "service"]), st.booleans()).map(
        lambda one: one | {"marketing": True}
    ),
    open_complaints=st.sampled_from([(), ("c1",)]),
    emotion=st.sampled_from([None, Emotion(valence=-0.7, intensity=1 / 3, confidence=0.9, at=NOW - timedelta(microseconds=1))]),
    contacts=st.lists(st.integers(1, 9).map(lambda days: worlds.contact(NOW - timedelta(days=days))), max_size=3).map(tuple),
    refusals=st.sampled_from([(), (Refusal(action="x", group="others", at=NOW),)]),
    time_zone=st.sampled_from([None, "Europe/Paris", "Mars"]),
    traits=st.sampled_from([{}, {"first_name": "Ada"}]),
)
profiles = st.one_of(
    st.just(Profile.empty(worlds.index())),
    st.lists(st.one_of(st.just(np.nan), st.floats(0, 50, width=32)), min_size=5, max_size=5).map(
        lambda values: worlds.profile(
            **{
                name: value
                for name, value in zip(["orders_90d", "points", "hour_18", "day_tue", "since_order"], values, strict=True)
                if not np.isnan(value)
            }
            or {"points": 0.0}
        )
    ),
)
learners = st.dictionaries(
    st.tuples(st.sampled_from([action.name for action in CATALOG.actions]), st.sampled_from(["app_home", "email"])),
    st.builds(Evidence, shows=st.integers(0, 900), expected=st.floats(0, 300), successes=st.integers(0, 900)),
    max_size=6,
).map(lambda evidence: Learner(evidence=evidence, snapshot=17))
policies = st.builds(
    lambda groups, mass, most: worlds.policy(
        groups=groups,
        exploration=Exploration(mass=mass),
        contact=Contact(
            caps=(Cap(rule="cap", most=most, within=timedelta(days=7)),),
            quiet_hours=worlds.NIGHT,
        ),
    ),
    st.sampled_from([Groups(), Groups(control=1.0), Groups(random=1.0)]),
    st.sampled_from([0.0, 0.05]),
    st.integers(1, 4),
)


@given(
    state=states,
    profile=profiles,
    learner=learners,
    policy=policies,
    responses=st.lists(st.floats(0.0, 1.0), min_size=12, max_size=12),
    touchpoint=st.sampled_from(["app_home", "email"]),
    count=st.integers(1, 4),
    decision_id=st.text(min_size=1, max_size=6).filter(lambda text: text.isprintable()),
    context=st.dictionaries(st.sampled_from(["intent", "n"]), st.one_of(st.text(max_size=3), st.floats(-5, 5), st.booleans())),
)
def test_deciding_again_from_the_record_gives_the_same_decision_bit_for_bit(
    state: State,
    profile: Profile,
    learner: Learner,
    policy: Policy,
    responses: list[float],
    touchpoint: str,
    count: int,
    decision_id: str,
    context: dict[str, Any],
) -> None:
    predictions = worlds.predictions(
        CATALOG, {action.name: response for action, response in zip(CATALOG.actions, responses, strict=True)},
        reads={"a03": ("points",)}, customer={"churn": responses[0]},
    )  # fmt: skip
    inputs = worlds.inputs(
        CATALOG,
        state=state,
        profile=profile,
        learner=learner,
        predictions=predictions,
        population={"hour_10": 0.1, "hour_18": 1 / 3},
        stock={"a01": 2},
        degraded=("model_missing:preference",),
    )
    placements = (Placement(id="hero", count=count), Placement(id="footer"))
    request = worlds.request(
        decision_id=decision_id, customer_id=state.customer_id, touchpoint=touchpoint, placements=placements, context=context
    )
    decision, record, _ = written(request, inputs, policy=policy)
    assert decision_of(record) == decision
    again = replayed(record, CATALOG, policy)
    assert again == decision
    assert msgspec.json.encode(again) == msgspec.json.encode(decision)


def test_a_decision_survives_the_log_and_can_be_decided_again_from_it(log: Log) -> None:
    decision, record, policy = written(worlds.request(), worlds.inputs(CATALOG))
    log.append([record])
    kept = log.record("d1")
    assert kept is not None
    assert decision_of(kept) == decision == replayed(kept, CATALOG, policy)
    assert versions_of(kept) == ("c0ffee", None)


def test_a_record_tells_its_readers_what_was_offered() -> None:
    action = worlds.action("coupon", topics=("bakery",), response=replace(worlds.action().response, features={"coupons": 2}))
    of = worlds.catalog(action)
    _, record, _ = written(worlds.request(touchpoint="email"), worlds.inputs(of), of)
    body = record.body
    assert {key: body[key] for key in ("decision_id", "customer_id", "touchpoint", "outbound", "at", "origin")} == {
        "decision_id": "d1",
        "customer_id": "1029",
        "touchpoint": "email",
        "outbound": True,
        "at": "2018-01-01T14:00:00Z",
        "origin": "live",
    }
    assert body["results"] == [
        {
            "kind": "action",
            "placement": "main",
            "send_at": "2018-01-01T14:00:00Z",
            "expires_at": "2018-01-08T14:00:00Z",
            "probability": 1.0,
            "action": "coupon",
            "group": "coupons",
            "topics": ["bakery"],
            "features": {"coupons": 2},
            "mandatory": False,
            "expected": 0.2,
            "success": "accepted",
            "window_us": 14 * 86_400 * 1_000_000,
        }
    ]


def test_a_decision_for_nothing_offers_nothing() -> None:
    _, record, _ = written(worlds.request(), worlds.inputs(CATALOG, state=worlds.state(consents={})))
    assert record.body["results"] == [
        {"kind": "nothing", "placement": "main", "send_at": None, "expires_at": None, "probability": 1.0}
    ]


def test_only_what_the_decision_read_is_kept() -> None:
    inputs = worlds.inputs(
        CATALOG,
        population={"hour_10": 1.0},
        learner=replace(worlds.learner(), evidence={("a00", "email"): Evidence(shows=1)}),
        predictions=worlds.predictions(CATALOG, reads={action.name: ("points",) for action in CATALOG.actions}),
    )
    _, record, _ = written(worlds.request(), inputs)
    kept = record.body["inputs"]
    assert (kept["population"], kept["evidence"]) == ({}, [])
    assert list(kept["reads"]) == [record.body["results"][0]["action"]]


def test_a_typical_record_is_small() -> None:
    """Twelve candidates, sixty features, and the state of a customer who is often met."""
    index = worlds.index(*(worlds.feature(f"more_{at}") for at in range(60 - len(worlds.index()))))
    values = np.random.default_rng(1).uniform(0, 100, len(index)).astype(np.float32)
    values[[index.positions["tier"], index.positions["age_band"]]] = 1.0
    state = worlds.state(contacts=tuple(worlds.contact(NOW - timedelta(days=at)) for at in range(1, 4)))
    inputs = worlds.inputs(
        CATALOG,
        profile=Profile(index=index, values=values, present=~np.isnan(values)),
        state=state,
        learner=worlds.learner(**{action.name: Evidence(shows=9, expected=1 / 3, successes=1) for action in CATALOG.actions}),
        predictions=worlds.predictions(CATALOG, dict.fromkeys((action.name for action in CATALOG.actions), 1 / 7)),
    )
    decision, record, _ = written(worlds.request(), inputs)
    assert (len(index), len(decision.candidates)) == (60, 12)
    print(f"a record of 12 candidates and 60 features: {len(record.payload)} bytes")
    assert len(record.payload) < 6_000


@pytest.mark.parametrize("touchpoint", ["app_home", "email"])
def test_the_inputs_that_matter_come_back_as_they_were(touchpoint: str) -> None:
    inputs = worlds.inputs(
        CATALOG,
        learner=Learner(evidence={("a00", touchpoint): Evidence(shows=3, expected=1 / 3, successes=1)}, snapshot=9),
        stock={"a00": 1},
        population={"hour_10": 1 / 3} if touchpoint == "email" else {},
        bundle="b1",
    )
    _, record, _ = written(worlds.request(touchpoint=touchpoint), inputs)
    back = inputs_of(record, worlds.index(), CATALOG)
    for name in ("state", "learner", "stock", "population", "brand", "salt", "degraded", "catalog", "bundle", "tzdata"):
        assert getattr(back, name) == getattr(inputs, name), name
    np.testing.assert_array_equal(back.profile.values, inputs.profile.values)
    np.testing.assert_array_equal(back.profile.present, inputs.profile.present)
    np.testing.assert_array_equal(back.predictions.response, inputs.predictions.response)
    np.testing.assert_array_equal(back.predictions.assumed, inputs.predictions.assumed)
