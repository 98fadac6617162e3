"""The nouns of a customer: what the feature store knows of them, and what must be exact at every decision.

Frozen: a record makes another state. Datetimes are aware UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from decisioning.domain import Job
from decisioning.preferences import Preference
from decisioning.promises import Promise


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """What one position of a profile means.

    `ages` says how its value moves while nothing happens: `decays` (halves every `half_life_days`), `grows` (one a day:
    days since something) or `stays`. `labels` names the values of a coded string: value i means labels[i]. `made` says
    what the number is made of: a model that learned one must not be asked with another. A `sensitive` one, such as an
    income group, is never named as the reason of a message.
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
    sensitive: bool = False


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
        return self._only([feature.purpose in purposes for feature in self.index.features])

    def without(self, names: frozenset[str]) -> "Profile":
        """The profile without these features; names that are not in its index are passed over."""
        return self._only([feature.name not in names for feature in self.index.features]) if names else self

    def _only(self, allowed: list[bool]) -> "Profile":
        present = self.present & np.array(allowed, dtype=np.bool_)
        if (present == self.present).all():
            return self
        return Profile(index=self.index, values=np.where(present, self.values, np.float32(np.nan)), present=present)

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
    """One message taken from the customer's attention: reserved by a decision until `expires_at`, confirmed once shown.

    `answered` once a person opened it, clicked, accepted, converted or referred somebody, `taken` once that was what its
    action counts as its success. A `mandatory` one counts under no cap. `job` is that of the action when it was taken, None
    where that is not known.
    """

    decision_id: str
    placement: str
    action: str
    group: str
    touchpoint: str
    channel: str
    at: datetime
    expires_at: datetime
    confirmed: bool = False
    answered: bool = False
    mandatory: bool = False
    taken: bool = False
    job: Job | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The customer rejected an action, or put it off; its whole group rests from here."""

    action: str
    group: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """When something, such as a complaint, last began and last ended, as far as is known. At one moment, it has ended."""

    opened_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """The customer says that a datum of theirs is wrong; until it is settled it is not used."""

    at: datetime
    settled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """What the customer gave, by kind (consent, preference, rating, referral, ...), how often, and what they got for it.

    `received` counts the offers they took; `worth` is what those were worth to them, in the brand's currency.
    """

    given: Mapping[str, int] = field(default_factory=dict)
    received: int = 0
    worth: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What must be exact about a customer at every decision. Kept in the log's database, changed with each record.

    `consents_at` says when the word on each purpose was given, `traits_at` when each trait was told, `complaints` and
    `all_complaints_closed_at` from what `open_complaints` follows: what happened later counts, whatever came later.
    Of a customer with several ids `members` are the others than `customer_id`, and `group_id` is the id that decides the
    customer's group: the one that was decided for first, where any was.
    `emotion` is the strongest feeling; `unhealed` are negative ones beside it, which are weaker and either hidden by a
    pleasant one or surer (see `decisioning.emotion`).
    `preferences` are by what they are about (see `decisioning.preferences`), `promises` by their id, `contested` by the
    name of the feature. `refusals` are of groups that were rejected, `postponed` of those that the customer put off.
    """

    customer_id: str
    known: bool = False
    consents: Mapping[str, bool] = field(default_factory=dict)
    consents_at: Mapping[str, datetime] = field(default_factory=dict)
    closed_channels: tuple[str, ...] = ()
    open_complaints: tuple[str, ...] = ()
    complaints: Mapping[str, Episode] = field(default_factory=dict)
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
    postponed: tuple[Refusal, ...] = ()
    hardship: Episode | None = None
    contested: Mapping[str, Contest] = field(default_factory=dict)
    exchange: Exchange = Exchange()
    unhealed: tuple[Emotion, ...] = ()
