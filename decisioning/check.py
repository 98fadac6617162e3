"""Does a catalog, its policy and the profile fit together? A fault here is an error when it loads, never later."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from decisioning import messages
from decisioning.catalog import Action, Catalog
from decisioning.conditions import Condition, fields_of
from decisioning.customer import FeatureIndex
from decisioning.facts import ACTION_FIELDS, STATE_FIELDS
from decisioning.policy import CONTACT_MEMORY, Policy, Scope

Fault = tuple[str, tuple[str, ...], str]


def faults(catalog: Catalog, policy: Policy, index: FeatureIndex) -> list[Fault]:
    """Every contradiction, as (part, path of keys, cause and cure); part is catalog, touchpoints or policy."""
    return [*_action_faults(catalog, policy, index), *_policy_faults(catalog, policy, index)]


def _action_faults(catalog: Catalog, policy: Policy, index: FeatureIndex) -> Iterator[Fault]:
    for action in catalog.actions:
        path: tuple[str, ...] = ("actions", action.name)
        if not action.name:
            yield "catalog", path, "an action needs a name"
        if action.group not in catalog.groups:
            yield "catalog", (*path, "group"), _unknown("group", action.group, catalog.groups)
        if action.purpose not in policy.purposes:
            yield "catalog", (*path, "purpose"), _unknown("consent purpose", action.purpose, policy.purposes)
        for topic in action.topics:
            if topic not in catalog.topics:
                yield "catalog", (*path, "topics"), _unknown("topic", topic, catalog.topics)
        if action.valid_from and action.valid_until and action.valid_from >= action.valid_until:
            yield "catalog", (*path, "valid_until"), "is not after valid_from; the action would never be valid"
        for name, treatment in action.treatments.items():
            if name not in catalog.touchpoints:
                yield "catalog", (*path, "treatments", name), _unknown("touchpoint", name, catalog.touchpoints)
            for fault in messages.faults(treatment):
                yield "catalog", (*path, "treatments", name), fault
        places = [catalog.touchpoints[name] for name in action.treatments if name in catalog.touchpoints]
        if not any(action.job in touchpoint.jobs for touchpoint in places):
            yield "catalog", (*path, "job"), f"no touchpoint it has a treatment for does the job {action.job!r}"
        for key in ("eligible", "relevant"):
            for fault in _condition_faults(getattr(action, key), index, policy):
                yield "catalog", (*path, key), fault
        yield from (("catalog", (*path, *key), cause) for key, cause in _range_faults(action))
    for name, touchpoint in catalog.touchpoints.items():
        for fault in messages.faults(touchpoint.default) if touchpoint.default else ():
            yield "touchpoints", (name, "default"), fault
        for key in ("attention", "effect"):
            if getattr(touchpoint, key) < 0:
                yield "touchpoints", (name, key), "is below 0; use 0 or more"
        if touchpoint.horizon <= timedelta(0):
            yield "touchpoints", (name, "horizon"), "must be longer than 0"


def _range_faults(action: Action) -> Iterator[tuple[tuple[str, ...], str]]:
    for key in ("value", "cost", "lever"):
        if getattr(action, key) < 0:
            yield (key,), "is below 0; use 0 or more"
    if action.budget is not None and action.budget < 0:
        yield ("budget",), "is below 0; use 0 or more, or leave it out"
    if action.expires <= timedelta(0):
        yield ("expires",), "must be longer than 0"
    if action.outcome.window <= timedelta(0):
        yield ("outcome", "window"), "must be longer than 0"


def _policy_faults(catalog: Catalog, policy: Policy, index: FeatureIndex) -> Iterator[Fault]:
    for tier in ("eligibility", "applicability", "suitability"):
        for at, rule in enumerate(getattr(policy.rules, tier)):
            path: tuple[str, ...] = ("rules", tier, str(at))
            yield from (("policy", (*path, "require"), fault) for fault in _condition_faults(rule.require, index, policy))
            yield from (("policy", (*path, "scope"), fault) for fault in _scope_faults(rule.scope, catalog))
    for at, weight in enumerate(policy.weights):
        path = ("weights", str(at))
        yield from (("policy", (*path, "when"), fault) for fault in _condition_faults(weight.when, index, policy))
        if weight.scale is not None and (unknown := _field_fault(weight.scale, index, policy)):
            yield "policy", (*path, "scale"), unknown
        yield from (("policy", (*path, "scope"), fault) for fault in _scope_faults(weight.scope, catalog))
        if weight.factor < 0:
            yield "policy", (*path, "factor"), "a factor below 0 would turn a help into a harm; use 0 or more"
    for at, cap in enumerate(policy.contact.caps):
        path = ("contact", "caps", str(at))
        yield from (("policy", (*path, "scope"), fault) for fault in _scope_faults(cap.scope, catalog))
        if cap.most < 1:
            yield "policy", (*path, "most"), "is below 1; to forbid a contact altogether write a rule"
        if not timedelta(0) < cap.within <= CONTACT_MEMORY:
            yield "policy", (*path, "within"), f"must be longer than 0 and at most {CONTACT_MEMORY.days}d"
        if cap.each not in ("customer", "action", "group", "channel"):
            yield "policy", (*path, "each"), f"{cap.each!r} is not one of customer, action, group, channel"
    if not timedelta(0) <= policy.contact.cool_down <= CONTACT_MEMORY:
        yield "policy", ("contact", "cool_down"), f"must be at most {CONTACT_MEMORY.days}d"
    for at, stage in enumerate(policy.journey):
        path = ("journey", str(at), "when")
        yield from (("policy", path, fault) for fault in _condition_faults(stage.when, index, policy))
        for field in sorted(fields_of(stage.when)) if stage.when is not None else ():
            if field == "stage" or field.startswith("action."):
                yield "policy", path, f"{field} is not known yet when the stage is found; use a field of the customer"
    if not policy.journey or policy.journey[-1].when is not None:
        yield "policy", ("journey",), "the last stage must have no 'when', so that every customer has a stage"
    control, random = policy.groups.control, policy.groups.random
    if not (control >= 0 and random >= 0 and control + random <= 1):
        yield "policy", ("groups",), "the shares of control and random must lie in 0..1 together"
    if not 0 <= policy.exploration.mass < 1:
        yield "policy", ("exploration", "mass"), "is a probability: from 0 to below 1"
    if policy.exploration.strength <= 0:
        yield "policy", ("exploration", "strength"), "counts expected responses: above 0"
    for key in ("intensity", "confidence"):
        if not 0 < getattr(policy.suppression, key) <= 1:
            yield "policy", ("suppression", key), "lies above 0 and at most at 1"
    if policy.suppression.half_life <= timedelta(0):
        yield "policy", ("suppression", "half_life"), "must be longer than 0"


def _condition_faults(condition: Condition | None, index: FeatureIndex, policy: Policy) -> Iterator[str]:
    for field in sorted(fields_of(condition)) if condition is not None else ():
        if fault := _field_fault(field, index, policy):
            yield fault


def _field_fault(field: str, index: FeatureIndex, policy: Policy) -> str | None:
    space, _, name = field.partition(".")
    states = (*STATE_FIELDS, *(f"consent_{purpose}" for purpose in policy.purposes))
    if space == "profile" and name not in index.positions:
        return f"{field} is not in profile.yaml; add the feature or mend the name"
    if space == "state" and name not in states:
        return _unknown("field", field, (f"state.{known}" for known in states))
    if space == "action" and name not in ACTION_FIELDS:
        return _unknown("field", field, (f"action.{known}" for known in ACTION_FIELDS))
    if field != "stage" and (space not in ("profile", "state", "action", "context", "prediction") or not name):
        return f"{field} is none of profile.…, state.…, action.…, context.…, prediction.…, stage"
    return None


def _scope_faults(scope: Scope, catalog: Catalog) -> Iterator[str]:
    channels = {touchpoint.channel for touchpoint in catalog.touchpoints.values()}
    for what, names, known in (
        ("group", scope.group, set(catalog.groups)),
        ("action", scope.action, {action.name for action in catalog.actions}),
        ("channel", scope.channel, channels),
    ):
        yield from (_unknown(what, name, known) for name in names if name not in known)


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    return f"unknown {what} {name!r}; the known ones are {', '.join(sorted(known)) or 'none'}"
