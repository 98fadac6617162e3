"""The one story: who gets what, when, in which words, with which reason; and what must not matter to it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any, Literal, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.catalog import Action, Catalog, Text, Treatment
from decisioning.chance import WHOLE
from decisioning.conditions import parse
from decisioning.customer import Emotion, Profile, State
from decisioning.domain import Decision, HoursOf, Job, Message
from decisioning.exploration import JOBS_IN_DISTRESS
from decisioning.policy import Exploration, Groups, Stage
from decisioning.voice import Tone, Voice
from tests import worlds
from tests.worlds import NOW, decided

DAY = timedelta(days=1)
STRANGER = {"state": State(customer_id="nobody"), "profile": Profile.empty(worlds.index())}


def chosen(decision: Decision) -> list[str | None]:
    return [result.action for result in decision.results]


# ------------------------------------------------------------------------------------------------------- what is answered


def test_the_best_action_is_chosen_with_its_message_its_times_and_its_terms() -> None:
    action = worlds.action(
        "thanks",
        treatments={"app_home": worlds.treatment("Dear {first_name|neighbour}", "until {valid_until|soon}", cta="{brand}")},
        valid_until=NOW + 2 * DAY,
        topics=("bakery",),
    )
    decision = decided(worlds.catalog(action), state=worlds.state(traits={"first_name": "Ada"}))
    (result,) = decision.results
    assert (result.kind, result.action, result.placement, result.reason) == ("action", "thanks", "main", "highest_priority")
    assert result.message == Message(title="Dear Ada", body="until January 3", cta="Corner Market")
    assert result.send_at == NOW
    assert result.expires_at == NOW + 2 * DAY  # not the week that a message lasts: its action ends before
    assert result.terms is not None and result.terms.priority == pytest.approx(1.0)
    assert decision.reasons == ()


def test_the_words_are_in_the_customers_language_and_in_a_tone_for_their_mood() -> None:
    spanish = Message(title="Perdón, {first_name|vecino}", body="hasta {valid_until|pronto}, {gives}")
    sorry = Treatment(title="Sorry", body="until {valid_until|soon}, {gives}", tone="sorry", locales={"es": spanish})
    action = worlds.action(
        job="serve",
        treatments={"app_home": (*worlds.treatment("Hurrah", tone="warm"), sorry)},
        valid_until=NOW + 2 * DAY,
        gives=5.0,
    )
    voice = Voice(tones={"warm": Tone(), "sorry": Tone()}, tone_of={"upset": ("sorry",), "active": ("warm",)})

    def said(**changes: Any) -> Message | None:
        return (
            decided(worlds.catalog(action), policy=worlds.policy(voice=voice), state=worlds.state(**changes)).results[0].message
        )

    upset = {"open_complaints": ("c1",)}
    assert said() == Message(title="Hurrah", body="For you.", cta="Take it")
    assert said(**upset) == Message(title="Sorry", body="until January 3, $5")
    assert said(**upset, locale="es-MX") == Message(title="Perdón, vecino", body="hasta 2018-01-03, $5")


def test_an_action_without_words_for_a_mood_is_out() -> None:
    catalog = worlds.catalog(worlds.action(job="serve", treatments={"app_home": worlds.treatment(tone="warm")}))
    voice = Voice(tones={"warm": Tone(), "sorry": Tone()}, tone_of={"upset": ("sorry",)})
    decision = decided(catalog, policy=worlds.policy(voice=voice), state=worlds.state(open_complaints=("c1",)))
    assert [(one.tier, one.rule) for one in decision.rejected] == [("suitability", "tone")]


def test_the_stage_of_the_journey_is_the_first_that_holds() -> None:
    journey = (
        Stage(stage="lapsed", when=parse("profile.since_order > 60")),
        Stage(stage="loyal", when=parse("profile.tier = gold")),
        Stage(stage="active"),
    )
    stages = [
        decided(policy=worlds.policy(journey=journey), profile=worlds.profile(**known)).journey_stage
        for known in ({"since_order": 61.0, "tier": "gold"}, {"since_order": 60.0, "tier": "gold"}, {"tier": "bronze"})
    ]
    assert stages == ["lapsed", "loyal", "active"]


def test_a_rule_may_read_the_stage_the_predictions_and_the_context_of_the_request() -> None:
    catalog = worlds.catalog(
        worlds.action(relevant=parse(["stage = active", "prediction.churn < 0.5", "context.intent = offers"]))
    )
    asked = worlds.request(context={"intent": "offers"})
    assert chosen(decided(catalog, request=asked)) == ["coupon"]
    assert decided(catalog).rejected[0].unlock == "context.intent = offers (is missing)"


@pytest.mark.parametrize(("locale", "title"), [(None, "Hello Ada"), ("es-MX", "Hola Ada"), ("fr", "Hello Ada")])
def test_an_empty_place_speaks_the_language_of_its_customer(locale: str | None, title: str) -> None:
    spanish = {"es": Message(title="Hola {first_name|vecino}", body="")}
    place = worlds.touchpoint(default=Text(title="Hello {first_name|neighbour}", body="", locales=spanish))
    state = worlds.state(consents={}, locale=locale, traits={"first_name": "Ada"})
    (result,) = decided(worlds.catalog(worlds.action(), touchpoints=(place, worlds.email())), state=state).results
    assert result.kind == "nothing" and result.message is not None
    assert result.message.title == title


def test_an_unknown_customer_gets_what_everybody_sees_and_the_reason_code() -> None:
    decision = decided(**STRANGER)
    (result,) = decision.results
    assert (result.kind, result.action, result.reason) == ("nothing", None, "unknown_customer")
    assert result.message == Message(title="Good to see you, neighbour", body="from Corner Market")
    assert decision.reasons == ("unknown_customer",)
    assert [one.rule for one in decision.rejected] == ["consent_marketing"]
    assert decision.nothing_units == result.units == WHOLE


def test_an_unknown_customer_is_sent_nothing_where_a_place_has_no_default() -> None:
    (result,) = decided(**STRANGER, request=worlds.request(touchpoint="email")).results
    assert (result.kind, result.message, result.send_at) == ("nothing", None, None)


def test_what_was_missing_when_the_inputs_were_gathered_is_told_on() -> None:
    decision = decided(degraded=("profile_store_unavailable",), state=worlds.state(open_complaints=("c1",)))
    assert decision.reasons == ("profile_store_unavailable", "selling_suppressed")


@pytest.mark.parametrize(
    ("touchpoint", "learned_from", "expected"),
    [("email", "visits", ("timing_from_visits",)), ("email", "answers", ()), ("app_home", "visits", ())],
)
def test_hours_that_visits_taught_for_want_of_answers_have_a_reason_code(
    touchpoint: str, learned_from: Literal["answers", "visits"], expected: tuple[str, ...]
) -> None:
    of = HoursOf(learned_from=learned_from)
    catalog = worlds.catalog()
    said = worlds.predictions(catalog, hours_of={"email": of, "app": of}, hours=dict.fromkeys(("email", "app"), np.ones(168)))
    assert decided(catalog, predictions=said, request=worlds.request(touchpoint=touchpoint)).reasons == expected


def test_a_time_zone_that_is_none_degrades_to_the_brands_and_says_so() -> None:
    outbound = worlds.request(touchpoint="email")
    decision = decided(request=outbound, state=worlds.state(time_zone="Mars/Olympus"))
    assert decision.reasons == ("unknown_time_zone",)
    assert decision.results == decided(request=outbound).results


def test_an_outbound_message_goes_at_the_customers_hour() -> None:
    (result,) = decided(request=worlds.request(touchpoint="email"), profile=worlds.profile(hour_18=30.0)).results
    assert result.send_at == NOW.replace(hour=23)  # 18:00 in New York
    assert result.expires_at == NOW.replace(hour=23) + 7 * DAY
    assert result.timing == "Monday around 18:00 is when this customer usually comes"


# ------------------------------------------------------------------------------------------------------ groups and distress

TEN = worlds.catalog(*(worlds.action(f"a{at}", value=5.0 + at) for at in range(10)))
MANY = worlds.catalog(*(worlds.action(job, job=job, value=20.0 if job == "sell" else 5.0) for job in get_args(Job)))


def test_the_control_group_gets_the_default_and_mandatory_messages_only() -> None:
    policy = worlds.policy(groups=Groups(control=1.0))
    for at in range(50):
        (result,) = decided(MANY, policy=policy, request=worlds.request(decision_id=f"d{at}")).results
        assert (result.kind, result.reason) == ("nothing", "control_group")
    recall = worlds.catalog(worlds.action("recall", job="inform", mandatory=True), *MANY.actions)
    assert chosen(decided(recall, policy=policy)) == ["recall"]


def test_a_customer_stays_in_their_group_when_their_ids_become_one() -> None:
    policy = worlds.policy(groups=Groups(control=0.5))
    ids = [f"c{at}" for at in range(40)]
    alone = [decided(policy=policy, state=worlds.state(customer_id=one)).group for one in ids]
    merged = [worlds.state(customer_id="name", members=(one,), group_id=one) for one in ids]
    assert [decided(policy=policy, state=state).group for state in merged] == alone
    assert set(alone) == {"control", "treatment"}


def test_the_random_group_gets_anything_that_passes() -> None:
    policy = worlds.policy(groups=Groups(random=1.0))
    weak = worlds.catalog(
        worlds.action("strong"), worlds.action("weak", value=0.0, cost=9.0), worlds.action("out", valid_until=NOW)
    )
    drawn = Counter(chosen(decided(weak, policy=policy, request=worlds.request(decision_id=f"d{at}")))[0] for at in range(200))
    assert set(drawn) == {"strong", "weak"}
    assert min(drawn.values()) > 60
    assert decided(weak, policy=policy).results[0].reason == "random_group"


@pytest.mark.parametrize(
    "state",
    [
        worlds.state(open_complaints=("c1",)),
        worlds.state(emotion=Emotion(valence=-0.9, intensity=0.9, confidence=1.0, at=NOW)),
    ],
    ids=["complaint", "anger"],
)
def test_in_distress_care_comes_in_its_order_and_nothing_is_sold(state: State) -> None:
    decision = decided(MANY, state=state, request=worlds.request(placements=worlds.slots(8)))
    assert chosen(decision) == [*JOBS_IN_DISTRESS, None, None]
    assert {result.reason for result in decision.results[:6]} == {"care_before_selling"}
    assert {(one.action, one.tier) for one in decision.rejected} == {("sell", "suitability"), ("refer", "suitability")}


# -------------------------------------------------------------------------------------------------- what must and must not


def test_the_product_of_the_terms_is_the_priority_by_which_candidates_are_ranked() -> None:
    decision = decided(TEN, predictions=worlds.predictions(TEN, {f"a{at}": 0.05 + at % 3 / 10 for at in range(10)}))
    terms = [one.terms for one in decision.candidates]
    products = [term.p * term.c * term.v * term.l for term in terms]
    assert products == pytest.approx([term.priority for term in terms], rel=1e-9)
    assert products == sorted(products, reverse=True)
    assert [one.rank for one in decision.candidates] == list(range(1, 11))


@given(st.permutations(range(5)), st.text("xyz", max_size=4))
def test_the_order_in_which_a_catalog_is_written_changes_nothing(order: list[int], decision_id: str) -> None:
    actions = (*TEN.actions[:4], worlds.action("out", valid_until=NOW))
    asked = worlds.request(decision_id=decision_id, placements=worlds.slots(3))
    shuffled = worlds.catalog(*(actions[at] for at in order))
    assert decided(shuffled, request=asked) == decided(worlds.catalog(*actions), request=asked)


@given(st.text("abz_0", min_size=1, max_size=4), st.text("xyz", max_size=4))
def test_the_name_of_an_action_that_is_out_changes_nothing_for_those_that_are_in(name: str, decision_id: str) -> None:
    asked = worlds.request(decision_id=decision_id, placements=worlds.slots(2))

    def with_one_out(called: str) -> Decision:
        return decided(worlds.catalog(*TEN.actions[:4], worlds.action(f"{called}!", valid_until=NOW)), request=asked)

    renamed, before = with_one_out(name), with_one_out("out")
    assert (renamed.results, renamed.candidates) == (before.results, before.candidates)


raises = st.sampled_from(["value", "lever"])


@given(st.integers(0, 9), raises, st.floats(1.0, 5.0), st.lists(st.floats(0.001, 0.9), min_size=10, max_size=10))
def test_more_value_or_lever_never_lowers_the_rank_of_an_action_that_helps(
    at: int, key: str, more: float, responses: list[float]
) -> None:
    raised: dict[str, Any] = {key: getattr(TEN.actions[at], key) * more}
    actions = tuple(replace(one, **raised) if one.name == f"a{at}" else one for one in TEN.actions)
    ranks = []
    for catalog in (TEN, worlds.catalog(*actions)):
        predictions = worlds.predictions(catalog, {f"a{at}": response for at, response in enumerate(responses)})
        ranks.append(next(one.rank for one in decided(catalog, predictions=predictions).candidates if one.action == f"a{at}"))
    assert ranks[1] <= ranks[0]


@given(st.floats(0.0, 1.0), st.sampled_from([0.0, 0.05, 0.5]), st.text("xyz", max_size=4))
def test_what_cannot_help_is_never_chosen(response: float, mass: float, decision_id: str) -> None:
    catalog = worlds.catalog(worlds.action("idle", value=1000.0), incrementality=0.0)
    decision = decided(
        catalog,
        predictions=worlds.predictions(catalog, response),
        policy=worlds.policy(exploration=Exploration(mass=mass)),
        request=worlds.request(decision_id=decision_id),
    )
    assert chosen(decision) == [None]
    assert decision.candidates[0].units == 0


IRRELEVANT: dict[str, dict[str, Any]] = {
    "a datum no rule reads": {"profile": worlds.profile(orders_90d=3.0, age_band="35+", hour_03=7.0)},
    "the habits of others, inbound": {"population": {"hour_18": 9.0}},
    "a trait no text says": {"state": worlds.state(traits={"shoe_size": "44"})},
    "a later snapshot": {"learner": worlds.learner(snapshot=99)},
    "an unread prediction": {"predictions": worlds.predictions(worlds.catalog(), customer={"churn": 0.9})},
    "an unread context": {"request": worlds.request(context={"weather": "rain"})},
    "an old contact no cap counts": {"state": worlds.state(contacts=(worlds.contact(),))},
}


@pytest.mark.parametrize("changes", IRRELEVANT.values(), ids=IRRELEVANT.keys())
def test_what_nothing_reads_changes_nothing(changes: dict[str, Any]) -> None:
    changed, plain = decided(**changes), decided()
    assert (changed.results, changed.candidates, changed.rejected) == (plain.results, plain.candidates, plain.rejected)


def test_the_same_id_gives_the_same_and_other_ids_and_salts_their_own() -> None:
    def choices(salt: str) -> list[str | None]:
        return [chosen(decided(TEN, salt=salt, request=worlds.request(decision_id=f"d{at}")))[0] for at in range(60)]

    assert choices("one") == choices("one")
    assert choices("one") != choices("two")
    assert len(set(choices("one"))) > 3


def test_deciding_changes_nothing_that_it_was_given() -> None:
    profile, catalog = worlds.profile(hour_18=4.0), TEN
    predictions = worlds.predictions(catalog)
    before = (profile.values.copy(), profile.present.copy(), predictions.response.copy())
    state = worlds.state()
    decided(catalog, profile=profile, predictions=predictions, state=state, request=worlds.request(placements=worlds.slots(4)))
    np.testing.assert_array_equal(before[0], profile.values)
    np.testing.assert_array_equal(before[1], profile.present)
    np.testing.assert_array_equal(before[2], predictions.response)
    assert state == worlds.state()


@pytest.mark.parametrize("order", list(permutations(["app_home", "email"])), ids=str)
def test_a_place_only_says_what_was_written_for_it(order: tuple[str, str]) -> None:
    here, there = order
    only: Action = worlds.action(treatments={there: worlds.treatment()})
    catalog: Catalog = worlds.catalog(only)
    assert chosen(decided(catalog, request=worlds.request(touchpoint=there))) == ["coupon"]
    nothing = decided(catalog, request=worlds.request(touchpoint=here))
    assert (chosen(nothing), nothing.candidates, nothing.rejected) == ([None], (), ())
