"""A worse model is kept out, and a better one let in: models of which the truth is known, before the gates of the project."""

from dataclasses import replace
from functools import cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from tests.proofs.finding import Finding, found
from training.fairness import apart
from training.gates import Registered, Shown, read_rules, shut
from training.paired import compared
from training.predicted import Predicted

BLOCKED, PASSED = 0.95, 0.80
BETTER = 0.90
"""The better model's log loss, as a share of the champion's."""
WORSE = (1.02, 1.20)
CUSTOMERS, TWICE = 1_600, 400
"""As many as in the demo brand's test of churn, less some; a quarter of them have two rows."""

_MEAN, _SPREAD = -2.9, 1.9
"""Of the log odds: something that happens to 12 of 100, and that the best model ranks with an AUC of about 0.88."""
_SHARED = 0.5
"""Of the noise: both models learned from the same customers."""

Floats = NDArray[np.float64]


def gates_tell_better_from_worse(size: int, seed: int) -> Finding:
    """So many tests with a champion and a challenger whose log loss is truly 2% to 20% higher: 95 of 100 are refused; and so
    many whose is 10% lower: 80 of 100 pass. One that is as much worse as may be lost, to tell what the tolerance costs.

    By the rules of mlflow/registry.yaml for churn, but without the gates that look at the challenger alone: those might
    refuse a model that is worse for another reason.
    """
    random = np.random.default_rng(seed)
    rules = replace(read_rules().of("churn"), gates={})
    refused = sum(_refused(random, rules, float(random.uniform(*WORSE))) for _ in range(size))
    let_in = sum(not _refused(random, rules, BETTER) for _ in range(size))
    at_the_edge = sum(not _refused(random, rules, 1 + rules.may_lose) for _ in range(size))
    slack = [0.0 if size >= 100 else 3 * sqrt(share * (1 - share) / size) for share in (BLOCKED, PASSED)]
    counted = {
        "tests of each kind": size,
        "rows of a test": CUSTOMERS + TWICE,
        "worse ones refused": refused / size,
        "better ones let in": let_in / size,
        "worse by just the tolerance, let in": at_the_edge / size,
    }
    holds = refused / size >= BLOCKED - slack[0] and let_in / size >= PASSED - slack[1]
    return found("promotion", size=size, seed=seed, counted=counted, holds=holds)


def _refused(random: np.random.Generator, rules: Registered, ratio: float) -> bool:
    """Whether a challenger is refused whose true log loss is this share of the champion's."""
    noises, losses = _curve()
    champion_loss = losses[0] * 1.15
    champion, challenger = (float(np.interp(loss, losses, noises)) for loss in (champion_loss, champion_loss * ratio))
    customer = np.concatenate([np.arange(CUSTOMERS), np.arange(TWICE)])
    odds = random.normal(_MEAN, _SPREAD, CUSTOMERS)[customer]
    seen = (random.random(len(odds)) < _chance(odds)).astype(np.float64)
    region = np.array(["east", "north", "south", "west"])[random.integers(0, 4, CUSTOMERS)][customer]
    both = random.normal(size=CUSTOMERS)[customer]
    theirs, ours = (
        Predicted(customer=customer, seen=seen, said=_said(random, odds, both, noise), slices={"region": region})
        for noise in (champion, challenger)
    )
    shown = Shown(metrics={}, features=("region",), apart=apart(ours), comparison=compared(ours, theirs))
    return bool(shut("churn", rules, shown))


def _said(random: np.random.Generator, odds: Floats, shared: Floats, noise: float) -> Floats:
    """What a calibrated model says that sees the log odds through noise: the chance that is to be expected given what it sees.

    Mean and variance of the log odds given that are those of normal ones; the chance over them is the usual approximation
    (MacKay, Neural Computation 1992).
    """
    own = random.normal(size=len(odds))
    seen = odds + noise * (sqrt(_SHARED) * shared + sqrt(1 - _SHARED) * own)
    kept = _SPREAD**2 / (_SPREAD**2 + noise**2)
    expected, left = _MEAN + kept * (seen - _MEAN), _SPREAD**2 * (1 - kept)
    return _chance(expected / np.sqrt(1 + np.pi * left / 8))


@cache
def _curve() -> tuple[Floats, Floats]:
    """Noises, and the log loss that each truly has: its mean over many customers, by their true chances."""
    random = np.random.default_rng(0)
    odds, shared = random.normal(_MEAN, _SPREAD, 100_000), random.normal(size=100_000)
    true, noises = _chance(odds), np.linspace(0.0, 12.0, 61)
    said = [_said(random, odds, shared, float(noise)) for noise in noises]
    losses = [float(-(true * np.log(one) + (1 - true) * np.log1p(-one)).mean()) for one in said]
    return noises, np.maximum.accumulate(np.array(losses))


def _chance(odds: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)
