"""What one version of a brand's files changes against another: a list of things, and of their fields, in plain words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from features.yaml_nodes import plain

_EACH = "*"
_NAMES = ("rule", "stage", "experiment", "tone")
"""The keys that name an item of a list; elsewhere its place does."""

_THINGS: Mapping[tuple[str, ...], str] = {
    ("brand", "purposes"): "purpose",
    ("brand", "signals"): "signal",
    ("touchpoints",): "touchpoint",
    ("catalog", "groups"): "group",
    ("catalog", "actions"): "action",
    ("catalog", "actions", _EACH, "treatments"): "words",
    ("policy", "journey"): "stage",
    ("policy", "rules", "eligibility"): "eligibility rule",
    ("policy", "rules", "applicability"): "applicability rule",
    ("policy", "rules", "suitability"): "suitability rule",
    ("policy", "contact", "caps"): "cap",
    ("policy", "weights"): "weight",
    ("policy", "experiments"): "experiment",
    ("profile", "topics"): "topic",
    ("profile", "views"): "view",
    ("profile", "views", _EACH, "features"): "feature",
}
"""Where things with a name of their own stand; all else is a field of its file."""


class _Thing(NamedTuple):
    what: str
    name: str
    parent: "tuple[str, str] | None" = None

    def __str__(self) -> str:
        return f"{self.parent[1]} at {self.name}" if self.what == "words" and self.parent else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One change. `field` is empty where the whole thing is new or gone; `before` and `after` are as people read them.

    `order` is told of things whose order counts, where those in both versions stand in another one.
    """

    how: Literal["added", "removed", "changed", "order"]
    what: str
    name: str
    field: str = ""
    before: str | None = None
    after: str | None = None

    def line(self) -> str:
        told = f"{self.how:<9} {self.what}{f' {self.name}' if self.name else ''}"
        if self.how in ("added", "removed"):
            return told
        field = f": {self.field}" if self.field else ":"
        before, after = ("nothing" if one is None else one for one in (self.before, self.after))
        return f"{told}{field} {before} -> {after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A workspace beside what is published; `published` is None where nothing is."""

    published: str | None
    workspace: str
    differences: tuple[Difference, ...]

    def lines(self) -> list[str]:
        if self.published is None:
            return [f"published nothing yet; the workspace is version {self.workspace}"]
        if self.published == self.workspace:
            return [f"same      the workspace is version {self.workspace}, which is published"]
        told = [f"version   {self.published} is published, the workspace is {self.workspace}"]
        return told + ([one.line() for one in self.differences] or ["same      nothing but comments and layout is another"])


def differences(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    """From one version's texts by file name to another's, in the order in which the things stand; each thing once.

    The words of an action that comes or goes as a whole are not told one by one. Both versions are readable YAML.
    """
    old, new = _things(before), _things(after)
    for thing in (*old, *(one for one in new if one not in old)):
        if thing.parent and (_Thing(*thing.parent) in old) != (_Thing(*thing.parent) in new):
            continue
        if thing not in new:
            yield Difference(how="removed", what=thing.what, name=str(thing))
        elif thing not in old:
            yield Difference(how="added", what=thing.what, name=str(thing))
        else:
            yield from _changes(thing, old[thing], new[thing])
    yield from _moved(before, after)


def _changes(thing: _Thing, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Difference]:
    for field in (*old, *(one for one in new if one not in old)):
        if field not in old or field not in new or old[field] != new[field]:
            shown = [_shown(fields[field]) if field in fields else None for fields in (old, new)]
            yield Difference(how="changed", what=thing.what, name=str(thing), field=field, before=shown[0], after=shown[1])


def _moved(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Difference]:
    """Of lists the order counts: the first stage that fits, the first rule that says no."""
    old, new = _orders(before), _orders(after)
    for what in old:
        kept = [[name for name in names if name in old[what] and name in new.get(what, ())] for names in (old[what], new[what])]
        if kept[0] != kept[1]:
            yield Difference(how="order", what=what, name="", before=", ".join(kept[0]), after=", ".join(kept[1]))


def _things(texts: Mapping[str, str]) -> dict[_Thing, dict[str, Any]]:
    """The fields of each thing, by their path."""
    found: dict[_Thing, dict[str, Any]] = {}

    def walk(path: tuple[str, ...], thing: _Thing, field: tuple[str, ...], value: Any) -> None:
        if path in _THINGS:
            for name, inside in _by_name(value):
                own = _Thing(_THINGS[path], name, thing[:2] if _EACH in path else None)
                found.setdefault(own, {})
                walk((*path, _EACH), own, (), inside)
        elif isinstance(value, dict) or (isinstance(value, list) and any(isinstance(one, dict) for one in value)):
            items = value.items() if isinstance(value, dict) else _by_name(value)
            for key, inside in items:
                walk((*path, key), thing, (*field, key), inside)
        else:
            found.setdefault(thing, {})[".".join(field)] = value

    for file, text in texts.items():
        stem = file.removesuffix(".yaml")
        walk((stem,), _Thing(stem, ""), (), plain(text))
    return found


def _orders(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """The names of each list of things, by what they are."""
    found = {}
    for path, what in _THINGS.items():
        value = plain(texts[f"{path[0]}.yaml"]) if f"{path[0]}.yaml" in texts else None
        for key in path[1:]:
            value = value.get(key) if isinstance(value, dict) else None
        found[what] = [name for name, _ in _by_name(value)] if isinstance(value, list) else []
    return found


def _by_name(value: Any) -> list[tuple[str, Any]]:
    """The things in a mapping, or in a list whose items name themselves; of several with one name each has its own."""
    if isinstance(value, dict):
        return list(value.items())
    named: dict[str, Any] = {}
    for at, one in enumerate(value or (), start=1):
        key = next((name for name in _NAMES if isinstance(one, dict) and name in one), None)
        name = str(at) if key is None else str(one[key])
        named[f"{name} ({at})" if name in named else name] = (
            one if key is None else {other: inside for other, inside in one.items() if other != key}
        )
    return list(named.items())


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = "null" if value is None else str(value)
    return f'"{text}"' if " " in text or not text else text
