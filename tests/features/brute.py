"""What each feature of a profile is, said a second time: record by record in plain Python, slow and from the text alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import product
from math import nan
from typing import Any
from zoneinfo import ZoneInfo

from features.log import Record
from features.schema import ProfileSpec
from tests.features.worlds import ZONE

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def profile(spec: ProfileSpec, records: Sequence[Record], customer: str, at: datetime) -> dict[str, float | None]:
    """First-party values of one customer as known just before `at`, aged to it. Any id of the customer will do."""
    known = [record for record in records if record.known_time < at]
    ids = same(known, customer)
    mine = [record for record in known if record.kind in ("event", "outcome") and record.customer_id in ids]
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


def profile_values(spec: ProfileSpec, records: Sequence[Record], customer: str, at: datetime) -> list[float]:
    """The same in the order of the profile's index, NaN for missing."""
    row = profile(spec, records, customer, at)
    names = [feature.name for feature in spec.index.features if feature.source == "first_party"]
    return [nan if (value := row[name]) is None else value for name in names]


def same(records: Sequence[Record], customer: str) -> set[str]:
    """All ids that are one customer with this one, by these records."""
    owner: dict[str, tuple[datetime, str]] = {}
    pairs = []
    for record in records:
        if record.kind != "identity":
            continue
        source, target = record.body["source"], record.body["target"]
        if source.startswith("anonymous:"):
            owner[source] = min(owner.get(source, (_happened(record), target)), (_happened(record), target))
        else:
            pairs.append((source, target))
    pairs += [(visitor, whom) for visitor, (_, whom) in owner.items()]
    ids = {customer}
    for _ in pairs:
        ids |= {one for pair in pairs if ids & set(pair) for one in pair}
    return ids


def name(records: Sequence[Record], customer: str) -> str:
    """Which id names this one's customer: known, not replaced by another, named by a link last, smaller."""
    ids = same(records, customer)
    known = sorted(one for one in ids if not one.startswith("anonymous:")) or [customer]
    told = [
        (record.body["source"], record.body["target"], _happened(record))
        for record in records
        if record.kind == "identity" and not record.body["source"].startswith("anonymous:")
    ]
    told = [(source, target, at) for source, target, at in told if source != target]
    left = [one for one in known if one not in {source for source, _, _ in told}] or known
    last = max((at for _, target, at in told if target in left), default=None)
    return next(one for one in left if last is None or any((target, at) == (one, last) for _, target, at in told))


def agrees(records: Sequence[Record], customer: str, purpose: str, at: datetime, *, default: bool) -> bool:
    """Whether the customer agreed, as known just before `at`.

    Walks through all moments at which something was said or linked; each id has its own word, and those who are one have the
    strictest of what they had when they became one, or what any of them said since.
    """
    known = [record for record in records if record.known_time < at]
    ids = same(known, customer)
    words = [one for one in known if one.kind == "consent" and one.customer_id in ids and one.body["purpose"] == purpose]
    links = [one for one in known if one.kind == "identity" and {one.body["source"], one.body["target"]} <= ids]
    groups, said = {one: frozenset({one}) for one in ids}, dict.fromkeys(ids)
    for moment in sorted({_happened(one) for one in links} | {one.event_time for one in words}):
        for link in links:
            if _happened(link) == moment:
                whole = groups[link.body["source"]] | groups[link.body["target"]]
                heard = [said[one] for one in whole if said[one] is not None]
                for one in whole:
                    groups[one], said[one] = whole, all(heard) if heard else None
        spoken = [word for word in words if word.event_time == moment]
        for word in spoken:
            whole = groups[word.customer_id]
            at_once = [other.body["granted"] for other in spoken if other.customer_id in whole]
            said.update(dict.fromkeys(whole, all(at_once)))
    heard = [word for word in said.values() if word is not None]
    return all(heard) if heard else default


def contests(records: Sequence[Record], customer: str, feature: str, at: datetime) -> bool:
    """Whether the customer's last word on a datum, as known just before `at`, is that it is wrong."""
    known = [record for record in records if record.known_time < at]
    ids = same(known, customer)
    words = [one for one in known if one.kind == "contest" and one.customer_id in ids and one.body["feature"] == feature]
    last = max(((one.event_time, not one.body["settled"]) for one in words), default=None)
    return last is not None and last[1]


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
