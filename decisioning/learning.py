"""What a learner believes of the candidates of a touchpoint, worked out once for a learner and a rulebook."""

from decisioning.beliefs import Beliefs, believe
from decisioning.domain import Learner
from decisioning.rulebook import Plan


def beliefs_of(learner: Learner, plan: Plan, strength: float) -> Beliefs:
    """The beliefs of a plan's candidates. Kept with the learner, whose evidence does not change."""
    known: Beliefs | None = learner.believed.get(plan)
    if known is None:
        known = learner.believed[plan] = believe(
            learner,
            [action.name for action in plan.actions],
            [action.group for action in plan.actions],
            touchpoint=plan.touchpoint.name,
            group_of=plan.group_of,
            strength=strength,
        )
    return known
