"""Columns that know the reward: they were written after it, and a policy cannot look at them when it chooses."""

from math import log

import numpy as np
from numpy.typing import NDArray

from features.campaign_files import Campaign
from training.evaluate import auc

Floats = NDArray[np.float64]

SUSPECT_AUC, SUSPECT_CORRELATION = 0.99, 0.98
_IMPOSSIBLE = log(1e-12)
_FEWEST = 30


def leaks(campaign: Campaign) -> dict[str, str]:
    """The table's columns that tell the reward too well, each with how.

    A column leaks where a group of its rows (one value, all others, or missing) has the commonest reward in every row, or in
    none, which by chance would happen less than once in 10^12; where it ranks those with a reward above those without (AUC
    above .99, in either direction); or where it follows the reward (correlation above .98).
    """
    found: dict[str, str] = {}
    for at, origin in enumerate(campaign.origins):
        told = _told(campaign.matrix[:, at], campaign.reward)
        if told is not None:
            found.setdefault(origin, told)
    return found


def _told(column: Floats, reward: Floats) -> str | None:
    present = ~np.isnan(column)
    if not present.any():
        return None
    values, counts = np.unique(column[present], return_counts=True)
    usual = column == values[counts.argmax()]
    levels, times = np.unique(reward, return_counts=True)
    common = reward == levels[times.argmax()]
    for rows in (usual, present & ~usual, ~present):
        if _FEWEST <= rows.sum() < len(rows) and np.ptp(common[rows].astype(np.int8)) == 0:
            share = float((common == common[rows][0]).mean())
            if share < 1 and rows.sum() * log(share) < _IMPOSSIBLE:
                told = "is" if common[rows][0] else "is not"
                usually = f"the reward {told} {levels[times.argmax()]:g} in all {int(rows.sum()):,} rows of one kind"
                return f"{usually}, and in {share:.1%} of all rows"
    return _ranks(column[present], reward[present])


def _ranks(column: Floats, reward: Floats) -> str | None:
    some = (reward > reward.min()).astype(np.uint8)
    if _FEWEST <= some.sum() <= len(some) - _FEWEST:
        area = auc(some, column)
        if max(area, 1 - area) > SUSPECT_AUC:
            return f"it tells by itself who brings a reward (AUC {max(area, 1 - area):.3f})"
    if np.ptp(column) > 0 and np.ptp(reward) > 0:
        correlation = float(np.corrcoef(column, reward)[0, 1])
        if abs(correlation) > SUSPECT_CORRELATION:
            return f"it follows the reward (correlation {correlation:.3f})"
    return None
