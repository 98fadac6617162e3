"""THE definition of a model row. The same function builds the matrix a model learns from and the rows it is asked about.

A row is one customer beside one offer. Its columns come from the customer (a feature of the profile), from the action (what
the offer is like) or from both (a feature of the customer that the offer's first topic picks). NaN is missing, everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from decisioning.customer import FeatureIndex
from decisioning.errors import KairosError

Matrix = NDArray[np.float32]

TOPIC = "topic"
"""Of an action column: the position of the offer's first topic."""


class RowError(KairosError):
    """A model row that cannot be built: it asks for features that the profile does not have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a row.

    customer: `of` is a feature of the profile. action: `of` is a key of the offer's features, text coded by its position in
    `labels`; `topic` is the position of the offer's first topic. cross: `pick` names a feature with `{topic}` in it, divided
    by the feature `over` where one is given.
    """

    name: str
    side: Literal["customer", "action", "cross"]
    of: str = ""
    labels: tuple[str, ...] = ()
    pick: str = ""
    over: str | None = None

    def __post_init__(self) -> None:
        if self.side == "cross" and "{topic}" not in self.pick:
            raise ValueError(f"column {self.name}: pick must hold {{topic}}")
        if self.side != "cross" and not self.of:
            raise ValueError(f"column {self.name}: say what it is of")

    def needs(self, topics: Sequence[str]) -> tuple[str, ...]:
        """The profile's features that the column reads."""
        match self.side:
            case "customer":
                return (self.of,)
            case "action":
                return ()
            case "cross":
                picked = tuple(self.pick.replace("{topic}", topic) for topic in topics)
                return picked if self.over is None else (*picked, self.over)


@dataclass(frozen=True, slots=True)
class RowSpec:
    """The columns of a row, in order."""

    columns: tuple[Column, ...]

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def needs(self, topics: Sequence[str]) -> tuple[str, ...]:
        """The profile's features that the row reads, each once, in the order of first use."""
        return tuple(dict.fromkeys(name for column in self.columns for name in column.needs(topics)))

    def absent(self, index: FeatureIndex, topics: Sequence[str]) -> tuple[str, ...]:
        """Those of them that the profile does not have."""
        return tuple(name for name in self.needs(topics) if name not in index.positions)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a model may know of an offer. The first topic is the one it is mainly about."""

    topics: tuple[str, ...] = ()
    features: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Actions:
    """Offers as numbers, to be encoded once and used for many customers.

    `values` is (n, action columns) float32, `topic` (n,) the position of the first topic in `topics` (-1: none of them).
    """

    values: Matrix
    topic: NDArray[np.intp]
    topics: tuple[str, ...]


def encode_actions(spec: RowSpec, topics: tuple[str, ...], offers: Sequence[Offer]) -> Actions:
    """What is missing, is text without labels, or is a label nobody knows, is NaN."""
    position = {topic: at for at, topic in enumerate(topics)}
    topic = np.array([position.get(offer.topics[0], -1) if offer.topics else -1 for offer in offers], dtype=np.intp)
    columns = [column for column in spec.columns if column.side == "action"]
    values = np.full((len(offers), len(columns)), np.nan, dtype=np.float32)
    for at, column in enumerate(columns):
        if column.of == TOPIC:
            values[:, at] = np.where(topic >= 0, topic, np.nan)
            continue
        codes = {label: float(code) for code, label in enumerate(column.labels)}
        values[:, at] = [_number(offer.features.get(column.of), codes) for offer in offers]
    return Actions(values, topic, topics)


def rows(spec: RowSpec, index: FeatureIndex, customers: Matrix, actions: Actions | None = None) -> Matrix:
    """The model's matrix, (n, C) float32, C-contiguous.

    `customers` is (n, F) in the order of `index`, or (1, F): one customer beside every offer. `actions` has n offers, and
    may be left out where no column needs one. A ratio over nothing (0 or less) is missing.

    Raises RowError when the index lacks a feature, ValueError when the shapes do not fit.
    """
    topics = actions.topics if actions is not None else ()
    if absent := spec.absent(index, topics):
        raise RowError(f"the profile has no {', '.join(absent)}: add them to profile.yaml or train without them")
    if actions is None and any(column.side != "customer" for column in spec.columns):
        raise ValueError("the row has columns of the offer: give actions")
    count = len(actions.values) if actions is not None else len(customers)
    if customers.shape[1] != len(index) or len(customers) not in (1, count):
        raise ValueError(f"customers are {customers.shape}, expected ({count} or 1, {len(index)})")
    made = np.empty((count, len(spec)), dtype=np.float32)
    encoded = 0
    for at, column in enumerate(spec.columns):
        if column.side == "customer":
            made[:, at] = customers[:, index.positions[column.of]]
        elif actions is not None and column.side == "action":
            made[:, at] = actions.values[:, encoded]
            encoded += 1
        elif actions is not None:
            made[:, at] = _crossed(column, index, customers, actions)
    return made


def _crossed(column: Column, index: FeatureIndex, customers: Matrix, actions: Actions) -> Matrix:
    """(n,): the feature that each offer's topic picks."""
    if not actions.topics:
        return np.full(len(actions.topic), np.nan, dtype=np.float32)
    positions = np.array([index.positions[column.pick.replace("{topic}", topic)] for topic in actions.topics])
    row = np.arange(len(actions.topic)) if len(customers) > 1 else np.zeros(len(actions.topic), dtype=np.intp)
    picked = np.where(actions.topic >= 0, customers[row, positions[actions.topic]], np.float32(np.nan))
    if column.over is None:
        return picked
    whole = customers[row, index.positions[column.over]]
    ratio: Matrix = np.divide(picked, whole, out=np.full_like(picked, np.nan), where=whole > 0)
    return ratio


def _number(value: float | str | None, codes: Mapping[str, float]) -> float:
    if isinstance(value, str):
        return codes.get(value, np.nan)
    return np.nan if value is None or codes else float(value)
