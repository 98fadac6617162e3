"""How a model learns, whatever it predicts: parameters, the budget of a search for better ones, what it is judged by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from training.names import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """LightGBM's own names; see `training.models` for what is fixed.

    One thread learns tens of thousands of rows in under a second; more gain little there, and on busy cores they lose much.
    """

    num_iterations: int = 150
    learning_rate: float = 0.03
    num_leaves: int = 8
    min_data_in_leaf: int = 40
    feature_fraction: float = 0.7
    bagging_fraction: float = 0.8
    lambda_l2: float = 1.0
    seed: int = 7
    num_threads: int = 1

    def __post_init__(self) -> None:
        faults = [
            f"{name} must be {bound}"
            for name, holds, bound in (
                ("num_iterations", self.num_iterations >= 1, "at least 1"),
                ("learning_rate", 0 < self.learning_rate <= 1, "above 0 and at most 1"),
                ("num_leaves", 2 <= self.num_leaves <= 64, "2 to 64"),
                ("min_data_in_leaf", self.min_data_in_leaf >= 1, "at least 1"),
                ("feature_fraction", 0 < self.feature_fraction <= 1, "above 0 and at most 1"),
                ("bagging_fraction", 0 < self.bagging_fraction <= 1, "above 0 and at most 1"),
                ("lambda_l2", self.lambda_l2 >= 0, "0 or more"),
                ("num_threads", self.num_threads >= 1, "at least 1: 0 would take every core of the machine"),
            )
            if not holds
        ]
        if faults:
            raise ValueError("; ".join(faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """The budget of a search for parameters, on training rows held out in time. Whichever ends first ends it.

    The same data and `trials` find the same parameters. Where `seconds` ends it, a slower machine may find others: the run
    says how many trials there were.
    """

    trials: int
    seconds: float = float("inf")

    def __post_init__(self) -> None:
        if self.trials < 1 or not self.seconds > 0:
            raise ValueError("trials must be at least 1, and seconds above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What a metric reached elsewhere on the same split, to be printed beside the model's own value. It gates nothing."""

    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Learning:
    """What models.yaml may say of every model. More of a column in `rises_with` never lowers what it predicts, more of one in
    `falls_with` never raises it. `slices` are features with labels: the test is also measured for each label alone.
    `trusted` are columns of which a person has checked that they do not know the answer, however well they tell it.
    """

    rises_with: tuple[str, ...] = ()
    falls_with: tuple[str, ...] = ()
    parameters: Parameters = Parameters()
    search: Search | None = None
    slices: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    references: Mapping[str, Reference] = field(default_factory=dict)

    def order_faults(self, names: tuple[str, ...]) -> list[str]:
        """What is wrong with the bounds of columns with these names."""
        rises, falls = self.rises_with, self.falls_with
        faults = [f"column {name!r} is written twice" for name in sorted({one for one in names if names.count(one) > 1})]
        for place, named in (("rises_with or falls_with", (*rises, *falls)), ("trusted", self.trusted)):
            faults += [f"{name!r} of {place} is no column{nearest(name, names)}" for name in named if name not in names]
        return faults + [f"{name!r} both rises and falls" for name in rises if name in falls]
