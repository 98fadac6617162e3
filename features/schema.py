"""What a brand wants to know of its customers: profile.yaml as typed values, checked, and compiled to tables and an index.

A family such as `"spend_90d_{topic}": {sum: products.price, by: topic}` is written once and becomes a feature for each
topic, hour or day.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import product
from zoneinfo import ZoneInfo

from decisioning.customer import Feature, FeatureIndex
from features.ageing import Ageing
from features.entries import FAMILY, NAME, Family, FeatureSpec, Match, ViewSpec
from features.meaning import meaning
from features.tables import Aggregate, Attribute, Band, By, Column, Derived, Ratio, Table

DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_IN_FULL = dict(zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))
HOURS: tuple[str, ...] = tuple(f"{hour:02d}" for hour in range(24))
RESERVED: frozenset[str] = frozenset({"customer_id", "at", "event_timestamp", "as_of", "label"})

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One feature as it stands in the profile, families unfolded and what is left to the view filled in.

    `parts` are the position and the name of what a family splits by.
    """

    name: str
    view: str
    spec: FeatureSpec
    parts: Mapping[Family, tuple[int, str]]
    unit: str
    owner: str
    purpose: str
    licence: str
    max_null: float | None
    max_psi: float | None


@dataclass(frozen=True, kw_only=True)
class ProfileSpec:
    """profile.yaml. `topics` names what customers call the departments; a department in none of them is no topic.

    `touchpoints` (with the channel of each) and `groups` are those that a feature may be split by.

    Not slotted: what is compiled from it is kept after the first use.
    """

    topics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    touchpoints: Mapping[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()
    views: Mapping[str, ViewSpec]

    def __post_init__(self) -> None:
        faults = [
            f"{what} {name!r}: a name has small letters, digits and underscores"
            for what, name in self._names()
            if not NAME.match(name)
        ]
        departments = [department for names in self.topics.values() for department in names]
        faults += [
            f"topics: {name!r} is in two topics" for name in sorted({d for d in departments if departments.count(d) > 1})
        ]
        features = [entry.name for entry in self.entries]
        taken = RESERVED | {f"{view}_as_of" for view in self.views}
        faults += [f"feature {name!r} is written twice" for name in sorted({n for n in features if features.count(n) > 1})]
        faults += [f"feature {name!r}: the name is reserved" for name in features if name in taken]
        if faults:
            raise ValueError("; ".join(faults))

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """Every feature, in the order of the file."""
        return tuple(entry for name, view in self.views.items() for entry in self._entries(name, view))

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """What is stored, one table a view, in the order of the file."""
        return tuple(self._table(name, view) for name, view in self.views.items())

    @cached_property
    def derived(self) -> tuple[Derived, ...]:
        """What is derived from stored values after ageing: the ratios, then the bands that may be cut from them."""
        ratios = [
            Ratio(name=entry.name, of=_filled(entry.spec.ratio.of, entry), over=_filled(entry.spec.ratio.over, entry))
            for entry in self.entries
            if entry.spec.ratio is not None
        ]
        bands = [Band(name=e.name, of=e.spec.band, cuts=e.spec.cuts) for e in self.entries if e.spec.band is not None]
        return (*ratios, *bands)

    @cached_property
    def index(self) -> FeatureIndex:
        """The positions of a profile, in the order of the file."""
        return FeatureIndex(tuple(self._feature(entry) for entry in self.entries))

    @cached_property
    def topic_of(self) -> Mapping[str, int]:
        """The position in `topics` of each department's topic."""
        return {department: at for at, names in enumerate(self.topics.values()) for department in names}

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Those of the touchpoints, each once."""
        return tuple(dict.fromkeys(self.touchpoints.values()))

    @cached_property
    def matches(self) -> tuple[Match, ...]:
        """The traits that third-party keys are matched with, each once."""
        return tuple(dict.fromkeys(view.match for view in self.views.values() if view.match is not None))

    @cached_property
    def ageing(self) -> Ageing:
        """What time does to the values. A column expires when its day begins in UTC."""
        ttl: dict[str, float] = {}
        defaults: dict[str, tuple[float, Sequence[str]]] = {}
        stored = {table.name: table.names for table in self.tables}
        for entry in self.entries:
            limit = entry.spec.ttl or self.views[entry.view].ttl
            if limit is not None and not entry.spec.derived:
                ttl[entry.name] = limit / _DAY
            default = entry.spec.default
            if default is not None:
                value = float(entry.spec.labels.index(default)) if isinstance(default, str) else default
                defaults[entry.name] = (value, stored[entry.view])
        expires = {name: midnight_us(day, "UTC") for name, day in self.expiries.items()}
        return Ageing.of(self.index, self.derived, ttl_days=ttl, expires_us=expires, defaults=defaults)

    @cached_property
    def expiries(self) -> Mapping[str, date]:
        """From which day on a third-party feature may not be used any more, where there is one."""
        written = ((entry.name, entry.spec.expires or self.views[entry.view].expires) for entry in self.entries)
        return {name: day for name, day in written if day is not None}

    def reads(self, names: Iterable[str]) -> frozenset[str]:
        """The stored features that the values of these features are made of."""
        of = {one.name: (one.of,) if isinstance(one, Band) else (one.of, one.over) for one in self.derived}
        with_default = {entry.name: entry.view for entry in self.entries if entry.spec.default is not None}
        stored = {table.name: table.names for table in self.tables}
        found: set[str] = set()
        open_ = list(names)
        while open_:
            name = open_.pop()
            open_ += of.get(name, ())
            # a default asks whether the view knows anything at all
            found.update(stored[with_default[name]] if name in with_default else ())
            found.update(() if name in of else (name,))
        return frozenset(found)

    def _names(self) -> Iterator[tuple[str, str]]:
        yield from (("view", name) for name in self.views)
        yield from (("topic", name) for name in self.topics)
        yield from (("touchpoint", name) for name in self.touchpoints)
        yield from (("channel", name) for name in self.channels)
        yield from (("group", name) for name in self.groups)

    def _entries(self, view_name: str, view: ViewSpec) -> Iterator[Entry]:
        for written, spec in view.features.items():
            on = spec.on or view.on
            parts: dict[Family, tuple[str, ...]] = {
                "topic": tuple(self.topics),
                "hour": HOURS,
                "day": DAYS,
                "touchpoint": tuple(self.touchpoints),
                "channel": self.channels,
                "group": self.groups,
                "event": tuple(_short(name) for name in on.names) if on else (),
            }
            for chosen in product(*(enumerate(parts[family]) for family in spec.families)):
                of = dict(zip(spec.families, chosen, strict=True))
                yield Entry(
                    name=FAMILY.sub(lambda found, of=of: of[found[1]][1], written),  # type: ignore[misc]
                    view=view_name,
                    spec=spec,
                    parts=of,
                    unit=spec.unit or ("days" if spec.since else ""),
                    owner=spec.owner or view.owner,
                    purpose=spec.purpose or view.purpose,
                    licence=spec.licence or view.licence,
                    max_null=spec.max_null if spec.max_null is not None else view.max_null,
                    max_psi=spec.max_psi if spec.max_psi is not None else view.max_psi,
                )

    def _table(self, name: str, view: ViewSpec) -> Table:
        entries = [entry for entry in self._entries(name, view) if not entry.spec.derived]
        columns: list[Column] = [
            Attribute(name=entry.name, column=entry.spec.column, labels=entry.spec.labels)
            if entry.spec.column is not None
            else _aggregate(entry, view)
            for entry in entries
        ]
        # the names behind a part (topics with their departments, touchpoints) are part of what a stored number means
        names: dict[Family, object] = {
            "topic": tuple(self.topics.items()),
            "touchpoint": tuple(self.touchpoints),
            "channel": tuple(self.touchpoints.items()),
            "group": self.groups,
        }
        families = dict.fromkeys(family for entry in entries for family in entry.parts)
        meaning = [repr(names[family]) for family in families if family in names]
        return Table(
            name=name,
            source=view.source,
            purpose=view.purpose,
            on=view.on.names if view.on else (),
            columns=tuple(columns),
            meaning=" ".join(meaning),
        )

    def _feature(self, entry: Entry) -> Feature:
        spec, view, labels = entry.spec, self.views[entry.view], {family: label for family, (_, label) in entry.parts.items()}

        def said(found: re.Match[str]) -> str:
            label = labels[found[1]]  # type: ignore[index]
            return _IN_FULL.get(label, label.replace("_", " "))

        return Feature(
            name=entry.name,
            view=entry.view,
            ages="grows" if spec.since else "decays" if spec.half_life else "stays",
            unit=entry.unit,
            source=view.source,
            purpose=entry.purpose,
            half_life_days=spec.half_life / _DAY if spec.half_life else 0.0,
            labels=spec.labels,
            says=FAMILY.sub(said, spec.says),
            made=meaning(spec, view, {family: self._part(family, label) for family, label in labels.items()}),
            sensitive=view.sensitive or any(one.sensitive for one in _made_of(spec, view)),
        )

    def _part(self, family: Family, label: str) -> str:
        """A part of a family with what it stands for: departments of a topic, touchpoints of a channel."""
        if family == "topic":
            return f"{label} ({', '.join(self.topics[label])})"
        if family == "channel":
            return f"{label} ({', '.join(name for name, channel in self.touchpoints.items() if channel == label)})"
        return label


def midnight_us(day: date, time_zone: str) -> int:
    """Microseconds since 1970 at which a day begins in a time zone."""
    return int(datetime.combine(day, time(0), tzinfo=ZoneInfo(time_zone)).timestamp()) * 1_000_000


def _short(name: str) -> str:
    """`event:Order Completed` as part of a name: order_completed."""
    return re.sub(r"[^a-z0-9]+", "_", name.partition(":")[2].lower()).strip("_")


def _made_of(spec: FeatureSpec, view: ViewSpec) -> Iterator[FeatureSpec]:
    """The feature itself and all that it is derived from."""
    yield spec
    for name in (spec.ratio.of, spec.ratio.over) if spec.ratio is not None else (spec.band,) if spec.band is not None else ():
        yield from _made_of(view.features[name], view)


def _filled(name: str, entry: Entry) -> str:
    return FAMILY.sub(lambda found: entry.parts[found[1]][1], name)  # type: ignore[index]


def _aggregate(entry: Entry, view: ViewSpec) -> Aggregate:
    spec, on = entry.spec, entry.spec.on or view.on
    assert on is not None, "checked when the view was read"
    parts: dict[By, int] = {family: at for family, (at, _) in entry.parts.items() if family != "event"}
    return Aggregate(
        name=entry.name,
        how=spec.since or "sum",
        of=spec.of,
        counted=spec.count is not None,
        by=tuple(parts),
        part=tuple(parts.values()),
        on=(on.names[entry.parts["event"][0]],) if "event" in entry.parts else on.names,
        half_life_days=spec.half_life / _DAY if spec.half_life else float("inf"),
    )
