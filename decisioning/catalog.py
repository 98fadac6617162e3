"""What may be said, and where: actions with their treatments, action groups, touchpoints."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from decisioning.conditions import Condition
from decisioning.domain import Direction, Job, Message
from decisioning.errors import FieldError
from decisioning.locales import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Where an action's response probability comes from.

    Either a `model` (a name in the bundle) with the action's own `features`, or a declared `prior` in (0, 1), which the
    learner corrects from the first outcome on and which every answer marks as assumed.
    """

    model: str | None = None
    prior: float | None = None
    features: Mapping[str, float | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.model is None) == (self.prior is None):
            raise ValueError("give exactly one of model and prior")
        if self.prior is not None and not 0 < self.prior < 1:
            raise FieldError("prior", "is a probability: above 0 and below 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRule:
    """What counts as the action's success, and how long after the show it may come."""

    success: Literal["clicked", "accepted", "converted", "referred", "opened"] = "accepted"
    window: timedelta = timedelta(days=14)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionGroup:
    """`incrementality` is the declared share of responses that the message causes, where no control measures it."""

    issue: str
    incrementality: float

    def __post_init__(self) -> None:
        if not 0 <= self.incrementality <= 1:
            raise FieldError("incrementality", "is a share: from 0 to 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A message to be filled: in the brand's own words, and in `locales` translated, by their tag such as es or es-US."""

    title: str
    body: str
    cta: str = ""
    locales: Mapping[str, Message] = field(default_factory=dict)

    def said(self, wanted: str | None, *, own: str) -> tuple[str, Message]:
        """The words for a customer who wants a locale, and the locale they are in.

        The wanted one, else its language, else the brand's `own`.
        """
        found = nearest(wanted, (own, *self.locales)) or own
        return found, self.locales.get(found) or self.message

    @property
    def message(self) -> Message:
        """The brand's own words."""
        return Message(title=self.title, body=self.body, cta=self.cta)

    @property
    def messages(self) -> Iterator[tuple[str | None, Message]]:
        """All its words, by locale; None is the brand's own."""
        yield None, self.message
        yield from self.locales.items()


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment(Text):
    """An action's text for one touchpoint in one tone (None: the brand's usual one)."""

    tone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What can be said, once it passes the rules.

    `treatments` are by touchpoint: one for each tone there. `value` is the margin of a success and `gives` what the customer
    gets by it, in the brand's currency; `partner` the company whose offer it is too. With `every`, it is said at most once
    in that time. A `mandatory` one (a service or legal message) passes by the rules of selling and of contact, and comes
    first.
    """

    name: str = field(metadata={"is_key": True})
    group: str
    job: Job
    value: float
    purpose: str
    response: Response
    treatments: Mapping[str, tuple[Treatment, ...]]
    cost: float = 0.0
    lever: float = 1.0
    topics: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    eligible: Condition | None = None
    relevant: Condition | None = None
    outcome: OutcomeRule = OutcomeRule()
    expires: timedelta = timedelta(days=7)
    budget: int | None = None
    mandatory: bool = False
    gives: float = 0.0
    partner: str | None = None
    every: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touchpoint:
    """A place where the brand and a customer meet.

    `attention` is what asking for the customer's attention here costs, in currency; `effect` multiplies the response a
    model learned elsewhere (declared, marked assumed); `horizon` is how late an outbound message may still go.
    `default` is what the place shows when nothing is chosen; None leaves it empty.
    """

    name: str = field(metadata={"is_key": True})
    channel: str
    direction: Direction
    jobs: tuple[Job, ...]
    attention: float = 0.0
    effect: float = 1.0
    horizon: timedelta = timedelta(hours=48)
    default: Text | None = None


@dataclass(frozen=True, slots=True)
class Catalog:
    """All actions and touchpoints of a published version. Actions are in the order of their names."""

    actions: tuple[Action, ...]
    groups: Mapping[str, ActionGroup]
    touchpoints: Mapping[str, Touchpoint]
    topics: tuple[str, ...] = ()
    positions: Mapping[str, int] = field(init=False)

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.actions, key=lambda action: action.name))
        object.__setattr__(self, "actions", ordered)
        object.__setattr__(self, "positions", {action.name: at for at, action in enumerate(ordered)})

    def __getitem__(self, name: str) -> Action:
        return self.actions[self.positions[name]]

    def at(self, touchpoint: str) -> tuple[Action, ...]:
        """The actions that have something to say at a touchpoint: its candidates, in the order of their names."""
        return tuple(action for action in self.actions if touchpoint in action.treatments)
