"""What a brand wants to know of its customers: profile.yaml as typed values, checked, and compiled to tables and an index.

A family such as `"spend_90d_{topic}": {sum: products.price, by: topic}` is written once and becomes a feature for each
topic, hour or day.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Literal

from decisioning.domain import Feature, FeatureIndex, OutcomeKind
from features.tables import Aggregate, Attribute, Band, Column, Table

DAYS: tuple[str, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_IN_FULL = dict(zip(DAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))
HOURS: tuple[str, ...] = tuple(f"{hour:02d}" for hour in range(24))
RESERVED: frozenset[str] = frozenset({"customer_id", "at", "event_timestamp", "as_of", "label"})

_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
_FAMILY = re.compile(r"\{(topic|hour|day)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class On:
    """Which records count: events by their name, outcomes by their kind."""

    event: str | tuple[str, ...] = ()
    outcome: OutcomeKind | tuple[OutcomeKind, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Each as `kind:name`, such as `event:Order Completed`; the order is that of the file."""
        events = (self.event,) if isinstance(self.event, str) else self.event
        outcomes = (self.outcome,) if isinstance(self.outcome, str) else self.outcome
        return (*(f"event:{name}" for name in events), *(f"outcome:{name}" for name in outcomes))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """One feature, or one family, as written. Exactly one of sum, since, band, column says what it is.

    `sum` adds up a number of each record (`total`), of each product in it (`products.price`) or 1, forgetting half of it
    every `half_life`; without one it is a lifetime total. `since` is days since the last or the first record. `band` cuts
    another feature into labels. `column` is a column of a third-party file, coded by `labels` where it holds text.
    """

    sum: str | int | None = None
    since: Literal["last", "first"] | None = None
    band: str | None = None
    column: str | None = None
    by: Literal["topic", "hour", "day"] | None = None
    half_life: timedelta | None = None
    on: On | None = None
    cuts: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    unit: str = ""
    says: str = ""

    def __post_init__(self) -> None:
        verbs = [verb for verb in ("sum", "since", "band", "column") if getattr(self, verb) is not None]
        if len(verbs) != 1:
            raise ValueError(f"write exactly one of sum, since, band, column; found {', '.join(verbs) or 'none'}")
        faults = [
            cause
            for wrong, cause in (
                (isinstance(self.sum, int) and self.sum != 1, "sum takes 1 or the name of a number"),
                (self.half_life is not None and self.sum is None, "half_life belongs to sum only"),
                (self.half_life is not None and self.half_life <= timedelta(0), "half_life must be longer than 0"),
                (self.by is not None and self.sum is None, "by belongs to sum only"),
                (self.on is not None and self.sum is None and self.since is None, "on belongs to sum and since only"),
                (bool(self.cuts) and self.band is None, "cuts belong to band only"),
                (bool(self.labels) and self.band is None and self.column is None, "labels belong to band and column only"),
                (self.band is not None and not self.cuts, "a band needs cuts"),
                (self.band is not None and len(self.labels) != len(self.cuts) + 1, "a band needs one label more than cuts"),
                (list(self.cuts) != sorted(set(self.cuts)), "cuts must rise"),
                (len(set(self.labels)) != len(self.labels), "a label is written twice"),
            )
            if wrong
        ]
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def of(self) -> str:
        """The number that is summed; empty where records or products are counted."""
        return self.sum if isinstance(self.sum, str) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec:
    """Features that share a source. First-party views fold the log's records; third-party ones read a file of the workspace.

    A third-party file counts from `known_at`, or from `effective_from` where that is later, at midnight in the brand's
    time zone. `key` is its column with the customer's id. With a `ttl`, what a customer's row says is void once it has not
    been renewed for that long.
    """

    purpose: str
    features: Mapping[str, FeatureSpec]
    source: Literal["first_party", "third_party"] = "first_party"
    owner: str = ""
    on: On | None = None
    file: str | None = None
    key: str | None = None
    known_at: date | None = None
    effective_from: date | None = None
    ttl: timedelta | None = None

    def __post_init__(self) -> None:
        faults = list(self._form_faults())
        for name, feature in self.features.items():
            faults += [f"feature {name}: {cause}" for cause in self._feature_faults(name, feature)]
        if faults:
            raise ValueError("; ".join(faults))

    def _form_faults(self) -> Iterator[str]:
        if self.source == "first_party":
            if self.on is None or not self.on.names:
                yield "a first-party view says which records it reads: add on: {event: ...} or on: {outcome: ...}"
            elif self.on.event and self.on.outcome:
                yield "a view reads events or outcomes: write two views"
            if self.file or self.key or self.known_at or self.effective_from:
                yield "file, key, known_at and effective_from belong to third-party views"
        else:
            if self.on is not None:
                yield "on belongs to first-party views"
            if not (self.file and self.key and self.known_at):
                yield "a third-party view needs file, key and known_at"
        if self.ttl is not None and self.ttl <= timedelta(0):
            yield "ttl must be longer than 0"
        if not self.features:
            yield "the view has no features; add one or remove the view"

    def _feature_faults(self, name: str, feature: FeatureSpec) -> Iterator[str]:
        families = _FAMILY.findall(name)
        if not _NAME.match(_FAMILY.sub("x", name)):
            yield "a name has small letters, digits and underscores"
        if families != ([feature.by] if feature.by else []):
            yield f"the name must hold {{{feature.by}}} once" if feature.by else "{...} in a name needs by: topic, hour or day"
        if (feature.column is not None) != (self.source == "third_party") and feature.band is None:
            yield "third-party views take column, first-party views take sum and since"
        if feature.band is not None:
            of = self.features.get(feature.band)
            if of is None or of.by or of.band is not None or of.labels:
                yield f"band: {feature.band!r} is not a single number of this view"
        on = feature.on or self.on
        if feature.on is not None and self.on is not None and not set(feature.on.names) <= set(self.on.names):
            yield "on must be a part of the view's on"
        if feature.by == "topic" and feature.of and not feature.of.startswith("products."):
            yield "by: topic sums 1 or a number of products, such as products.price"
        if on is not None and on.outcome and feature.of not in ("", "value"):
            yield "an outcome has one number only: value"


@dataclass(frozen=True, kw_only=True)
class ProfileSpec:
    """profile.yaml. `topics` names what customers call the departments; a department in none of them is no topic.

    Not slotted: what is compiled from it is kept after the first use.
    """

    topics: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    views: Mapping[str, ViewSpec]

    def __post_init__(self) -> None:
        faults = [
            f"{what} {name!r}: a name has small letters, digits and underscores"
            for what, name in self._names()
            if not _NAME.match(name)
        ]
        departments = [department for names in self.topics.values() for department in names]
        faults += [
            f"topics: {name!r} is in two topics" for name in sorted({d for d in departments if departments.count(d) > 1})
        ]
        features = [name for view in self.views.values() for name, _, _, _ in self._expanded(view)]
        taken = RESERVED | {f"{view}_as_of" for view in self.views}
        faults += [f"feature {name!r} is written twice" for name in sorted({n for n in features if features.count(n) > 1})]
        faults += [f"feature {name!r}: the name is reserved" for name in features if name in taken]
        if faults:
            raise ValueError("; ".join(faults))

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """What is stored, one table a view, in the order of the file."""
        return tuple(self._table(name, view) for name, view in self.views.items())

    @cached_property
    def bands(self) -> tuple[Band, ...]:
        """What is derived from stored values after ageing."""
        return tuple(
            Band(name=name, of=spec.band, cuts=spec.cuts)
            for view in self.views.values()
            for name, spec, _, _ in self._expanded(view)
            if spec.band is not None
        )

    @cached_property
    def index(self) -> FeatureIndex:
        """The positions of a profile, in the order of the file."""
        return FeatureIndex(
            tuple(
                _feature(name, spec, label, view_name, view)
                for view_name, view in self.views.items()
                for name, spec, _, label in self._expanded(view)
            )
        )

    @cached_property
    def topic_of(self) -> Mapping[str, int]:
        """The position in `topics` of each department's topic."""
        return {department: at for at, names in enumerate(self.topics.values()) for department in names}

    def _names(self) -> Iterator[tuple[str, str]]:
        yield from (("view", name) for name in self.views)
        yield from (("topic", name) for name in self.topics)

    def _expanded(self, view: ViewSpec) -> Iterator[tuple[str, FeatureSpec, int, str]]:
        """(name, spec, part, label): the position and name of its topic, hour or day; 0 and empty where it is no family."""
        parts = {"topic": tuple(self.topics), "hour": HOURS, "day": DAYS}
        for name, spec in view.features.items():
            if spec.by is None:
                yield name, spec, 0, ""
            else:
                yield from ((_FAMILY.sub(label, name), spec, at, label) for at, label in enumerate(parts[spec.by]))

    def _table(self, name: str, view: ViewSpec) -> Table:
        columns: list[Column] = []
        for feature, spec, part, _ in self._expanded(view):
            if spec.column is not None:
                columns.append(Attribute(name=feature, column=spec.column, labels=spec.labels))
            elif spec.band is None:
                columns.append(_aggregate(feature, spec, part, view))
        # the names behind a part (topics, departments) are part of what a stored number means
        meaning = repr(tuple(self.topics.items())) if any(spec.by == "topic" for spec in view.features.values()) else ""
        return Table(
            name=name,
            source=view.source,
            purpose=view.purpose,
            on=view.on.names if view.on else (),
            columns=tuple(columns),
            meaning=meaning,
            ttl_us=None if view.ttl is None else view.ttl // timedelta(microseconds=1),
        )


def _aggregate(name: str, spec: FeatureSpec, part: int, view: ViewSpec) -> Aggregate:
    on = spec.on or view.on
    assert on is not None, "checked when the view was read"
    return Aggregate(
        name=name,
        how=spec.since or "sum",
        of=spec.of,
        by=spec.by,
        part=part,
        on=on.names,
        half_life_days=spec.half_life / timedelta(days=1) if spec.half_life else float("inf"),
    )


def _feature(name: str, spec: FeatureSpec, label: str, view_name: str, view: ViewSpec) -> Feature:
    return Feature(
        name=name,
        view=view_name,
        ages="grows" if spec.since else "decays" if spec.half_life else "stays",
        unit=spec.unit or ("days" if spec.since else ""),
        source=view.source,
        purpose=view.purpose,
        half_life_days=spec.half_life / timedelta(days=1) if spec.half_life else 0.0,
        labels=spec.labels,
        says=_FAMILY.sub(_IN_FULL.get(label, label.replace("_", " ")), spec.says),
    )
