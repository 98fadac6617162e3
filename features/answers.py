"""What a model says once its forests have scored a row: plain arithmetic, the same in training and in a request."""

import math
from collections.abc import Mapping
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.calibration import Calibration
from features.receptive import Timing

Floats = NDArray[np.float64]

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


class Uplift(msgspec.Struct, frozen=True, kw_only=True, tag="uplift", tag_field="says"):
    """The chance of success with the message and without it.

    Two forests, `treated` and `nothing`, are calibrated on their own kind. What a message changes is shift + slope * effect:
    the effect is the difference of the two (`learner` t), or what the forests `effect_treated` and `effect_nothing` say, each
    weighted by the share of the other kind (`learner` x: Kuenzel, Sekhon, Bickel and Yu, PNAS 2019, equation 9, with the
    share treated as weight). `slope` and `shift` were measured on rows that the forests had not seen. `share` is the share
    of treated rows among those that taught, in (0, 1).
    """

    learner: str
    treated: Calibration
    nothing: Calibration
    slope: float
    shift: float
    share: float

    def __post_init__(self) -> None:
        if self.learner not in ("t", "x"):
            raise ValueError(f"uplift: the learner is t or x, not {self.learner!r}")
        if not (math.isfinite(self.slope) and math.isfinite(self.shift) and 0 < self.share < 1):
            raise ValueError("uplift: slope and shift must be finite, and share between 0 and 1")

    @property
    def about(self) -> Literal["offer"]:
        return "offer"

    @property
    def forests(self) -> tuple[str, ...]:
        both = ("treated", "nothing")
        return (*both, "effect_treated", "effect_nothing") if self.learner == "x" else both

    def effect(self, raw: Mapping[str, Floats]) -> Floats:
        """(n,): what the forests alone say that the message changes, before slope and shift."""
        if self.learner == "x":
            return self.share * raw["effect_nothing"] + (1 - self.share) * raw["effect_treated"]
        return self.treated.apply(raw["treated"]) - self.nothing.apply(raw["nothing"])

    def probabilities(self, raw: Mapping[str, Floats]) -> tuple[Floats, Floats]:
        """Raw scores (n,) by forest to (with the message (n,), without it (n,)), both inside (0, 1).

        Both lie around the average of the two forests, which more rows taught than either, one effect apart.
        """
        with_it, without = self.treated.apply(raw["treated"]), self.nothing.apply(raw["nothing"])
        average = self.share * with_it + (1 - self.share) * without
        changes = self.shift + self.slope * self.effect(raw)
        return (
            np.clip(average + (1 - self.share) * changes, _LEAST, 1 - _LEAST),
            np.clip(average - self.share * changes, _LEAST, 1 - _LEAST),
        )


Answer = Response | Uplift | Value | Timing
