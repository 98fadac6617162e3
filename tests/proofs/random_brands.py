"""Brands at random: a catalog of 1 to 100 actions at 1 to 5 touchpoints, and their policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import exp, log
from random import Random

from decisioning.catalog import Action, ActionGroup, Catalog, Response, Text, Touchpoint, Treatment
from decisioning.domain import SELLING, Job
from decisioning.policy import Policy
from tests.proofs.random_conditions import all_fields, condition
from tests.proofs.random_policies import DAY, HOUR, JOBS, SPANS, TONES, experiments, policy

TOPICS = ("bakery", "produce", "dairy", "wine")
CHANNELS = ("app", "email", "sms", "phone", "web")
CLOCK_CHANGES = (
    datetime(2026, 3, 8, 7, tzinfo=UTC),  # New York, forward
    datetime(2026, 11, 1, 6, tzinfo=UTC),  # New York, back
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # Berlin, forward
    datetime(2026, 10, 25, 1, tzinfo=UTC),  # Berlin, back
    datetime(2026, 4, 4, 15, tzinfo=UTC),  # Lord Howe, half an hour back
    datetime(2026, 10, 3, 15, 30, tzinfo=UTC),  # Lord Howe, half an hour forward
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """`around` is the moment about which its validities and its customers' days lie."""

    catalog: Catalog
    policy: Policy
    around: datetime
    salt: str


def brand(rng: Random, *, actions: int = 100) -> Brand:
    """A brand of at most so many actions."""
    around = rng.choice(CLOCK_CHANGES) if rng.random() < 0.5 else CLOCK_CHANGES[0] + rng.randrange(300) * DAY
    split = experiments(rng)
    arms = {one.experiment: tuple(one.arms) for one in split}
    catalog = _catalog(rng, round(exp(rng.uniform(0.0, log(actions)))), around, arms)
    return Brand(
        catalog=catalog,
        policy=policy(rng, catalog, split, arms),
        around=around,
        salt=f"salt {rng.random()}",
    )


def _catalog(rng: Random, count: int, around: datetime, arms: Mapping[str, Sequence[str]]) -> Catalog:
    groups = {
        f"g{at}": ActionGroup(issue="grow", incrementality=rng.choice((0.0, 0.1, 0.5, 0.5, 1.0)))
        for at in range(rng.randint(1, 6))
    }
    places = [f"p{at}" for at in range(rng.randint(1, 5))]
    actions = tuple(_action(rng, f"a{at:03d}", tuple(groups), places, around, arms) for at in range(count))
    needed: dict[str, set[Job]] = {name: set() for name in places}
    for one in actions:
        needed[next(iter(one.treatments))].add(one.job)
    touchpoints = {}
    for at, name in enumerate(places):
        jobs = {*needed[name], *(job for job in JOBS if rng.random() < 0.6)} or {"inform"}
        touchpoints[name] = Touchpoint(
            name=name,
            channel=CHANNELS[at],
            direction=rng.choice(("inbound", "outbound")),
            jobs=tuple(job for job in JOBS if job in jobs),
            attention=rng.choice((0.0, 0.05, 0.5)),
            effect=rng.choice((1.0, 1.0, 0.5, 1.5)),
            horizon=rng.choice((2, 24, 48, 72)) * HOUR,
            default=Text(title="Hello", body="Good to see you") if rng.random() < 0.5 else None,
        )
    return Catalog(actions=actions, groups=groups, touchpoints=touchpoints, topics=TOPICS)


def _action(
    rng: Random, name: str, groups: Sequence[str], places: Sequence[str], around: datetime, arms: Mapping[str, Sequence[str]]
) -> Action:
    def sometimes(share: float) -> bool:
        return rng.random() < share

    job = rng.choice((*JOBS, "sell", "sell", "sell"))
    where = rng.sample(places, rng.randint(1, len(places)))
    starts = around + rng.uniform(-20, 5) * DAY if sometimes(0.15) else None
    made = Action(
        name=name,
        group=rng.choice(groups),
        job=job,
        value=rng.choice((0.0, 1.0, 5.0, 10.0, 50.0)),
        purpose=rng.choice(("marketing", "service", "service", "service")),
        response=Response(prior=0.2),
        treatments={place: _said(rng, name, job) for place in where},
        cost=rng.choice((0.0, 0.0, 0.2, 1.0)),
        lever=rng.choice((1.0, 1.0, 0.5, 2.0, 0.0)),
        topics=tuple(rng.sample(TOPICS, rng.choice((0, 1, 1, 2)))),
        valid_from=starts,
        valid_until=(starts or around) + rng.uniform(0.1, 20) * DAY if sometimes(0.2) else None,
        eligible=condition(rng, all_fields(arms)) if sometimes(0.2) else None,
        relevant=condition(rng, all_fields(arms)) if sometimes(0.2) else None,
        expires=rng.choice((HOUR, DAY, 7 * DAY)),
        budget=rng.randint(1, 5) if sometimes(0.15) else None,
        gives=rng.choice((0.0, 2.0)),
        every=rng.choice(SPANS) if sometimes(0.15) else None,
    )
    return replace(made, mandatory=job in ("inform", "serve") and sometimes(0.15))


def _said(rng: Random, name: str, job: Job) -> tuple[Treatment, ...]:
    """In some tones; what helps has words for everybody."""
    tones = rng.sample(TONES, rng.choice((1, 1, 2))) if job in SELLING else TONES
    return tuple(Treatment(title=f"{name} {tone}", body="For you", tone=tone) for tone in tones)
