"""When: an inbound touchpoint answers now; an outbound message goes when its customer is most likely to be receptive."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from decisioning.catalog import Touchpoint
from decisioning.customer import Profile
from decisioning.domain import Rejection, Wait
from decisioning.policy import QuietHours

HOURS: tuple[str, ...] = tuple(f"hour_{hour:02d}" for hour in range(24))
DAYS: tuple[str, ...] = tuple(f"day_{day}" for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
POOL_WEIGHT = 4.0
"""The population's habit counts as much as this many of the customer's own (decayed) visits."""

WAITING_MUST_GAIN = 1.1
"""The earliest hour is taken of those that the best hour beats by no more than this factor."""

_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    at: datetime
    because: str


def now_or_later(
    *,
    touchpoint: Touchpoint,
    profile: Profile,
    population: Mapping[str, float],
    quiet: QuietHours | None,
    zone: ZoneInfo,
    brand_zone: ZoneInfo,
    now: datetime,
    before: datetime | None = None,
) -> Moment | None:
    """When a message goes, within the touchpoint's horizon and strictly before `before`; None where no moment is left.

    The score of an hour is the customer's share of visits in that hour of the day times that of its day of the week,
    each pooled with the population's; of the hours nearly as good as the best the earliest wins. `population` holds mean
    values by feature name. Quiet hours and words are local to the customer (`zone`); habits are counted in the hours of
    the brand (`brand_zone`).
    """
    if touchpoint.direction == "inbound":
        return Moment(at=now, because="the customer is here now")
    hours, own_visits = _habit(HOURS, profile, population)
    days, _ = _habit(DAYS, profile, population)
    scored = [
        (hours[counted.hour] * days[counted.weekday()], at)
        for at in _hours(now, now + touchpoint.horizon)
        if (before is None or at < before) and not is_quiet(at.astimezone(zone), quiet)
        for counted in (at.astimezone(brand_zone),)
    ]
    if not scored:
        return None
    good_enough = max(scored)[0] / WAITING_MUST_GAIN
    best = next(at for score, at in scored if score >= good_enough)
    local = best.astimezone(zone)
    whose = "this customer usually comes" if own_visits >= POOL_WEIGHT else "customers usually come"
    return Moment(at=best, because=f"{local:%A} around {local:%H}:00 is when {whose}")


def wait_for(rejected: Sequence[Rejection], *, touchpoint: Touchpoint, now: datetime) -> Wait | None:
    """The next moment at which time alone lets something pass the contact rules, if an outbound message can wait for it."""
    if touchpoint.direction == "inbound":
        return None
    soon = [
        (one.until, one.rule)
        for one in rejected
        if one.tier == "contact" and one.until is not None and one.until <= now + touchpoint.horizon
    ]
    return Wait(until=min(soon)[0], because=min(soon)[1]) if soon else None


def zone_named(name: str | None) -> ZoneInfo | None:
    """The time zone of an IANA name; None for no name, or for one that is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder of zones, such as America
        return None


def is_quiet(local: datetime, quiet: QuietHours | None) -> bool:
    """Whether a local time of day lies in the quiet hours; they may span midnight; the end is outside."""
    if quiet is None or quiet.start == quiet.end:
        return False
    at = local.time()
    if quiet.start < quiet.end:
        return quiet.start <= at < quiet.end
    return at >= quiet.start or at < quiet.end


def _hours(start: datetime, end: datetime) -> Iterator[datetime]:
    """Now, then every full hour up to the end."""
    yield start
    at = start.replace(minute=0, second=0, microsecond=0) + _HOUR
    while at <= end:
        yield at
        at += _HOUR


def _habit(names: tuple[str, ...], profile: Profile, population: Mapping[str, float]) -> tuple[list[float], float]:
    """Shares over the names that sum to 1, the customer's own pooled with the population's, and the own total."""
    own = [float(value) if isinstance(value := profile.get(name), int | float) else 0.0 for name in names]
    pool = [population.get(name, 0.0) for name in names]
    pool_total = sum(pool)
    shared = [one / pool_total for one in pool] if pool_total > 0 else [1.0 / len(names)] * len(names)
    total = sum(own)
    return [(mine + POOL_WEIGHT * theirs) / (total + POOL_WEIGHT) for mine, theirs in zip(own, shared, strict=True)], total
