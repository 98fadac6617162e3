"""A brand's rules of play, compiled: brand, touchpoints, catalog, policy and profile of one version together."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from decisioning import check
from decisioning.catalog import Action, ActionGroup, Catalog, Touchpoint
from decisioning.emotion import Signal
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
from decisioning.timing import zone_named
from features.schema import ProfileSpec
from features.yaml_nodes import WorkspaceError, decode, position

FILES: tuple[str, ...] = ("brand.yaml", "touchpoints.yaml", "catalog.yaml", "policy.yaml", "profile.yaml")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStart:
    """`starts_at` is local to the brand: the engine's time at the workspace's first import."""

    starts_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Brand:
    name: str
    currency: str
    time_zone: str
    locale: str
    purposes: Mapping[str, Purpose]
    signals: Mapping[str, Signal] = field(default_factory=dict)
    clock: ClockStart | None = None

    def __post_init__(self) -> None:
        if zone_named(self.time_zone) is None:
            raise ValueError(f"unknown time_zone {self.time_zone!r}; write an IANA name such as Europe/Paris")

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


def compile_playbook(texts: Mapping[str, str], *, folder: str = "") -> Playbook:
    """Compile the texts of a workspace, or of a published version of it.

    Raises WorkspaceError with all faults of all files; `folder` prefixes the file names in them.
    """
    faults: list[str] = []

    def read(name: str, kind: type) -> object:
        try:
            return decode(texts[name], kind, file=f"{folder}{name}")
        except WorkspaceError as error:
            faults.extend(error.faults)
            return None

    brand = read("brand.yaml", Brand)
    touchpoints = read("touchpoints.yaml", Mapping[str, Touchpoint])
    catalog_file = read("catalog.yaml", _CatalogFile)
    policy_file = read("policy.yaml", _PolicyFile)
    profile = read("profile.yaml", ProfileSpec)
    if faults:
        raise WorkspaceError(faults)
    assert isinstance(brand, Brand) and isinstance(touchpoints, dict) and isinstance(profile, ProfileSpec)
    assert isinstance(catalog_file, _CatalogFile) and isinstance(policy_file, _PolicyFile)

    catalog = Catalog(
        actions=tuple(_placed(action, brand) for action in catalog_file.actions.values()),
        groups=catalog_file.groups,
        touchpoints=touchpoints,
        topics=tuple(profile.topics),
    )
    policy = Policy(
        time_zone=brand.time_zone,
        purposes=brand.purposes,
        **{name: getattr(policy_file, name) for name in _PolicyFile.__dataclass_fields__},
    )
    for part, path, cause in check.faults(catalog, policy, profile.index):
        line, column = position(texts[f"{part}.yaml"], path)
        faults.append(f"{folder}{part}.yaml:{line}:{column}: {'.'.join(path)}: {cause}")
    if faults:
        raise WorkspaceError(faults)
    return Playbook(brand=brand, catalog=catalog, policy=policy, profile=profile, version=version_of(texts), texts=dict(texts))


def version_of(texts: Mapping[str, str]) -> str:
    """The hash that names a version: SHA-256 over names and texts, 16 hex digits."""
    digest = hashlib.sha256()
    for name in FILES:
        digest.update(f"{name}\0{len(texts[name])}\0{texts[name]}".encode())
    return digest.hexdigest()[:16]


def _placed(action: Action, brand: Brand) -> Action:
    """Validity is written in the brand's local time; the engine compares in UTC."""
    start, end = action.valid_from, action.valid_until
    return replace(
        action,
        valid_from=brand.to_utc(start) if start else None,
        valid_until=brand.to_utc(end) if end else None,
    )
