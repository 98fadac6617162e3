"""The nouns of a decision. Frozen: a decision changes nothing, it returns what is to be written.

Datetimes are aware UTC. Money is in the brand's currency. Probabilities are in [0, 1] unless a name says `units`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from decisioning.preferences import Preference
from decisioning.promises import Promise

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


# ---------------------------------------------------------------------------------------------------------- the customer


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What one position of a profile means.

    `ages` says how its value moves while nothing happens: `decays` (halves every `half_life_days`), `grows` (one a day:
    days since something) or `stays`. `labels` names the values of a coded string: value i means labels[i]. `made` says
    what the number is made of: a model that learned one must not be asked with another.
    """

    name: str
    view: str
    ages: Literal["decays", "grows", "stays"]
    unit: str
    source: Literal["first_party", "third_party"]
    purpose: str
    half_life_days: float = 0.0
    labels: tuple[str, ...] = ()
    says: str = ""
    made: str = ""


@dataclass(frozen=True, slots=True)
class FeatureIndex:
    """The positions of a profile, compiled once when a workspace loads."""

    features: tuple[Feature, ...]
    positions: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "positions", {feature.name: at for at, feature in enumerate(self.features)})

    def __len__(self) -> int:
        return len(self.features)

    def __getitem__(self, name: str) -> Feature:
        return self.features[self.positions[name]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One customer as the feature store knows them at one moment.

    `values` is float32, one per position of `index`, already moved to the moment of the decision; NaN where `present` is
    False. A customer nobody has heard of has an empty profile: nothing present.
    """

    index: FeatureIndex
    values: NDArray[np.float32]
    present: NDArray[np.bool_]

    @classmethod
    def empty(cls, index: FeatureIndex) -> "Profile":
        return cls(
            index=index,
            values=np.full(len(index), np.nan, dtype=np.float32),
            present=np.zeros(len(index), dtype=np.bool_),
        )

    @property
    def known(self) -> bool:
        return bool(self.present.any())

    def limited_to(self, purposes: frozenset[str]) -> "Profile":
        """The profile without the features whose purpose is not among those consented to."""
        allowed = np.array([feature.purpose in purposes for feature in self.index.features], dtype=np.bool_)
        if allowed.all():
            return self
        present = self.present & allowed
        values = np.where(present, self.values, np.float32(np.nan))
        return Profile(index=self.index, values=values, present=present)

    def get(self, name: str) -> float | str | None:
        """The value of a feature, the label of a coded one, None where it is missing or not in the index."""
        at = self.index.positions.get(name)
        if at is None or not self.present[at]:
            return None
        value = float(self.values[at])
        labels = self.index.features[at].labels
        return labels[int(value)] if labels else value


@dataclass(frozen=True, slots=True, kw_only=True)
class Emotion:
    """How the customer last felt towards the brand: valence -1 to 1, intensity and confidence 0 to 1, at a time."""

    valence: float
    intensity: float
    confidence: float
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """One message taken from the customer's attention: reserved by a decision until `expires_at`, confirmed once shown."""

    decision_id: str
    placement: str
    action: str
    group: str
    touchpoint: str
    channel: str
    at: datetime
    expires_at: datetime
    confirmed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The customer rejected an action; its whole group cools down from here."""

    action: str
    group: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """When a complaint was last opened and last closed, as far as is known. At the same moment, it is closed."""

    opened_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What must be exact about a customer at every decision. Kept in the log's database, changed with each record.

    `consents_at` says when the word on each purpose was given, `traits_at` when each trait was told, `complaints` and
    `all_complaints_closed_at` from what `open_complaints` follows: what happened later counts, whatever came later.
    Of a customer with several ids `members` are the others than `customer_id`, and `group_id` is the id that decides the
    customer's group: the one that was decided for first, where any was.
    `preferences` are by what they are about (see `decisioning.preferences`), `promises` by their id.
    """

    customer_id: str
    known: bool = False
    consents: Mapping[str, bool] = field(default_factory=dict)
    consents_at: Mapping[str, datetime] = field(default_factory=dict)
    closed_channels: tuple[str, ...] = ()
    open_complaints: tuple[str, ...] = ()
    complaints: Mapping[str, Complaint] = field(default_factory=dict)
    all_complaints_closed_at: datetime | None = None
    emotion: Emotion | None = None
    contacts: tuple[Contact, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    time_zone: str | None = None
    locale: str | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    traits_at: Mapping[str, datetime] = field(default_factory=dict)
    preferences: Mapping[str, Preference] = field(default_factory=dict)
    promises: Mapping[str, Promise] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    group_id: str | None = None


# -------------------------------------------------------------------------------------------------- what models have to say


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictions:
    """What the models say before the decision: one response probability per catalog action, and facts of the customer.

    `response` is float64, aligned with `Catalog.actions`: the probability of the action's success at the touchpoint the
    model learned from. `assumed` marks those that come from a declared prior, not from a model. `customer` holds named
    predictions such as {"churn": 0.12}; a model that is absent is absent here. `reads` names, by action, the features that
    its prediction read.
    """

    response: NDArray[np.float64]
    assumed: NDArray[np.bool_]
    customer: Mapping[str, float]
    reads: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen of one action at one touchpoint: shows, the responses predicted for them, the responses."""

    shows: int = 0
    expected: float = 0.0
    successes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """Evidence by (action, touchpoint), as of the record with sequence number `snapshot`."""

    evidence: Mapping[tuple[str, str], Evidence]
    snapshot: int = 0

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
    """A kind of data about the customer that a choice used, in words, and where it came from."""

    says: str
    source: Literal["first_party", "third_party"]


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
    data: tuple[Datum, ...] = ()


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    request: Request
    at: datetime
    group: TrialGroup
    journey_stage: str
    results: tuple[Result, ...]
    candidates: tuple[Candidate, ...]
    rejected: tuple[Rejection, ...]
    reasons: tuple[str, ...]
    nothing_units: int
