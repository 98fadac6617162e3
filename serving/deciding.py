"""One request becomes one durable decision: gather, decide, append, answer; and again where the world moved meanwhile."""

import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import cache
from importlib.metadata import version

from decisioning.contests import unsettled
from decisioning.counterfactual import Predict
from decisioning.customer import Profile, State
from decisioning.domain import Decision, Learner, Nothing, Placement, Predictions, Request, Result
from decisioning.errors import KairosError
from decisioning.facts import consented
from decisioning.messages import render
from features.log import Conflict, LogUnavailable, decisions, ledger, offers
from features.log.breaches import breaches
from features.log.inputs import REPLAYED_SINCE, Inputs
from serving.answers import answer, explained
from serving.ports import Ports, ProfilesUnavailable
from serving.problems import Problem
from serving.schemas import DecisionAsk, DecisionOut
from serving.settings import Settings

TRIES = 3
_TZDATA = version("tzdata")


def answer_request(ask: DecisionAsk, ports: Ports, settings: Settings) -> DecisionOut:
    """Decide, log, answer. A repeated decision id gets the answer it got; an unavailable log gets the default, unlogged."""
    playbook = ports.playbook
    if ask.touchpoint not in playbook.catalog.touchpoints:
        known = ", ".join(sorted(playbook.catalog.touchpoints))
        raise Problem(422, "Unknown touchpoint", f"{ask.touchpoint!r} is not a touchpoint of this brand; known: {known}")
    if sum(placement.count for placement in ask.placements) > settings.max_placements:
        raise Problem(422, "Too many places", f"one call fills at most {settings.max_placements} places; make another call")
    if len({placement.id for placement in ask.placements}) < len(ask.placements):
        raise Problem(422, "A placement is named twice", "give each placement its own id and use count for several")
    request = Request(
        decision_id=ask.decision_id or uuid.uuid4().hex,
        customer_id=ask.asked_for,
        touchpoint=ask.touchpoint,
        placements=tuple(Placement(id=one.id, count=one.count) for one in ask.placements),
        context=ask.context,
    )
    try:
        return _decided(request, ask, ports, settings)
    except LogUnavailable:
        decision = _default(request, ports, reason="log_unavailable")
        told = explained(decision, ask.explain)
        return answer(decision, catalog=playbook.version, bundle=ports.models.bundle, logged=False, explanation=told)


def warm_up(ports: Ports, settings: Settings) -> None:
    """Decide once at every touchpoint, for somebody who may be told anything; nothing is read of the log, nothing written."""
    playbook, profile = ports.playbook, Profile.empty(ports.playbook.profile.index)
    inputs = Inputs(
        profile=profile,
        state=State(customer_id="", known=True, consents=dict.fromkeys(playbook.policy.purposes, True)),
        predictions=ports.models.predict(profile)[0],
        learner=Learner(evidence={}),
        stock={},
        population={},
        ledger={},
        brand=playbook.brand.name,
        salt=settings.salt,
        degraded=(),
        catalog=playbook.version,
        bundle=ports.models.bundle,
        tzdata=_TZDATA,
    )
    for touchpoint in playbook.catalog.touchpoints:
        request = Request(decision_id="", customer_id="", touchpoint=touchpoint)
        decisions.decide_from(request, inputs, ports.rulebook, at=ports.clock.now())


def recorded(decision_id: str, ports: Ports, settings: Settings, *, explain: str = "none") -> DecisionOut | None:
    """The answer that was given under a decision id; None where there is none.

    What was rejected, and every explanation, are made by deciding again. Where that cannot be done any more, the answer stands
    without its rejections and says `rejections_unknown`; an explanation is Problem 409.
    """
    record = ports.log.record(decision_id)
    if record is None or record.kind != "decision" or record.body["origin"] != "live":
        return None
    catalog, bundle = decisions.versions_of(record)

    @cache
    def again() -> Decision:
        try:
            return decisions.replayed(record, ports.rulebook_of(catalog), salt=settings.salt)
        except LogUnavailable:
            raise
        except KairosError as fault:
            raise Problem(409, "This decision cannot be explained any more", str(fault)) from fault

    decision = decisions.decision_of(record, again)
    # a decision that cannot be decided again is explained by what its record kept
    replays = record.version >= REPLAYED_SINCE
    told = explained(again() if replays and explain != "none" else decision, explain, _models_of(catalog, bundle, ports))
    try:
        _ = decision.rejected
    except Problem:
        decision = replace(decision, trace=Nothing(), reasons=(*decision.reasons, "rejections_unknown"))
    return answer(decision, catalog=catalog, bundle=bundle, logged=True, explanation=told)


def _decided(request: Request, ask: DecisionAsk, ports: Ports, settings: Settings) -> DecisionOut:
    if ask.decision_id and (earlier := _given(request, ask, ports, settings)):
        return earlier
    playbook = ports.playbook
    for _ in range(TRIES):
        decision, inputs, state_version = _made(request, ports, settings)
        told = explained(decision, ask.explain, _models_of(inputs.catalog, inputs.bundle, ports))
        if ask.mode == "simulate":
            return answer(decision, catalog=playbook.version, bundle=inputs.bundle, logged=False, explanation=told)
        record = decisions.to_record(decision, inputs, ports.rulebook, known_time=decision.at)
        # a promise that came due since anybody last looked is broken from now on, in the same breath as this is decided
        broken = breaches(inputs.state, decision.at)
        try:
            is_new = ports.log.append(
                [record, *broken], expecting={str(record.customer_id): state_version}, budgets=_budgets(decision, ports)
            )[0]
        except Conflict:
            continue
        if not is_new:  # the same decision id was decided at the same time elsewhere: that one stands
            earlier = _given(request, ask, ports, settings)
            if earlier is None:
                raise Problem(409, "This decision id is taken", f"{request.decision_id!r} names another record; use a new id")
            return earlier
        return answer(decision, catalog=playbook.version, bundle=inputs.bundle, logged=True, explanation=told)
    decision = _default(request, ports, reason="state_kept_changing")
    told = explained(decision, ask.explain)
    return answer(decision, catalog=playbook.version, bundle=ports.models.bundle, logged=False, explanation=told)


def _given(request: Request, ask: DecisionAsk, ports: Ports, settings: Settings) -> DecisionOut | None:
    """The answer that was given under the request's id; None where there is none. 409 where something else was asked."""
    earlier = recorded(request.decision_id, ports, settings, explain=ask.explain)
    if earlier is None:
        return None
    same = ports.log.customer(earlier.customer_id).name == ports.log.customer(request.customer_id).name
    asked = sorted(placement.id for placement in request.placements for _ in range(placement.count))
    if not same or earlier.touchpoint != request.touchpoint or sorted(one.placement for one in earlier.results) != asked:
        detail = f"{request.decision_id!r} was given to another customer, touchpoint or placements; use a new id"
        raise Problem(409, "This decision id is taken", detail)
    return earlier


def _made(request: Request, ports: Ports, settings: Settings) -> tuple[Decision, Inputs, int]:
    playbook, now = ports.playbook, ports.clock.now()
    state, state_version = ports.log.state(request.customer_id)
    request = replace(request, customer_id=state.customer_id)  # whichever id was asked for, the customer is decided for
    degraded: list[str] = []
    profile, population = _profile(state, now, ports, degraded)
    # data whose purpose has no consent, and what is contested, are as if they did not exist: no model and no rule may see them
    profile = profile.limited_to(consented(state, playbook.policy)).without(unsettled(state.contested))
    predictions, missing, bundle = _predicted(profile, ports)
    degraded += missing
    budgeted = [action.name for action in playbook.catalog.at(request.touchpoint) if action.budget is not None]
    taken = ports.log.query(lambda connection: offers.taken(connection, budgeted, now)) if budgeted else {}
    inputs = Inputs(
        profile=profile,
        state=state,
        predictions=predictions,
        learner=ports.learner(),
        stock={name: (playbook.catalog[name].budget or 0) - out for name, out in taken.items()},
        population=population,
        ledger=ports.log.query(ledger.kept_of),
        brand=playbook.brand.name,
        salt=settings.salt,
        degraded=tuple(degraded),
        catalog=playbook.version,
        bundle=bundle,
        tzdata=_TZDATA,
    )
    decision = decisions.decide_from(request, inputs, ports.rulebook, at=now)
    return decision, inputs, state_version


def _predicted(profile: Profile, ports: Ports) -> tuple[Predictions, tuple[str, ...], str | None]:
    """Predictions, the models that are missing, and the bundle that all of it is of, whatever is promoted meanwhile."""
    bundle = ports.models.bundle
    while True:
        predictions, missing = ports.models.predict(profile)
        before, bundle = bundle, ports.models.bundle
        if before == bundle:
            return predictions, missing, bundle


def _models_of(catalog: str, bundle: str | None, ports: Ports) -> Predict | None:
    """The models that a decision was made with; None where others answer by now."""
    if (catalog, bundle) != (ports.playbook.version, ports.models.bundle):
        return None

    def predict(profile: Profile) -> Predictions:
        return ports.models.predict(profile)[0]

    return predict


def _profile(state: State, now: datetime, ports: Ports, degraded: list[str]) -> tuple[Profile, Mapping[str, float]]:
    """The profile as of now, with a reason code where it lacks what was heard; an empty one where the store cannot be read."""
    if not ports.profiles.caught_up((state.customer_id, *state.members)):
        degraded.append("profile_behind")
    try:
        return ports.profiles.read(state.customer_id, now), ports.profiles.population()
    except ProfilesUnavailable:
        degraded.append("profile_store_unavailable")
        return Profile.empty(ports.playbook.profile.index), {}


def _budgets(decision: Decision, ports: Ports) -> dict[str, int]:
    chosen = [ports.playbook.catalog[result.action] for result in decision.results if result.action]
    return {action.name: action.budget for action in chosen if action.budget is not None}


def _default(request: Request, ports: Ports, *, reason: str) -> Decision:
    """What the touchpoint declares for when nothing can be decided: no offer, no cap, no promise, no budget."""
    touchpoint = ports.playbook.catalog.touchpoints[request.touchpoint]
    default = touchpoint.default
    message = render(default.message, {"brand": ports.playbook.brand.name}) if default else None
    results = tuple(
        Result(placement=placement.id, kind="nothing", reason=reason, message=message) for placement in request.placements
    )
    return Decision(
        request=request,
        at=ports.clock.now(),
        group="treatment",
        journey_stage="unknown",
        results=results,
        arms={},
        reasons=(reason,),
        nothing_units=0,
        trace=Nothing(),
    )
