"""Times as somebody asks for them on the command line."""

import re
from datetime import UTC, datetime, timedelta

from decisioning.errors import KairosError


class TimeError(KairosError):
    """A time that cannot be read; the text shows how to write one."""


def asked_since(text: str, now: datetime) -> datetime:
    """A date, midnight in UTC, or so many days, hours or weeks before `now`: 2026-01-31, 30d, 48h, 8w.

    Raises TimeError for anything else, and for a time that is not before now.
    """
    if ago := re.fullmatch(r"([1-9]\d{0,4})([hdw])", text):
        return now - int(ago[1]) * {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}[ago[2]]
    found = _date(text)
    if found >= now:
        raise TimeError(f"{text!r} is not before the engine's time, {now:%Y-%m-%d %H:%M} UTC; give an earlier one")
    return found


def asked_span(text: str) -> tuple[datetime, datetime]:
    """Two dates, the second one excluded: 2026-01-01..2026-02-01. Raises TimeError for anything else."""
    first, dots, last = text.partition("..")
    if not dots or _date(first) >= _date(last):
        raise TimeError(f"{text!r} is no span of time; write the first day and the day after the last: 2026-01-01..2026-02-01")
    return _date(first), _date(last)


def _date(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise TimeError(f"{text!r} is no time; write a date such as 2026-01-31, or a time back from now such as 30d") from None
