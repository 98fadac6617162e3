"""The names that a brand's files may use of each other, and how a fault in them is told."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from decisioning.catalog import Catalog
from decisioning.customer import FeatureIndex
from decisioning.policy import Policy

Part = Literal["brand", "touchpoints", "catalog", "policy", "profile"]
_FEW = 15

Fault = tuple[Part, tuple[str, ...], str]
"""The part of the brand's files, the path of keys to the place in it, and the cause with its cure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What each name may be. None: not judged, since the part that says it cannot be read, and its names neither."""

    index: FeatureIndex | None
    topics: Collection[str] | None
    purposes: Collection[str] | None
    tones: Collection[str] | None
    touchpoints: Collection[str] | None
    channels: Collection[str] | None
    groups: Collection[str] | None
    actions: Collection[str] | None
    partners: Collection[str] | None
    stages: Collection[str] | None
    arms: Mapping[str, Collection[str]] | None
    unread: Collection[Part]
    """Parts with faults: what is absent there may be what could not be read."""

    @classmethod
    def of(
        cls,
        catalog: Catalog,
        policy: Policy,
        index: FeatureIndex,
        unread: Collection[Part],
        named: Mapping[str, Collection[str]],
    ) -> "Known":
        brand, places, said = "brand" not in unread, "touchpoints" not in unread, "catalog" not in unread
        ruled, profiled = "policy" not in unread, "profile" not in unread
        return cls(
            index=index if profiled else None,
            topics=catalog.topics if profiled else named.get("topics"),
            purposes=policy.purposes if brand else named.get("purposes"),
            tones=policy.voice.tones if brand else named.get("tones"),
            touchpoints=catalog.touchpoints if places else named.get("touchpoints"),
            channels={place.channel for place in catalog.touchpoints.values()} if places else named.get("channels"),
            groups=catalog.groups if said else named.get("groups"),
            actions=[action.name for action in catalog.actions] if said else named.get("actions"),
            partners={action.partner for action in catalog.actions if action.partner} if said else None,
            stages=[one.stage for one in policy.journey] if ruled and policy.journey else named.get("stages"),
            arms={one.experiment: one.arms for one in policy.experiments} if ruled else None,
            unread=unread,
        )


def unknown(what: str, name: str, known: Collection[str] | None) -> Iterator[str]:
    """The fault of a name that is not among the known ones, if it is one. Of many known ones only the nearest are told."""
    if known is None or name in known:
        return
    near = sorted(known) if len(known) <= _FEW else get_close_matches(name, sorted(known), n=3)
    if near or not known:
        told = f"the known ones are {', '.join(near) or 'none'}" if len(known) <= _FEW else f"did you mean {' or '.join(near)}?"
    else:
        told = f"none of the {len(known)} known ones is like it; mend the name"
    yield f"unknown {what} {name!r}; {told}"
