"""Cells to values: ids, times, numbers, flags. Every refusal says which field, what was found, and what was meant."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from math import isfinite, isnan
from typing import Any, Literal
from zoneinfo import ZoneInfo

from features.join import ANONYMOUS, LONGEST_ID, is_anonymous
from features.log import AHEAD, EARLIEST
from features.quarantine import Reason, Refused

LARGEST_NUMBER = 1e15

Type = Literal["text", "number", "flag"]

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_FLAGS = {"true": True, "yes": True, "y": True, "1": True, "false": False, "no": False, "n": False, "0": False}


def missing(cell: Any) -> bool:
    """Nothing stands there: null, an empty cell, or a float or decimal that is no number."""
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return cell is None or cell == "" or (isinstance(cell, float) and isnan(cell))


def identifier(cell: Any, *, field: str, absent: Reason, longest: int = LONGEST_ID) -> str:
    """Text of 1 to `longest` characters, none of them a control character. Whole numbers count as text.

    Raises Refused, with the reason `absent` where there is nothing.
    """
    if missing(cell):
        raise Refused(absent, f"{field} is empty; every row needs one")
    if isinstance(cell, float | Decimal) and isfinite(cell) and cell == int(cell):
        cell = int(cell)  # a column of ids with gaps is often written as floats
    if isinstance(cell, int) and not isinstance(cell, bool):
        cell = str(cell)
    if not isinstance(cell, str):
        raise Refused("wrong_type", f"{field}: expected an id, found {_shown(cell)}")
    if len(cell) > longest or _CONTROL.search(cell):
        raise Refused("wrong_type", f"{field}: an id has at most {longest} characters and no control characters")
    return cell


def known_id(cell: Any, *, field: str) -> str:
    """The id by which a brand knows a customer. Raises Refused."""
    found = identifier(cell, field=field, absent="no_customer")
    if is_anonymous(found):
        raise Refused("wrong_type", f"{field}: {_shown(found)} begins with {ANONYMOUS!r}, as only anonymous ids do")
    return found


def happened(cell: Any, *, field: str, now: datetime, form: str = "iso", zone: ZoneInfo | None = None) -> datetime:
    """An aware UTC time between 1970 and `now` + 5 minutes.

    `form` is iso, seconds or milliseconds since 1970, or a pattern of strptime. A time without an offset is local in
    `zone` (in the hour that autumn repeats, the first), and refused where there is none.
    """
    if missing(cell):
        raise Refused("no_time", f"{field} is empty; every row needs one")
    try:
        moment = _parsed(cell, form)
        if moment.tzinfo is None:
            if zone is None:
                raise Refused("wrong_type", f"{field}: {_shown(cell)} has no offset; write 2018-01-01T09:00:00Z")
            moment = moment.replace(tzinfo=zone)
        moment = moment.astimezone(UTC)
    except (ValueError, TypeError) as error:
        expected = {"iso": "a time such as 2018-01-01T09:00:00Z"}.get(form, f"a time in the form {form}")
        raise Refused("wrong_type", f"{field}: expected {expected}, found {_shown(cell)}") from error
    except OverflowError as error:
        raise Refused("absurd_time", f"{field}: {_shown(cell)} is beyond the calendar") from error
    if moment < EARLIEST:
        raise Refused("absurd_time", f"{field}: {_shown(cell)} is before {EARLIEST:%Y}")
    if moment > now + AHEAD:
        raise Refused("absurd_time", f"{field}: {_shown(cell)} is after the engine's time, {now:%Y-%m-%dT%H:%M:%SZ}")
    return moment


def value(cell: Any, kind: Type | None, *, field: str, decimal: str = ".") -> Any:
    """A cell as a type; as it is where `kind` is None. Decimals of a database become floats."""
    match kind:
        case None:
            return float(cell) if isinstance(cell, Decimal) else cell
        case "text":
            return cell if isinstance(cell, str) else str(cell)
        case "number":
            return _number(cell, field, decimal)
        case "flag":
            return flag(cell, field=field)


def flag(cell: Any, *, field: str) -> bool:
    """true, yes, y, 1 or false, no, n, 0, in any case."""
    found = cell if isinstance(cell, bool) else _FLAGS.get(str(cell).lower())
    if found is None:
        raise Refused("wrong_type", f"{field}: expected yes or no (true, false, 1, 0), found {_shown(cell)}")
    return found


def _number(cell: Any, field: str, decimal: str) -> float:
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        if -LARGEST_NUMBER <= cell <= LARGEST_NUMBER:
            return float(cell)
    elif isinstance(cell, str):
        written = cell.replace(decimal, ".") if decimal != "." and "." not in cell else cell
        if _NUMBER.fullmatch(written) and (decimal == "." or "." not in cell) and abs(float(written)) <= LARGEST_NUMBER:
            return float(written)
    raise Refused("wrong_type", f"{field}: expected a number such as 1234{decimal}5, found {_shown(cell)}")


def _parsed(cell: Any, form: str) -> datetime:
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - placed by the caller
    if form in ("seconds", "milliseconds"):
        return EARLIEST + timedelta(**{form: float(cell)})
    if not isinstance(cell, str):
        raise TypeError
    return datetime.fromisoformat(cell) if form == "iso" else datetime.strptime(cell, form)  # noqa: DTZ007 - the same


def _shown(cell: Any) -> str:
    text = repr(cell)
    return text if len(text) <= 60 else f"{text[:57]}..."
