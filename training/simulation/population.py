"""Customers of a simulated world: what can be seen of them, and what is true of them. Drawn once; the same for every policy."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decisioning.domain import TrialGroup
from decisioning.experiments import trial_group
from training.simulation.brand import DAY, FIRST_HOUR, LAST_HOUR, NAMES, RANDOM_GROUP, SALT, STATIC, WEEK
from training.simulation.ranges import World

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ROUND_DAYS = (0, 1, 3, 5)
"""The outbound round is on Monday; a customer visits at most once on Tuesday, on Thursday and on Saturday."""
ROUNDS = len(ROUND_DAYS)
OUTBOUND = 0

_HABIT = 0.7
"""Share of visits within an hour of the customer's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """N customers over W weeks, with A messages.

    `traits` (N, T) float32 are what can be seen. `base` (N,) is the log odds of an order where nothing is said, `wish`
    (2, N, A) what each message adds to them for a rested customer, in the first week and in the last. `hour` (N,) is when
    an outbound message is welcome, `prickly` (N,) how readily they complain, `control` (N,) who is in the control group,
    `random` (N,) for whom Kairos chooses at random.
    `told_base`, `told_wish` are what the traits tell of `base` and `wish`: their means among customers who look alike.
    `visits` (W, ROUNDS, N) is the hour since the start of each visit, NaN for none; the outbound round is a visit of all.

    `chance` (W, ROUNDS, N, len(LUCK)) is luck, uniform in [0, 1). `fate` (W, N) decides the churn of each week. Whatever a
    policy does, a customer has the same luck.
    """

    traits: NDArray[np.float32]
    base: Floats
    wish: Floats
    told_base: Floats
    told_wish: Floats
    hour: Ints
    prickly: Floats
    control: NDArray[np.bool_]
    random: NDArray[np.bool_]
    visits: Floats
    chance: Floats
    fate: Floats

    @property
    def size(self) -> int:
        return len(self.base)

    @property
    def weeks(self) -> int:
        return len(self.fate)

    @property
    def moments_a_week(self) -> Floats:
        """(N,): how often each is met."""
        return np.asarray((~np.isnan(self.visits)).mean(axis=0).sum(axis=0))


LUCK = ("order", "delay", "refusal", "complaint", "leaving", "promise")
"""What of a moment is left to luck."""


def populated(world: World, *, customers: int, weeks: int) -> Population:
    """The customers of a world; the same arguments give the same."""
    rng = np.random.default_rng([world.seed, 2])
    traits = rng.standard_normal((customers, len(STATIC)))
    traits[:, -1] = traits[:, -1] > 0.5
    own = np.sqrt(world.own_taste)

    def differs() -> Floats:
        """(2, N): a difference between customers, of variance 1, and what features tell of it."""
        seen, unseen = _surface(traits, rng, world.bend), rng.standard_normal(customers)
        told = np.sqrt(1 - world.hidden) * seen
        return np.stack([told + np.sqrt(world.hidden) * unseen, told])

    likes = differs()

    def tastes() -> Floats:
        """(2, N, A)."""
        apart = np.stack([differs() for _ in NAMES], axis=2)
        return np.asarray(world.lift + world.lift_spread * (np.sqrt(1 - own**2) * likes[:, :, None] + own * apart))

    base = np.log(world.base / (1 - world.base)) + world.base_spread * differs()
    first, last = tastes(), tastes()
    wish = np.stack([first, (1 - world.drift) * first + world.drift * last], axis=1)
    hour = rng.integers(FIRST_HOUR, LAST_HOUR + 1, customers)
    often = rng.uniform(0.1, 0.6, customers)
    came = rng.random((weeks, ROUNDS, customers)) < often
    at = np.where(
        rng.random((weeks, ROUNDS, customers)) < _HABIT,
        np.clip(hour + rng.integers(-1, 2, (weeks, ROUNDS, customers)), FIRST_HOUR, LAST_HOUR),
        rng.integers(FIRST_HOUR, LAST_HOUR + 1, (weeks, ROUNDS, customers)),
    )
    days = np.array(ROUND_DAYS)[None, :, None]
    visits = np.where(came, WEEK * np.arange(weeks)[:, None, None] + DAY * days + at, np.nan)
    visits[:, OUTBOUND] = (WEEK * np.arange(weeks) + FIRST_HOUR)[:, None]
    groups = [_group(world, who) for who in range(customers)]
    return Population(
        traits=traits.astype(np.float32),
        base=base[0],
        wish=wish[0],
        told_base=base[1],
        told_wish=wish[1],
        hour=hour,
        prickly=rng.gamma(2.0, 0.5, customers),
        control=np.array([group == "control" for group in groups]),
        random=np.array([group == "random" for group in groups]),
        visits=visits,
        chance=rng.random((weeks, ROUNDS, customers, len(LUCK))),
        fate=rng.random((weeks, customers)),
    )


def _group(world: World, who: int) -> TrialGroup:
    """As the core finds it."""
    return trial_group(str(who), control=world.control, random=RANDOM_GROUP, salt=SALT)


def _surface(traits: Floats, rng: np.random.Generator, bend: float) -> Floats:
    """(N,) of mean 0 and variance 1: a line through all traits, bent by steps and crossings of some."""
    weights = rng.standard_normal(traits.shape[1])
    line = _standard(traits @ weights)
    bent = np.zeros(len(traits))
    for _ in range(3):
        first, second = rng.choice(traits.shape[1], 2, replace=False)
        above = traits[:, first] > rng.uniform(-0.5, 0.5)
        bent += rng.choice((-1.0, 1.0)) * np.where(above, np.sign(traits[:, second] - rng.uniform(-0.5, 0.5)), -0.5)
    return _standard(np.sqrt(1 - bend) * line + np.sqrt(bend) * _standard(bent))


def _standard(numbers: Floats) -> Floats:
    return np.asarray((numbers - numbers.mean()) / max(float(numbers.std()), 1e-9))
