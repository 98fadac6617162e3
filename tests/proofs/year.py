"""A year of contacts: cohorts of customers in many zones are asked for at random moments, and the core decides each time.

Moments come in bursts, and most around the nights in which clocks change. A message is seen or not at the time it was
given; unseen ones expire. Some of those seen are answered, some refused. A cohort shares the stock of actions with a budget.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import Random

import numpy as np

from decisioning.customer import Contact, Refusal
from decisioning.domain import Learner, Placement, Request
from tests import worlds
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import INDEX, Decided, decided
from tests.proofs.year_brand import ASKED, CATALOG, DAY, HOUR, MINUTE, POLICY, START

MEMORY = 60 * DAY
COHORT = 50
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca")
CHANGES = ((3, 8), (3, 29), (4, 4), (9, 6), (10, 4), (10, 25), (11, 1))
"""Days of 2026 on or about which the clocks of these zones change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One message that the core chose. `seen` ones are contacts, the others expire."""

    customer: int
    zone: str
    contact: Contact
    decided_at: datetime
    seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refusal, and when it was known: no message decided before then was a mistake."""

    customer: int
    refusal: Refusal
    known_at: datetime


@dataclass(slots=True)
class _Customer:
    """A customer as the year goes by."""

    number: int
    zone: str
    keen: float
    contacts: list[Contact] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    coming: list[Contact] = field(default_factory=list)
    """What they will have seen at its time."""


@dataclass(slots=True)
class Year:
    told: list[Told] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    decisions: int = 0
    rejected: dict[str, int] = field(default_factory=dict)


def lived(contacts: int, seed: int) -> Year:
    """As many cohorts as it takes until so many messages were seen."""
    rng, year, seen = Random(seed), Year(), 0
    first = 0
    while seen < contacts:
        before = len(year.told)
        _live(year, first, rng)
        seen += sum(one.seen for one in year.told[before:])
        first += COHORT
    return year


def _live(year: Year, first: int, rng: Random) -> None:
    customers = [_Customer(first + at, rng.choice(ZONES), rng.choice((0.05, 0.3, 0.6))) for at in range(COHORT)]
    asked = sorted((moment, at) for at in range(COHORT) for moment in _moments(rng))
    promised: list[tuple[str, datetime | None]] = []
    for number, (now, at) in enumerate(asked):
        one = customers[at]
        _pass_time(one, year, now, rng)
        taken = [name for name, until in promised if until is None or until > now]
        stock = {action.name: action.budget - taken.count(action.name) for action in CATALOG.actions if action.budget}
        decision = decided(_world(one, f"{first}/{number}", now, stock, rng))
        year.decisions += 1
        for rejection in decision.rejected:
            year.rejected[rejection.rule] = year.rejected.get(rejection.rule, 0) + 1
        for contact in _taken(decision):
            seen = rng.random() < 0.85
            year.told.append(Told(customer=one.number, zone=one.zone, contact=contact, decided_at=now, seen=seen))
            one.contacts.append(contact)
            if seen:
                one.coming.append(contact)
            if CATALOG[contact.action].budget:
                promised.append((contact.action, None if seen else contact.expires_at))


def _moments(rng: Random) -> Iterator[datetime]:
    """Visits of a year, each a burst of one to three, more of them about the changes of the clocks."""
    nights = [datetime(2026, month, day, tzinfo=UTC) for month, day in CHANGES]
    starts = [START + rng.random() * 365 * DAY for _ in range(90)]
    starts += [rng.choice(nights) + rng.uniform(-1, 2) * DAY for _ in range(30)]
    for start in starts:
        for _ in range(rng.choice((1, 1, 2, 3))):
            yield start
            start += rng.choice((MINUTE, HOUR, 6 * HOUR, DAY)) * rng.choice((1, 1, rng.random()))


def _pass_time(one: _Customer, year: Year, now: datetime, rng: Random) -> None:
    """What fell due until now is seen, answered or refused; what is long over is forgotten."""
    due = [contact for contact in one.coming if contact.at <= now]
    for contact in due:
        one.coming.remove(contact)
        one.contacts[one.contacts.index(contact)] = replace(contact, confirmed=True, answered=rng.random() < one.keen)
        if rng.random() < 0.03:
            refusal = Refusal(action=contact.action, group=contact.group, at=contact.at)
            one.refusals.append(refusal)
            year.refused.append(Refused(customer=one.number, refusal=refusal, known_at=now))
    one.contacts = [each for each in one.contacts if each.at > now - MEMORY and (each.confirmed or each.expires_at > now)]


def _world(one: _Customer, decision_id: str, now: datetime, stock: dict[str, int], rng: Random) -> World:
    return World(
        catalog=CATALOG,
        policy=POLICY,
        request=Request(
            decision_id=decision_id,
            customer_id=f"c{one.number}",
            touchpoint=rng.choice(ASKED),
            placements=(Placement(count=rng.choice((1, 1, 2))),),
        ),
        profile=_PROFILE,
        state=worlds.state(
            customer_id=f"c{one.number}", contacts=tuple(one.contacts), refusals=tuple(one.refusals), time_zone=one.zone
        ),
        predictions=_PREDICTIONS,
        learner=Learner(evidence={}),
        stock=stock,
        ledger={},
        population={},
        now=now,
        salt=worlds.SALT,
    )


def _taken(decision: Decided) -> Iterator[Contact]:
    touchpoint = CATALOG.touchpoints[decision.request.touchpoint]
    for result in decision.results:
        if result.action is not None:
            action = CATALOG[result.action]
            assert result.send_at is not None and result.expires_at is not None
            yield Contact(
                decision_id=decision.request.decision_id,
                placement=result.placement,
                action=action.name,
                group=action.group,
                touchpoint=touchpoint.name,
                channel=touchpoint.channel,
                at=result.send_at,
                expires_at=result.expires_at,
                mandatory=action.mandatory,
                job=action.job,
            )


_PROFILE = worlds.profile(of=INDEX)
_PREDICTIONS = worlds.predictions(CATALOG, float(np.float32(0.2)))
