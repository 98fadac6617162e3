"""One world: everything that a decision may depend on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from decisioning.catalog import Action, Catalog, Touchpoint
from decisioning.conditions import Value
from decisioning.customer import Profile, State
from decisioning.domain import Learner, Ledger, Predictions, Request
from decisioning.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`said` are facts held to be otherwise than they are, by their written names: only the oracle knows of them."""

    catalog: Catalog
    policy: Policy
    request: Request
    profile: Profile
    state: State
    predictions: Predictions
    learner: Learner
    stock: Mapping[str, int]
    ledger: Mapping[str, Ledger]
    population: Mapping[str, float]
    now: datetime
    salt: str
    said: Mapping[str, Value] = field(default_factory=dict)

    @property
    def touchpoint(self) -> Touchpoint:
        return self.catalog.touchpoints[self.request.touchpoint]

    @property
    def candidates(self) -> tuple[Action, ...]:
        return tuple(one for one in self.catalog.actions if self.request.touchpoint in one.treatments)

    @property
    def who(self) -> str:
        """The id whose hash decides groups and arms."""
        return self.state.group_id or self.state.customer_id
