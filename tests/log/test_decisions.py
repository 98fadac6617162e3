"""A decision as a record: it can be read, and decided again, bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from decisioning.catalog import Catalog
from decisioning.chance import WHOLE
from decisioning.customer import Emotion, Profile, Refusal, State
from decisioning.domain import Decision, Evidence, HoursOf, Learner, Ledger, Placement, Request
from decisioning.learning import beliefs_of
from decisioning.policy import Cap, Contact, Exploration, Groups, Policy
from decisioning.preferences import Preference
from decisioning.promises import Promise
from decisioning.rulebook import Rulebook, compile_rules
from features.log import Log, Record
from features.log.decisions import decide_from, decision_of, replayed, to_record, versions_of
from features.log.inputs import Inputs, ReplayFault, inputs_of
from features.log.keys import seal
from features.log.offers import outbox
from tests import worlds
from tests.worlds import NOW, SALT

CATALOG = worlds.catalog(*(worlds.action(f"a{at:02d}", value=5.0 + at, cost=0.3 * (at % 3)) for at in range(12)))


def written(
    request: Request, inputs: Inputs, of: Catalog = CATALOG, policy: Policy | None = None
) -> tuple[Decision, Record, Rulebook]:
    rulebook = compile_rules(of, policy or worlds.policy(), inputs.profile.index)
    decision = decide_from(request, inputs, rulebook, at=NOW)
    return decision, to_record(decision, inputs, rulebook, known_time=NOW), rulebook


def changed(record: Record, change: Callable[[dict[str, Any]], Any]) -> Record:
    """The record with something else written in it."""
    body = record.body
    change(body)
    return replace(record, payload=msgspec.json.encode(body))


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
    decision, record, rulebook = written(request, inputs, policy=policy)
    assert decision_of(record) == decision
    again = replayed(record, rulebook, salt=SALT)
    assert again == decision
    assert (again.candidates, again.rejected) == (decision.candidates, decision.rejected)
    assert to_record(again, inputs_of(record, rulebook, salt=SALT), rulebook, known_time=NOW) == record


def test_a_decision_survives_the_log_and_can_be_decided_again_from_it(log: Log) -> None:
    decision, record, rulebook = written(worlds.request(), worlds.inputs(CATALOG))
    log.append([record])
    kept = log.record("d1")
    assert kept is not None
    assert decision_of(kept) == decision == replayed(kept, rulebook, salt=SALT)
    assert versions_of(kept) == ("c0ffee", None)


def test_what_a_decision_was_made_of_is_decided_again_only_when_somebody_asks() -> None:
    decision, record, rulebook = written(worlds.request(), worlds.inputs(CATALOG))
    with pytest.raises(ReplayFault, match="decide again"):
        _ = decision_of(record).candidates
    asked = []

    def again() -> Decision:
        asked.append(1)
        return replayed(record, rulebook, salt=SALT)

    read = decision_of(record, again)
    assert read.results == decision.results and not asked
    assert (read.candidates, read.rejected) == (decision.candidates, decision.rejected)


def test_a_record_drawn_with_another_salt_is_not_decided_again() -> None:
    _, record, rulebook = written(worlds.request(), worlds.inputs(CATALOG))
    with pytest.raises(ReplayFault, match="'d1' was drawn with another salt"):
        replayed(record, rulebook, salt="another")


def test_a_salt_is_not_to_be_read_in_a_record() -> None:
    _, record, _ = written(worlds.request(), worlds.inputs(CATALOG))
    assert SALT.encode() not in record.payload


def test_a_record_that_does_not_fit_the_rules_of_today_is_told_by_its_name() -> None:
    _, record, _ = written(worlds.request(), worlds.inputs(CATALOG))
    other = compile_rules(worlds.catalog(worlds.action("only")), worlds.policy(), worlds.index())
    with pytest.raises(ReplayFault, match="'d1' cannot be decided again by this version of Kairos"):
        replayed(record, other, salt=SALT)


@pytest.mark.parametrize("version", [1, 2])
def test_a_record_of_an_older_form_is_not_decided_again(version: int) -> None:
    _, record, rulebook = written(worlds.request(), worlds.inputs(CATALOG))
    with pytest.raises(ReplayFault, match="could not be decided again by this one"):
        replayed(replace(record, version=version), rulebook, salt=SALT)


TAMPERED: dict[str, Callable[[dict[str, Any]], Any]] = {
    "another action": lambda body: body["results"][0].update(action="a03"),
    "another probability": lambda body: body["results"][0].update(units=body["results"][0]["units"] - 1),
    "other words": lambda body: body["results"][0]["message"].update(title="Free for ever"),
    "another group": lambda body: body.update(group="random"),
    "another stage": lambda body: body.update(journey_stage="loyal"),
    "another chance of a candidate": lambda body: body["units"].__setitem__(0, 7),
    "another chance of nothing": lambda body: body["units"].__setitem__(-1, 7),
    "another customer": lambda body: body["inputs"]["state"].update(consents={}),
    "other predictions": lambda body: body["inputs"].update(response=body["inputs"]["rate"]),
    "other beliefs": lambda body: body["inputs"].update(rate=body["inputs"]["response"]),
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
def test_a_record_that_tells_of_something_else_than_what_was_decided_is_found_out(
    change: Callable[[dict[str, Any]], Any],
) -> None:
    _, record, rulebook = written(worlds.request(), worlds.inputs(CATALOG))
    with pytest.raises(ReplayFault, match="'d1' comes out otherwise"):
        replayed(changed(record, change), rulebook, salt=SALT)


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
    (result,) = body["results"]
    read_by_others = {
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
        "expected": float(np.float32(0.2)),
        "success": "accepted",
        "window_us": 14 * 86_400 * 1_000_000,
    }
    assert read_by_others.items() <= result.items()
    answered = {"reason", "message", "terms", "threshold", "units", "timing", "job"}
    assert result.keys() - read_by_others.keys() == answered
    assert body["units"] == [WHOLE, 0]


def test_a_record_tells_what_an_offer_gives_where_it_gives_something() -> None:
    of = worlds.catalog(worlds.action("coupon", gives=2.5))
    _, record, _ = written(worlds.request(), worlds.inputs(of), of)
    assert record.body["results"][0]["gives"] == 2.5


def test_a_decision_at_a_place_that_nothing_was_written_for_can_be_decided_again() -> None:
    of = worlds.catalog(worlds.action(treatments={"email": worlds.treatment()}))
    decision, record, rulebook = written(worlds.request(), worlds.inputs(of), of)
    assert decision.candidates == ()
    assert replayed(record, rulebook, salt=SALT) == decision


def test_a_decision_for_nothing_offers_nothing() -> None:
    _, record, _ = written(worlds.request(), worlds.inputs(CATALOG, state=worlds.state(consents={})))
    (result,) = record.body["results"]
    assert (result["kind"], result["reason"], result["probability"]) == ("nothing", "nothing_passed_the_rules", 1.0)
    assert result.keys() == {"kind", "placement", "reason", "message", "units", "probability"}
    assert record.body["units"] == [0] * 12 + [WHOLE]


def test_a_wait_for_another_touchpoint_tells_where_and_until_when(log: Log) -> None:
    """The inbound place asks again itself: nothing of it lies in the outbox."""
    not_here = {"channel:app": Preference(wanted="none", at=NOW)}
    inputs = worlds.inputs(CATALOG, state=worlds.state(preferences=not_here))
    decision, record, rulebook = written(worlds.request(), inputs)
    (result,) = decision.results
    assert (result.kind, result.reason) == ("wait", "better_elsewhere")
    assert result.wait is not None and result.wait.touchpoint == "email"
    assert decision_of(record) == decision == replayed(record, rulebook, salt=SALT)
    log.append([record])
    assert log.query(lambda connection: outbox(connection, due_before=NOW + timedelta(days=9), now=NOW)) == []


@pytest.mark.parametrize("attention", [0.0, 0.9, 9.9], ids=["worth it", "just worth it", "not worth it"])
@pytest.mark.parametrize("owed", [False, True], ids=["", "a promise is to be made good"])
@pytest.mark.parametrize("seen", [0, 5, 900])
def test_where_else_something_may_be_said_comes_out_the_same_from_the_record(attention: float, owed: bool, seen: int) -> None:
    """Though the record keeps no prediction and no belief but those of the candidates here."""
    of = worlds.catalog(
        worlds.action("bread"),
        worlds.action("sorry", job="recover", treatments={"post": worlds.treatment()}),
        touchpoints=(
            worlds.touchpoint(jobs=("serve",)),
            worlds.email(attention=attention),
            worlds.touchpoint("post", channel="post", attention=attention),
        ),
    )
    promise = Promise(made_at=NOW - timedelta(days=9), due=NOW - timedelta(days=1), make_good="sorry")
    learner = Learner(
        evidence={
            (action, place): Evidence(shows=seen, expected=0.1 * seen, successes=successes)
            for action, place, successes in (("bread", "email", seen), ("bread", "app_home", seen // 9), ("sorry", "post", 0))
        }
    )
    inputs = worlds.inputs(
        of,
        state=worlds.state(promises={"p": promise} if owed else {}),
        predictions=worlds.predictions(of, {"sorry": 0.7}, nothing=np.array([0.05, np.nan])),
        learner=learner,
    )
    decision, record, rulebook = written(worlds.request(), inputs, of)
    (result,) = decision.results
    named = None if result.wait is None else result.wait.touchpoint
    assert named == ("post" if owed else None if attention == 9.9 else "email")
    assert replayed(record, rulebook, salt=SALT) == decision


@pytest.mark.parametrize("touchpoint", ["app_home", "email"])
def test_only_what_the_decision_read_is_kept(touchpoint: str) -> None:
    inputs = worlds.inputs(
        CATALOG,
        population={"hour_10": 1.0, "orders_90d": 2.0},
        predictions=worlds.predictions(
            CATALOG,
            reads={action.name: ("points",) for action in CATALOG.actions},
            hours={"email": np.ones(168), "app": np.ones(168)},
            hours_of={"email": HoursOf(learned_from="visits", own=True), "app": HoursOf()},
        ),
    )
    _, record, rulebook = written(worlds.request(touchpoint=touchpoint), inputs)
    kept = record.body["inputs"]
    assert list(kept["reads"]) == [record.body["results"][0]["action"]]
    assert {"population", "hours"} & set(kept) == ({"population", "hours"} if touchpoint == "email" else set())
    if touchpoint == "email":
        back = inputs_of(record, rulebook, salt=SALT)
        assert set(back.population) == set(rulebook.plans["email"].habits.names)
        assert list(back.predictions.hours) == ["email"]
        assert back.predictions.hours_of == {"email": HoursOf(learned_from="visits", own=True)}


@pytest.mark.parametrize("seen", [900, 30], ids=["much was seen of each", "any may win"])
def test_a_record_of_a_hundred_candidates_takes_three_kilobytes(seen: int) -> None:
    """A hundred candidates that all know what they met, sixty features, and the state of a customer who is often met."""
    index = worlds.index(*(worlds.feature(f"more_{at}") for at in range(60 - len(worlds.index()))))
    chance = np.random.default_rng(1)
    values = chance.uniform(0, 100, len(index)).astype(np.float32)
    values[[index.positions["tier"], index.positions["age_band"]]] = 1.0
    of = worlds.catalog(
        *(worlds.action(f"coupon_{at:03d}", value=chance.uniform(5, 10), cost=chance.uniform(0, 0.3)) for at in range(100))
    )
    given = {"marketing": True, "service": True, "personalisation": True, "third_party": False}
    state = worlds.state(
        consents=given,
        consents_at=dict.fromkeys(given, NOW - timedelta(days=100)),
        contacts=tuple(
            worlds.contact(
                NOW - timedelta(days=2 * at), action=f"coupon_{at:03d}", job="sell", decision_id=f"{chance.bytes(16).hex()}"
            )
            for at in range(1, 6)
        ),
        preferences={"topic:bakery": Preference(wanted="more", at=NOW - timedelta(days=3))},
    )
    inputs = worlds.inputs(
        of,
        profile=Profile(index=index, values=values, present=~np.isnan(values)),
        state=state,
        learner=worlds.learner(
            **{
                action.name: Evidence(
                    shows=seen, expected=chance.uniform(0, seen / 10), successes=int(chance.integers(0, seen // 10))
                )
                for action in of.actions
            }
        ),
        predictions=replace(worlds.predictions(of), response=chance.uniform(0.01, 0.3, 100)),
        bundle=chance.bytes(32).hex(),
        catalog=chance.bytes(32).hex(),
    )
    decision, record, rulebook = written(worlds.request(decision_id=chance.bytes(16).hex()), inputs, of)
    assert (len(index), len(decision.candidates)) == (60, 100)
    stored = seal(AESGCM(bytes(32)), bytes(12), record.payload, record.message_id)
    print(f"a record of 100 candidates and 60 features: {len(stored)} bytes, {len(record.payload)} before they are packed")
    assert len(stored) <= 3_072
    assert replayed(record, rulebook, salt=SALT) == decision


@pytest.mark.parametrize("touchpoint", ["app_home", "email"])
def test_the_inputs_that_matter_come_back_as_they_were(touchpoint: str) -> None:
    inputs = worlds.inputs(
        CATALOG,
        learner=Learner(evidence={("a00", touchpoint): Evidence(shows=3, expected=1 / 3, successes=1)}, snapshot=9),
        stock={"a00": 1},
        ledger={"a00": Ledger(ended=3, kept=2)},
        bundle="b1",
    )
    _, record, rulebook = written(worlds.request(touchpoint=touchpoint), inputs)
    back, plan = inputs_of(record, rulebook, salt=SALT), rulebook.plans[touchpoint]
    for name in ("state", "stock", "ledger", "brand", "salt", "degraded", "catalog", "bundle", "tzdata"):
        assert getattr(back, name) == getattr(inputs, name), name
    np.testing.assert_array_equal(back.profile.values, inputs.profile.values)
    np.testing.assert_array_equal(back.profile.present, inputs.profile.present)
    np.testing.assert_array_equal(back.predictions.response, inputs.predictions.response.astype(np.float32))
    np.testing.assert_array_equal(back.predictions.assumed, inputs.predictions.assumed)
    strength = rulebook.policy.exploration.strength
    then, now = beliefs_of(inputs.learner, plan, strength), beliefs_of(back.learner, plan, strength)
    np.testing.assert_array_equal(now.shape, then.shape)
    np.testing.assert_array_equal(now.rate, then.rate)
    assert back.learner.snapshot == 9
