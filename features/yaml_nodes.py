"""The only YAML door: text to typed, frozen values, with every fault named by file, line, column, key and cure."""

import dataclasses
import difflib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

import yaml

from decisioning import conditions
from decisioning.errors import ConditionError, FieldError, KairosError
from features.yaml_scalars import convert, expected

_T = typing.TypeVar("_T")


class WorkspaceError(KairosError):
    """What is wrong with a workspace. One line a fault: `file:line:column: key: cause; cure`."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    file: str
    keys: tuple[str, ...]
    node: yaml.Node

    def fault(self, cause: str) -> str:
        mark = self.node.start_mark
        return f"{self.file}:{mark.line + 1}:{mark.column + 1}: {'.'.join(self.keys) or 'the file'}: {cause}"

    def at(self, key: str, node: yaml.Node) -> "_Place":
        return _Place(self.file, (*self.keys, key), node)


@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class _Unreadable:
    """A value of no type that anybody asks for, such as one tagged `!secret`."""

    says: str

    def __repr__(self) -> str:
        return self.says


class _Failed(Exception):
    """Internal: the value could not be made; its faults are already in the list."""


def decode(text: str, kind: type[_T], *, file: str) -> _T:
    """A value of type `kind` from YAML text.

    `kind` is a dataclass, or a mapping of them. Unknown and missing keys, wrong types and values that a dataclass's
    `__post_init__` refuses are all collected. A field's metadata {"key": ...} names its written form; {"is_key": True}
    takes the key under which the value stands in its mapping. Durations are written `30d`, `12h`, `15m`; conditions as
    `decisioning.conditions.parse` reads them; where a list of records is asked for, one alone may stand for a list of one.

    Raises WorkspaceError with every fault found.
    """
    value, faults = read(text, kind, file=file)
    if faults:
        raise WorkspaceError(faults)
    return typing.cast(_T, value)


def read(text: str, kind: type[_T], *, file: str) -> tuple[_T | None, list[str]]:
    """As `decode`, with the faults beside what can be read in spite of them.

    That is: of a mapping its entries and of a dataclass its keys, as far as they are sound; for the other keys what holds
    where nothing is written; None where one of them must be written. Of a list with faults nothing is read.
    """
    faults: list[str] = []
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else f"{file}:1:1"
        return None, [f"{where}: not YAML: {error.problem or error.context}; mend this line"]
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        return None, [f"{file}:{line}:1: not YAML: {error.reason}; remove the character"]
    if node is None:
        return None, [f"{file}:1:1: the file is empty; see the same file of the demo workspace for its form"]
    place = _Place(file, (), node)
    try:
        return _value(place, kind, faults), faults
    except _Failed:
        return _sound(place, kind), faults


def plain(text: str) -> Any:
    """What readable YAML text says, of no type: mappings as dicts, lists, and scalars as `decode` reads them."""
    return _untyped(yaml.compose(text, Loader=yaml.SafeLoader))


def keys(text: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """The keys of the mapping at a path of keys, faults or not; None where there is no mapping, or the text is no YAML."""
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    for key in path:
        node = next((v for k, v in node.value if k.value == key), None) if isinstance(node, yaml.MappingNode) else None
    return tuple(str(k.value) for k, _ in node.value) if isinstance(node, yaml.MappingNode) else None


def position(text: str, path: tuple[str, ...]) -> tuple[int, int]:
    """Line and column, from 1, of the value at a path of keys; of the nearest key above it where the path ends early.

    A path may leave out the place in a list of one, and name the place 0 of one that stands for a list.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if node is None:
        return 1, 1
    mark = node.start_mark
    for key in path:
        if isinstance(node, yaml.SequenceNode) and not key.isdigit() and len(node.value) == 1:
            node = node.value[0]
        if isinstance(node, yaml.MappingNode):
            found = [(k, v) for k, v in node.value if k.value == key]
            if not found:
                if key == "0":
                    continue
                break
            mark, node = found[0][0].start_mark, found[0][1]
        elif isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
            mark = node.start_mark
        else:
            break
    return mark.line + 1, mark.column + 1


def _value(place: _Place, kind: Any, faults: list[str]) -> Any:
    node, origin = place.node, get_origin(kind)
    # a condition is a union of its kinds; `Condition | None` comes flattened into one union with None
    if conditions.Test in get_args(kind) and (type(None) not in get_args(kind) or _plain(node) is not None):
        return _parsed(place, lambda: conditions.parse(_plain(node)), faults)
    if origin in (Union, types.UnionType):
        return _union(place, get_args(kind), faults)
    if origin is Literal:
        return _literal(place, get_args(kind), faults)
    if origin is tuple:
        return _sequence(place, get_args(kind), faults)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(place, get_args(kind)[1], faults)
    if dataclasses.is_dataclass(kind):
        return _record(place, typing.cast(type, kind), faults)
    return _scalar(place, kind, faults)


def _record(place: _Place, kind: type, faults: list[str]) -> Any:
    fields = [field for field in dataclasses.fields(kind) if field.init]
    known = {field.metadata.get("key", field.name): field for field in fields if not field.metadata.get("is_key")}
    hints = typing.get_type_hints(kind)
    given: dict[str, Any] = {field.name: place.keys[-1] for field in fields if field.metadata.get("is_key")}
    written: dict[str, _Place] = {}
    failed = False
    for key, node in _items(place, faults):
        inside = place.at(key, node)
        if key not in known:
            close = difflib.get_close_matches(key, known, n=1)
            cure = f"did you mean {close[0]!r}?" if close else f"the known keys are {', '.join(sorted(known))}"
            faults.append(inside.fault(f"unknown key; {cure}"))
            failed = True
            continue
        written[known[key].name] = inside
        try:
            given[known[key].name] = _value(inside, hints[known[key].name], faults)
        except _Failed:
            given[known[key].name] = None
            failed = True
    for key, field in known.items():
        optional = field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
        if field.name not in given and not optional:
            faults.append(place.fault(f"the key {key!r} is missing; add it"))
            failed = True
    if failed:
        raise _Failed
    try:
        return _parsed(place, lambda: kind(**given), faults)
    except FieldError as error:
        faults.append(written.get(error.name, place).fault(str(error)))
        raise _Failed from error


def _sound(place: _Place, kind: Any) -> Any:
    """What can be read of a value that has faults, which are told already; None where that is nothing whole."""
    told: list[str] = []
    is_mapping = get_origin(kind) is Mapping
    if not isinstance(place.node, yaml.MappingNode) or not (is_mapping or dataclasses.is_dataclass(kind)):
        return None
    kinds = {} if is_mapping else typing.get_type_hints(kind)
    fields = () if is_mapping else dataclasses.fields(kind)
    names = {field.metadata.get("key", field.name): field.name for field in fields if field.init}
    given = {field.name: place.keys[-1] for field in fields if field.metadata.get("is_key")}
    for key, node in _items(place, told):
        if is_mapping or key in names:
            name, wanted = (key, get_args(kind)[1]) if is_mapping else (names[key], kinds[names[key]])
            try:
                given[name] = _value(place.at(key, node), wanted, told)
            except _Failed:
                if (part := _sound(place.at(key, node), wanted)) is not None:
                    given[name] = part
    if is_mapping:
        return given
    try:
        return kind(**given)
    except Exception:  # half of a value may break its own check of itself in any way
        return None


def _mapping(place: _Place, kind: Any, faults: list[str]) -> dict[str, Any]:
    made, failed = {}, False
    for key, node in _items(place, faults):
        try:
            made[key] = _value(place.at(key, node), kind, faults)
        except _Failed:
            failed = True
    if failed:
        raise _Failed
    return made


def _items(place: _Place, faults: list[str]) -> list[tuple[str, yaml.Node]]:
    if not isinstance(place.node, yaml.MappingNode):
        faults.append(place.fault("expected keys with values (key: value)"))
        raise _Failed
    items: dict[str, yaml.Node] = {}
    for key_node, node in place.node.value:
        key = str(key_node.value)
        if key in items:
            faults.append(place.at(key, key_node).fault("written twice; keep one"))
        items[key] = node
    return list(items.items())


def _sequence(place: _Place, args: tuple[Any, ...], faults: list[str]) -> tuple[Any, ...]:
    if isinstance(place.node, yaml.MappingNode) and dataclasses.is_dataclass(args[0]) and args[1:] == (Ellipsis,):
        return (_value(place, args[0], faults),)
    if not isinstance(place.node, yaml.SequenceNode):
        faults.append(place.fault("expected a list; write [one, two] or a line '- item' each"))
        raise _Failed
    nodes = place.node.value
    kinds = [args[0]] * len(nodes) if len(args) == 2 and args[1] is Ellipsis else list(args)
    if len(kinds) != len(nodes):
        faults.append(place.fault(f"expected a list of {len(kinds)}, found {len(nodes)}"))
        raise _Failed
    made, failed = [], False
    for at, (kind, node) in enumerate(zip(kinds, nodes, strict=True)):
        try:
            made.append(_value(place.at(str(at), node), kind, faults))
        except _Failed:
            failed = True
    if failed:
        raise _Failed
    return tuple(made)


def _union(place: _Place, kinds: tuple[Any, ...], faults: list[str]) -> Any:
    if type(None) in kinds and _plain(place.node) is None:
        return None
    choices = [kind for kind in kinds if kind is not type(None)]
    if len(choices) == 1:
        return _value(place, choices[0], faults)
    tried: list[str] = []
    for kind in choices:
        mine: list[str] = []
        try:
            value = _value(place, kind, mine)
        except _Failed:
            tried = tried or mine
        else:
            faults.extend(mine)
            return value
    faults.extend(tried)
    raise _Failed


def _literal(place: _Place, allowed: tuple[Any, ...], faults: list[str]) -> Any:
    plain = _plain(place.node)
    if plain in allowed:
        return plain
    faults.append(place.fault(f"{plain!r} is not one of {', '.join(map(str, allowed))}"))
    raise _Failed


def _scalar(place: _Place, kind: Any, faults: list[str]) -> Any:
    plain = _plain(place.node)
    made = convert(plain, kind)
    if made is None:
        faults.append(place.fault(f"expected {expected(kind)}, found {plain!r}"))
        raise _Failed
    return made


def _parsed(place: _Place, make: Callable[[], Any], faults: list[str]) -> Any:
    try:
        return make()
    except FieldError:
        raise
    except (ConditionError, ValueError) as error:
        faults.append(place.fault(str(error)))
        raise _Failed from error


def _untyped(node: yaml.Node | None) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _untyped(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_untyped(one) for one in node.value]
    return None if node is None else _plain(node)


def _plain(node: yaml.Node) -> Any:
    """The plain value of a node; the text of one that looks like a date and is none, as 2018-02-30.

    YAML 1.1 reads 21:00 as a number in base 60 and `on` as true; a time and a word are meant.
    """
    if isinstance(node, yaml.ScalarNode):
        if node.tag == "tag:yaml.org,2002:int" and ":" in node.value:
            return node.value
        if node.tag == "tag:yaml.org,2002:bool" and node.value.lower() not in ("true", "false"):
            return node.value
    loader = yaml.SafeLoader("")
    try:
        return loader.construct_object(node, deep=True)
    except (ValueError, yaml.MarkedYAMLError) as error:
        if isinstance(error, ValueError) and isinstance(node, yaml.ScalarNode):
            return node.value
        return _Unreadable(f"a value that YAML cannot make ({getattr(error, 'problem', error)})")
    finally:
        loader.dispose()
