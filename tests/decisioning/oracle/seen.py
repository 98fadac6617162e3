"""What all actions of a world have in common: trouble and mood, what must be made good, and when a message could go."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from decisioning.catalog import Action, Treatment
from decisioning.customer import Contact, Emotion
from tests.decisioning.oracle.facts import Facts, facts_of, intensity, is_broken
from tests.decisioning.oracle.world import World

_QUARTER = timedelta(minutes=15)
"""By which zones differ from each other: a full hour of one is a quarter of another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A world with what all its actions have in common worked out.

    `distress` are the reasons why nothing is sold, in their order; `counted` the contacts that still count; `first` the
    first moment at which a message could go, None where there is none.
    """

    world: World
    facts: Facts
    distress: tuple[str, ...]
    make_good: frozenset[str]
    counted: tuple[Contact, ...]
    first: datetime | None


def look(world: World) -> Seen:
    facts = facts_of(world)
    return Seen(
        world=world,
        facts=facts,
        distress=tuple(_distress(world, facts)),
        make_good=_make_good(world),
        counted=tuple(one for one in world.state.contacts if one.confirmed or one.expires_at > world.now),
        first=next(_moments(world), None),
    )


def treatment_of(action: Action, seen: Seen) -> Treatment | None:
    """The words in the tone that fits the customer's mood or, where that is not listed, their stage; the first listed best."""
    treatments = action.treatments[seen.world.touchpoint.name]
    voice = seen.world.policy.voice
    tones = voice.tone_of.get(_mood(seen)) or voice.tone_of.get(str(seen.facts["stage"]))
    if tones is None:
        return treatments[0]
    return next((one for tone in tones for one in treatments if (one.tone or voice.tone) == tone), None)


def _mood(seen: Seen) -> str:
    if seen.distress:
        return "upset"
    return "happy" if _feels(seen.world, seen.facts, glad=True) else "usual"


def _feels(world: World, facts: Facts, *, glad: bool) -> bool:
    """Whether the customer feels so, as surely and as strongly as the brand asks."""
    emotion, limits = world.state.emotion, world.policy.suppression
    valence, left = facts.get("state.emotion_valence"), facts.get("state.emotion_intensity")
    if emotion is None or valence is None or left is None or emotion.confidence < limits.confidence:
        return False
    return float(left) >= limits.intensity and (float(valence) > 0 if glad else float(valence) < 0)


def _hurts(before: Emotion, world: World) -> bool:
    """Whether a negative feeling from before still does, as surely and as strongly as the brand asks."""
    limits = world.policy.suppression
    return before.confidence >= limits.confidence and intensity(before, world) >= limits.intensity


def _distress(world: World, facts: Facts) -> Iterator[str]:
    if facts["state.open_complaint"]:
        yield "open_complaint"
    if _feels(world, facts, glad=False) or any(_hurts(one, world) for one in world.state.unhealed):
        yield "negative_emotion"
    if facts["state.hardship"]:
        yield "hardship"
    if facts["state.broken_promise"]:
        yield "broken_promise"


def _make_good(world: World) -> frozenset[str]:
    """The actions that must come before every other one here."""
    if "recover" not in world.touchpoint.jobs:
        return frozenset()
    named = {one.make_good for one in world.state.promises.values() if is_broken(one, world)}
    return frozenset(one.name for one in world.candidates if one.name in named)


def _moments(world: World) -> Iterator[datetime]:
    """When a message could go: now where the customer is here, else now or at a full hour that is not quiet for them.

    Hours are full on the brand's clock, quiet on the customer's.
    """
    at, touchpoint = world.now, world.touchpoint
    if touchpoint.direction == "inbound":
        yield at
        return
    zone, brand_zone = zone_of(world), ZoneInfo(world.policy.time_zone)
    if not is_quiet(at, world, zone):
        yield at
    at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + _QUARTER
    while at <= world.now + touchpoint.horizon:
        if at.astimezone(brand_zone).minute == 0 and not is_quiet(at, world, zone):
            yield at
        at += _QUARTER


def zone_of(world: World) -> ZoneInfo:
    """The customer's zone, the brand's where it is not known or none."""
    try:
        return ZoneInfo(world.state.time_zone or world.policy.time_zone)
    except (KeyError, ValueError, OSError):
        return ZoneInfo(world.policy.time_zone)


def is_quiet(at: datetime, world: World, zone: ZoneInfo) -> bool:
    quiet = world.policy.contact.quiet_hours
    if quiet is None or quiet.start == quiet.end:
        return False
    local = at.astimezone(zone).time()
    inside = quiet.start <= local < quiet.end
    return inside if quiet.start < quiet.end else not quiet.end <= local < quiet.start
