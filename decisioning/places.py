"""Filling the places of one request, one after another: draw, time, word; nothing is shown twice."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from decisioning.arbitration import Worths, terms
from decisioning.beliefs import Beliefs
from decisioning.catalog import Action
from decisioning.chance import hashed
from decisioning.customer import Contact
from decisioning.domain import Message, Placement, Result, Wait
from decisioning.eligibility import PASSES
from decisioning.elsewhere import elsewhere
from decisioning.exploration import Contenders, choose, distribution
from decisioning.hints import passes_at
from decisioning.sifting import Sifted, sifted_again
from decisioning.timing import wait_for

WAIT_STAYS = timedelta(days=1)
"""How long a wait stays in the outbox after it fell due."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Filled:
    """`units` (n + 1,) is the distribution of the first place, before anything was taken; that of nothing is the last."""

    results: tuple[Result, ...]
    units: NDArray[np.int64]


def fill(
    sifted: Sifted,
    worths: Worths,
    beliefs: Beliefs,
    *,
    say: Callable[[Action], Message],
    default: Message | None,
    salt: str,
) -> Filled:
    """Fill every place of the request in turn from what is left.

    `say` words an action, `default` is what an empty place shows.
    """
    request, plan = sifted.asked.request, sifted.plan
    left, first, results = sifted.failed == PASSES, None, list[Result]()
    slots = list(_slots(request.placements))
    contenders = Contenders(
        scale=worths.scale,
        offset=worths.offset,
        top=worths.top,
        threshold=plan.weights.threshold,
        p=worths.p,
        priority=worths.priority,
        jobs=plan.jobs,
        mandatory=plan.mandatory,
    )
    for slot, placement in enumerate(slots):
        units = distribution(
            contenders,
            beliefs,
            alive=left,
            group=sifted.asked.group,
            mass=sifted.asked.rulebook.policy.exploration.mass,
            in_distress=bool(sifted.asked.standing.suppressed),
        )
        first = units if first is None else first
        at = choose(units, hashed(salt, "draw", request.decision_id, f"{placement.id}/{slot}"))
        if at == len(plan.actions):
            had = bool(left.any())
            wait = None if had else _wait(sifted, beliefs)
            results.append(_unfilled(placement, sifted, wait, units=int(units[at]), default=default, had_candidates=had))
            continue
        action = plan.actions[at]
        moment = sifted.moments.before(action.valid_until)
        assert moment is not None  # the tiers let no action pass that has no moment
        expires = moment.at + action.expires
        results.append(
            Result(
                placement=placement.id,
                kind="action",
                reason=_why(at, sifted, worths, left),
                action=action.name,
                message=say(action),
                send_at=moment.at,
                expires_at=expires if action.valid_until is None else min(expires, action.valid_until),
                terms=terms(sifted, worths, at),
                threshold=float(plan.weights.threshold[at]),
                units=int(units[at]),
                timing=moment.because,
                job=action.job,
            )
        )
        left = left.copy()
        left[at] = False
        if slot + 1 < len(slots):
            # what this place took counts at the next one, as it will once it is in the state
            sifted = sifted_again(sifted, _contact(results[-1], action, sifted))
            left &= sifted.failed == PASSES
    assert first is not None  # a request has a place
    return Filled(results=tuple(results), units=first)


def _slots(placements: Sequence[Placement]) -> Iterator[Placement]:
    return (placement for placement in placements for _ in range(placement.count))


def _unfilled(
    placement: Placement, sifted: Sifted, wait: Wait | None, *, units: int, default: Message | None, had_candidates: bool
) -> Result:
    """An honest nothing; or a wait, where time alone soon lets something pass or another touchpoint can say it."""
    if wait is None:
        why = _why_nothing(sifted, had_candidates=had_candidates)
        return Result(placement=placement.id, kind="nothing", reason=why, message=default, units=units)
    return Result(
        placement=placement.id,
        kind="wait",
        reason=wait.because,
        message=default,
        wait=wait,
        send_at=wait.until,
        expires_at=wait.until + WAIT_STAYS,
        units=units,
    )


def _wait(sifted: Sifted, beliefs: Beliefs) -> Wait | None:
    asked = sifted.asked
    # what an earlier place of this request took is nothing to wait for
    out = (
        at for at, action in enumerate(sifted.plan.actions) if sifted.failed[at] != PASSES and action.name not in asked.taken
    )
    passing = (one for at in out if (one := passes_at(sifted, at)) is not None)
    soon = wait_for(passing, touchpoint=sifted.plan.touchpoint, now=asked.now)
    return soon if soon is not None else elsewhere(sifted, beliefs)


def _why(at: int, sifted: Sifted, worths: Worths, left: NDArray[np.bool_]) -> str:
    if sifted.plan.actions[at].mandatory:
        return "must_be_said"
    if sifted.asked.group == "random":
        return "random_group"
    if sifted.asked.standing.suppressed:
        return "care_before_selling"
    best = worths.priority[left].max()
    is_best = worths.priority[at] == best and best > sifted.plan.weights.threshold[at]
    return "highest_priority" if is_best else "explored"


def _why_nothing(sifted: Sifted, *, had_candidates: bool) -> str:
    if not sifted.asked.known:
        return "unknown_customer"
    if sifted.asked.group == "control":
        return "control_group"
    if had_candidates:
        return "nothing_is_worth_the_attention"
    return "earlier_places_took_all" if sifted.asked.taken else "nothing_passed_the_rules"


def _contact(result: Result, action: Action, sifted: Sifted) -> Contact:
    assert result.send_at is not None and result.expires_at is not None
    return Contact(
        decision_id=sifted.asked.request.decision_id,
        placement=result.placement,
        action=action.name,
        group=action.group,
        touchpoint=sifted.plan.touchpoint.name,
        channel=sifted.plan.touchpoint.channel,
        at=result.send_at,
        expires_at=result.expires_at,
        mandatory=action.mandatory,
        job=action.job,
    )
