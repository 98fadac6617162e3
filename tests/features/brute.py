"""What each feature of a profile is, said a second time: record by record in plain Python, slow and from the text alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

from features.log import Record
from features.schema import ProfileSpec
from tests.features.worlds import ZONE

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def profile(spec: ProfileSpec, records: Sequence[Record], customer: str, at: datetime) -> dict[str, float | None]:
    """First-party values of one customer as known just before `at`, aged to it."""
    mine = [record for record in records if record.customer_id == customer and record.known_time < at]
    made: dict[str, float | None] = {}
    for view in spec.views.values():
        if view.source != "first_party":
            continue
        seen = [record for record in mine if _name(record) in (view.on.names if view.on else ())]
        newest = max((_happened(record) for record in seen), default=None)
        for pattern, feature in view.features.items():
            for parts in product(*(_labels(family, spec, feature.on or view.on) for family in feature.families)):
                chosen = dict(zip(feature.families, parts, strict=True))
                name = _written(pattern, chosen)
                if feature.ratio is not None:
                    of, over = (made[_written(one, chosen)] for one in (feature.ratio.of, feature.ratio.over))
                    value = of / over if of is not None and over is not None and over > 1e-9 else None
                elif feature.band is not None:
                    number = made[feature.band]
                    value = None if number is None else float(sum(number >= cut for cut in feature.cuts))
                else:
                    value = None if newest is None else _aggregate(spec, feature, feature.on or view.on, seen, chosen, at)
                    ttl = feature.ttl or view.ttl
                    if newest is not None and ttl is not None and at - newest > ttl:
                        value = None
                if value is None and feature.default is not None and newest is not None:
                    value = float(feature.labels.index(feature.default)) if feature.labels else float(feature.default)
                made[name] = value
    return made


def _aggregate(
    spec: ProfileSpec, feature: Any, on: Any, seen: Sequence[Record], chosen: Mapping[str, str], at: datetime
) -> float | None:
    counted = [record for record in seen if _name(record) in on.names]
    if feature.since is not None:
        times = [_happened(record) for record in counted]
        if not times:
            return None
        return (at - (max(times) if feature.since == "last" else min(times))) / timedelta(days=1)
    total = 0.0
    for record in counted:
        if not all(_falls(spec, record, family, part) for family, part in chosen.items() if family != "topic"):
            continue
        worth = 1.0 if feature.half_life is None else 0.5 ** ((at - _happened(record)) / feature.half_life)
        total += worth * sum(_amounts(spec, record, feature, chosen.get("topic")))
    return total


def _amounts(spec: ProfileSpec, record: Record, feature: Any, topic: str | None) -> Iterator[float]:
    body = record.body.get("properties", record.body)
    lines = body.get("products", [])
    if topic is not None and record.kind == "outcome":
        yield float(sum(one == topic for one in body["topics"]))
    elif topic is not None or feature.of.startswith("products."):
        for line in lines:
            if topic is None or line["category"] in spec.topics[topic]:
                yield line[feature.of.removeprefix("products.")] if feature.of else 1.0
    elif not feature.of:
        yield 1.0
    elif isinstance(number := body.get(feature.of), int | float):
        yield 1.0 if feature.count else float(number)


def _falls(spec: ProfileSpec, record: Record, family: str, part: str) -> bool:
    body = record.body.get("properties", record.body)
    local = _happened(record).astimezone(ZoneInfo(ZONE))
    match family:
        case "hour":
            return f"{local.hour:02d}" == part
        case "day":
            return _DAYS[local.weekday()] == part
        case "touchpoint":
            return bool(body.get("touchpoint") == part)
        case "channel":
            return spec.touchpoints.get(body.get("touchpoint")) == part
        case "group":
            return bool(body.get("group") == part)
        case _:
            return _name(record).partition(":")[2].lower().replace(" ", "_") == part


def _labels(family: str, spec: ProfileSpec, on: Any) -> Sequence[str]:
    return {
        "topic": list(spec.topics),
        "hour": [f"{hour:02d}" for hour in range(24)],
        "day": _DAYS,
        "touchpoint": list(spec.touchpoints),
        "channel": sorted(set(spec.touchpoints.values())),
        "group": spec.groups,
        "event": [name.partition(":")[2].lower().replace(" ", "_") for name in on.names],
    }[family]


def _written(pattern: str, chosen: Mapping[str, str]) -> str:
    for family, part in chosen.items():
        pattern = pattern.replace(f"{{{family}}}", part)
    return pattern


def _name(record: Record) -> str:
    return f"{record.kind}:{record.body['event' if record.kind == 'event' else 'outcome']}"


def _happened(record: Record) -> datetime:
    return min(record.event_time, record.known_time)
