"""The five tiers: consent, eligibility, applicability, suitability, contact. Each action stops at its first failing rule."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from decisioning import conditions
from decisioning.catalog import Action, Catalog, Touchpoint
from decisioning.conditions import Condition, Lookup
from decisioning.customer import Contact, State
from decisioning.domain import SELLING, Rejection, Tier, TrialGroup
from decisioning.emotion import heals_at, suppressed
from decisioning.policy import Cap, Policy, Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything the tiers look at, for one customer at one touchpoint at one moment."""

    touchpoint: Touchpoint
    state: State
    group: TrialGroup
    known: bool
    catalog: Catalog
    policy: Policy
    lookups: Mapping[str, Lookup]
    stock: Mapping[str, int]
    in_time: Callable[[Action], bool]
    now: datetime

    def after(self, contact: Contact) -> "Situation":
        """The same situation once one more message was taken from the customer's attention."""
        return replace(self, state=replace(self.state, contacts=(*self.state.contacts, contact)))


@dataclass(frozen=True, slots=True)
class _Failed:
    rule: str
    unlock: str
    until: datetime | None = None


def sieve(actions: Sequence[Action], situation: Situation) -> tuple[tuple[Action, ...], tuple[Rejection, ...]]:
    """The actions that pass every tier, and for each other one the first tier and rule it failed at."""
    passed, rejected = [], []
    for action in actions:
        failed = next(_failures(action, situation), None)
        if failed is None:
            passed.append(action)
        else:
            tier, why = failed
            rejected.append(Rejection(action=action.name, tier=tier, rule=why.rule, unlock=why.unlock, until=why.until))
    return tuple(passed), tuple(rejected)


def _failures(action: Action, situation: Situation) -> Iterator[tuple[Tier, _Failed]]:
    """Failures in the order of the tiers; the caller takes the first, so nothing behind it is computed."""
    tiers: tuple[tuple[Tier, Callable[[Action, Situation], Iterator[_Failed]]], ...] = (
        ("consent", _consent),
        ("eligibility", _eligibility),
        ("applicability", _applicability),
        ("suitability", _suitability),
        ("contact", _contact),
    )
    for tier, failures in tiers:
        for failed in failures(action, situation):
            yield tier, failed


def _consent(action: Action, situation: Situation) -> Iterator[_Failed]:
    state = situation.state
    default = situation.policy.purposes[action.purpose].default
    if not state.consents.get(action.purpose, default):
        yield _Failed(f"consent_{action.purpose}", f"state.consent_{action.purpose} = true (is false)")
    if situation.touchpoint.channel in state.closed_channels:
        yield _Failed("channel_closed", f"the customer opens the channel {situation.touchpoint.channel} again")


def _eligibility(action: Action, situation: Situation) -> Iterator[_Failed]:
    now = situation.now
    if not situation.known:
        yield _Failed("known_customer", "state.known = true (is false)")
    if situation.group == "control" and not action.mandatory:
        yield _Failed("holdout", "the customer leaves the control group")
    if action.valid_from is not None and now < action.valid_from:
        yield _Failed("not_yet_valid", f"at {_from(action.valid_from)} or later", action.valid_from)
    if action.valid_until is not None and now >= action.valid_until:
        yield _Failed("no_longer_valid", f"a new validity; it ended at {action.valid_until:%Y-%m-%d %H:%M}Z")
    yield from _required("eligible", action.eligible, situation.lookups[action.name])
    yield from _ruled(situation.policy.rules.eligibility, action, situation)


def _applicability(action: Action, situation: Situation) -> Iterator[_Failed]:
    touchpoint = situation.touchpoint
    if action.job not in touchpoint.jobs:
        yield _Failed("touchpoint_job", f"a touchpoint whose jobs include {action.job}; {touchpoint.name} does not")
    yield from _required("relevant", action.relevant, situation.lookups[action.name])
    yield from _ruled(situation.policy.rules.applicability, action, situation)


def _suitability(action: Action, situation: Situation) -> Iterator[_Failed]:
    if action.job in SELLING:
        reason = suppressed(situation.state, situation.policy.suppression, situation.now)
        if reason == "open_complaint":
            yield _Failed(reason, "state.open_complaint = false (is true)")
        elif reason is not None:
            emotion = situation.state.emotion
            assert emotion is not None
            heals = heals_at(emotion, situation.policy.suppression)
            yield _Failed(
                reason,
                f"state.emotion_intensity < {situation.policy.suppression.intensity:g}, by itself at {_from(heals)}",
                heals,
            )
    yield from _ruled(situation.policy.rules.suitability, action, situation)


def _contact(action: Action, situation: Situation) -> Iterator[_Failed]:
    if not action.mandatory:
        yield from _cool_down(action, situation)
        for cap in situation.policy.contact.caps:
            if cap.scope.covers(action, situation.touchpoint):
                yield from _capped(cap, action, situation)
    if action.budget is not None and situation.stock.get(action.name, action.budget) <= 0:
        yield _Failed("budget", f"more than {action.budget} of {action.name}, or a reserved one that expires")
    if not situation.in_time(action):
        yield _Failed(
            "in_time",
            f"a moment to send it outside quiet hours, within {situation.touchpoint.horizon} and its validity",
        )


def _cool_down(action: Action, situation: Situation) -> Iterator[_Failed]:
    last = max((one.at for one in situation.state.refusals if one.group == action.group), default=None)
    if last is not None and situation.now < (until := last + situation.policy.contact.cool_down):
        yield _Failed("cool_down", f"{action.group} was rejected; again from {_from(until)}", until)


def _capped(cap: Cap, action: Action, situation: Situation) -> Iterator[_Failed]:
    now = situation.now
    counted = sorted(
        contact.at
        for contact in situation.state.contacts
        if contact.at > now - cap.within
        and (contact.confirmed or contact.expires_at > now)
        and _counts(cap, contact, action, situation)
    )
    if len(counted) >= cap.most:
        until = counted[len(counted) - cap.most] + cap.within
        yield _Failed(cap.rule, f"fewer than {cap.most} contacts in {_span(cap)}; again from {_from(until)}", until)


def _counts(cap: Cap, contact: Contact, action: Action, situation: Situation) -> bool:
    """Whether a past contact counts against this action under a cap: in its scope, and of the same `each`."""
    scope = cap.scope
    position = situation.catalog.positions.get(contact.action)
    in_scope = (
        (not scope.group or contact.group in scope.group)
        and (not scope.action or contact.action in scope.action)
        and (not scope.channel or contact.channel in scope.channel)
        and (not scope.job or (position is not None and situation.catalog.actions[position].job in scope.job))
    )
    match cap.each:
        case "action":
            return in_scope and contact.action == action.name
        case "group":
            return in_scope and contact.group == action.group
        case "channel":
            return in_scope and contact.channel == situation.touchpoint.channel
        case _:
            return in_scope


def _required(rule: str, condition: Condition | None, lookup: Lookup) -> Iterator[_Failed]:
    if condition is not None and (hint := conditions.unlock(condition, lookup)):
        yield _Failed(rule, hint)


def _ruled(rules: Sequence[Rule], action: Action, situation: Situation) -> Iterator[_Failed]:
    for rule in rules:
        if rule.scope.covers(action, situation.touchpoint):
            yield from _required(rule.rule, rule.require, situation.lookups[action.name])


def _span(cap: Cap) -> str:
    days = cap.within.total_seconds() / 86_400
    return f"{days:g} days" if days >= 1 else f"{days * 24:g} hours"


def _from(moment: datetime) -> str:
    """The first full minute that is not before a moment: at the time that is named the rule passes."""
    minute = moment.replace(second=0, microsecond=0)
    return f"{minute if minute == moment else minute + timedelta(minutes=1):%Y-%m-%d %H:%M}Z"
