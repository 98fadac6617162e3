"""Policies at random, of up to 30 rules."""

from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from random import Random
from typing import get_args

from decisioning.catalog import Catalog
from decisioning.domain import Job
from decisioning.policy import (
    Cap,
    Contact,
    Experiment,
    Exploration,
    Fatigue,
    Groups,
    Keeping,
    MaybeLater,
    Policy,
    QuietHours,
    Rule,
    Rules,
    Scope,
    Stage,
    Steering,
    Suppression,
    Weight,
)
from decisioning.voice import Tone, Voice
from tests import worlds
from tests.proofs.random_conditions import STAGES, all_fields, condition, customer_fields, mild_condition

JOBS: tuple[Job, ...] = get_args(Job)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SPANS = (HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY, 60 * DAY)
BRAND_ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe")
TONES = ("warm", "plain", "sorry")
VOICES = (
    Voice(tones=dict.fromkeys(TONES, Tone())),
    Voice(
        tones=dict.fromkeys(TONES, Tone()),
        tone_of={"upset": ("sorry", "plain"), "happy": ("warm", "plain"), "loyal": ("warm",)},
    ),
)


def experiments(rng: Random) -> tuple[Experiment, ...]:
    """None, one, or two of which the second is for those in one arm of the first."""
    first = Experiment(experiment="wording", arms={"old": 0.4, "new": 0.4})
    second = Experiment(experiment="pace", arms={"slow": 0.5, "fast": 0.5}, within={"wording": ("new",)})
    return (first, second)[: rng.randint(0, 2)]


def policy(rng: Random, catalog: Catalog, split: tuple[Experiment, ...], arms: Mapping[str, Sequence[str]]) -> Policy:
    """Up to 30 rules, with limits, weights, stages and groups."""
    tiers: tuple[list[Rule], ...] = ([], [], [])
    for at in range(rng.choice((0, 3, 8, 15, 30))):
        rng.choice(tiers).append(
            Rule(rule=f"rule_{at}", require=mild_condition(rng, all_fields(arms)), scope=_scope(rng, catalog, wide=0.0))
        )
    stages = rng.sample(STAGES, len(STAGES))
    return worlds.policy(
        time_zone=rng.choice(BRAND_ZONES),
        journey=(
            *(Stage(stage=name, when=condition(rng, customer_fields(arms))) for name in stages[1:]),
            Stage(stage=stages[0]),
        ),
        rules=Rules(eligibility=tuple(tiers[0]), applicability=tuple(tiers[1]), suitability=tuple(tiers[2])),
        contact=_contact(rng, catalog),
        suppression=Suppression(intensity=rng.choice((0.3, 0.5)), half_life=rng.choice((1, 7, 7.5)) * DAY),
        weights=tuple(_weight(rng, catalog, arms, at) for at in range(rng.choice((0, 0, 2, 5)))),
        groups=rng.choice((Groups(), Groups(), Groups(control=0.1, random=0.1), Groups(control=0.1, random=0.9))),
        exploration=Exploration(mass=rng.choice((0.0, 0.05, 0.3)), strength=rng.choice((1.0, 2.0, 20.0))),
        preferences=rng.choice((Steering(), Steering(more=3.0, less=0.1))),
        promises=rng.choice((Keeping(), Keeping(at_least=0.5, after=3))),
        experiments=split,
        voice=rng.choice(VOICES),
    )


def _contact(rng: Random, catalog: Catalog) -> Contact:
    caps = tuple(
        Cap(
            rule=f"cap_{at}",
            most=rng.randint(1, 8),
            within=rng.choice(SPANS),
            each=rng.choice(("customer", "action", "group", "channel")),
            scope=_scope(rng, catalog, wide=0.5),
        )
        for at in range(rng.choice((0, 0, 1, 2, 4)))
    )
    fatigue = Fatigue(within=rng.choice(SPANS[2:]), least=rng.randint(0, 4), most=rng.randint(4, 12))
    return Contact(
        caps=caps,
        cool_down=rng.choice((DAY, 14 * DAY, 60 * DAY)),
        quiet_hours=rng.choice((None, QuietHours(start=time(21), end=time(8)), QuietHours(start=time(1, 30), end=time(3)))),
        fatigue=fatigue if rng.random() < 0.5 else None,
        maybe_later=rng.choice((MaybeLater(), MaybeLater(to=0.0, down=DAY, up=2 * DAY))),
    )


def _weight(rng: Random, catalog: Catalog, arms: Mapping[str, Sequence[str]], at: int) -> Weight:
    return Weight(
        rule=f"weight_{at}",
        factor=rng.choice((0.0, 0.5, 2.0, 4.0)),
        scope=_scope(rng, catalog, wide=0.3),
        when=condition(rng, all_fields(arms)) if rng.random() < 0.7 else None,
        scale="prediction.churn" if rng.random() < 0.4 else None,
    )


def _scope(rng: Random, catalog: Catalog, *, wide: float) -> Scope:
    """Any action with a probability of `wide`; else one or two parts are named."""
    if rng.random() < wide:
        return Scope()
    channels = sorted({one.channel for one in catalog.touchpoints.values()})
    names = [one.name for one in catalog.actions]
    parts = rng.sample(("job", "group", "action", "channel"), rng.choice((1, 2, 2)))
    return Scope(
        job=tuple(rng.sample(JOBS, 2)) if "job" in parts else (),
        group=(rng.choice(sorted(catalog.groups)),) if "group" in parts else (),
        action=tuple(rng.sample(names, min(3, len(names)))) if "action" in parts else (),
        channel=(rng.choice(channels),) if "channel" in parts else (),
    )
