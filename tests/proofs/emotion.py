"""Anger fades with the half-life that the brand set, as selling and conditions see it; and it never stops service."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import log2
from random import Random

from decisioning.conditions import parse
from decisioning.customer import Emotion
from decisioning.policy import Policy, Suppression
from tests import worlds
from tests.decisioning.oracle.world import World
from tests.proofs.deciding import INDEX, decided
from tests.proofs.finding import Finding, found

HALF_LIVES = tuple(timedelta(days=days) for days in (0.25, 1, 3, 7, 14, 30))
WITHIN = 0.05
_STEPS = 22
"""Of halving the time in which it must heal: to less than a millionth of it."""

CATALOG = worlds.catalog(
    worlds.action("sell"),
    worlds.action("half_calm", job="serve", eligible=parse("state.emotion_intensity <= 0.45")),
    worlds.action("serve", job="serve"),
)
INTENSITY = 0.9
"""At half of which `half_calm` is eligible again."""


def heals_on_its_half_life(size: int, seed: int) -> Finding:
    """So many angry customers: when the core sells to them again, and when it knows that half of their anger is left."""
    rng, faults, worst, unsold = Random(seed), list[str](), 0.0, 0
    policies = {half_life: _policy(half_life) for half_life in HALF_LIVES}
    for at in range(size):
        half_life = rng.choice(HALF_LIVES)
        world = _angry(policies[half_life], worlds.NOW + rng.random() * timedelta(days=365), f"c{at}")
        calm = log2(INTENSITY / policies[half_life].suppression.intensity)
        for action, halvings in (("sell", calm), ("half_calm", 1.0)):
            measured = _passes_from(action, world, 3 * half_life) / halvings
            off = abs(measured / half_life - 1.0)
            worst = max(worst, off)
            if off > WITHIN:
                faults.append(f"customer {at}: {action} again as with a half-life of {measured}, not {half_life}")
        unsold += 1
        if not _passes("serve", world, timedelta(0)):
            faults.append(f"customer {at}: anger stops service")
        emotion = world.state.emotion
        assert emotion is not None
        unsure = replace(world, state=replace(world.state, emotion=replace(emotion, confidence=0.49)))
        if not _passes("sell", unsure, timedelta(0)) or _passes("sell", world, timedelta(0)):
            faults.append(f"customer {at}: a feeling nobody is sure of stops selling, or a sure one does not")
    counted = {"customers": unsold, "half-lives": len(HALF_LIVES), "worst deviation": worst}
    return found("emotion heals", size=size, seed=seed, counted=counted, faults=faults)


def _policy(half_life: timedelta) -> Policy:
    return worlds.policy(suppression=Suppression(intensity=0.3, confidence=0.5, half_life=half_life))


def _angry(policy: Policy, now: datetime, name: str) -> World:
    feeling = Emotion(valence=-0.8, intensity=INTENSITY, confidence=1.0, at=now)
    return World(
        catalog=CATALOG,
        policy=policy,
        request=worlds.request(customer_id=name),
        profile=worlds.profile(of=INDEX),
        state=worlds.state(customer_id=name, emotion=feeling),
        predictions=worlds.predictions(CATALOG),
        learner=worlds.learner(),
        stock={},
        ledger={},
        population={},
        now=now,
        salt=worlds.SALT,
    )


def _passes_from(action: str, world: World, until: timedelta) -> timedelta:
    """After how long an action passes, found by halving the time until which it must."""
    early, late = timedelta(0), until
    for _ in range(_STEPS):
        middle = (early + late) / 2
        early, late = (early, middle) if _passes(action, world, middle) else (middle, late)
    return late


def _passes(action: str, world: World, after: timedelta) -> bool:
    decision = decided(replace(world, now=world.now + after))
    return action in {one.action for one in decision.candidates}
