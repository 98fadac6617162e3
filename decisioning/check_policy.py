"""Whether the rules, weights, stages, groups and experiments of a policy make sense."""

import re
from collections.abc import Iterator
from datetime import timedelta

from decisioning.check_conditions import condition_faults, scale_faults, scope_faults
from decisioning.conditions import fields_of
from decisioning.known_names import Fault, Known, unknown
from decisioning.policy import Experiment, Policy
from decisioning.voice import MOODS

_Told = Iterator[tuple[tuple[str, ...], str]]
_A_WORD = re.compile(r"[A-Za-z0-9_]+")
_ROUNDING = 1e-9


def policy_faults(policy: Policy, known: Known) -> Iterator[Fault]:
    for part in (
        _rules(policy, known),
        _weights(policy, known),
        _journey(policy, known),
        _experiments(policy),
        _shares(policy),
    ):
        yield from (("policy", path, cause) for path, cause in part)


def _rules(policy: Policy, known: Known) -> _Told:
    for tier in ("eligibility", "applicability", "suitability"):
        for at, rule in enumerate(getattr(policy.rules, tier)):
            path = ("rules", tier, str(at))
            yield from (((*path, "require"), fault) for fault in condition_faults(rule.require, known))
            yield from (((*path, "scope"), fault) for fault in scope_faults(rule.scope, known))


def _weights(policy: Policy, known: Known) -> _Told:
    for at, weight in enumerate(policy.weights):
        path = ("weights", str(at))
        yield from (((*path, "when"), fault) for fault in condition_faults(weight.when, known))
        if weight.scale is not None:
            yield from (((*path, "scale"), fault) for fault in scale_faults(weight.scale, known))
        yield from (((*path, "scope"), fault) for fault in scope_faults(weight.scope, known))
        if weight.factor < 0:
            yield (*path, "factor"), "a factor below 0 would turn a help into a harm; use 0 or more"


def _journey(policy: Policy, known: Known) -> _Told:
    for at, stage in enumerate(policy.journey):
        path = ("journey", str(at), "when")
        yield from ((path, fault) for fault in condition_faults(stage.when, known))
        for field in sorted(fields_of(stage.when)) if stage.when is not None else ():
            if field == "stage" or field.startswith("action."):
                yield path, f"{field} is not known yet when the stage is found; use a field of the customer"
        if stage.stage in MOODS:
            yield ("journey", str(at), "stage"), f"{stage.stage!r} is the name of a mood; give the stage another one"
        if stage.when is None and at + 1 < len(policy.journey):
            yield (
                ("journey", str(at), "stage"),
                "has no 'when' and takes every customer, so nobody gets further; move it to the end",
            )
    if not policy.journey or policy.journey[-1].when is not None:
        yield ("journey",), "the last stage must have no 'when', so that every customer has a stage"


def _experiments(policy: Policy) -> _Told:
    earlier: dict[str, Experiment] = {}
    for at, one in enumerate(policy.experiments):
        path = ("experiments", str(at))
        if _A_WORD.fullmatch(one.experiment) is None:
            yield (*path, "experiment"), "is no name that a condition can read; use letters, figures and _"
        if one.experiment in earlier:
            yield (*path, "experiment"), f"{one.experiment!r} is written twice; give each experiment its own name"
        if not one.arms or min(one.arms.values()) < 0 or sum(one.arms.values()) > 1 + _ROUNDING:
            yield (*path, "arms"), "are shares of the customers: none below 0, at least one, together at most 1"
        for name, arms in one.within.items():
            yield from (((*path, "within", name), fault) for fault in unknown("earlier experiment", name, earlier))
            if not arms:
                yield (*path, "within", name), "names no arm, so nobody takes part; name at least one"
            if name in earlier:
                for arm in arms:
                    yield from (((*path, "within", name), fault) for fault in unknown("arm", arm, earlier[name].arms))
        earlier.setdefault(one.experiment, one)


def _shares(policy: Policy) -> _Told:
    control, random = policy.groups.control, policy.groups.random
    if not (control >= 0 and random >= 0 and control + random <= 1):
        yield ("groups",), "the shares of control and random must lie in 0..1 together"
    if not 0 <= policy.exploration.mass < 1:
        yield ("exploration", "mass"), "is a probability: from 0 to below 1"
    if policy.exploration.strength <= 0:
        yield ("exploration", "strength"), "counts expected responses: above 0"
    for key in ("intensity", "confidence"):
        if not 0 < getattr(policy.suppression, key) <= 1:
            yield ("suppression", key), "lies above 0 and at most at 1"
    if policy.suppression.half_life <= timedelta(0):
        yield ("suppression", "half_life"), "must be longer than 0"
    if policy.preferences.more < 1:
        yield ("preferences", "more"), "is a factor of at least 1: more of something is never less of it"
    if not 0 < policy.preferences.less <= 1:
        yield ("preferences", "less"), "is a factor above 0 and at most 1"
    if not 0 <= policy.promises.at_least <= 1:
        yield ("promises", "at_least"), "is a share of promises kept: from 0 to 1"
    if policy.promises.after < 1:
        yield ("promises", "after"), "counts promises: 1 or more"
