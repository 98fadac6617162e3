"""Who had agreed to what, and when it was known: training may read only what a decision of that moment might have read."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from decisioning.policy import Purpose
from features.agreed import agreed
from features.join import Link
from features.known import Known

FILE = "consents.parquet"
"""Beside the tables of a build."""

_SCHEMA = {"customer_id": pl.String, "purpose": pl.String, "granted": pl.Boolean, "known": pl.Int64}
_WORDS = {"customer_id": pl.String, "purpose": pl.String, "granted": pl.Boolean, "event": pl.Int64, "known": pl.Int64}


class _Word(NamedTuple):
    who: str
    purpose: str
    granted: bool
    event: int
    known: int


def of(columns: Mapping[str, Sequence[Any]], known: Known) -> pl.DataFrame:
    """customer_id, purpose, granted, known (microseconds): what held for each customer from a moment on.

    `columns` are those of `Log.columns`. Of words the one said last holds, of two said at once the one that withholds; when
    ids become known as one customer, what `agreed` says of them. granted is null where nothing that was said holds any more.
    """
    said = [
        _Word(who, body["purpose"], bool(body["granted"]), event, since)
        for who, event, since, payload in zip(
            columns["customer_id"], columns["event_us"], columns["known_us"], columns["payload"], strict=True
        )
        for body in (msgspec.json.decode(payload),)
    ]
    linked = {member for epoch in known.epochs for member in epoch.customer.members}
    frame = pl.DataFrame([one for one in said if one.who not in linked], schema=_WORDS, orient="row")
    frame = frame.sort("known", maintain_order=True)
    # of all that is known by then the greatest is the last word; an odd one withholds
    word = (pl.col("event") * 2 + (~pl.col("granted")).cast(pl.Int64)).cum_max().over("customer_id", "purpose")
    alone = frame.with_columns(granted=(word % 2) == 0).select(*_SCHEMA)
    joined = pl.DataFrame(_as_known(said, known) if linked else [], schema=_SCHEMA, orient="row")
    made = pl.concat([alone, joined]).sort("known", maintain_order=True)
    return made.unique(["customer_id", "purpose", "known"], keep="last", maintain_order=True)


def _as_known(said: Sequence["_Word"], known: Known) -> Iterator[tuple[str, str, bool | None, int]]:
    """The rows of the customers who have or had several ids, each one's in the order of time."""
    words: dict[str, list[_Word]] = defaultdict(list)
    links: dict[str, list[Link]] = defaultdict(list)
    for word in said:
        words[word.who].append(word)
    for link in known.links:
        links[link.target].append(link)
    spoken: dict[str, set[str]] = defaultdict(set)  # the purposes that a name has rows of
    for epoch in known.epochs:
        name, members = epoch.customer.name, epoch.customer.members
        theirs = [word for member in members for word in words[member] if word.known < epoch.end_us]
        told = [link for one in members for link in links[one] if link.source in members and link.known_us < epoch.end_us]
        changes = {epoch.start_us, *(word.known for word in theirs), *(link.known_us for link in told)}
        for moment in sorted({max(at, epoch.start_us) for at in changes}):
            said_by_then = [word[:4] for word in theirs if word.known <= moment]
            holds = agreed(said_by_then, [link for link in told if link.known_us <= moment])
            yield from ((name, purpose, None, moment) for purpose in spoken[name] - holds.keys())
            yield from ((name, purpose, granted, moment) for purpose, (granted, _) in holds.items())
            spoken[name] |= holds.keys()


def refused(consents: pl.DataFrame, purposes: Mapping[str, Purpose], customers: Sequence[str]) -> dict[str, int]:
    """How many of these customers do not agree, after everything that is known; purposes that all agree to are left out."""
    last = consents.filter(pl.col("customer_id").is_in(list(customers))).unique(
        ["customer_id", "purpose"], keep="last", maintain_order=True
    )
    counts = {}
    for name, purpose in purposes.items():
        said = last.filter((pl.col("purpose") == name) & pl.col("granted").is_not_null())
        silent = 0 if purpose.default else len(customers) - said.height
        counts[name] = silent + said.filter(~pl.col("granted")).height
    return {name: count for name, count in counts.items() if count}


def granted(file: Path, asked: pl.DataFrame, purpose: str, purposes: Mapping[str, Purpose]) -> NDArray[np.bool_]:
    """(n,): whether each row of `asked` (customer_id, at) agreed, by what was known before `at`.

    The brand's default holds for those who said nothing; a purpose that the brand does not ask for nobody agreed to.
    """
    if purpose not in purposes:
        return np.zeros(asked.height, dtype=np.bool_)
    said = pl.read_parquet(file).filter(pl.col("purpose") == purpose).select("customer_id", "granted", "known").sort("known")
    rows = asked.select("customer_id", known=pl.col("at").cast(pl.Int64) - 1).with_row_index("row").sort("known")
    found = rows.join_asof(said, on="known", by="customer_id", check_sortedness=False).sort("row")
    return found["granted"].fill_null(purposes[purpose].default).to_numpy()
