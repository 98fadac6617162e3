"""Who is in which group and in which arm: a salted hash of its own for each split, so that none tells of another."""

from collections.abc import Sequence

from decisioning.chance import WHOLE, hashed
from decisioning.domain import TrialGroup
from decisioning.policy import Experiment


def trial_group(customer_id: str, *, control: float, random: float, salt: str) -> TrialGroup:
    """The customer's group for as long as the salt and the shares stay."""
    at = hashed(salt, "group", customer_id) / WHOLE
    return "control" if at < control else "random" if at < control + random else "treatment"


def arms(experiments: Sequence[Experiment], who: str, *, salt: str) -> dict[str, str]:
    """The arm of each experiment that a customer takes part in, in the order written.

    A nested experiment splits only those who are in the arms it names, afresh: its hash knows nothing of theirs.
    """
    found: dict[str, str] = {}
    for one in experiments:
        if all(found.get(outer) in named for outer, named in one.within.items()) and (arm := _arm(one, who, salt)) is not None:
            found[one.experiment] = arm
    return found


def _arm(experiment: Experiment, who: str, salt: str) -> str | None:
    at, reached = hashed(salt, "experiment", experiment.experiment, who) / WHOLE, 0.0
    for arm, share in experiment.arms.items():
        reached += share
        if at < reached:
            return arm
    return None
