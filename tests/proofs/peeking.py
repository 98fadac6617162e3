"""A year of looking at the lift every week: the always-valid interval holds the truth at all looks, the fixed one does not."""

from dataclasses import replace

import numpy as np

from measure.lift import lines
from tests.measure.trials import MadeUp, trial
from tests.proofs.finding import Finding, found

WEEKS = 52
A_WEEK = 200
EFFECT = 0.1
SHARES = {"treatment": 0.9, "control": 0.1, "random": 0.0}
LEVEL = 0.95
MANY = 500


def peeking_does_not_mislead(size: int, seed: int) -> Finding:
    """So many years, every second one without an effect: there, too, a difference must not be seen in more than 5%."""
    random = np.random.default_rng(seed)
    always = fixed = nothing = wrongly = refused = looks = 0
    for run in range(size):
        effect = EFFECT * (run % 2)
        held, held_fixed, seen, silent = _year(trial(random, WEEKS * A_WEEK, effect=effect, shares=SHARES), effect)
        always, fixed, refused, looks = always + held, fixed + held_fixed, refused + silent, looks + WEEKS
        if effect == 0.0:
            nothing, wrongly = nothing + 1, wrongly + seen
    counted = {
        "years": size,
        "always-valid interval held at every look": always / size,
        "fixed interval held at every look": fixed / size,
        "years without effect in which a difference was seen": wrongly / nothing,
        "looks refused": refused / looks,
    }
    holds = always / size >= LEVEL - _chance(size) > fixed / size and wrongly / nothing <= 1 - LEVEL + _chance(nothing)
    return found("peeking does not mislead", size=size, seed=seed, counted=counted, holds=holds)


def _chance(years: int) -> float:
    """What chance may take from few years; from many, nothing."""
    return 0.0 if years >= MANY else 3 * float(np.sqrt(LEVEL * (1 - LEVEL) / years))


def _year(whole: MadeUp, effect: float) -> tuple[bool, bool, bool, int]:
    """Whether each interval held the truth at every look, whether a difference was ever seen, how many looks were refused."""
    held = held_fixed = True
    seen, silent = False, 0
    for week in range(1, WEEKS + 1):
        first = lines(_until(whole, week * A_WEEK), level=LEVEL)[0]
        if first.found is None:
            silent += 1
            continue
        held &= first.found.always_low <= effect <= first.found.always_high
        held_fixed &= first.found.low <= effect <= first.found.high
        seen |= first.verdict != "no difference seen"
    return held, held_fixed, seen, silent


def _until(whole: MadeUp, customers: int) -> MadeUp:
    metrics = [replace(one, values=one.values[:customers]) for one in whole.metrics]  # type: ignore[type-var]
    return replace(
        whole,
        group=whole.group[:customers],
        closed=whole.closed[:customers],
        before=whole.before[:customers],
        metrics=metrics,
    )
