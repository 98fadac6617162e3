"""What the brand has decided about deciding: rules by tier, contact limits, weights, stages, groups, exploration."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time, timedelta

from decisioning.catalog import Action, Touchpoint
from decisioning.conditions import Condition
from decisioning.domain import Job
from decisioning.voice import Voice

CONTACT_MEMORY = timedelta(days=60)
"""How far back contacts and refusals are remembered: no cap or cool-down may be longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which actions a rule speaks of; an empty part means any."""

    job: tuple[Job, ...] = ()
    group: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()

    def covers(self, action: Action, touchpoint: Touchpoint) -> bool:
        return (
            (not self.job or action.job in self.job)
            and (not self.group or action.group in self.group)
            and (not self.action or action.name in self.action)
            and (not self.channel or touchpoint.channel in self.channel)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An action in its scope passes where `require` holds. `says` is the reason a person reads."""

    rule: str
    require: Condition
    scope: Scope = Scope()
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    eligibility: tuple[Rule, ...] = ()
    applicability: tuple[Rule, ...] = ()
    suitability: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    """At most `most` contacts in any window of length `within`, counted over the actions and channels in scope.

    `each` splits the count: one count a customer, or one for each action, group or channel.
    """

    rule: str
    most: int
    within: timedelta
    each: str = "customer"
    scope: Scope = Scope()


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """No outbound message from `start` to `end` in the customer's own time zone; may span midnight."""

    start: time
    end: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatigue:
    """How many contacts within `within` a customer likes, learned from how many of those they saw they answered.

    From `least` up to `most`, in proportion to their share of answers beside the `usual` one, which counts as `weight`
    contacts seen.
    """

    within: timedelta
    least: int
    most: int
    usual: float = 0.1
    weight: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MaybeLater:
    """After "maybe later" the weight of a group falls to `to` over `down`, and rises again to 1 over `up`."""

    to: float = 0.1
    down: timedelta = timedelta(hours=1)
    up: timedelta = timedelta(days=21)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    caps: tuple[Cap, ...] = ()
    cool_down: timedelta = timedelta(days=14)
    quiet_hours: QuietHours | None = None
    fatigue: Fatigue | None = None
    maybe_later: MaybeLater = MaybeLater()


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """Selling stops while a complaint is open, or while a negative emotion is at least this intense and this certain."""

    intensity: float = 0.5
    confidence: float = 0.5
    half_life: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A factor of the context term C for the actions in scope.

    Without `scale`, `factor` applies where `when` holds. With `scale` (a fact of the customer in [0, 1], such as
    prediction.churn) the factor runs linearly from 1 at 0 to `factor` at 1. `says` is a plain sentence to the customer about
    what it goes by, such as "You are new here."; a weight without one is not told as a reason.
    """

    rule: str
    factor: float
    scope: Scope = Scope()
    when: Condition | None = None
    scale: str | None = None
    says: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    stage: str
    when: Condition | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Shares of customers whose default treatment, or random choice, measures what the rest is worth."""

    control: float = 0.0
    random: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exploration:
    """`mass` is the total probability given to exploring; `strength` how many expected responses a prediction weighs."""

    mass: float = 0.05
    strength: float = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What the customer's own words weigh: the factor of "more" (at least 1) and of "less" (at most 1) of something."""

    more: float = 1.5
    less: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """An action whose promises were kept less often than this share pauses, once `after` of them have ended."""

    at_least: float = 0.9
    after: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """A split of customers into arms, by a hash of its own: independent of every other one.

    `arms` are shares that sum to at most 1; the rest of the customers are in no arm. With `within` only those take part
    who are in these arms of other experiments. Conditions read the arm as `experiment.<name>`.
    """

    experiment: str
    arms: Mapping[str, float]
    within: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Purpose:
    """A use of data or attention that the customer can consent to. `default` holds while nothing was said."""

    default: bool
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """All of it, with what the brand is by itself: where its day begins, its `currency` and the `locale` of its texts."""

    time_zone: str
    purposes: Mapping[str, Purpose]
    journey: tuple[Stage, ...]
    rules: Rules = Rules()
    contact: Contact = Contact()
    suppression: Suppression = Suppression()
    weights: tuple[Weight, ...] = ()
    groups: Groups = Groups()
    exploration: Exploration = Exploration()
    preferences: Steering = Steering()
    promises: Keeping = Keeping()
    experiments: tuple[Experiment, ...] = ()
    voice: Voice = Voice()
    currency: str = "USD"
    locale: str = "en-US"
