"""Which customer a third party's key means, and from when: traits as customers told them in identify events."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from features.entries import Match

ALWAYS = -(2**62)
NEVER = 2**62
"""Moments before and after all others, in microseconds since 1970."""

_SCHEMA = {"customer_id": pl.String, "key": pl.String, "start": pl.Int64, "end": pl.Int64}


def told(columns: Mapping[str, Sequence[Any]], matches: Sequence[Match]) -> dict[Match, pl.DataFrame]:
    """For each match the keys of the customers: customer_id, key, start, end (microseconds, end excluded).

    `columns` are those of `Log.columns`, in the order of the log. A later record replaces what an earlier one told, from the
    moment it became known; a trait that is told as null ends the one before.
    """
    said: dict[Match, list[tuple[str, str | None, int]]] = {match: [] for match in matches}
    if matches:
        rows = zip(columns["customer_id"], columns["known_us"], columns["payload"], strict=True)
        for who, known_us, payload in rows:
            traits = _traits(payload) if who is not None and b"identify" in payload else {}
            for match in matches:
                if match.trait in traits:
                    said[match].append((who, _key(match, traits[match.trait]), known_us))
    return {match: _intervals(found) for match, found in said.items()}


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


def _intervals(said: Sequence[tuple[str, str | None, int]]) -> pl.DataFrame:
    frame = pl.DataFrame(said, schema={"customer_id": pl.String, "key": pl.String, "start": pl.Int64}, orient="row")
    # by the time it became known; what became known at one moment stays in the order of the log, and the last of it counts
    newest = frame.sort("start", maintain_order=True).unique(["customer_id", "start"], keep="last", maintain_order=True)
    return newest.with_columns(end=pl.col("start").shift(-1, fill_value=NEVER).over("customer_id")).select(*_SCHEMA)
