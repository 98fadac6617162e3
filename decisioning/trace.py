"""What a decision was made of: its candidates and its rejections, built when somebody asks for them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from decisioning.arbitration import Worths, terms
from decisioning.beliefs import Beliefs
from decisioning.domain import Candidate, Rejection
from decisioning.eligibility import PASSES
from decisioning.hints import rejection
from decisioning.sifting import Sifted


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Weighed:
    """The candidates of a touchpoint, sifted and weighed; `units` (n + 1,) are the probabilities of the first place."""

    sifted: Sifted
    worths: Worths
    beliefs: Beliefs
    units: NDArray[np.int64]

    def candidates(self) -> tuple[Candidate, ...]:
        """Those that passed every tier, by rank: the highest priority first, then the smaller name."""
        plan, priority = self.sifted.plan, self.worths.priority
        passed = [at for at, failed in enumerate(self.sifted.failed) if failed == PASSES]
        ranked = sorted(passed, key=lambda at: (-priority[at], plan.actions[at].name))
        return tuple(
            Candidate(
                action=plan.actions[at].name,
                response=float(self.worths.response[at]),
                terms=terms(self.sifted, self.worths, at),
                threshold=float(plan.weights.threshold[at]),
                rank=rank,
                units=int(self.units[at]),
            )
            for rank, at in enumerate(ranked, start=1)
        )

    def rejected(self) -> tuple[Rejection, ...]:
        """Those that did not, by name."""
        return rejections(self.sifted)


def rejections(sifted: Sifted) -> tuple[Rejection, ...]:
    """Why the candidates that do not pass are out, by name."""
    return tuple(rejection(sifted, at) for at, failed in enumerate(sifted.failed) if failed != PASSES)
