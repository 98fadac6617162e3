"""Random problems of choice, seeded: crowds of candidates with what is believed of them, of every kind that is hard."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decisioning.beliefs import Beliefs, rounded
from decisioning.domain import TrialGroup
from decisioning.exploration import JOBS, Contenders, distribution

KINDS = (
    "wide",
    "much evidence",
    "little evidence",
    "of all ages",
    "tops",
    "one top",
    "thresholds",
    "offsets",
    "no threshold",
    "twins",
    "all",
)
"""What makes a problem hard: how much was seen of whom, certainty, costs of their own, what happens without the message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One problem: who may be chosen, what is believed of them, and how the choice is to be made."""

    contenders: Contenders
    beliefs: Beliefs
    alive: NDArray[np.bool_]
    group: TrialGroup
    mass: float
    in_distress: bool

    def units(self) -> NDArray[np.int64]:
        return distribution(
            self.contenders,
            self.beliefs,
            alive=self.alive,
            group=self.group,
            mass=self.mass,
            in_distress=self.in_distress,
        )

    def sampled(self, random: np.random.Generator, draws: int) -> NDArray[np.float64]:
        """Priorities (draws, n) by Thompson sampling: one draw of each posterior a row."""
        one = self.contenders
        m = random.gamma(self.beliefs.shape, 1.0 / self.beliefs.rate, (draws, len(self.alive)))
        return np.minimum(one.top, one.scale * m - one.offset)


def choices(seed: int, count: int, *, most: int = 12, thompson_only: bool = False) -> Iterator[Choice]:
    """`count` problems of 1 to `most` candidates, the kinds in turn; with `thompson_only` by Thompson sampling alone.

    Thompson alone: everybody is alive and can help, no mass, no distress, treatment, nobody mandatory.
    """
    random = np.random.default_rng(seed)
    for at in range(count):
        yield choice(random, KINDS[at % len(KINDS)], int(random.integers(1, most + 1)), thompson_only=thompson_only)


def choice(random: np.random.Generator, kind: str, n: int, *, thompson_only: bool = False) -> Choice:
    """One problem of a kind, of n candidates."""
    every = kind == "all"
    shapes = np.full(n, 2.0)
    if kind == "much evidence":
        shapes = np.exp(random.uniform(4.0, 14.0, n))
    elif kind == "little evidence":
        shapes = random.uniform(0.05, 1.0, n)
    elif every or kind == "of all ages":
        shapes = np.exp(random.uniform(np.log(0.05), 10.0, n))
    mean = random.uniform(0.7, 1.4, n)
    grid = np.array([rounded(shape, shape / one) for shape, one in zip(shapes, mean, strict=True)])
    worth = random.uniform(0.5, 1.5, n)
    offset = worth * random.uniform(0.0, 0.6, n) if every or kind == "offsets" else np.zeros(n)
    top = worth * (random.uniform(0.8, 5.0, n) if every or kind == "tops" else np.full(n, 30.0))
    if kind == "one top":
        top = np.full(n, random.uniform(1.0, 3.0))
    threshold = random.uniform(0.0, 2.0, n) if every or kind == "thresholds" else np.full(n, random.uniform(0.1, 0.8))
    if kind == "no threshold":
        threshold = np.zeros(n)
    if kind == "twins":
        worth, top, offset = np.full(n, worth[0]), np.full(n, top[0]), np.full(n, offset[0])
        grid, threshold = np.repeat(grid[:1], n, axis=0), np.full(n, threshold[0])
    likely = np.full(n, 0.1) if thompson_only else random.choice([0.0, 0.1, 0.3], n, p=[0.2, 0.4, 0.4])
    helps = likely > 0.0
    expected = np.minimum(top, worth * grid[:, 0] / grid[:, 1] - offset)
    return Choice(
        contenders=Contenders(
            scale=np.where(helps, worth, 0.0),
            offset=offset,
            top=np.where(helps, top, 0.0),
            threshold=threshold,
            p=likely,
            priority=np.where(helps, expected, 0.0),
            jobs=np.full(n, JOBS.index("sell"), dtype=np.int8) if thompson_only else random.integers(0, 8, n).astype(np.int8),
            mandatory=np.zeros(n, dtype=np.bool_) if thompson_only else random.random(n) < 0.02,
        ),
        beliefs=Beliefs.of(grid[:, 0], grid[:, 1]),
        alive=np.ones(n, dtype=np.bool_) if thompson_only else random.random(n) < 0.8,
        group="treatment" if thompson_only else random.choice(["treatment", "treatment", "control", "random"]),
        mass=0.0 if thompson_only else float(random.choice([0.0, 0.05, 0.5])),
        in_distress=not thompson_only and bool(random.random() < 0.2),
    )
