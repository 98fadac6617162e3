"""Rated feedback from the log: what customers wrote, and the rating that they gave with it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.known import Known
from features.log import Log
from features.workspace import Workspace
from training import records
from training.errors import TrainingError
from training.labels import in_the_end, within
from training.measured import Floats
from training.settings import Emotion, Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Rated:
    """n rated texts in the order of time. `valence` (n,) is each rating on -1..1, `test` (n,) those of the test period.

    `fingerprint` is a hash of all, `test_fingerprint` one of the test. `counted` says in words what was left out.
    """

    customers: Sequence[str]
    texts: Sequence[str]
    valence: Floats
    test: NDArray[np.bool_]
    fingerprint: str
    test_fingerprint: str
    counted: Mapping[str, int]

    def of(self, rows: NDArray[np.intp]) -> tuple[list[str], list[str], Floats]:
        """Customers, texts and valences of rows."""
        return [self.customers[row] for row in rows], [self.texts[row] for row in rows], self.valence[rows]


def rated(log: Log, workspace: Workspace, settings: Emotion, *, now: datetime) -> Rated:
    """What was rated in the two periods. A text that became known after the test began teaches nothing.

    Raises TrainingError where no event has both words and a rating, or the purpose is none of the brand's.
    """
    brand = workspace.brand
    both = {
        event: (of, signal.rating)
        for event, of in brand.words.items()
        if (signal := brand.signals.get(event)) is not None and signal.rating is not None
    }
    if not both:
        raise TrainingError(
            "emotion: no event of brand.yaml has both words and a rating; name one under words and under signals with a rating"
        )
    if settings.purpose not in brand.purposes:
        raise TrainingError(f"emotion: unknown purpose {settings.purpose!r}; brand.yaml has {', '.join(brand.purposes)}")

    def midnight(day: date) -> datetime:
        return brand.to_utc(datetime.combine(day, time()))

    def during(period: Period) -> pl.Expr:
        return within(period.start, period.until, midnight)

    if midnight(settings.test.until) > now:
        raise TrainingError(f"emotion: the test ends on {settings.test.until}, which is not over; move it to earlier days")
    found = records.rated(log, both).with_columns(customer_id=in_the_end(Known(log.links())))
    learns = during(settings.train) & (pl.col("known_at") < midnight(settings.test.start))
    found = found.with_columns(test=during(settings.test)).filter(learns | pl.col("test"))
    agreed = {one: _agrees(log, one, settings.purpose, workspace) for one in found["customer_id"].unique().to_list()}
    kept = found.filter(pl.col("customer_id").replace_strict(agreed, return_dtype=pl.Boolean)).sort("at", "customer_id", "text")
    feelings = [brand.signals[event].feeling(rating) for event, rating in kept.select("event", "rating").iter_rows()]
    valence = [feeling.valence for feeling in feelings if feeling is not None]
    frame = kept.with_columns(valence=pl.Series(valence, dtype=pl.Float64))
    return Rated(
        customers=frame["customer_id"].to_list(),
        texts=frame["text"].to_list(),
        valence=frame["valence"].to_numpy(),
        test=frame["test"].to_numpy(),
        fingerprint=_hash(frame),
        test_fingerprint=_hash(frame.filter(pl.col("test"))),
        counted={f"texts of customers who do not agree to {settings.purpose}": found.height - frame.height},
    )


def _agrees(log: Log, customer: str, purpose: str, workspace: Workspace) -> bool:
    return log.state(customer)[0].consents.get(purpose, workspace.brand.purposes[purpose].default)


def _hash(frame: pl.DataFrame) -> str:
    digest = hashlib.sha256()
    for row in frame.select("customer_id", "at", "text", "valence", "test").iter_rows():
        digest.update(repr(row).encode(errors="backslashreplace"))
    return digest.hexdigest()[:16]
