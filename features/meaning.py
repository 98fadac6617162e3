"""What the number of a feature is made of, in one line: where the line changes, the number is another one."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

from features.entries import Family, FeatureSpec, ViewSpec

_DAY = timedelta(days=1)

Parts = Mapping[Family, str]
"""By family what of it counts, such as the touchpoint, or the topic with its departments."""


def meaning(spec: FeatureSpec, view: ViewSpec, parts: Parts) -> str:
    """Of one feature, families unfolded. What it is called, says, costs or may be used for does not matter."""
    return "; ".join(_words(spec, view, parts))


def _words(spec: FeatureSpec, view: ViewSpec, parts: Parts) -> Iterator[str]:
    if spec.band is not None:
        cuts = ", ".join(f"{cut:g}" for cut in spec.cuts)
        yield f"({_of(spec.band, view, parts)}) cut at {cuts}"
    elif spec.ratio is not None:
        yield f"({_of(spec.ratio.of, view, parts)}) over ({_of(spec.ratio.over, view, parts)})"
    elif spec.column is not None:
        yield f"column {spec.column}"
    else:
        yield from _folded(spec, view, parts)
    ttl = None if spec.derived else spec.ttl or view.ttl
    if ttl is not None:
        yield f"missing after {ttl / _DAY:g} days"
    if spec.default is not None:
        yield f"{spec.default} where missing"


def _folded(spec: FeatureSpec, view: ViewSpec, parts: Parts) -> Iterator[str]:
    on = spec.on or view.on
    names = parts["event"] if "event" in parts else ", ".join(on.names if on else ())
    if spec.since is not None:
        yield f"days since the {spec.since} {names}"
        return
    counted = "number" if spec.count is not None else "sum"
    yield f"{counted} of {spec.of or 1} of {names}"
    yield from (f"{family} {part}" for family, part in parts.items() if family != "event")
    if spec.half_life is not None:
        yield f"half in {spec.half_life / _DAY:g} days"


def _of(written: str, view: ViewSpec, parts: Parts) -> str:
    """The meaning of a part of a derived feature, which may be split by fewer families."""
    part = view.features[written]
    return meaning(part, view, {family: name for family, name in parts.items() if family in part.families})
