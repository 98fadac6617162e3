"""Where something may be said that may not be said here: the places of the other plans, weighed for the same customer."""

from collections.abc import Collection, Iterator
from datetime import datetime
from math import inf

from decisioning.arbitration import weigh
from decisioning.beliefs import Beliefs
from decisioning.domain import Wait
from decisioning.eligibility import PASSES
from decisioning.rulebook import Plan
from decisioning.sifting import Sifted, sift


def elsewhere(here: Sifted, beliefs: Beliefs) -> Wait | None:
    """Where something may be said that may not be said here: a candidate of this touchpoint, or what makes a promise good.

    Only what would be worth its attention there is named, as far as is known here: it is weighed with the `beliefs` of this
    touchpoint's candidates, the only ones that the record of a decision keeps. What is mandatory or makes a promise good
    need not be worth it, nor what is chosen at random. What this decision has already taken is not said again.
    Of several touchpoints the one with what must be said, then the one with the highest expected priority; of equal ones the
    one that can say it first.
    """
    asked = here.asked
    if not asked.known:
        return None
    names = ({action.name for action in here.plan.actions} | asked.standing.make_good) - asked.taken
    found = [
        (-priority, moment, name)
        for name, plan in asked.rulebook.plans.items()
        if plan is not here.plan and any(action.name in names for action in plan.actions)
        for priority, moment in _sayable(sift(plan, asked), names, _believed(plan, here.plan, beliefs))
    ]
    if not found:
        return None
    _, until, touchpoint = min(found)
    return Wait(until=until, because="better_elsewhere", touchpoint=touchpoint)


def _sayable(there: Sifted, names: Collection[str], beliefs: Beliefs) -> Iterator[tuple[float, datetime]]:
    """The expected priority of each of these actions that would be said at a place, and from when on it can be."""
    plan, asked, moment = there.plan, there.asked, there.moments.earliest
    passed = [at for at, failed in enumerate(there.failed) if failed == PASSES and plan.actions[at].name in names]
    if moment is None or not passed:
        return
    worths = weigh(there, beliefs)
    for at in passed:
        priority = float(worths.priority[at])
        if plan.actions[at].mandatory or plan.actions[at].name in asked.standing.make_good:
            yield inf, moment
        elif asked.group == "random" or (worths.p[at] > 0.0 and priority > plan.weights.threshold[at]):
            yield priority, moment


def _believed(there: Plan, here: Plan, beliefs: Beliefs) -> Beliefs:
    """What is believed here of the candidates there; of one that is none here, that it is as predicted."""
    known = {action.name: (shape, rate) for action, shape, rate in zip(here.actions, beliefs.shape, beliefs.rate, strict=True)}
    found = [known.get(action.name, (1.0, 1.0)) for action in there.actions]
    return Beliefs.of([shape for shape, _ in found], [rate for _, rate in found])
