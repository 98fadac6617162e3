"""Personalise where it pays, and only there: campaigns of which the truth is known, and a real one."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from features.campaign_files import read_campaign
from tests.proofs.campaign_worlds import CampaignWorld, crossover, null
from tests.proofs.finding import Finding, found
from training.campaign_policies import Learned, learn
from training.campaigns import CampaignReport, evaluate_campaign

CLOSED, STATIC = 0.5, 0.95
OUTCOMES = ("visit", "conversion", "spend")


def personalisation_pays(size: int, seed: int) -> Finding:
    """So many worlds with a crossover: what is recommended closes half or more of the gap from the best arm to the oracle."""
    random, rows = np.random.default_rng(seed), 15_000 if size >= 20 else 6_000
    gaps, gains, learned_alone = [], [], []
    recommended = 0
    for at in range(size):
        world = crossover(random, 2 * rows)
        told = _learned(world, rows, at)
        means = world.means[rows:]
        one_arm, everything = means.mean(axis=0), np.arange(rows)
        value = float(means[everything, told.policy.choose(world.matrix[rows:])].mean())
        gaps.append((float(means.max(axis=1).mean()) - one_arm.max()) / one_arm.max())
        learned_alone.append((value - one_arm.max()) / one_arm.max())
        gains.append(((value if told.policy.credible else one_arm[told.best]) - one_arm.max()) / one_arm.max())
        recommended += int(told.policy.credible)
    closed = float(np.sum(gains) / np.sum(gaps))
    counted = {
        "worlds": size,
        "rows to learn from": rows,
        "of the gap closed": closed,
        "standard error": float(np.std(np.array(gains) - closed * np.array(gaps)) / np.mean(gaps) / np.sqrt(size)),
        "the learned policy alone closes": float(np.sum(learned_alone) / np.sum(gaps)),
        "the oracle above the best arm": float(np.mean(gaps)),
        "learned is recommended": recommended / size,
    }
    # few small worlds only show that the learned policies work
    holds = closed >= CLOSED if size >= 20 else sum(learned_alone) > 0.3 * sum(gaps)
    return found("personalisation pays", size=size, seed=seed, counted=counted, holds=holds)


def nothing_to_personalise(size: int, seed: int) -> Finding:
    """So many worlds in which one arm is as good as any for everybody: that is recommended in 95 of 100."""
    random, rows = np.random.default_rng(seed), 2_000
    one_arm = sum(int(not _learned(null(random, rows), rows, at).policy.credible) for at in range(size))
    slack = 0.0 if size >= 200 else 3 * float(np.sqrt(STATIC * (1 - STATIC) / size))
    counted = {"worlds": size, "rows to learn from": rows, "one arm for all is recommended": one_arm / size}
    return found("nothing to personalise", size=size, seed=seed, counted=counted, holds=one_arm / size >= STATIC - slack)


def campaign_is_read_right(size: int, seed: int) -> Finding:
    """The Hillstrom campaign at the path HILLSTROM: visit and spend, so many splits each.

    What is recommended is, on average, not below the best arm by more than one standard error, and far above uniform.
    """
    file = Path(os.environ["HILLSTROM"])
    counted: dict[str, float | str] = {"splits": size}
    faults = []
    for reward in ("visit", "spend"):
        drop = [name for name in OUTCOMES if name != reward]
        campaign = read_campaign(file, action="segment", reward=reward, propensity=str(1 / 3), drop=drop)
        reports = [evaluate_campaign(campaign, seed=seed + at) for at in range(size)]
        value, best, uniform, learned = (_mean(reports, what) for what in (_recommended, _best, _uniform, _learned_value))
        error = float(np.std([_recommended(one) for one in reports]) / np.sqrt(size))
        counted |= {
            f"{reward}, recommended": value,
            f"{reward}, standard error of the average": error,
            f"{reward}, best arm": best,
            f"{reward}, uniform": uniform,
            f"{reward}, the learned policy": learned,
            f"{reward}, recommended in how many splits": _named(reports),
        }
        if value < best - error:
            faults.append(f"{reward}: {value:.4g} is below the best arm's {best:.4g}")
        if value < uniform + 3 * error:
            faults.append(f"{reward}: {value:.4g} is not far above the uniform policy's {uniform:.4g}")
    return found("a campaign is read right", size=size, seed=seed, counted=counted, faults=faults)


def _learned(world: CampaignWorld, rows: int, seed: int) -> Learned:
    here = slice(0, rows)
    return learn(
        world.matrix[here], world.action[here], world.reward[here], world.propensity[here],
        arms=world.means.shape[1], seed=seed,
    )  # fmt: skip


def _mean(reports: list[CampaignReport], what: Callable[[CampaignReport], float]) -> float:
    return float(np.mean([what(one) for one in reports]))


def _recommended(report: CampaignReport) -> float:
    return report.recommended.value


def _uniform(report: CampaignReport) -> float:
    return report.uniform.value


def _learned_value(report: CampaignReport) -> float:
    return report.learned.value


def _best(report: CampaignReport) -> float:
    """Mens E-Mail is the best of the three on all rows, for visit and for spend."""
    return report.static["Mens E-Mail"].value


def _named(reports: list[CampaignReport]) -> str:
    names = [one.recommended.policy for one in reports]
    return ", ".join(f"{name} {names.count(name)}" for name in sorted(set(names)))
