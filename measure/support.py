"""What a log can answer: the weights of a policy on it, how much of the log they use, and a refusal with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

LEAST_ESS = 100.0
"""An estimate that rests on fewer effective rows is refused: neither its value nor its interval would mean anything."""
GREATEST_SHARE = 0.05
"""Of the sum of squared weights, of which the variance is made, a single row may hold so much: where one row decides, neither
a standard error nor a resample knows what another such row would have brought."""
_OFF, _ERRORS = 0.02, 5.0

Reason = Literal[
    "no_rows",
    "no_propensity",
    "impossible_propensity",
    "unknown_reward",
    "unlogged_action",
    "too_few_effective_rows",
    "one_row_decides",
    "weights_off",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why the log cannot answer, for a machine (`reason`) and for a person: what was found, and what would cure it."""

    reason: Reason
    found: str
    cure: str

    def __str__(self) -> str:
        return f"{self.found}; {self.cure}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LoggedChoices:
    """What was chosen, with which probability, and what came of it: a row a choice.

    `action` (n,) int64, positions 0 to A - 1 in a list of A actions; `propensity` (n,) the probability with which the logging
    policy chose it, NaN where the log does not know it (an imported record); `reward` (n,).
    """

    action: NDArray[np.int64]
    propensity: Floats
    reward: Floats

    def __post_init__(self) -> None:
        if not (self.action.ndim == 1 and self.action.shape == self.propensity.shape == self.reward.shape):
            shapes = f"{self.action.shape}, {self.propensity.shape}, {self.reward.shape}"
            raise ValueError(f"action, propensity and reward must be three lists of one length; got {shapes}")

    @classmethod
    def of(
        cls, *, action: ArrayLike, propensity: Sequence[float | None] | ArrayLike | None, reward: ArrayLike
    ) -> "LoggedChoices":
        """From lists. None as propensity, of a row or of all, means that nobody knows it."""
        actions = np.asarray(action, dtype=np.int64)
        known = np.full(actions.shape, np.nan) if propensity is None else np.asarray(propensity, dtype=np.float64)
        return cls(action=actions, propensity=known, reward=np.asarray(reward, dtype=np.float64))

    def __len__(self) -> int:
        return len(self.action)


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """How a target policy and a log overlap.

    `ess` is Kish's effective sample size (sum w)^2 / sum w^2, 1 to `rows`: that many rows drawn by the target itself would
    tell as much. `greatest_share` is that of the greatest weight in the sum of squares. `mean_weight` is 1 in expectation
    where the log supports the target and its propensities are right, and `mean_weight_error` its standard error.
    """

    rows: int
    ess: float
    greatest_weight: float
    greatest_share: float
    mean_weight: float
    mean_weight_error: float


def weights(log: LoggedChoices, target: Floats) -> Floats:
    """w_i = target(a_i | x_i) / propensity_i, shape (n,). `target` is (n, A): each row's probabilities of the A actions."""
    return np.asarray(target[np.arange(len(log)), log.action] / log.propensity)


def support(log: LoggedChoices, target: Floats) -> Support:
    """For a log that `refusal` has nothing against but its support."""
    weight = weights(log, target)
    squares, rows = float(weight @ weight), len(log)
    return Support(
        rows=rows,
        ess=float(weight.sum() ** 2 / squares) if squares else 0.0,
        greatest_weight=float(weight.max()),
        greatest_share=float(weight.max() ** 2 / squares) if squares else 1.0,
        mean_weight=float(weight.mean()),
        mean_weight_error=float(weight.std() / np.sqrt(rows)),
    )


def refusal(
    log: LoggedChoices, target: Floats, *, names: Sequence[str] | None = None, least_ess: float = LEAST_ESS
) -> Refusal | None:
    """The first reason why this log cannot say what `target` (n, A) is worth; None where it can.

    `names` are the A actions' names, for the message. Raises ValueError where `target` holds no probabilities or does not fit
    the log: that is a fault of the caller, not of the log.
    """
    _check_target(log, target)
    return _of_rows(log) or _of_actions(log, target, names) or _of_overlap(support(log, target), least_ess)


def _check_target(log: LoggedChoices, target: Floats) -> None:
    if target.ndim != 2 or len(target) != len(log):
        raise ValueError(f"target must be (rows, actions) with {len(log)} rows; got {target.shape}")
    if len(log) and not 0 <= int(log.action.min()) <= int(log.action.max()) < target.shape[1]:
        raise ValueError(f"an action of the log is none of the target's {target.shape[1]}")
    if not (np.isfinite(target).all() and (target >= 0).all() and np.allclose(target.sum(axis=1), 1.0, atol=1e-6)):
        raise ValueError("target must hold probabilities: none below 0, and each row adding up to 1")


def _of_rows(log: LoggedChoices) -> Refusal | None:
    if len(log) == 0:
        return Refusal(reason="no_rows", found="the log has no rows", cure="wait until decisions with outcomes are logged")
    unknown = int(np.isnan(log.propensity).sum())
    if unknown:
        return Refusal(
            reason="no_propensity",
            found=f"{unknown:,} of {len(log):,} rows have no propensity, the probability with which their action was chosen",
            cure="log it with each choice; imported choices, whose probability nobody knows, must stay out of the evaluation",
        )
    impossible = ~((log.propensity > 0) & (log.propensity <= 1))
    if impossible.any():
        first = int(np.argmax(impossible))
        return Refusal(
            reason="impossible_propensity",
            found=f"{int(impossible.sum()):,} propensities are not above 0 and at most 1, first {log.propensity[first]:g}",
            cure="give the probability of the action that was in fact chosen, as a share and not in percent",
        )
    lost = int((~np.isfinite(log.reward)).sum())
    if lost:
        return Refusal(
            reason="unknown_reward",
            found=f"{lost:,} of {len(log):,} rewards are missing or no finite number",
            cure="write 0 where nothing came of a choice, and leave out choices whose outcome is not known yet",
        )
    return None


def _of_actions(log: LoggedChoices, target: Floats, names: Sequence[str] | None) -> Refusal | None:
    never = np.bincount(log.action, minlength=target.shape[1]) == 0
    played = np.flatnonzero(never & (target.max(axis=0) > 0))
    if not len(played):
        return None
    told = ", ".join(names[at] if names else f"number {at}" for at in played[:5]) + (" ..." if len(played) > 5 else "")
    return Refusal(
        reason="unlogged_action",
        found=f"the policy plays {len(played):,} of {target.shape[1]:,} actions that were never logged ({told})",
        cure="let a small random group try them first, or evaluate a policy without them",
    )


def _of_overlap(overlap: Support, least_ess: float) -> Refusal | None:
    if overlap.ess < least_ess:
        return Refusal(
            reason="too_few_effective_rows",
            found=f"of {overlap.rows:,} rows the policy can use as much as {overlap.ess:.1f} would tell "
            f"(effective sample size; the greatest weight is {overlap.greatest_weight:,.0f})",
            cure=f"at least {least_ess:.0f} are needed: log more with exploration, or evaluate a policy nearer to the log's",
        )
    if overlap.greatest_share > GREATEST_SHARE:
        return Refusal(
            reason="one_row_decides",
            found=f"a single row weighs {overlap.greatest_weight:,.0f} and makes {overlap.greatest_share:.0%} of the variance",
            cure=f"at most {GREATEST_SHARE:.0%} can be trusted: log more, or evaluate a policy nearer to the log's",
        )
    if abs(overlap.mean_weight - 1.0) > max(_OFF, _ERRORS * overlap.mean_weight_error):
        return Refusal(
            reason="weights_off",
            found=f"the weights average {overlap.mean_weight:.3f} instead of 1 (error {overlap.mean_weight_error:.3f})",
            cure="give the propensities that the choices were made with; or else the policy acts where the log has nothing",
        )
    return None
