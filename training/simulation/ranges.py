"""What worlds are drawn from: the ranges of every parameter, and the kinds of worlds that hurt.

One table, committed before anything is simulated. A world draws each of its parameters uniformly from its range; a kind of
world replaces some ranges by its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

Range = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The truth about one simulated brand and its customers. Effects on a chance are in log odds."""

    kind: str
    seed: int
    base: float
    base_spread: float
    lift: float
    lift_spread: float
    own_taste: float
    bend: float
    hidden: float
    drift: float
    hour_loss: float
    tiring: float
    rest_days: float
    souring: float
    complaining: float
    leaving: float
    churn: float
    keeping: float
    margin: float
    delay_days: float
    control: float


USUAL: Mapping[str, Range] = {
    # An order within the window of a moment at which nothing is said: the median customer, and the spread over customers.
    "base": (0.05, 0.15),
    "base_spread": (0.6, 1.2),
    # What a message changes for a rested customer: the mean, and the spread over customers and messages.
    "lift": (-0.2, 0.4),
    "lift_spread": (0.7, 1.3),
    # Share of that spread which differs from message to message; the rest is whether one likes messages at all.
    "own_taste": (0.2, 0.5),
    # Share of what features say that is steps and crossings; the rest is linear.
    "bend": (0.2, 0.8),
    # Share of every difference between customers that no feature tells.
    "hidden": (0.0, 0.2),
    # How far tastes have turned to others, picked anew, by the last week: 1 is altogether.
    "drift": (0.0, 0.1),
    # Share of a wish that is lost where an outbound message comes more than two hours off the customer's hour.
    "hour_loss": (0.1, 0.5),
    # What each message still felt takes from the next one; how fast it is forgotten (half-life).
    "tiring": (0.05, 0.2),
    "rest_days": (4.0, 8.0),
    # What a sour mood takes from every message.
    "souring": (0.5, 1.5),
    # Chances of a complaint, and of leaving for good, for each unit (log odds) by which a message repels.
    "complaining": (0.01, 0.04),
    "leaving": (0.005, 0.02),
    # Weekly churn in peace.
    "churn": (0.002, 0.006),
    # Share of promises of delivery that are kept.
    "keeping": (0.93, 1.0),
    # Money that an order leaves.
    "margin": (15.0, 30.0),
    # The latest that an order comes after the message; the earliest is at once.
    "delay_days": (0.5, 2.0),
    # Share of customers left without messages to measure them by.
    "control": (0.05, 0.05),
}

KINDS: Mapping[str, Mapping[str, Range]] = {
    "usual": {},
    "no uplift": {"lift": (0.0, 0.0), "lift_spread": (0.0, 0.0)},
    "heavy fatigue": {"tiring": (0.5, 0.9), "rest_days": (10.0, 20.0)},
    "drifting tastes": {"drift": (0.6, 1.0)},
    "late outcomes": {"delay_days": (20.0, 40.0)},
    "tiny control": {"control": (0.01, 0.02)},
    "broken promises": {"keeping": (0.5, 0.75)},
    "little to see": {"hidden": (0.4, 0.6), "lift_spread": (0.4, 0.7)},
}
"""All but the first hurt: each replaces the ranges that it names."""


def drawn(seed: int, kind: str | None = None) -> World:
    """The world of a seed. Without a `kind` the kinds take turns, and every other seed is a usual one."""
    hurting = [name for name in KINDS if name != "usual"]
    kind = kind or ("usual" if seed % 2 == 0 else hurting[(seed // 2) % len(hurting)])
    rng = np.random.default_rng([seed, 1])
    ranges = {**USUAL, **KINDS[kind]}
    numbers = {one.name: float(rng.uniform(*ranges[one.name])) for one in fields(World) if one.name in ranges}
    return World(kind=kind, seed=seed, **numbers)
