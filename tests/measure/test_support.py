"""What a log cannot answer is refused, each with its reason, what was found, and the cure."""

import numpy as np
import pytest

from measure.support import LEAST_ESS, LoggedChoices, Reason, refusal, support

ROWS = 1_000
EVENLY = np.full((ROWS, 4), 0.25)


def log_of(*, action: object = None, propensity: object = 0.25, reward: object = 1.0) -> LoggedChoices:
    """A thousand choices among four, each a quarter of the time, but for what is said otherwise."""
    actions = np.arange(ROWS) % 4 if action is None else action
    spread = None if propensity is None else np.broadcast_to(np.asarray(propensity, dtype=float), ROWS)
    return LoggedChoices.of(action=actions, propensity=spread, reward=np.broadcast_to(np.asarray(reward, dtype=float), ROWS))  # type: ignore[arg-type]


def first(value: float, rest: float) -> np.ndarray:
    return np.concatenate([[value], np.full(ROWS - 1, rest)])


RARE = np.where(np.arange(ROWS) < 4, 0.0001, 0.25)


@pytest.mark.parametrize(
    ("log", "reason", "says"),
    [
        (LoggedChoices.of(action=[], propensity=[], reward=[]), "no_rows", "no rows"),
        (log_of(propensity=None), "no_propensity", "1,000 of 1,000 rows have no propensity"),
        (log_of(propensity=first(np.nan, 0.25)), "no_propensity", "imported"),
        (log_of(propensity=first(0.0, 0.25)), "impossible_propensity", "first 0"),
        (log_of(propensity=first(-0.5, 0.25)), "impossible_propensity", "first -0.5"),
        (log_of(propensity=25.0), "impossible_propensity", "not in percent"),
        (log_of(reward=first(np.nan, 1.0)), "unknown_reward", "1 of 1,000 rewards"),
        (log_of(reward=first(np.inf, 1.0)), "unknown_reward", "no finite number"),
        (log_of(action=np.arange(ROWS) % 3), "unlogged_action", "1 of 4 actions that were never logged (number 3)"),
        (log_of(propensity=RARE), "too_few_effective_rows", "as much as 4."),
        (log_of(propensity=first(0.25 / 30, 0.25)), "one_row_decides", "weighs 30 and makes 47% of the variance"),
        (log_of(propensity=0.5), "weights_off", "average 0.500 instead of 1"),
        (log_of(propensity=0.125), "weights_off", "average 2.000 instead of 1"),
    ],
)
def test_a_log_that_cannot_answer_says_why(log: LoggedChoices, reason: Reason, says: str) -> None:
    refused = refusal(log, EVENLY[: len(log)])
    assert refused is not None
    assert refused.reason == reason
    assert says in str(refused)
    assert refused.found and refused.cure


def test_a_log_that_can_answer_is_not_refused() -> None:
    assert refusal(log_of(), EVENLY) is None


def test_an_action_that_the_policy_leaves_alone_need_not_be_logged() -> None:
    log = log_of(action=np.arange(ROWS) % 3, propensity=1 / 3)
    assert refusal(log, np.tile([1 / 3, 1 / 3, 1 / 3, 0.0], (ROWS, 1))) is None


def test_an_imported_record_comes_with_none() -> None:
    refused = refusal(LoggedChoices.of(action=[0, 1], propensity=[0.5, None], reward=[0, 1]), np.full((2, 2), 0.5))
    assert refused is not None
    assert refused.reason == "no_propensity"


def test_names_of_actions_are_told() -> None:
    refused = refusal(log_of(action=np.zeros(ROWS)), EVENLY, names=["mail", "coupon", "call", "nothing"])
    assert refused is not None
    assert "(coupon, call, nothing)" in refused.found


def test_the_effective_sample_size_counts_what_the_weights_leave() -> None:
    assert support(log_of(), EVENLY).ess == pytest.approx(ROWS)
    # a policy that always takes the first action uses the quarter of the rows that took it
    always = support(log_of(), np.tile([1.0, 0.0, 0.0, 0.0], (ROWS, 1)))
    assert (always.ess, always.greatest_weight, always.mean_weight) == pytest.approx((ROWS / 4, 4.0, 1.0))


def test_how_much_is_enough_is_the_callers_to_say() -> None:
    always = np.tile([1.0, 0.0, 0.0, 0.0], (ROWS, 1))
    assert LEAST_ESS < ROWS / 4
    assert refusal(log_of(), always) is None
    refused = refusal(log_of(), always, least_ess=300.0)
    assert refused is not None
    assert "at least 300 are needed" in refused.cure


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(np.full((ROWS, 4), 0.3), id="rows add up to more than 1"),
        pytest.param(np.tile([1.5, -0.5, 0.0, 0.0], (ROWS, 1)), id="below 0"),
        pytest.param(np.full((ROWS, 3), 1 / 3), id="an action is missing"),
        pytest.param(np.full((ROWS - 1, 4), 0.25), id="a row is missing"),
    ],
)
def test_a_target_that_is_no_policy_is_a_fault_of_the_caller(target: np.ndarray) -> None:
    with pytest.raises(ValueError, match="target"):
        refusal(log_of(), target)


def test_lists_of_several_lengths_are_no_log() -> None:
    with pytest.raises(ValueError, match="one length"):
        LoggedChoices.of(action=[0, 1], propensity=[0.5], reward=[1, 1])
