"""Caps, quiet hours, cool-downs and budgets over a year with two changes of the clocks, counted from what was told."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from tests.proofs.finding import Finding, found
from tests.proofs.year import COHORT, Told, Year, lived
from tests.proofs.year_brand import BUDGET, CATALOG, EVERY, FATIGUE, POLICY, START

_US = timedelta(microseconds=1)


def caps_hold(size: int, seed: int) -> Finding:
    """So many messages are seen; in no window is one too many."""
    year = lived(size, seed)
    seen = [one for one in year.told if one.seen]
    counted = [one for one in seen if not one.contact.mandatory]
    faults = [
        *_over_caps(counted),
        *_windows(counted, [str(one.customer) for one in counted], "fatigue's most", FATIGUE.most, FATIGUE.within),
        *_too_soon(seen),
        *_in_quiet_hours(year.told),
        *_after_a_refusal(year),
        *_over_budget(year.told),
    ]
    told = {
        "contacts": len(seen),
        "decisions": year.decisions,
        "customers": len({one.customer for one in year.told}),
        "mandatory": len(seen) - len(counted),
        "within a day of a change of the clock": sum(_near_a_change(one) for one in seen),
        "rejected": year.rejected,
    }
    return found("caps hold", size=size, seed=seed, counted=told, faults=faults)


def _over_caps(told: list[Told]) -> Iterator[str]:
    for cap in POLICY.contact.caps:
        scope = cap.scope
        within = [
            one
            for one in told
            if (not scope.group or one.contact.group in scope.group)
            and (not scope.channel or one.contact.channel in scope.channel)
            and (not scope.job or CATALOG[one.contact.action].job in scope.job)
        ]
        keys = [f"{one.customer}/{'' if cap.each == 'customer' else getattr(one.contact, cap.each)}" for one in within]
        yield from _windows(within, keys, cap.rule, cap.most, cap.within)


def _too_soon(told: list[Told]) -> Iterator[str]:
    again = [one for one in told if CATALOG[one.contact.action].every is not None]
    yield from _windows(again, [f"{one.customer}/{one.contact.action}" for one in again], "every", 1, EVERY)


def _windows(told: list[Told], keys: list[str], rule: str, most: int, within: timedelta) -> Iterator[str]:
    """Where more than `most` of one key lie in a window that is open at its beginning: the first and the last of them."""
    if not told:
        return
    _, key = np.unique(np.array(keys), return_inverse=True)
    at = np.array([(one.contact.at - START) // _US for one in told], dtype=np.int64)
    order = np.lexsort((at, key))
    key, at = key[order], at[order]
    close = (key[most:] == key[:-most]) & (at[most:] - at[:-most] < within // _US)
    for place in np.flatnonzero(close)[:3]:
        one = told[int(order[place])]
        yield f"{rule}: more than {most} for customer {one.customer} from {one.contact.at} on"


def _in_quiet_hours(told: list[Told]) -> Iterator[str]:
    quiet = POLICY.contact.quiet_hours
    assert quiet is not None
    zones = {one.zone: ZoneInfo(one.zone) for one in told}
    for one in told:
        local = one.contact.at.astimezone(zones[one.zone])
        if one.contact.channel != "app" and (local.time() >= quiet.start or local.time() < quiet.end):
            yield f"quiet hours: {one.contact.channel} at {local} in {one.zone}"


def _after_a_refusal(year: Year) -> Iterator[str]:
    decided: dict[tuple[int, str], list[datetime]] = {}
    for one in year.told:
        if not one.contact.mandatory:
            decided.setdefault((one.customer, one.contact.group), []).append(one.decided_at)
    for one in year.refused:
        for at in decided.get((one.customer, one.refusal.group), ()):
            if one.known_at <= at < one.refusal.at + POLICY.contact.cool_down:
                yield f"cool-down: {one.refusal.group} for customer {one.customer} at {at} after {one.refusal.at}"


def _over_budget(told: list[Told]) -> Iterator[str]:
    """What is promised at any moment of a cohort's year: taken when it is decided, given back when it expires unseen."""
    moves: dict[tuple[int, str], list[tuple[datetime, int]]] = {}
    for one in told:
        if CATALOG[one.contact.action].budget is not None:
            moved = moves.setdefault((one.customer // COHORT, one.contact.action), [])
            moved.append((one.decided_at, 1))
            if not one.seen:
                moved.append((one.contact.expires_at, -1))
    for (cohort, action), moved in moves.items():
        if max(np.cumsum([by for _, by in sorted(moved)])) > BUDGET:
            yield f"budget: more than {BUDGET} of {action} promised in cohort {cohort}"


def _near_a_change(one: Told) -> bool:
    zone = ZoneInfo(one.zone)
    before, after = ((one.contact.at + step * timedelta(days=1)).astimezone(zone).utcoffset() for step in (-1, 1))
    return before != after
