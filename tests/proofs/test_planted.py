"""Each proof finds what is planted: a fault of a decision, a hint that says nothing, a contact too many, shared chance."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from decisioning.conditions import parse
from decisioning.domain import Rejection
from tests import worlds
from tests.decisioning.oracle.facts import arms_of, facts_of, holds, reader
from tests.decisioning.oracle.seen import look
from tests.decisioning.oracle.world import World
from tests.proofs import caps, draws, experiments, hints
from tests.proofs.checking import faults_of
from tests.proofs.deciding import INDEX, Decided, decided
from tests.proofs.year import Told, Year, lived


def a_choice() -> tuple[World, Decided]:
    """A world with two that pass, one of them chosen, and one rejected."""
    catalog = worlds.catalog(worlds.action("a"), worlds.action("b"), worlds.action("out", valid_until=worlds.NOW))
    world = World(
        catalog=catalog,
        policy=worlds.policy(),
        request=worlds.request(),
        profile=worlds.profile(of=INDEX),
        state=worlds.state(),
        predictions=worlds.predictions(catalog),
        learner=worlds.learner(),
        stock={},
        ledger={},
        population={},
        now=worlds.NOW,
        salt=worlds.SALT,
    )
    return world, decided(world)


def _candidate(decision: Decided, **changes: object) -> Decided:
    first, *rest = decision.candidates
    return replace(decision, candidates=(replace(first, **changes), *rest))  # type: ignore[arg-type]


def _result(decision: Decided, **changes: object) -> Decided:
    return replace(decision, results=(replace(decision.results[0], **changes),))  # type: ignore[arg-type]


def _other(decision: Decided) -> str:
    return next(name for name in ("a", "b") if name != decision.results[0].action)


PLANTED: dict[str, Callable[[Decided], Decided]] = {
    "a rejected action is chosen": lambda one: _result(one, action="out"),
    "another than the drawn one is chosen": lambda one: _result(one, action=_other(one)),
    "a rejection at a later rule": lambda one: replace(one, rejected=(replace(one.rejected[0], rule="eligible"),)),
    "a rejection is lost": lambda one: replace(one, rejected=()),
    "a candidate is lost": lambda one: replace(one, candidates=one.candidates[:1]),
    "units that are no whole": lambda one: _candidate(one, units=one.candidates[0].units + 1),
    "a term that is not so": lambda one: _candidate(one, terms=replace(one.candidates[0].terms, c=1.1)),
    "a threshold that is not so": lambda one: _candidate(one, threshold=1.0),
    "ranks the wrong way": lambda one: _candidate(one, rank=3),
    "another group": lambda one: replace(one, group="control"),
    "another stage": lambda one: replace(one, journey_stage="lapsed"),
    "a message too late": lambda one: _result(one, send_at=worlds.NOW + timedelta(days=1)),
    "a message that never expires": lambda one: _result(one, expires_at=worlds.NOW + timedelta(days=99)),
    "a place too few": lambda one: replace(one, results=()),
}


@pytest.mark.parametrize("plant", PLANTED.values(), ids=PLANTED.keys())
def test_a_planted_fault_of_a_decision_is_found(plant: Callable[[Decided], Decided]) -> None:
    world, decision = a_choice()
    assert list(faults_of(decision, world, look(world))) == []
    assert list(faults_of(plant(decision), world, look(world)))


HINTS: dict[str, tuple[str, str | None]] = {
    "a number": ("profile.points >= 2000 (is 1234)", "profile.points >= 2000"),
    "a list": ("context.intent in [buy, help] (is missing)", "context.intent in [buy, help]"),
    "two facts": ("profile.points < 5 (is 1234) and state.known = false (is true)", "profile.points < 5"),
    "one of two, nested": ("(profile.points < 5 (is 9) or profile.points < 4 (is 9)) and context.urgent = true (is missing)",
                           "profile.points < 5"),
    "healing": ("state.emotion_intensity < 0.5, by itself at 2018-01-03 10:00Z", "state.emotion_intensity < 0.5"),
    "words that say nothing": ("be nicer", None),
    "a field nobody has": ("state.mood = good (is bad)", None),
}  # fmt: skip


@pytest.mark.parametrize(("text", "then"), HINTS.values(), ids=HINTS.keys())
def test_a_hint_is_taken_at_its_word(text: str, then: str | None) -> None:
    world, _ = a_choice()
    better = hints.follow(Rejection(action="a", tier="eligibility", rule="eligible", unlock=text), world, Random(1))
    if then is None:
        assert better is None
    else:
        assert better is not None
        assert holds(parse(then), reader(facts_of(better), better, None))


def test_draws_that_are_not_the_logged_ones_are_found() -> None:
    half = draws.WHOLE // 2
    fair, _ = draws._chi_squared({"a": 505, "b": 495}, {"a": half, "b": half}, 1000)
    skew, freedom = draws._chi_squared({"a": 600, "b": 400}, {"a": half, "b": half}, 1000)
    assert (fair, skew, freedom) == (0.1, 40.0, 1)


@pytest.fixture(scope="module")
def year() -> Year:
    return lived(1_000, 1)


TOLD: dict[str, Callable[[Told], Told]] = {
    "once more, a minute later": lambda one: replace(
        one, contact=replace(one.contact, at=one.contact.at + timedelta(minutes=1)), seen=True
    ),
    "at night": lambda one: replace(
        one, contact=replace(one.contact, channel="sms", at=one.contact.at.replace(hour=3)), zone="Africa/Casablanca"
    ),
}


@pytest.mark.parametrize("plant", TOLD.values(), ids=TOLD.keys())
def test_a_planted_contact_is_found(year: Year, plant: Callable[[Told], Told]) -> None:
    def faults(told: list[Told]) -> list[str]:
        seen = [one for one in told if one.seen and not one.contact.mandatory]
        return [*caps._over_caps(seen), *caps._in_quiet_hours(told)]

    some = Counter(one.contact.decision_id for one in year.told)
    pair = next(one for one in year.told if some[one.contact.decision_id] == 2 and one.seen and not one.contact.mandatory)
    assert faults(year.told) == []
    assert faults([*year.told, plant(pair)])


def test_a_planted_promise_beyond_the_budget_is_found(year: Year) -> None:
    scarce = [one for one in year.told if caps.CATALOG[one.contact.action].budget is not None]
    assert list(caps._over_budget(year.told)) == []
    assert list(caps._over_budget([*year.told, *(replace(scarce[-1], seen=True) for _ in range(caps.BUDGET))]))


def test_a_planted_contact_after_a_refusal_is_found(year: Year) -> None:
    refused = next(one for one in year.refused)
    like = next(one for one in year.told if one.customer == refused.customer)
    again = replace(
        like,
        contact=replace(like.contact, group=refused.refusal.group, mandatory=False),
        decided_at=refused.known_at + timedelta(minutes=1),
    )
    assert list(caps._after_a_refusal(year)) == []
    assert list(caps._after_a_refusal(replace(year, told=[*year.told, again])))


def test_experiments_that_share_their_hash_are_found() -> None:
    world, _ = a_choice()
    asked = replace(world, policy=experiments.POLICY)
    seen = [arms_of(replace(asked, state=worlds.state(customer_id=f"c{at}"))) for at in range(1_500)]
    honest = dict(experiments.tested(seen))
    linked = dict(experiments.tested([{**one, "picture": "sea" if one.get("wording") == "new" else "wood"} for one in seen]))
    assert honest["picture and wording"] > 0.001
    assert linked["picture and wording"] < 1e-9
    assert linked["shares of picture"] < 1e-9
