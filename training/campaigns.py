"""A campaign's table in, a recommendation out: learn on one part of the rows, say on the other what each policy is worth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.campaign_files import Campaign
from measure.intervals import Terms, bootstrap, within
from measure.ope import dr
from measure.qini import curve_of_gains
from measure.support import LEAST_ESS, LoggedChoices, refusal, support
from training.campaign_leaks import leaks
from training.campaign_policies import Learned, learn
from training.errors import TrainingError

Floats = NDArray[np.float64]

SHARES = (10, 20, 30)
FEWEST_OF_AN_ACTION = 20


class CampaignRefused(TrainingError):
    """The table cannot say what a policy is worth, with the cause and the cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """The mean reward a row, with the ends of its 95% interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommended:
    """`policy` is learned, static:ARM (one arm for all) or uniform."""

    policy: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignReport:
    """What policies are worth on the `n` rows held out, from which nothing was learned and by which nothing was chosen.

    `logging` is what was done, `static` one arm for all, `learned` the best learned policy whether recommended or not. `qini`
    and `uplift_at` (the most promising 10, 20, 30% of rows) are of the learned policy's arms against the arm of the lowest
    value on the training part, rows ranked by the predicted difference; in rewards a row. `ess` is the effective sample size
    of the recommended policy.
    """

    n: int
    uniform: Value
    logging: Value
    static: Mapping[str, Value]
    learned: Value
    recommended: Recommended
    qini: float
    uplift_at: Mapping[str, float]
    ess: float
    warnings: tuple[str, ...]

    def lines(self) -> list[str]:
        """For a person: a line a policy, the best first."""
        values = {"uniform": self.uniform, "as logged": self.logging, "learned": self.learned}
        values |= {f"static:{arm}": value for arm, value in self.static.items()}
        width = max(map(len, values))
        told = [f"{self.n:,} rows held out; mean reward a row, 95% interval:"]
        for name, one in sorted(values.items(), key=lambda pair: -pair[1].value):
            mark = "  <- recommended" if name == self.recommended.policy else ""
            told.append(f"  {name:<{width}}  {one.value:.5g}  ({one.low:.5g} to {one.high:.5g}){mark}")
        at = ", ".join(f"{share}%: {gain:.4g}" for share, gain in self.uplift_at.items())
        told.append(f"the learned policy's arms, most promising rows first: gain a row {at}; Qini {self.qini:.4g}")
        told.append(f"effective sample size of the recommended policy: {self.ess:,.0f}")
        return told + [f"note: {one}" for one in self.warnings]


def evaluate_campaign(campaign: Campaign, *, holdout: float = 0.5, seed: int = 7) -> CampaignReport:
    """Learn and choose on a part of the rows, then read the rest once: `holdout` of each arm's rows, drawn by `seed`.

    A learned policy is recommended where it beats the best arm credibly on training rows that it did not learn from; else that
    arm; else, where no arm has enough rows to be known by, each as often (uniform). Raises CampaignRefused with the cure.
    """
    if not 0.1 <= holdout <= 0.9:
        raise CampaignRefused(f"--holdout {holdout:g} is not between 0.1 and 0.9; half of the rows (0.5) is a good start")
    arms, held = campaign.arms, _held_out(campaign.action, holdout, seed)
    train, test = np.flatnonzero(~held), np.flatnonzero(held)
    _check(campaign)
    for rows, part in ((train, "learn from"), (test, "evaluate on")):
        refused = refusal(_log(campaign, rows), _evenly(len(rows), len(arms)), names=arms)
        if refused is not None:
            raise CampaignRefused(f"the part to {part}: {refused}")
    learned = learn(
        campaign.matrix[train], campaign.action[train], campaign.reward[train], campaign.propensity[train],
        arms=len(arms), seed=seed,
    )  # fmt: skip
    return _report(campaign, learned, _named(campaign, learned, train), test, seed)


def _held_out(action: NDArray[np.int64], share: float, seed: int) -> NDArray[np.bool_]:
    held, random = np.zeros(len(action), dtype=bool), np.random.default_rng(seed)
    for arm in np.unique(action):
        rows = random.permutation(np.flatnonzero(action == arm))
        held[rows[: round(share * len(rows))]] = True
    return held


def _check(campaign: Campaign) -> None:
    """What no split would cure."""
    if np.ptp(campaign.reward) == 0:
        raise CampaignRefused(f"every reward is {campaign.reward[0]:g}: there is nothing to tell policies apart by")
    rows = np.arange(len(campaign.action))
    refused = refusal(_log(campaign, rows), _evenly(len(rows), len(campaign.arms)), names=campaign.arms)
    # what the propensities lack is told of the arm that it concerns
    if refused is not None and refused.reason != "weights_off":
        of_overlap = refused.reason in ("too_few_effective_rows", "one_row_decides")
        asked = f"what choosing evenly among the {len(campaign.arms)} actions is worth: " if of_overlap else ""
        raise CampaignRefused(f"{asked}{refused}")
    _check_rare(campaign)
    _check_propensities(campaign)
    suspects = leaks(campaign)
    if suspects:
        told = "; ".join(f"{name!r}: {how}" for name, how in suspects.items())
        cure = " ".join(f"--drop {name!r}" for name in suspects)
        raise CampaignRefused(f"columns that know the reward, as if written after it: {told}. Leave them out: {cure}")


def _check_rare(campaign: Campaign) -> None:
    """After the overlap: where that is missing, leaving out rare actions would cure nothing."""
    counts = np.bincount(campaign.action, minlength=len(campaign.arms))
    rare = [arm for arm, count in zip(campaign.arms, counts, strict=True) if count < FEWEST_OF_AN_ACTION]
    if rare:
        told = ", ".join(map(repr, rare[:5])) + (" ..." if len(rare) > 5 else "")
        raise CampaignRefused(
            f"fewer than {FEWEST_OF_AN_ACTION} rows of the action {told}; leave these rows out, or group them under one name"
        )


def _check_propensities(campaign: Campaign) -> None:
    """Whoever always takes one arm has weights that average 1, for each arm."""
    for at, arm in enumerate(campaign.arms):
        weights = np.where(campaign.action == at, 1 / campaign.propensity, 0.0)
        error = float(weights.std() / np.sqrt(len(weights)))
        if abs(weights.mean() - 1) > max(0.02, 5 * error):
            share = float((campaign.action == at).mean())
            raise CampaignRefused(
                f"the propensities do not fit the action {arm!r}: it is {share:.1%} of the rows, and its inverse propensities "
                f"add up to {weights.mean():.2f} times the number of rows instead of once; give the probability with which "
                "each row's own action was chosen"
            )


def _named(campaign: Campaign, learned: Learned, train: NDArray[np.int64]) -> str:
    if learned.policy.credible:
        return "learned"
    best = np.zeros((len(train), len(campaign.arms)))
    best[:, learned.best] = 1.0
    known = support(_log(campaign, train), best).ess >= LEAST_ESS
    return f"static:{campaign.arms[learned.best]}" if known else "uniform"


def _report(campaign: Campaign, learned: Learned, named: str, test: NDArray[np.int64], seed: int) -> CampaignReport:
    arms, log, rows = campaign.arms, _log(campaign, test), len(test)
    matrix = campaign.matrix[test]
    expected = learned.expected.rewards(matrix)
    one_arm = np.eye(len(arms))
    effects = learned.policy.effects(matrix)
    chosen = effects.argmax(axis=1)
    targets = {"uniform": _evenly(rows, len(arms)), "learned": one_arm[chosen]}
    targets |= {f"static:{arm}": np.tile(one_arm[at], (rows, 1)) for at, arm in enumerate(arms)}
    values = {name: _value(log, target, expected, seed) for name, target in targets.items()}
    warnings = list(campaign.warnings)
    for name, target in targets.items():
        doubt = refusal(log, target, names=arms)
        if doubt is not None:
            warnings.append(f"{name}: {doubt.found}; its value and interval say little")
    if named == "uniform":
        warnings.append(f"no arm has {LEAST_ESS:.0f} effective rows to learn from: none can be preferred")
    if learned.policy.credible and values["learned"].high < max(values[f"static:{arm}"].value for arm in arms):
        warnings.append("the learned policy did not keep its promise on the rows held out; test it before it is used")
    scores = expected.copy()
    at = np.arange(rows)
    scores[at, log.action] += (log.reward - expected[at, log.action]) / log.propensity
    curve = curve_of_gains(scores[at, chosen] - scores[:, learned.worst], effects[at, chosen] - effects[:, learned.worst])
    return CampaignReport(
        n=rows,
        uniform=values["uniform"],
        logging=_bounded(Terms(plain=log.reward), log, seed),
        static={arm: values[f"static:{arm}"] for arm in arms},
        learned=values["learned"],
        recommended=Recommended(policy=named, value=values[named].value, low=values[named].low, high=values[named].high),
        qini=curve.coefficient,
        uplift_at={str(share): curve.uplift_at(share / 100) for share in SHARES},
        ess=support(log, targets[named]).ess,
        warnings=tuple(warnings),
    )


def _log(campaign: Campaign, rows: NDArray[np.int64]) -> LoggedChoices:
    return LoggedChoices(action=campaign.action[rows], propensity=campaign.propensity[rows], reward=campaign.reward[rows])


def _evenly(rows: int, arms: int) -> Floats:
    return np.full((rows, arms), 1 / arms)


def _value(log: LoggedChoices, target: Floats, expected: Floats, seed: int) -> Value:
    return _bounded(dr(log, target, expected), log, seed)


def _bounded(terms: Terms, log: LoggedChoices, seed: int) -> Value:
    """Cut to the rewards that occur: beyond them an end would only say that too few rows differ."""
    told = within(bootstrap(terms, seed=seed), least=float(log.reward.min()), most=float(log.reward.max()))
    return Value(value=told.value, low=told.low, high=told.high)
