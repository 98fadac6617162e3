"""Simulated campaigns of which the truth is known: what each arm would bring each customer."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

NUMBERS, LEVELS = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CampaignWorld:
    """Customers as a matrix (n, C), the mean reward (n, A) that each arm would bring, and what was logged."""

    matrix: Floats
    means: Floats
    action: NDArray[np.int64]
    reward: Floats
    propensity: Floats


def crossover(random: np.random.Generator, rows: int) -> CampaignWorld:
    """Arms that are best for some customers and not for others, along a line, by a segment, or both."""
    matrix, known = _customers(random, rows)
    arms = int(random.integers(2, 5))
    effects = known @ random.normal(size=(known.shape[1], arms))
    effects = (effects - effects.mean(axis=0)) / effects.std(axis=0)
    base, reach = _base(random, known)[:, None], random.uniform(0.3, 0.6)
    return _logged(random, matrix, base * (1 + reach * np.tanh(effects)))


def null(random: np.random.Generator, rows: int) -> CampaignWorld:
    """Worlds without anything to personalise: arms all alike, one better for all alike, or better in proportion."""
    matrix, known = _customers(random, rows)
    arms = int(random.integers(2, 5))
    base = _base(random, known)
    strength = np.sort(random.uniform(-0.3, 0.3, size=arms)) * float(random.integers(0, 2))
    added = base[:, None] * strength if random.random() < 0.5 else base.mean() * np.tile(strength, (rows, 1))
    return _logged(random, matrix, base[:, None] + added)


def _customers(random: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    """What a policy may look at, with missing values and noise columns, and what matters."""
    numbers = random.normal(size=(rows, NUMBERS))
    segment = np.eye(LEVELS)[random.integers(0, LEVELS, rows)]
    known = np.column_stack([numbers[:, :2], numbers[:, 0] > 0.5, segment])
    seen = np.where(random.random((rows, NUMBERS)) < 0.05, np.nan, numbers)
    return np.column_stack([seen, segment, random.normal(size=(rows, 2))]), known


def _base(random: np.random.Generator, known: Floats) -> Floats:
    """What customers bring by themselves, a chance of some 10 to 30%."""
    return np.asarray(random.uniform(0.1, 0.3) * np.exp(0.3 * np.tanh(known @ random.normal(size=known.shape[1]))))


def _logged(random: np.random.Generator, matrix: Floats, means: Floats) -> CampaignWorld:
    """Arms drawn by a lottery, even or not; rewards are 0 and 1 or, in every second world, an amount of some 20."""
    rows, arms = means.shape
    share = random.dirichlet(np.full(arms, 20.0))
    action = random.choice(arms, size=rows, p=share)
    reward = (random.random(rows) < means[np.arange(rows), action]).astype(np.float64)
    scale = 1.0
    if random.random() < 0.5:
        scale = 20.0
        reward *= random.gamma(2.0, scale / 2.0, size=rows)
    return CampaignWorld(matrix=matrix, means=means * scale, action=action, reward=reward, propensity=share[action])
