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


class Refused(Exception):
    """Why a row is not taken in. `detail` names the field and the cure, for a person."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


class QuarantineBusy(KairosError):
    """Another process is taking in the same file."""


class Quarantine:
    """The refused rows of one file, and their `counts` by reason."""

    def __init__(self, file: str, out: Any) -> None:
        self._file, self._out = file, out
        self.counts: Counter[Reason] = Counter()

    def add(self, line: int, raw: bytes | Mapping[str, Any], why: Refused) -> None:
        """`line` counts from 1; `raw` is the row as it stood in the file (text), or its columns by name (Parquet)."""
        self.counts[why.reason] += 1
        row = raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw
        entry = {"file": self._file, "line": line, "reason": why.reason, "detail": why.detail, "row": row}
        self._out.write(msgspec.json.encode(entry, enc_hook=repr) + b"\n")


@contextmanager
def quarantine(target: Path, *, file: str) -> Iterator[Quarantine]:
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
            refused = Quarantine(file, out)
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
    """Drop the quarantined rows that name a customer, wherever in them one of the ids stands; how many there were."""
    ids, dropped = [name.encode() for name in names], 0
    for file in sorted(folder.glob("*.ndjson")):
        rows = file.read_bytes().splitlines(keepends=True)
        kept = [row for row in rows if not any(name in row for name in ids)]
        if len(kept) == len(rows):
            continue
        dropped += len(rows) - len(kept)
        partial = file.with_suffix(".partial")
        partial.write_bytes(b"".join(kept))
        os.replace(partial, file)
    return dropped
