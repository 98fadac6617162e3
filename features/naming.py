"""Whether a row that was not taken in names somebody: an id counts as a whole, not as a part of something longer.

Any value of a row that equals an id counts, in whatever field: rather a row too many goes than one too few. A row stands in a
quarantine's file as it came, well formed or not: as much of its form is read as it has.
"""

import csv
import io
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import msgspec

from features.join import ANONYMOUS

_TABLES = re.compile(r"\.(csv|tsv)(\.gz)?$")
_DELIMITERS = ",;\t|"
"""Those of tables that do not say theirs."""
_ENCODINGS = ("utf-8", "latin-1", "cp1252")
_MOST_DIGITS = 40
_ESCAPE = re.compile(r"(?:\\u[0-9a-fA-F]{4})+|\\[\"\\/]")


class _Entry(msgspec.Struct):
    row: msgspec.Raw
    file: str = ""
    delimiter: str | None = None


class Names:
    """Ids of one customer as the log keeps them; an anonymous one is sought with its prefix and without."""

    def __init__(self, ids: Iterable[str]) -> None:
        bare = {form for one in ids for form in (one, one.removeprefix(ANONYMOUS))} - {"", ANONYMOUS}
        # a row of another encoding was kept with its bytes written out
        kept = {one.encode(encoding, "ignore").decode("utf-8", "backslashreplace") for one in bare for encoding in _ENCODINGS}
        in_bytes = {b64encode(one.encode()).decode() for one in bare}
        kept.discard("")
        self._whole = bare | kept | in_bytes
        self._within = re.compile("|".join(rf"(?<!\w){re.escape(one)}(?!\w)" for one in sorted(bare | kept)) or r"(?!)")

    def in_entry(self, line: bytes) -> bool:
        """Whether one of the ids stands in the row of a quarantine's line."""
        try:
            entry = msgspec.json.decode(line, type=_Entry)
            raw = bytes(entry.row)
            if not raw.startswith(b'"'):
                return self._among(_values(raw.decode()))
            row = msgspec.json.decode(raw, type=str)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return self._in_text(line.decode("utf-8", "backslashreplace"))
        if entry.delimiter is not None or _TABLES.search(entry.file):
            return self._in_cells(row, entry.delimiter or _DELIMITERS)
        try:
            return self._among(_values(row))
        except (ValueError, RecursionError):
            return self._in_text(row)

    def _among(self, values: Iterable[str]) -> bool:
        return any(value in self._whole or value.strip(" \"'") in self._whole for value in values)

    def _in_cells(self, row: str, delimiters: str) -> bool:
        try:
            return any(
                self._among(cells)
                for delimiter in delimiters
                for cells in csv.reader(io.StringIO(row, newline=""), delimiter=delimiter, strict=True)
            )
        except csv.Error:  # where its quotes are wrong, its cells are too
            return self._in_text(row)

    def _in_text(self, text: str) -> bool:
        return any(self._within.search(one) for one in (text, _ESCAPE.sub(_unescaped, text)))


def _values(text: str) -> Iterator[str]:
    """Texts and numbers (as texts) of a JSON value, at any depth; names of fields are none. Raises ValueError."""
    waiting = [json.loads(text, object_pairs_hook=_told, parse_int=str, parse_float=_number, parse_constant=str)]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, str):
            yield value


def _told(pairs: list[tuple[str, Any]]) -> list[Any]:
    return [value for _, value in pairs]  # a field that is there twice counts twice


def _number(text: str) -> str:
    """Whole numbers are often written as floats."""
    try:
        number = Decimal(text)
        return str(int(number)) if number.adjusted() < _MOST_DIGITS and number == int(number) else text
    except ArithmeticError:
        return text


def _unescaped(escape: re.Match[str]) -> str:
    written = escape[0]
    if not written.startswith("\\u"):
        return written[1:]
    units = b"".join(int(unit, 16).to_bytes(2, "little") for unit in written.split("\\u")[1:])
    return units.decode("utf-16-le", "replace")
