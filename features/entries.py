"""The entries of profile.yaml as they are written: features and views, each checked by itself."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from decisioning.domain import OutcomeKind
from features.log.records import EARLIEST, LATEST
from features.tables import By

Family = Literal["topic", "hour", "day", "touchpoint", "channel", "group", "event"]
"""What a feature may be split by: what a record is about, its local hour or day, its place, its group, which record it is."""

NAME = re.compile(r"^[a-z][a-z0-9_]*$")
FAMILY = re.compile(rf"\{{({'|'.join(get_args(Family))})\}}")
_NO_NUMBERS = frozenset({"touchpoint", "group", "products", "outcome", "topics"})
assert set(get_args(By)) < set(get_args(Family))


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
class Share:
    """`of` divided by `over`, both features of the same view and the same family."""

    of: str
    over: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpec:
    """One feature, or one family, as written. Exactly one of sum, count, since, ratio, band, column says what it is.

    `sum` adds up a number of each record (`total`), of each product in it (`products.price`) or 1; `count` counts the records
    that carry a number. Both forget half of it every `half_life`; without one they are lifetime totals. `since` is days since
    the last or the first record. `ratio` divides one feature by another, `band` cuts one into labels: both are derived from
    values that have aged already. `column` is a column of a third-party file, coded by `labels` where it holds text.

    A `sensitive` feature, such as an income group, is never named to a customer as the reason of a message.
    `default` stands for a missing value of a customer of whom the view knows anything else. `range` and `max_null` (a share,
    0 to 1) and `max_psi` are bounds that a build must keep. What is empty here holds as the view says.
    """

    sum: str | int | None = None
    count: str | None = None
    since: Literal["last", "first"] | None = None
    ratio: Share | None = None
    band: str | None = None
    column: str | None = None
    by: Family | tuple[Family, ...] = ()
    half_life: timedelta | None = None
    ttl: timedelta | None = None
    on: On | None = None
    cuts: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    default: float | str | None = None
    range: tuple[float, float] | None = None
    max_null: float | None = None
    max_psi: float | None = None
    unit: str = ""
    owner: str = ""
    purpose: str = ""
    licence: str = ""
    expires: date | None = None
    says: str = ""
    sensitive: bool = False

    def __post_init__(self) -> None:
        verbs = [v for v in ("sum", "count", "since", "ratio", "band", "column") if getattr(self, v) is not None]
        if len(verbs) != 1:
            raise ValueError(f"write exactly one of sum, count, since, ratio, band, column; found {', '.join(verbs) or 'none'}")
        added, by = self.added, self.families
        faults = [
            cause
            for wrong, cause in (
                (isinstance(self.sum, int) and self.sum != 1, "sum takes 1 or the name of a number"),
                (self.of in _NO_NUMBERS, f"{self.of} is no number"),
                (self.count is not None and self.of.startswith("products."), "count takes a number of the record"),
                (self.half_life is not None and not added, "half_life belongs to sum and count only"),
                (self.half_life is not None and self.half_life <= timedelta(0), "half_life must be longer than 0"),
                (self.ttl is not None and self.derived, "ttl belongs to what the feature is derived from"),
                (self.ttl is not None and self.ttl <= timedelta(0), "ttl must be longer than 0"),
                (bool(by) and not added and self.ratio is None, "by belongs to sum, count and ratio only"),
                (len(set(by)) != len(by), "by names a family twice"),
                (self.on is not None and not added and self.since is None, "on belongs to sum, count and since only"),
                (bool(self.cuts) and self.band is None, "cuts belong to band only"),
                (bool(self.labels) and self.band is None and self.column is None, "labels belong to band and column only"),
                (self.band is not None and not self.cuts, "a band needs cuts"),
                (self.band is not None and len(self.labels) != len(self.cuts) + 1, "a band needs one label more than cuts"),
                (list(self.cuts) != sorted(set(self.cuts)), "cuts must rise"),
                (len(set(self.labels)) != len(self.labels), "a label is written twice"),
                (isinstance(self.default, str) and self.default not in self.labels, "the default is none of the labels"),
                (self.range is not None and self.range[0] > self.range[1], "range is written [lowest, highest]"),
                (self.max_null is not None and not 0 <= self.max_null <= 1, "max_null is a share from 0 to 1"),
                (self.max_psi is not None and self.max_psi <= 0, "max_psi must be more than 0"),
                (bool(self.licence or self.expires) and self.column is None, "licence and expires belong to column only"),
            )
            if wrong
        ]
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def added(self) -> bool:
        """Whether it is a number that records add to."""
        return self.sum is not None or self.count is not None

    @property
    def derived(self) -> bool:
        """Whether it is computed from other features of the view, and not stored."""
        return self.ratio is not None or self.band is not None

    @property
    def of(self) -> str:
        """The number that is summed or counted; empty where records or products are counted."""
        return self.count or (self.sum if isinstance(self.sum, str) else "")

    @property
    def families(self) -> tuple[Family, ...]:
        return (self.by,) if isinstance(self.by, str) else self.by

    @property
    def type(self) -> Literal["count", "number", "days", "share", "label"]:
        if self.labels:
            return "label"
        if self.ratio is not None:
            return "share"
        return "days" if self.since else "count" if self.sum == 1 or self.count else "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSpec:
    """One delivery of a third party. `known_at` and `effective_from` are dates, or the names of its columns of dates."""

    file: str
    known_at: date | str
    effective_from: date | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A third-party key that is no customer id: a declared trait of the customer, as told by identify events.

    `hash` sha256: the file has the hexadecimal SHA-256 of the trait, trimmed and in small letters, as mail addresses go.
    """

    trait: str
    hash: Literal["sha256"] | None = None


def _absurd(day: date) -> bool:
    return not EARLIEST.date() <= day < LATEST.date()


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewSpec:
    """Features that share a source. First-party views fold the log's records; third-party ones read files of the workspace.

    A third-party row counts from `known_at`, or from `effective_from` where that is later, at midnight in the brand's
    time zone. `key` is the column that tells the customer (see `match`). Of several `files` a later one repeats the keys
    `file`, `known_at`, `effective_from`; where two say something of one customer and column, `conflicts` decides: the one
    known last (`newest`), or the one listed first (`order`).

    Of a `sensitive` view every feature is. `ttl`: the values of a customer are missing once the newest record or row of the
    view is older. `max_age`, `max_null` and `max_psi` are bounds that a build must keep: the age of the view's newest record,
    and defaults for its features.
    """

    purpose: str
    features: Mapping[str, FeatureSpec]
    source: Literal["first_party", "third_party"] = "first_party"
    owner: str = ""
    on: On | None = None
    file: str | None = None
    key: str | None = None
    known_at: date | str | None = None
    effective_from: date | str | None = None
    files: tuple[FileSpec, ...] = ()
    match: Match | None = None
    conflicts: Literal["newest", "order"] = "newest"
    licence: str = ""
    expires: date | None = None
    ttl: timedelta | None = None
    max_age: timedelta | None = None
    max_null: float | None = None
    max_psi: float | None = None
    sensitive: bool = False

    def __post_init__(self) -> None:
        faults = list(self._form_faults())
        for name, feature in self.features.items():
            faults += [f"feature {name}: {cause}" for cause in self._feature_faults(name, feature)]
        if faults:
            raise ValueError("; ".join(faults))

    @property
    def deliveries(self) -> tuple[FileSpec, ...]:
        """The files of a third-party view, in the order written."""
        if self.file is None or self.known_at is None:
            return self.files
        return (FileSpec(file=self.file, known_at=self.known_at, effective_from=self.effective_from), *self.files)

    def _form_faults(self) -> Iterator[str]:
        bought = (self.file, self.files, self.key, self.known_at, self.effective_from, self.match, self.licence, self.expires)
        if self.source == "first_party":
            if self.on is None or not self.on.names:
                yield "a first-party view says which records it reads: add on: {event: ...} or on: {outcome: ...}"
            elif self.on.event and self.on.outcome:
                yield "a view reads events or outcomes: write two views"
            if any(bought):
                yield "file, files, key, known_at, effective_from, match, licence and expires belong to third-party views"
        else:
            if self.on is not None:
                yield "on belongs to first-party views"
            if not self.key or not self.deliveries or (self.file is None) != (self.known_at is None):
                yield "a third-party view needs file, key and known_at"
            names = [delivery.file for delivery in self.deliveries]
            if len(set(names)) != len(names):
                yield "a file is written twice"
            days = [day for one in self.deliveries for day in (one.known_at, one.effective_from) if isinstance(day, date)]
            yield from (f"{day} is absurd: known_at and effective_from lie in 1970 to 2099" for day in days if _absurd(day))
        if not self.features:
            yield "the view has no features; add one or remove the view"
        if self.ttl is not None and self.ttl <= timedelta(0):
            yield "ttl must be longer than 0"
        if self.max_null is not None and not 0 <= self.max_null <= 1:
            yield "max_null is a share from 0 to 1"

    def _feature_faults(self, name: str, feature: FeatureSpec) -> Iterator[str]:
        families = FAMILY.findall(name)
        if not NAME.match(FAMILY.sub("x", name)):
            yield "a name has small letters, digits and underscores"
        if sorted(families) != sorted(feature.families):
            held = " and ".join(f"{{{family}}}" for family in feature.families)
            yield f"the name must hold {held} once" if held else "{...} in a name needs by: topic, hour, day or the like"
        if (feature.column is not None) != (self.source == "third_party") and not feature.derived:
            yield "third-party views take column, first-party views take sum, count and since"
        yield from self._derived_faults(feature)
        on = feature.on or self.on
        if feature.on is not None and self.on is not None and not set(feature.on.names) <= set(self.on.names):
            yield "on must be a part of the view's on"
        if "topic" in feature.families and feature.added and feature.of and not feature.of.startswith("products."):
            yield "by: topic sums 1 or a number of products, such as products.price"
        if on is not None and on.outcome and feature.of not in ("", "value"):
            yield "an outcome has one number only: value"

    def _derived_faults(self, feature: FeatureSpec) -> Iterator[str]:
        if feature.band is not None:
            of = self.features.get(feature.band)
            if of is None or of.by or of.band is not None or of.labels:
                yield f"band: {feature.band!r} is not a single number of this view"
        for name in (feature.ratio.of, feature.ratio.over) if feature.ratio else ():
            part = self.features.get(name)
            if part is None or part.derived or part.labels:
                yield f"ratio: {name!r} is not a number of this view"
            elif not set(part.families) <= set(feature.families):
                yield f"ratio: {name!r} is split by {', '.join(part.families)}: write the same by"
