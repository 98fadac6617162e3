"""A brand's rules of play, compiled: brand, touchpoints, catalog, policy and profile of one version together."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from decisioning import check
from decisioning.catalog import Action, ActionGroup, Catalog, Touchpoint
from decisioning.customer import FeatureIndex
from decisioning.emotion import Signal
from decisioning.errors import FieldError
from decisioning.known_names import Part
from decisioning.policy import (
    Contact,
    Experiment,
    Exploration,
    Groups,
    Keeping,
    Policy,
    Purpose,
    Rules,
    Stage,
    Steering,
    Suppression,
    Weight,
)
from decisioning.rulebook import Rulebook, compile_rules
from decisioning.timing import zone_named
from decisioning.voice import Voice
from features.schema import ProfileSpec
from features.yaml_nodes import WorkspaceError, keys, position, read

_T = TypeVar("_T")

FILES: tuple[str, ...] = ("brand.yaml", "touchpoints.yaml", "catalog.yaml", "policy.yaml", "profile.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStart:
    """`starts_at` is local to the brand: the engine's time at the workspace's first import."""

    starts_at: datetime


_WORDS: Mapping[str, str] = {"Product Reviewed": "review_body", "Live Chat Message Sent": "message_body"}
"""The events of the Segment spec that hold a customer's own words, and the property that they stand in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    """`words` names, by event, the property that holds a customer's own words, to be read for how they feel."""

    name: str
    currency: str
    time_zone: str
    locale: str
    purposes: Mapping[str, Purpose]
    signals: Mapping[str, Signal] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=lambda: dict(_WORDS))
    voice: Voice = Voice()
    clock: ClockStart | None = None

    def __post_init__(self) -> None:
        if zone_named(self.time_zone) is None:
            raise FieldError("time_zone", f"unknown time_zone {self.time_zone!r}; write an IANA name such as Europe/Paris")
        if not all(self.words.keys()) or not all(self.words.values()):
            raise FieldError("words", "an event or its property has no name; write such as Product Reviewed: review_body")

    @property
    def starts_at(self) -> datetime | None:
        """The engine's first moment in UTC; None where the engine runs on the wall clock."""
        return None if self.clock is None else self.to_utc(self.clock.starts_at)

    def to_utc(self, local: datetime) -> datetime:
        """A time written in a workspace file: local to the brand unless it carries its own offset."""
        placed = local if local.tzinfo else local.replace(tzinfo=ZoneInfo(self.time_zone))
        return placed.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _CatalogFile:
    groups: Mapping[str, ActionGroup]
    actions: Mapping[str, Action]


@dataclass(frozen=True, slots=True, kw_only=True)
class _PolicyFile:
    journey: tuple[Stage, ...]
    rules: Rules = Rules()
    contact: Contact = Contact()
    suppression: Suppression = Suppression()
    weights: tuple[Weight, ...] = ()
    groups: Groups = Groups()
    exploration: Exploration = Exploration()
    preferences: Steering = Steering()
    promises: Keeping = Keeping()
    experiments: tuple[Experiment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """`version` is the hash of the texts it was compiled from; `texts` are those texts by file name."""

    brand: Brand
    catalog: Catalog
    policy: Policy
    profile: ProfileSpec
    version: str
    texts: Mapping[str, str]

    def compiled(self) -> Rulebook:
        """What decisions are made by, compiled anew: keep it."""
        return compile_rules(self.catalog, self.policy, self.profile.index)


def compile_playbook(texts: Mapping[str, str], *, folder: str = "") -> Playbook:
    """Compile the texts of a workspace, or of the version that is to hold.

    Raises WorkspaceError with all faults of all files, in the order of files and lines; `folder` prefixes the file names.
    """
    book, unreadable, contradictions = _read(texts, folder)
    if book is None or contradictions:
        raise WorkspaceError(_in_order([*unreadable, *contradictions], folder))
    return book


def compile_past(texts: Mapping[str, str], *, folder: str = "") -> Playbook:
    """Compile a version that held once, to decide again what was decided by it.

    It passed the checks of its time, and later ones do not judge it: only what cannot be read raises WorkspaceError.
    """
    book, unreadable, _ = _read(texts, folder)
    if book is None:
        raise WorkspaceError(_in_order(unreadable, folder))
    return book


def _read(texts: Mapping[str, str], folder: str) -> tuple[Playbook | None, list[str], list[str]]:
    """What the texts say, None where any of it cannot be read; the faults of what cannot; the contradictions of what can."""
    unreadable: list[str] = []
    unread: list[Part] = []

    def part(name: Part, kind: type[_T]) -> _T | None:
        value, told = read(texts[f"{name}.yaml"], kind, file=f"{folder}{name}.yaml")
        unreadable.extend(told)
        if told:
            unread.append(name)
        return value

    brand = part("brand", Brand)
    touchpoints: Mapping[str, Touchpoint] | None = part("touchpoints", Mapping[str, Touchpoint])  # type: ignore[type-abstract]
    catalog_file = part("catalog", _CatalogFile)
    policy_file = part("policy", _PolicyFile)
    profile = part("profile", ProfileSpec)

    catalog = Catalog(
        actions=tuple(_placed(action, brand) for action in catalog_file.actions.values()) if catalog_file else (),
        groups=catalog_file.groups if catalog_file else {},
        touchpoints=touchpoints or {},
        topics=tuple(profile.topics) if profile else (),
    )
    policy = _policy(brand, policy_file or _PolicyFile(journey=(Stage(stage="unread"),)))
    index = profile.index if profile and "profile" not in unread else FeatureIndex(())
    contradictions = []
    for name, path, cause in check.faults(catalog, policy, index, unread=unread, named=_named(texts, unread)):
        line, column = position(texts[f"{name}.yaml"], path)
        contradictions.append(f"{folder}{name}.yaml:{line}:{column}: {'.'.join(path)}: {cause}")
    if unreadable or brand is None or profile is None:
        return None, unreadable, contradictions
    book = Playbook(brand=brand, catalog=catalog, policy=policy, profile=profile, version=version_of(texts), texts=dict(texts))
    return book, [], contradictions


_NAMED: Mapping[Part, Mapping[str, tuple[str, ...]]] = {
    "brand": {"purposes": ("purposes",), "tones": ("voice", "tones")},
    "touchpoints": {"touchpoints": ()},
    "catalog": {"groups": ("groups",), "actions": ("actions",)},
    "profile": {"topics": ("topics",)},
}
"""Where a part names what others speak of: the path to a mapping whose keys are the names."""


def _named(texts: Mapping[str, str], unread: Sequence[Part]) -> dict[str, tuple[str, ...]]:
    """The names in parts that have faults, so that a fault elsewhere need not wait until these are mended."""
    found = {kind: keys(texts[f"{part}.yaml"], path) for part in unread for kind, path in _NAMED.get(part, {}).items()}
    return {kind: names for kind, names in found.items() if names is not None}


def _in_order(faults: Sequence[str], folder: str) -> list[str]:
    """By file, then line."""

    def place(fault: str) -> tuple[int, int]:
        file, line, _ = fault.removeprefix(folder).split(":", 2)
        return FILES.index(file), int(line)

    return sorted(faults, key=place)


def version_of(texts: Mapping[str, str]) -> str:
    """The hash that names a version: SHA-256 over names and texts, 16 hex digits."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(f"{name}\0{len(texts[name])}\0{texts[name]}".encode())
    return digest.hexdigest()[:16]


def _policy(brand: Brand | None, written: _PolicyFile) -> Policy:
    own = {name: getattr(written, name) for name in _PolicyFile.__dataclass_fields__}
    if brand is None:
        return Policy(time_zone="UTC", purposes={}, **own)
    return Policy(
        time_zone=brand.time_zone,
        purposes=brand.purposes,
        voice=brand.voice,
        currency=brand.currency,
        locale=brand.locale,
        **own,
    )


def _placed(action: Action, brand: Brand | None) -> Action:
    """Validity is written in the brand's local time; the engine compares in UTC.

    Where the brand cannot be read the times stay as they are written: what is checked is only which one is first.
    """
    if brand is None:
        return replace(action, valid_from=_in_utc(action.valid_from), valid_until=_in_utc(action.valid_until))
    start, end = action.valid_from, action.valid_until
    return replace(
        action,
        valid_from=brand.to_utc(start) if start else None,
        valid_until=brand.to_utc(end) if end else None,
    )


def _in_utc(written: datetime | None) -> datetime | None:
    return written.replace(tzinfo=UTC) if written is not None and written.tzinfo is None else written
