"""What the server needs from the rest of the house, as small ports; `kairos.py` wires the real ones."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from decisioning.customer import Profile, State
from decisioning.domain import Learner, Predictions
from decisioning.rulebook import Rulebook
from features.erasure import Erasure
from features.following import Lag
from features.join import Customer
from features.log import Record
from features.log.identity import Identity
from features.playbook import Playbook
from serving.clock import Clock


class LogPort(Protocol):
    """The log as the server uses it; `features.log.Log` is the real one. Methods raise LogUnavailable."""

    def append(
        self,
        records: Sequence[Record],
        *,
        expecting: Mapping[str, int] | None = None,
        budgets: Mapping[str, int] | None = None,
        whole: bool = False,
    ) -> list[bool]: ...
    def state(self, customer_id: str) -> tuple[State, int]: ...
    def customer(self, customer_id: str) -> Customer: ...
    def record(self, message_id: str) -> Record | None: ...
    def last_sequence(self) -> int: ...
    def identity(self, customer_id: str) -> Identity: ...
    def read_of(
        self, customer_ids: Sequence[str], *, until: int | None = None, kinds: Sequence[str] = ()
    ) -> Iterator[Record]: ...
    def query(self, ask: Callable[[Any], Any]) -> Any: ...


class ProfilesUnavailable(Exception):
    """The online profiles cannot be read now; the server then decides without a profile, and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """As of when a stored row is, and when it became known."""

    as_of: datetime
    known: datetime


class Profiles(Protocol):
    """The online profiles. Methods raise ProfilesUnavailable."""

    def read(self, customer_id: str, now: datetime) -> Profile:
        """The customer's profile as of now; an empty one where there is none."""

    def stored(self, customer_id: str, view: str) -> Stored | None:
        """The times of the customer's row of a view; None where there is none."""

    def population(self) -> Mapping[str, float]:
        """What the habits of all customers add up to, by feature name, for those without habits of their own."""

    def following(self) -> AbstractContextManager[None]:
        """Inside, the profiles follow the log."""

    def heard(self, customers: Iterable[str]) -> None:
        """Records of these customers were acknowledged just now. Never raises: what is durable is folded sooner or later."""

    def caught_up(self, customer_ids: Sequence[str]) -> bool:
        """Whether all that this server heard under a customer's ids is in the profile; where it is not, waits for it a moment.

        False too where the profiles have been behind the log for longer than that.
        """

    def lag(self) -> Lag:
        """How far the profiles are behind the log. Raises LogUnavailable."""


class Models(Protocol):
    """The promoted models, reloaded when another bundle is promoted."""

    @property
    def bundle(self) -> str | None:
        """The hash of the bundle that answers now; None where none was ever promoted."""

    @property
    def trouble(self) -> str | None:
        """Why the promoted bundle is not the one that answers; None where it is."""

    def predict(self, profile: Profile) -> tuple[Predictions, tuple[str, ...]]:
        """Predictions for every action of the catalog, and the reason codes of models that are missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What one published version is answered with. A request takes them once and keeps them to its end.

    `erase` erases a customer, at a time, from all that is kept; None where nothing was. `hear` writes into records that are
    taken in what their customers' own words say of how they feel.
    `rulebook` is the playbook compiled, `rulebook_of` that of any published version (KairosError for one that is none).
    `learner` tells what is known of responses now. `newer_catalog` tells the version of the workspace's YAML where it
    differs from the published one.
    """

    clock: Clock
    log: LogPort
    profiles: Profiles
    models: Models
    playbook: Playbook
    rulebook: Rulebook
    rulebook_of: Callable[[str], Rulebook]
    erase: Callable[[str, datetime], Erasure | None]
    hear: Callable[[Sequence[Record]], list[Record]]
    learner: Callable[[], Learner]
    newer_catalog: Callable[[], str | None] = field(default=lambda: None)


Current = Callable[[], Ports]
"""The ports of the version that answers now: asked once a request."""
