"""Simulated logs of which the truth is known: customers of a few dozen types, so that every expectation is a finite sum."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from measure.support import LoggedChoices

Floats = NDArray[np.float64]

TYPES, TRAITS = 40, 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimulatedLog:
    """`truth` is what the target policy earns a choice; `most` the greatest possible reward (the least is 0)."""

    log: LoggedChoices
    target: Floats
    expected: Floats
    truth: float
    most: float
    greatest_weight: float


def simulated_log(random: np.random.Generator) -> SimulatedLog:
    """A world of its own each time: rewards seldom or often, 0 or 1 or a skewed amount; a target near to the log or far."""
    actions, rows = int(random.integers(2, 7)), int(random.choice([500, 1_000, 2_000, 4_000]))
    traits = random.normal(size=(TYPES, TRAITS))
    share = random.dirichlet(np.full(TYPES, 3.0))
    tilt = random.normal(size=(TRAITS, actions)) * random.uniform(0.1, 0.8)
    bumps = random.normal(size=(TYPES, actions)) * random.uniform(0.0, 0.6)
    chance = 1 / (1 + np.exp(-(random.uniform(-4.0, 0.5) + traits @ tilt + bumps)))
    most = 1.0 if random.random() < 0.5 else 100.0
    mean = chance if most == 1.0 else chance * most / 7
    logging = _explored(_softmax(traits @ random.normal(size=(TRAITS, actions)) * random.uniform(0.0, 1.0)), 0.1)
    wanted = traits @ tilt + random.normal(size=(TYPES, actions)) * 0.3
    target = _softmax(wanted * 3) if random.random() < 0.5 else np.eye(actions)[wanted.argmax(axis=1)]
    kind = random.choice(TYPES, size=rows, p=share)
    action = (random.random(rows)[:, None] > logging[kind].cumsum(axis=1)).sum(axis=1).clip(max=actions - 1)
    reward = (random.random(rows) < chance[kind, action]).astype(np.float64)
    if most > 1:
        reward *= most * random.beta(1.0, 6.0, size=rows)
    log = LoggedChoices(action=action, propensity=logging[kind, action], reward=reward)
    return SimulatedLog(
        log=log,
        target=target[kind],
        expected=np.clip(_crossfitted(traits[kind], log, actions), 0.0, most),
        truth=float(share @ (target * mean).sum(axis=1)),
        most=most,
        greatest_weight=float((target / logging).max()),
    )


def _crossfitted(traits: Floats, log: LoggedChoices, actions: int) -> Floats:
    """Expected rewards (n, A) by a ridge regression an action, each half's learned from the other: plain, and a little off."""
    design = np.column_stack([np.ones(len(traits)), traits])
    expected, half = np.zeros((len(traits), actions)), np.arange(len(traits)) % 2
    for side in (0, 1):
        for action in range(actions):
            learn = (half != side) & (log.action == action)
            gram = design[learn].T @ design[learn] + 5.0 * np.eye(design.shape[1])
            expected[half == side, action] = design[half == side] @ np.linalg.solve(gram, design[learn].T @ log.reward[learn])
    return expected


def _softmax(scores: Floats) -> Floats:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(odds / odds.sum(axis=1, keepdims=True))


def _explored(policy: Floats, share: float) -> Floats:
    return (1 - share) * policy + share / policy.shape[1]
