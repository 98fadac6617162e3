"""Conditions a marketer can read: `all | any | not` over `field op literal`. No arithmetic and no functions.

So small a language is a choice: of a condition that fails, what would make it hold can be said in words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from decisioning.errors import ConditionError

Value = float | str | bool | None
Literals = float | str | bool | tuple[float | str | bool, ...] | None
Lookup = Callable[[str], Value]
Op = Literal["=", "!=", "<", "<=", ">", ">=", "in", "missing", "present"]

_OPPOSITE: dict[Op, Op] = {
    "=": "!=", "!=": "=", "<": ">=", ">=": "<", ">": "<=", "<=": ">", "missing": "present", "present": "missing",
}  # fmt: skip
_TEST = re.compile(r"^\s*([a-z_]+(?:\.[A-Za-z0-9_]+)?)\s*(<=|>=|!=|=|<|>|\bin\b|\bmissing\b|\bpresent\b)\s*(.*?)\s*$")
_NUMBER = re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$")


@dataclass(frozen=True, slots=True)
class Test:
    """One comparison. A missing value satisfies only `missing` and `!=`."""

    field: str
    op: Op
    literal: Literals = None

    def __str__(self) -> str:
        return f"{self.field} {self.op}" + ("" if self.op in ("missing", "present") else f" {_written(self.literal)}")


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


Condition = Test | All | Any | Not


def parse(written: object) -> Condition:
    """A condition from its written form: a line, a list (all of them), or {all: [...]}, {any: [...]}, {not: ...}.

    >>> str(parse("profile.orders_90d >= 2"))
    'profile.orders_90d >= 2'

    Raises ConditionError with the text at fault and what is expected.
    """
    if isinstance(written, str):
        return _parse_test(written)
    if isinstance(written, list):
        return All(_parts(written))
    if isinstance(written, dict) and len(written) == 1:
        ((word, parts),) = written.items()
        if word == "all" and isinstance(parts, list):
            return All(_parts(parts))
        if word == "any" and isinstance(parts, list):
            return Any(_parts(parts))
        if word == "not":
            return Not(parse(parts))
    raise ConditionError(f"cannot read the condition {written!r}: write 'field op literal', or all, any, not over such lines")


def holds(condition: Condition, lookup: Lookup) -> bool:
    match condition:
        case Test(field, op, literal):
            return _compare(lookup(field), op, literal)
        case All(parts):
            return all(holds(part, lookup) for part in parts)
        case Any(parts):
            return any(holds(part, lookup) for part in parts)
        case Not(part):
            return not holds(part, lookup)


def unlock(condition: Condition, lookup: Lookup) -> str:
    """What would make a failing condition hold, in words; empty where it holds.

    >>> unlock(parse(["profile.orders_90d >= 2", "state.known = true"]), {"state.known": True}.get)
    'profile.orders_90d >= 2 (is missing)'
    """
    if holds(condition, lookup):
        return ""
    match condition:
        case Test(field):
            return f"{condition} (is {_shown(lookup(field))})"
        case All(parts):
            hints = [hint for part in parts if (hint := unlock(part, lookup))]
            return " and ".join(f"({hint})" if " or " in hint and len(hints) > 1 else hint for hint in hints)
        case Any(parts):
            return " or ".join(unlock(part, lookup) for part in parts)
        case Not(part):
            return unlock(_negated(part), lookup)


def fields_of(condition: Condition) -> frozenset[str]:
    """Every field a condition reads."""
    match condition:
        case Test(field):
            return frozenset({field})
        case All(parts) | Any(parts):
            return frozenset().union(*(fields_of(part) for part in parts))
        case Not(part):
            return fields_of(part)


def _negated(condition: Condition) -> Condition:
    match condition:
        case Test(field, "in", literal):
            assert isinstance(literal, tuple)
            return All(tuple(Test(field, "!=", one) for one in literal))
        case Test(field, op, literal) if op in ("<", "<=", ">", ">="):
            # a missing value satisfies neither side, so it satisfies the negation
            return Any((Test(field, _OPPOSITE[op], literal), Test(field, "missing")))
        case Test(field, op, literal):
            return Test(field, _OPPOSITE[op], literal)
        case All(parts):
            return Any(tuple(_negated(part) for part in parts))
        case Any(parts):
            return All(tuple(_negated(part) for part in parts))
        case Not(part):
            return part


def _compare(value: Value, op: Op, literal: Literals) -> bool:
    if op == "missing":
        return value is None
    if op == "present":
        return value is not None
    if value is None:
        return op == "!="
    if op == "in":
        return value in literal  # type: ignore[operator]  # the parser only makes `in` with a tuple
    if op == "=":
        return value == literal
    if op == "!=":
        return value != literal
    if not isinstance(value, int | float) or not isinstance(literal, int | float):
        return False
    return {"<": value < literal, "<=": value <= literal, ">": value > literal, ">=": value >= literal}[op]


def _parts(written: list[object]) -> tuple[Condition, ...]:
    if not written:
        raise ConditionError("an empty list of conditions; write at least one line, or leave the condition out")
    return tuple(parse(part) for part in written)


def _parse_test(text: str) -> Test:
    found = _TEST.match(text)
    if found is None:
        raise ConditionError(
            f"cannot read the condition {text!r}: write 'field op literal' with one of = != < <= > >= in missing present"
        )
    field, op, rest = found[1], found[2], found[3]
    if op in ("missing", "present"):
        if rest:
            raise ConditionError(f"{text!r}: nothing may follow {op!r}")
        return Test(field, op)  # type: ignore[arg-type]  # the expression admits only the operators
    if not rest:
        raise ConditionError(f"{text!r}: a literal is missing after {op!r}")
    if op == "in":
        if not (rest.startswith("[") and rest.endswith("]")):
            raise ConditionError(f"{text!r}: write a list after 'in', as in [bakery, produce]")
        listed = tuple(_literal(part) for part in rest[1:-1].split(",") if part.strip())
        if not listed:
            raise ConditionError(f"{text!r}: the list is empty, so it never holds; write at least one value")
        return Test(field, "in", listed)
    literal = _literal(rest)
    if op not in ("=", "!=") and not (isinstance(literal, int | float) and not isinstance(literal, bool)):
        raise ConditionError(f"{text!r}: {op!r} compares with a number, {rest!r} is none")
    return Test(field, op, literal)  # type: ignore[arg-type]


def _literal(text: str) -> float | str | bool:
    """A number, true or false, or else text; in quotes it is always text."""
    text = text.strip()
    if text in ("true", "false"):
        return text == "true"
    if _NUMBER.match(text):
        return float(text)
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _shown(value: Value) -> str:
    """For a person: measured numbers to six digits."""
    if value is None:
        return "missing"
    return f"{value:.6g}" if isinstance(value, float) else _written(value)


def _written(value: Literals) -> str:
    """As `parse` reads it back."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return f"[{', '.join(_written(one) for one in value)}]"
        case float() | int():
            return short if float(short := f"{value:.6g}") == value else repr(value)
        case _:
            text = str(value)
            return text if _literal(text) == text else f"'{text}'"
