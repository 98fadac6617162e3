"""A single written value as the type that is asked for: numbers, texts, times, durations."""

import re
from datetime import date, datetime, time, timedelta
from math import isfinite
from typing import Any

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_DURATION = re.compile(r"^(\d+(?:\.\d+)?)\s*([dhms])$")
_EXPECTED: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    timedelta: "a duration such as 30d or 12h",
    datetime: "a time such as 2018-01-01T09:00:00",
    date: "a date such as 2018-01-01",
    time: "a time of day such as 21:00",
}


def expected(kind: Any) -> str:
    """What to write for a type, in words."""
    return _EXPECTED.get(kind, str(kind))


def convert(plain: Any, kind: Any) -> Any:
    """The value as `kind`, one of the types above; None where it is none."""
    match plain:
        case bool():
            return plain if kind is bool else None
        case int() if kind in (int, float):
            return kind(plain)
        case float() if kind is float and isfinite(plain):
            return plain
        case datetime() if kind is datetime:
            return plain
        case date() if kind is date and not isinstance(plain, datetime):
            return plain
        case date() if kind is datetime and not isinstance(plain, datetime):
            return datetime(plain.year, plain.month, plain.day)  # noqa: DTZ001 - local to the brand, placed by the reader
        case str() if kind is str:
            return plain
        case str() if kind is timedelta and (found := _DURATION.match(plain)):
            try:
                return timedelta(**{_UNITS[found[2]]: float(found[1])})
            except OverflowError:
                return None
        case str() if kind is time:
            try:
                found_time = time.fromisoformat(plain)
            except ValueError:
                return None
            return found_time if found_time.tzinfo is None else None
    return None
