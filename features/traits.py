"""Which customer a third party's key means, and from when: traits as customers told them in identify events."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
import polars as pl

from features.entries import Match
from features.join import is_anonymous
from features.known import Known

_SCHEMA = {"customer_id": pl.String, "key": pl.String, "start": pl.Int64, "end": pl.Int64}


def told(columns: Mapping[str, Sequence[Any]], matches: Sequence[Match], known: Known) -> dict[Match, pl.DataFrame]:
    """For each match the keys of the customers: customer_id, key, start, end (microseconds, end excluded).

    `columns` are those of `Log.columns`, in the order of the log. A later record replaces what an earlier one told, from the
    moment it became known; a trait that is told as null ends the one before. What was told under any id of a customer was
    told by that customer, from the moment at which the ids became known as one.
    """
    said: dict[Match, list[tuple[str, str | None, int]]] = {match: [] for match in matches}
    if matches:
        rows = zip(columns["customer_id"], columns["known_us"], columns["payload"], strict=True)
        for who, known_us, payload in rows:
            traits = _traits(payload) if who is not None and b"identify" in payload else {}
            for match in matches:
                if match.trait in traits:
                    said[match].append((who, _key(match, traits[match.trait]), known_us))
    return {match: _intervals(found, known) for match, found in said.items()}


def ids(known: Known) -> pl.DataFrame:
    """In the same form the ids of each customer who has or had several, for files that are matched by the customer's id."""
    rows = [
        (epoch.customer.name, member, epoch.start_us, epoch.end_us)
        for epoch in known.epochs
        for member in epoch.customer.members
        if not is_anonymous(member)
    ]
    return pl.DataFrame(rows, schema=_SCHEMA, orient="row")


def _traits(payload: bytes) -> Mapping[str, Any]:
    try:
        body = msgspec.json.decode(payload)
    except msgspec.DecodeError:
        return {}
    traits = body.get("traits") if isinstance(body, dict) and body.get("type") == "identify" else None
    return traits if isinstance(traits, dict) else {}


def _key(match: Match, value: Any) -> str | None:
    if value is None or match.hash is None:
        return None if value is None else str(value)
    return hashlib.sha256(str(value).strip().lower().encode()).hexdigest()


def _intervals(said: Sequence[tuple[str, str | None, int]], known: Known) -> pl.DataFrame:
    # by the time it became known; what became known at one moment stays in the order of the log, and the last of it counts
    in_order = sorted(said, key=lambda one: one[2])
    spread = known.spread([who for who, _, _ in in_order], np.array([at for _, _, at in in_order], dtype=np.int64))
    frame = pl.DataFrame(
        {
            "customer_id": pl.Series(spread.names, dtype=pl.String),
            "key": pl.Series([in_order[row][1] for row in spread.rows], dtype=pl.String),
            "start": spread.moment_us,
            "epoch": spread.epochs,
            "end": spread.end_us,
        }
    )
    own = ["customer_id", "epoch"]
    newest = frame.sort("start", maintain_order=True).unique([*own, "start"], keep="last", maintain_order=True)
    return newest.with_columns(end=pl.min_horizontal("end", pl.col("start").shift(-1).over(own))).select(*_SCHEMA)
