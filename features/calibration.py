"""From a forest's raw scores to probabilities that come true: plain arrays, the same in training and in a request."""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Platt(msgspec.Struct, frozen=True, kw_only=True, tag="platt", tag_field="by"):
    """probability = sigmoid(a * score + b). a=1, b=0 calibrates nothing."""

    a: float = 1.0
    b: float = 0.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.a) and math.isfinite(self.b)):
            raise ValueError(f"calibration: a={self.a} and b={self.b} must be finite numbers")

    def apply(self, scores: Floats) -> Floats:
        """Raw scores (log odds, any shape) to probabilities in (0, 1)."""
        return np.asarray(1.0 / (1.0 + np.exp(-np.clip(self.a * scores + self.b, -500.0, 500.0))), dtype=np.float64)


class Isotonic(msgspec.Struct, frozen=True, kw_only=True, tag="isotonic", tag_field="by"):
    """A rising line through the points (score, probability), flat beyond the first and the last.

    `scores` rise strictly, `probabilities` never fall and lie in (0, 1); both have one length, at least 2.
    """

    scores: tuple[float, ...]
    probabilities: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.scores) != len(self.probabilities) or len(self.scores) < 2:
            raise ValueError("calibration: scores and probabilities must have one length, at least 2")
        if not all(math.isfinite(one) for one in self.scores) or any(np.diff(self.scores) <= 0):
            raise ValueError("calibration: scores must be finite numbers, each above the one before")
        if not all(0 < one < 1 for one in self.probabilities) or any(np.diff(self.probabilities) < 0):
            raise ValueError("calibration: probabilities must lie between 0 and 1 and never fall")

    def apply(self, scores: Floats) -> Floats:
        """Raw scores (any shape) to probabilities in (0, 1)."""
        return np.asarray(np.interp(scores, self.scores, self.probabilities), dtype=np.float64)


Calibration = Platt | Isotonic
