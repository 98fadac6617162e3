"""What a model says once its forests have scored a row: plain arithmetic, the same in training and in a request."""

import math
from collections.abc import Callable, Mapping
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.calibration import Calibration
from features.line import Line, Matrix
from features.receptive import Timing

Floats = NDArray[np.float64]

FORESTS: Mapping[str, tuple[str, ...]] = {
    "t": ("treated", "nothing"),
    "x": ("treated", "nothing", "effect_treated", "effect_nothing"),
    "pooled": ("base", "changes"),
}
"""What each learner of an uplift grows."""

_LEAST = 1e-6
"""Probabilities stay this far from 0 and from 1."""


class Response(msgspec.Struct, frozen=True, kw_only=True, tag="response", tag_field="says"):
    """The probability of one thing: that an offer succeeds (`about` offer), or something of the customer (churn)."""

    about: Literal["customer", "offer"]
    calibration: Calibration

    @property
    def forests(self) -> tuple[str, ...]:
        return ("response",)

    def probabilities(self, raw: Mapping[str, Floats]) -> Floats:
        """Raw scores (n,) by forest to probabilities (n,) in (0, 1)."""
        return self.calibration.apply(raw["response"])


class Value(msgspec.Struct, frozen=True, kw_only=True, tag="value", tag_field="says"):
    """What a customer will bring: the chance of anything at all, times how much where there is something.

    The forest `amount` says the logarithm of an amount, no higher than `highest`; `scale` makes the total come true.
    """

    any: Calibration
    scale: float
    highest: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.scale) and math.isfinite(self.highest) and self.scale > 0):
            raise ValueError("value: scale must be above 0, and highest a finite number")

    @property
    def about(self) -> Literal["customer"]:
        return "customer"

    @property
    def forests(self) -> tuple[str, ...]:
        return ("any", "amount")

    def amounts(self, raw: Mapping[str, Floats]) -> Floats:
        """Raw scores (n,) by forest to expected amounts (n,), 0 or more, in the unit of what was learned."""
        some = self.any.apply(raw["any"])
        return np.asarray(some * self.scale * np.exp(np.minimum(raw["amount"], self.highest)), dtype=np.float64)


class Uplift(msgspec.Struct, frozen=True, kw_only=True, tag="uplift", tag_field="says", omit_defaults=True):
    """The chance of success with the message and without it.

    Learners t and x: two forests, `treated` and `nothing`, each of its own kind of rows. Learner pooled: one model of all rows,
    the `line` and two forests that add to it, `base` to both chances and `changes` to the one with the message. Scores are
    calibrated, `treated` with the message and `nothing` without it. What a message changes is shift + slope * effect: the
    effect is the difference of the two, or for learner x what the forests `effect_treated` and `effect_nothing` say, each
    weighted by the share of the other kind (Kuenzel, Sekhon, Bickel and Yu, PNAS 2019, equation 9, with the share treated as
    weight). `slope` and `shift` were measured on rows that the forests had not seen. `share` is the share of treated rows
    among those that taught, in (0, 1).
    """

    learner: str
    treated: Calibration
    nothing: Calibration
    slope: float
    shift: float
    share: float
    line: Line | None = None

    def __post_init__(self) -> None:
        if self.learner not in FORESTS:
            raise ValueError(f"uplift: the learner is {' or '.join(FORESTS)}, not {self.learner!r}")
        if (self.line is None) == (self.learner == "pooled"):
            raise ValueError("uplift: the pooled learner needs a line, and no other has one")
        if not (math.isfinite(self.slope) and math.isfinite(self.shift) and 0 < self.share < 1):
            raise ValueError("uplift: slope and shift must be finite, and share between 0 and 1")

    @property
    def about(self) -> Literal["offer"]:
        return "offer"

    @property
    def forests(self) -> tuple[str, ...]:
        return FORESTS[self.learner]

    def both(self, raw: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """Calibrated, before slope and shift: (with the message (n,), without it (n,))."""
        if self.learner == "pooled":
            with_it, without = raw["line"] + raw["base"] + raw["changes"], raw["line_without"] + raw["base"]
        else:
            with_it, without = raw["treated"], raw["nothing"]
        return self.treated.apply(with_it), self.nothing.apply(without)

    def effect(self, raw: Mapping[str, Floats]) -> Floats:
        """(n,): what the scores alone say that the message changes, before slope and shift."""
        if self.learner == "x":
            return self.share * raw["effect_nothing"] + (1 - self.share) * raw["effect_treated"]
        with_it, without = self.both(raw)
        return with_it - without

    def probabilities(self, raw: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """Raw scores (n,), as `scored` makes them, to (with the message (n,), without it (n,)), both inside (0, 1).

        Both lie around the average of the two, which more rows taught than either, one effect apart.
        """
        with_it, without = self.both(raw)
        average = self.share * with_it + (1 - self.share) * without
        changes = self.shift + self.slope * self.effect(raw)
        return (
            np.clip(average + (1 - self.share) * changes, _LEAST, 1 - _LEAST),
            np.clip(average - self.share * changes, _LEAST, 1 - _LEAST),
        )


Answer = Response | Uplift | Value | Timing


def scored(answer: Answer, forests: Mapping[str, Callable[[Matrix], Floats]], matrix: Matrix) -> dict[str, Floats]:
    """What an answer reads of rows (n, C): the scores (n,) of each forest, and of a line `line` and `line_without`."""
    raw = {name: forest(matrix) for name, forest in forests.items()}
    if isinstance(answer, Uplift) and answer.line is not None:
        raw["line"], raw["line_without"] = answer.line.log_odds(matrix)
    return raw
