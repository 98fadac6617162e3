"""The one story: who asks, what may be said, what is best, when, in which words. Live and in replay the same."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from decisioning import messages
from decisioning.arbitration import weigh
from decisioning.catalog import Action
from decisioning.customer import Profile, State
from decisioning.domain import Decision, Learner, Ledger, Message, Predictions, Request
from decisioning.learning import beliefs_of
from decisioning.places import fill
from decisioning.rulebook import Plan, Rulebook
from decisioning.sifting import Asked, Sifted, asked, sift
from decisioning.timing import zone_named
from decisioning.trace import Weighed
from decisioning.voice import treatment_for


def decide(
    *,
    request: Request,
    profile: Profile,
    state: State,
    predictions: Predictions,
    learner: Learner,
    stock: Mapping[str, int],
    population: Mapping[str, float],
    ledger: Mapping[str, Ledger],
    rulebook: Rulebook,
    brand: str,
    now: datetime,
    salt: str,
    degraded: Sequence[str] = (),
) -> Decision:
    """Decide for one customer at one touchpoint at one moment.

    `stock` is what is left of actions with a budget, `population` the mean profile that a customer without habits borrows
    from, `ledger` how often each action's promises were kept, `degraded` the reason codes of parts that were missing when
    the inputs were gathered. Nothing is written and no clock is read: the same arguments give the same decision, bit for bit.
    """
    customer = asked(
        request=request,
        rulebook=rulebook,
        profile=profile,
        state=state,
        predictions=predictions,
        population=population,
        stock=stock,
        ledger=ledger,
        now=now,
        salt=salt,
    )
    plan = rulebook.plans[request.touchpoint]
    sifted = sift(plan, customer)
    beliefs = beliefs_of(learner, plan, rulebook.policy.exploration.strength)
    worths = weigh(sifted, beliefs)
    said = messages.message_values(profile=profile, state=state, brand=brand)

    def say(action: Action) -> Message:
        return _said(action, sifted, said)

    filled = fill(sifted, worths, beliefs, say=say, default=_default(sifted, said), salt=salt)
    return Decision(
        request=request,
        at=now,
        group=customer.group,
        arms=customer.arms,
        journey_stage=sifted.stage,
        results=filled.results,
        reasons=(*degraded, *_reasons(customer, plan)),
        nothing_units=int(filled.units[-1]),
        trace=Weighed(sifted=sifted, worths=worths, beliefs=beliefs, units=filled.units),
    )


def _said(action: Action, sifted: Sifted, of_customer: Mapping[str, str]) -> Message:
    """The action in words, in the customer's language and in a tone for them."""
    customer, policy = sifted.asked, sifted.asked.rulebook.policy
    treatment = treatment_for(
        action, sifted.plan.touchpoint.name, policy.voice, stage=sifted.stage, mood=customer.standing.mood
    )
    assert treatment is not None  # an action without a fitting tone does not pass
    locale, text = treatment.said(customer.state.locale, own=policy.locale)
    of_action = messages.action_values(action, zone=customer.zone, currency=policy.currency, locale=locale)
    return messages.render(text, {**of_customer, **of_action})


def _default(sifted: Sifted, of_customer: Mapping[str, str]) -> Message | None:
    """What an empty place shows, in the customer's language."""
    text, asked = sifted.plan.touchpoint.default, sifted.asked
    if text is None:
        return None
    _, template = text.said(asked.state.locale, own=asked.rulebook.policy.locale)
    return messages.render(template, of_customer)


def _reasons(customer: Asked, plan: Plan) -> Iterator[str]:
    hours = customer.predictions.hours_of.get(plan.touchpoint.channel)
    if plan.touchpoint.direction == "outbound" and hours is not None and hours.learned_from == "visits":
        yield "timing_from_visits"
    if customer.state.time_zone is not None and zone_named(customer.state.time_zone) is None:
        yield "unknown_time_zone"
    if not customer.known:
        yield "unknown_customer"
    if customer.standing.suppressed:
        yield "selling_suppressed"
