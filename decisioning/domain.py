"""The nouns of a decision. Frozen: a decision changes nothing, it returns what is to be written.

Datetimes are aware UTC. Money is in the brand's currency. Probabilities are in [0, 1] unless a name says `units`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Job = Literal["inform", "onboard", "sell", "serve", "retain", "recover", "refer", "celebrate"]
Direction = Literal["inbound", "outbound"]
Tier = Literal["consent", "eligibility", "applicability", "suitability", "contact"]
TrialGroup = Literal["treatment", "control", "random"]
ResultKind = Literal["action", "nothing", "wait"]
OutcomeKind = Literal[
    "delivered", "shown", "opened", "clicked", "accepted", "converted", "rejected",
    "maybe_later", "ignored", "complained", "bounced", "unsubscribed", "referred",
]  # fmt: skip

TIERS: tuple[Tier, ...] = ("consent", "eligibility", "applicability", "suitability", "contact")
SELLING: frozenset[Job] = frozenset({"sell", "refer"})


# -------------------------------------------------------------------------------------------------- what models have to say


@dataclass(frozen=True, slots=True, kw_only=True)
class HoursOf:
    """What trained hours were learned from: answers to messages, or visits where too few were answered; and whether they read
    habits of the customer, or are the same for everybody.
    """

    learned_from: Literal["answers", "visits"] = "answers"
    own: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What the models say before the decision: one response probability per catalog action, and facts of the customer.

    `response` is float64, aligned with `Catalog.actions`: the probability of the action's success at the touchpoint the
    model learned from. `assumed` marks those that come from a declared prior, not from a model. `customer` holds named
    predictions such as {"churn": 0.12}; a model that is absent is absent here. `reads` names, by action, the features that
    its prediction read. `nothing`, where a control measures it, is the probability of success without the message, NaN
    where none does. `hours` holds, by channel, 168 weights of the hours of a week (Monday 0:00 first, the brand's time)
    where a trained model of timing won its gate, and `hours_of` says what these were learned from.
    """

    response: NDArray[np.float64]
    assumed: NDArray[np.bool_]
    customer: Mapping[str, float]
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    nothing: NDArray[np.float64] | None = None
    hours: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    hours_of: Mapping[str, HoursOf] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen of one action at one touchpoint: shows, the responses predicted for them, the responses."""

    shows: int = 0
    expected: float = 0.0
    successes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """What became of the promises that an action's messages made: `ended` came due or were kept, `kept` were kept in time."""

    ended: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """Evidence by (action, touchpoint), as of the record with sequence number `snapshot`.

    `believed` keeps what follows from it, by plan (see `decisioning.learning`).
    """

    evidence: Mapping[tuple[str, str], Evidence]
    snapshot: int = 0
    believed: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    def of(self, action: str, touchpoint: str) -> Evidence:
        return self.evidence.get((action, touchpoint), Evidence())


# ------------------------------------------------------------------------------------------------------------- the decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    id: str = "main"
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Who asks for what: one customer at one touchpoint, with the places to fill."""

    decision_id: str
    customer_id: str
    touchpoint: str
    placements: tuple[Placement, ...] = (Placement(),)
    context: Mapping[str, str | float | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    title: str
    body: str
    cta: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The four terms of a priority: p x c x v x l. `assumed` names what was declared rather than measured.

    p is the expected increment of success (p if treated - p if nothing), c the context weight, v the margin of a
    success in currency, l the lever.
    """

    p: float
    c: float
    v: float
    l: float  # noqa: E741 - the field's name for the lever
    assumed: tuple[str, ...] = ()

    @property
    def priority(self) -> float:
        return self.p * self.c * self.v * self.l


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why an action was out: the first tier and rule that failed, and what would let it pass.

    `until` is the moment the rule passes by itself, where time alone unlocks it.
    """

    action: str
    tier: Tier
    rule: str
    unlock: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Datum:
    """A kind of data about the customer that a choice used, in words, and where it came from.

    `feature` is the one of the profile that can be contested; empty where there is none, or where it is not to be named.
    `purpose` is the use that the customer can withdraw, empty where there is none.
    """

    says: str
    source: Literal["first_party", "third_party", "told", "visit", "estimate"]
    feature: str = ""
    purpose: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    until: datetime
    because: str
    touchpoint: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What fills one place. `units` is the probability it was chosen with, in units of 2^-40, given earlier slots."""

    placement: str
    kind: ResultKind
    reason: str
    action: str | None = None
    message: Message | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    terms: Terms | None = None
    threshold: float | None = None
    units: int | None = None
    wait: Wait | None = None
    timing: str = ""
    job: Job | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One action that passed every tier, as the choice saw it. `units` is its probability for the first slot.

    `response` is the probability of its success if treated, before any evidence.
    """

    action: str
    response: float
    terms: Terms
    threshold: float
    rank: int
    units: int


class Trace(Protocol):
    """What a decision was made of. What nobody asks for is never built."""

    def candidates(self) -> tuple[Candidate, ...]:
        """Those that passed every tier, by rank: the highest priority first, then the smaller name."""

    def rejected(self) -> tuple[Rejection, ...]:
        """Those that did not, by name."""


class Nothing:
    """The trace of what was not decided but declared."""

    def candidates(self) -> tuple[Candidate, ...]:
        return ()

    def rejected(self) -> tuple[Rejection, ...]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What was decided, and what it was made of. `nothing_units` is the probability of nothing at the first place.

    `arms` says in which arm of which experiment the customer is.
    """

    request: Request
    at: datetime
    group: TrialGroup
    arms: Mapping[str, str]
    journey_stage: str
    results: tuple[Result, ...]
    reasons: tuple[str, ...]
    nothing_units: int
    trace: Trace = field(compare=False, repr=False)

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        return self.trace.candidates()

    @property
    def rejected(self) -> tuple[Rejection, ...]:
        return self.trace.rejected()
