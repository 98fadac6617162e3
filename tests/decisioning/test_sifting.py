"""Who asks and what passes: what deciding may not touch, what a taken place leaves, and where else something may be said."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from decisioning.conditions import parse
from decisioning.customer import Emotion, Profile
from decisioning.decide import decide
from decisioning.domain import Evidence, Ledger
from decisioning.eligibility import PASSES
from decisioning.learning import beliefs_of
from decisioning.policy import Cap, Contact, Fatigue, Policy, Rule, Rules, Stage, Weight
from decisioning.preferences import Preference
from decisioning.promises import Promise
from decisioning.rulebook import Rulebook, compile_rules
from decisioning.sifting import Sifted, sifted_again
from decisioning.tiers import NEVER
from decisioning.trace import Weighed
from tests import worlds
from tests.worlds import NOW, decided

DAY = timedelta(days=1)
EMAIL = worlds.request(touchpoint="email")
ONE_A_WEEK = Contact(caps=(Cap(rule="one_a_week", most=1, within=7 * DAY),))


def sifted(*actions: Any, **changes: Any) -> Sifted:
    trace = decided(worlds.catalog(*actions), **changes).trace
    assert isinstance(trace, Weighed)
    return trace.sifted


def everything() -> tuple[Rulebook, dict[str, Any]]:
    """A brand with every kind of rule, and all that is needed to decide for a customer of whom much is known."""
    of = worlds.catalog(
        *(worlds.action(f"a{at}", value=5.0 + at, topics=("bakery",), budget=9, every=DAY) for at in range(4)),
        worlds.action("serve", job="serve", relevant=parse("profile.points > 5")),
        worlds.action("hello", mandatory=True, job="inform", every=DAY),
    )
    policy = worlds.policy(
        journey=(Stage(stage="lapsed", when=parse("profile.since_order > 60")), Stage(stage="active")),
        rules=Rules(suitability=(Rule(rule="not_always", require=parse("stage = active")),)),
        contact=Contact(
            caps=(Cap(rule="cap", most=9, within=7 * DAY, each="action"),), fatigue=Fatigue(within=DAY, least=1, most=9)
        ),
        weights=(Weight(rule="w", factor=2.0, scale="prediction.churn"),),
    )
    given = {
        "request": worlds.request(placements=worlds.slots(4), context={"intent": "browse"}),
        "profile": worlds.profile(points=9.0, since_order=3.0, tier="gold", hour_18=4.0),
        "state": worlds.state(
            contacts=(worlds.contact(action="a1", answered=True),),
            preferences={"topic:bakery": Preference(at=NOW, wanted="more")},
            promises={"p": Promise(made_at=NOW - DAY, due=NOW + DAY)},
            emotion=Emotion(valence=0.5, intensity=0.9, confidence=1.0, at=NOW),
        ),
        "predictions": worlds.predictions(of, nothing=np.full(6, 0.01), hours={"app": np.full(168, 1 / 168)}),
        "learner": worlds.learner(a0=Evidence(shows=9, expected=2.0, successes=3)),
        "stock": {"a0": 3, "a2": 0},
        "population": {"hour_18": 3.0},
        "ledger": {"a3": Ledger(ended=30, kept=29)},
        "brand": "Corner Market",
        "now": NOW,
        "salt": worlds.SALT,
    }
    return compile_rules(of, policy, given["profile"].index), given


# ------------------------------------------------------------------------------------------------- what deciding leaves alone


def test_deciding_changes_nothing_that_it_was_given() -> None:
    rulebook, given = everything()
    for array in (
        given["profile"].values,
        given["profile"].present,
        given["predictions"].response,
        given["predictions"].nothing,
    ):
        array.setflags(write=False)
    before = deepcopy({name: given[name] for name in ("request", "state", "stock", "population", "ledger")})
    decide(rulebook=rulebook, **given)
    assert {name: given[name] for name in before} == before
    assert given["learner"].evidence == {("a0", "app_home"): Evidence(shows=9, expected=2.0, successes=3)}


def test_a_rulebook_decides_for_one_customer_as_if_it_had_never_met_another() -> None:
    rulebook, given = everything()
    fresh = decide(rulebook=rulebook, **given)
    angry = given["state"].__class__(customer_id="x", consents={}, closed_channels=("app",), open_complaints=("c",))
    stranger = {"state": angry, "profile": Profile.empty(rulebook.index), "stock": {f"a{at}": 0 for at in range(4)}}
    for changes in (stranger, {"now": NOW + 99 * DAY}, {"request": EMAIL}):
        decide(rulebook=rulebook, **(given | changes))
    again = decide(rulebook=rulebook, **given)
    assert (again, again.candidates, again.rejected) == (fresh, fresh.candidates, fresh.rejected)
    other, _ = everything()
    assert decide(rulebook=other, **given) == fresh


def test_the_gates_of_a_rulebook_stay_open_whatever_closes_for_a_customer() -> None:
    rulebook, given = everything()
    plan = rulebook.plans["app_home"]
    before = plan.gates.open.copy()
    trace = decide(rulebook=rulebook, **given).trace
    assert isinstance(trace, Weighed)
    assert not np.shares_memory(trace.sifted.flags, plan.gates.open)
    trace.sifted.flags[:] = False
    np.testing.assert_array_equal(plan.gates.open, before)


def test_candidates_and_rejections_are_the_same_however_often_they_are_asked_for() -> None:
    rulebook, given = everything()
    decision = decide(rulebook=rulebook, **given)
    assert decision.candidates == decision.candidates
    assert decision.rejected == decision.rejected
    assert {one.action for one in decision.candidates} | {one.action for one in decision.rejected} == set(
        rulebook.catalog.positions
    )


def test_beliefs_are_worked_out_once_for_a_learner_and_anew_for_another() -> None:
    rulebook, given = everything()
    home, mail = rulebook.plans["app_home"], rulebook.plans["email"]
    found = beliefs_of(given["learner"], home, 2.0)
    assert beliefs_of(given["learner"], home, 2.0) is found
    assert beliefs_of(given["learner"], mail, 2.0) is not found
    other = beliefs_of(worlds.learner(), home, 2.0)
    assert other.mean[0] == pytest.approx(1.0) != found.mean[0]


# --------------------------------------------------------------------------------------------------- what is asked, compiled


def test_what_an_action_decides_alone_is_asked_of_nobody() -> None:
    """A condition on the action that holds is no gate, and one that does not is closed for everybody."""
    rules = Rules(eligibility=(Rule(rule="cheap", require=parse("action.value < 10")),))
    one = sifted(worlds.action("a", value=9.0), worlds.action("b"), policy=worlds.policy(rules=rules))
    assert one.plan.programs.count == 1  # the journey's
    assert one.plan.gates.open.tolist().count(False) == 1
    assert not one.plan.gates.open[one.plan.gates.keys[NEVER]]
    assert [failed == PASSES for failed in one.failed] == [True, False]


def test_the_stage_is_found_before_what_reads_it_even_where_both_ask_the_same() -> None:
    loyal = parse("profile.points > 5")
    journey = (Stage(stage="loyal", when=loyal), Stage(stage="other", when=parse("profile.points > 1")), Stage(stage="new"))
    rules = Rules(eligibility=(Rule(rule="same", require=loyal), Rule(rule="stage", require=parse("stage = loyal"))))
    policy = worlds.policy(journey=journey, rules=rules)
    found = {
        points: (one.stage, [rejected.rule for rejected in Weighed.rejected(weighed)])
        for points in (9.0, 3.0, 0.0)
        for weighed in [decided(policy=policy, profile=worlds.profile(points=points)).trace]
        if isinstance(weighed, Weighed)
        for one in [weighed.sifted]
    }
    assert found == {9.0: ("loyal", []), 3.0: ("other", ["same"]), 0.0: ("new", ["same"])}


# ------------------------------------------------------------------------------------------------- what a taken place leaves


@pytest.mark.parametrize(
    ("policy", "state", "rule"),
    [
        (worlds.policy(contact=ONE_A_WEEK), {}, "one_a_week"),
        (worlds.policy(contact=Contact(fatigue=Fatigue(within=DAY, least=1, most=1))), {}, "fatigue"),
        (worlds.policy(), {"preferences": {"pace": Preference(at=NOW, a_week=1)}}, "pace"),
    ],
    ids=["cap", "fatigue", "pace"],
)
def test_what_one_place_takes_counts_under_every_limit_at_the_next(policy: Policy, state: dict[str, Any], rule: str) -> None:
    before = sifted(worlds.action("a"), worlds.action("b", every=DAY), policy=policy, state=worlds.state(**state))
    assert before.failed.tolist() == [PASSES, PASSES]
    after = sifted_again(before, worlds.contact(NOW, action="a", confirmed=False, expires_at=NOW + DAY))
    gates = after.plan.gates
    assert {gates.rules[gates.rule[failed]].rule for failed in after.failed} == {rule}
    assert before.failed.tolist() == [PASSES, PASSES] and before.asked.state.contacts == ()
    mandatory = worlds.contact(NOW, action="b", mandatory=True)
    assert [failed == PASSES for failed in sifted_again(before, mandatory).failed] == [True, False]


def test_what_was_out_stays_out_once_a_place_was_taken() -> None:
    actions = [worlds.action("a"), worlds.action("b", valid_until=NOW), worlds.action("c", relevant=parse("stage = loyal"))]
    before = sifted(*actions)
    after = sifted_again(before, worlds.contact(NOW, action="a"))
    assert after.failed.tolist() == before.failed.tolist()
