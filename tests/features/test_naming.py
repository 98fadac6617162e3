"""Which quarantined rows name a customer: whole ids, however the row was written, and nothing that only looks like one."""

import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from features.quarantine import Quarantine, Refused, forget


def entry(row: Any, file: str = "events.ndjson", delimiter: str | None = None) -> bytes:
    out = io.BytesIO()
    Quarantine(file, out, delimiter).add(1, row, Refused("wrong_type", "mend it"))
    return out.getvalue()


def message(**said: Any) -> bytes:
    return json.dumps({"type": "track", **said}).encode()


def csv(row: str, delimiter: str = ",", encoding: str = "utf-8") -> bytes:
    return entry(row.encode(encoding), "crm.csv", delimiter)


NAMED = {
    "escaped letters": (entry(message(userId="zoë")), "zoë"),
    "an escaped letter beyond 16 bits": (entry(message(userId="a\U0001f600")), "a\U0001f600"),
    "letters as they are": (entry('{"userId": "zoë"}'.encode()), "zoë"),
    "a quote": (entry(message(userId='o"neil')), 'o"neil'),
    "a backslash": (entry(message(userId="a\\b")), "a\\b"),
    "a visitor": (entry(message(anonymousId="device")), "anonymous:device"),
    "a visitor with the prefix": (entry(message(previousId="anonymous:device")), "anonymous:device"),
    "deep inside": (entry(message(context={"a": [{"b": "anna"}]})), "anna"),
    "a field that is there twice": (entry(b'{"userId": "anna", "userId": "bob"}'), "anna"),
    "a number": (entry(message(userId=1029)), "1029"),
    "a number with a point": (entry(message(userId=1029.0)), "1029"),
    "a message cut short": (entry(b'{"userId": "zo\\u00eb", "note": "xxxx'), "zoë"),
    "a message cut short after a quote": (entry(b'{"userId": "o\\"neil", "note": "xxxx'), 'o"neil'),
    "a message of another encoding": (entry('{"userId": "anna", "name": "é"}'.encode("latin-1")), "anna"),
    "a message deeper than the stack": (entry(b'{"userId": "anna", "a": ' + b"[" * 100_000), "anna"),
    "a cell": (csv("anna,x\n"), "anna"),
    "a cell with blanks": (csv("x, anna \n"), "anna"),
    "a quoted cell": (csv('"o""neil, j.",x\n'), 'o"neil, j.'),
    "a cell of another delimiter": (csv("x^anna\n", "^"), "anna"),
    "a cell of an older entry": (entry(b"x;anna\n", "crm.csv.gz"), "anna"),
    "a cell of another encoding": (csv("zoë,x\n", encoding="latin-1"), "zoë"),
    "a quote that is never closed": (csv('"anna,x\n'), "anna"),
    "a column": (entry({"who": "anna"}, "crm.parquet"), "anna"),
    "a column of floats": (entry({"who": 1029.0}, "crm.parquet"), "1029"),
    "a column of decimals": (entry({"who": Decimal("1029.00")}, "crm.parquet"), "1029"),
    "a column of bytes": (entry({"who": b"anna"}, "crm.parquet"), "anna"),
    "an entry that is no JSON": (b'{"row": "anna,x"\n', "anna"),
}
OTHERS = {
    "nobody": (entry(message(userId="")), ""),
    "a visitor without a name": (entry(message(previousId="anonymous:", anonymousId="")), "anonymous:"),
    "a longer id": (entry(message(userId="1029")), "1"),
    "a line of the file": (entry(message(userId="bob")), "1"),
    "the name of a field": (entry(message(userId="bob")), "userId"),
    "a part of a text": (entry(message(userId="bob", properties={"note": "as anna said"})), "anna"),
    "a part of a number": (entry(message(userId=10.29)), "10"),
    "a longer cell": (csv("anna smith,x\n"), "anna"),
    "a cell of a longer number": (csv("1029,x\n"), "1"),
    "a longer word of a broken row": (csv('"annabel,x\n'), "anna"),
    "a column's name": (entry({"who": "bob"}, "crm.parquet"), "who"),
    "a number beyond all": (entry(b'{"userId": 1e999999999999999999999}'), "1"),
}


@pytest.mark.parametrize(("line", "customer"), NAMED.values(), ids=NAMED)
def test_a_row_goes_with_the_customer_whom_it_names(line: bytes, customer: str, tmp_path: Path) -> None:
    file, other = tmp_path / "one.ndjson", entry(message(userId="somebody else"))
    file.write_bytes(line + other)
    assert forget(tmp_path, ["another id of theirs", customer]) == 1
    assert file.read_bytes() == other


@pytest.mark.parametrize(("line", "customer"), OTHERS.values(), ids=OTHERS)
def test_a_row_of_somebody_else_stays(line: bytes, customer: str, tmp_path: Path) -> None:
    file = tmp_path / "one.ndjson"
    file.write_bytes(line)
    assert forget(tmp_path, [customer]) == 0
    assert file.read_bytes() == line
