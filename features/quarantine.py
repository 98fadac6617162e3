"""Rows that were not taken in: each with its file, line and reason, so that a person can mend and send it again."""

import fcntl
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec

from decisioning.errors import KairosError
from features.naming import Names

Reason = Literal[
    "not_utf8",
    "not_json",
    "not_csv",
    "oversized",
    "wrong_type",
    "unknown_kind",
    "no_customer",
    "no_message_id",
    "no_time",
    "absurd_time",
]
SHOWN_BYTES = 2_000
"""How much of an oversized row is kept."""
_ENCODER = msgspec.json.Encoder(enc_hook=repr, decimal_format="number")


class Refused(Exception):
    """Why a row is not taken in. `detail` names the field and the cure, for a person."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


class QuarantineBusy(KairosError):
    """Another process is taking in the same file."""


class Quarantine:
    """The refused rows of one file, and their `counts` by reason. `delimiter` is what parts its cells, in text that has any."""

    def __init__(self, file: str, out: Any, delimiter: str | None = None) -> None:
        self._told = {"file": file} if delimiter is None else {"file": file, "delimiter": delimiter}
        self._out = out
        self.counts: Counter[Reason] = Counter()

    def add(self, line: int, raw: bytes | Mapping[str, Any], why: Refused) -> None:
        """`line` counts from 1; `raw` is the row as it stood in the file (text), or its columns by name (Parquet)."""
        self.counts[why.reason] += 1
        row = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
        entry = self._told | {"line": line, "reason": why.reason, "detail": why.detail, "row": row}
        self._out.write(_ENCODER.encode(entry) + b"\n")


@contextmanager
def quarantine(target: Path, *, file: str, delimiter: str | None = None) -> Iterator[Quarantine]:
    """Collects the rows that one file is refused. `target` is written over when the block ends well, and gone if none was.

    An interrupted block leaves what an earlier run wrote. Raises QuarantineBusy while another process collects the same.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".partial-{target.name}")
    with partial.open("ab") as out:
        try:
            fcntl.flock(out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise QuarantineBusy(f"{file}: is being taken in by another process; wait for its end") from error
        try:
            out.truncate(0)
            refused = Quarantine(file, out, delimiter)
            yield refused
            out.flush()
            os.fsync(out.fileno())
            if refused.counts:
                os.replace(partial, target)
            else:
                target.unlink(missing_ok=True)
        finally:
            partial.unlink(missing_ok=True)


def forget(folder: Path, names: Sequence[str]) -> int:
    """Drop the quarantined rows in which one of a customer's ids (as the log keeps them) stands; how many there were.

    What an ingest is writing at the moment is left to it.
    """
    ids, dropped = Names(names), 0
    for file in sorted(folder.glob("[!.]*.ndjson")):
        rows = file.read_bytes().splitlines(keepends=True)
        kept = [row for row in rows if not ids.in_entry(row)]
        if len(kept) == len(rows):
            continue
        dropped += len(rows) - len(kept)
        partial = file.with_suffix(".partial")
        partial.write_bytes(b"".join(kept))
        os.replace(partial, file)
    return dropped
