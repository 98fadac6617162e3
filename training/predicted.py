"""What a model said of the rows of a test, and what came of them: all that the gates compare. Kept with the run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from training.errors import TrackingError
from training.measured import Floats

Codes = NDArray[np.int64]

_SLICE = "slice:"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predicted:
    """n rows, in the order of the test. `seen` (n,) is what happened, 0 or 1 or, where `amounts` are predicted, a sum; `said`
    (n,) what was expected, NaN where the model says nothing of such a row.

    `known` (n,) is the share of the successes to come that is known so far (see `training.arrival`); None for all of them.
    `customer` (n,) numbers the customers: their ids are not kept. `group` (n,) numbers what offers belong together in; None
    where rows are no offers. `treated` and `effect` (n,) say who got a message, and what it was said to change; None
    where no uplift was predicted. `slices` holds, by feature, the label of each row.
    """

    customer: Codes
    seen: Floats
    said: Floats
    known: Floats | None = None
    amounts: bool = False
    group: Codes | None = None
    treated: NDArray[np.bool_] | None = None
    effect: Floats | None = None
    slices: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)

    @property
    def loss(self) -> str:
        """What `losses` are called."""
        return "deviance" if self.amounts else "log_loss"

    @property
    def so_far(self) -> Floats:
        """(n,): what was expected until now."""
        return self.said if self.known is None else self.said * self.known

    def losses(self) -> Floats:
        """(n,), lower is better, NaN where nothing was said: the log loss of a probability, the Poisson deviance of an amount.

        Both are least, on average, where what was said is the true chance or the true mean (Gneiting, "Making and evaluating
        point forecasts", JASA 2011): no model does better by saying something else.
        """
        if self.amounts:
            said, sold = np.maximum(self.said, 1e-9), np.maximum(self.seen, 0.0)
            own = sold * np.log(np.where(sold > 0, sold, 1.0))
            return np.asarray(2 * (own - self.seen * np.log(said) + said - self.seen), dtype=np.float64)
        said = np.clip(self.so_far, 1e-12, 1 - 1e-12)
        return np.asarray(-np.where(self.seen > 0, np.log(said), np.log1p(-said)), dtype=np.float64)

    def of(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> "Predicted":
        """Some of the rows."""
        return Predicted(
            customer=self.customer[rows],
            seen=self.seen[rows],
            said=self.said[rows],
            known=None if self.known is None else self.known[rows],
            amounts=self.amounts,
            group=None if self.group is None else self.group[rows],
            treated=None if self.treated is None else self.treated[rows],
            effect=None if self.effect is None else self.effect[rows],
            slices={feature: labels[rows] for feature, labels in self.slices.items()},
        )

    def encoded(self) -> bytes:
        """As a NumPy archive (.npz), readable without Kairos."""
        parts = {
            "customer": self.customer,
            "seen": self.seen,
            "said": self.said,
            "amounts": np.array(self.amounts),
            **{name: part for name in ("known", "group", "treated", "effect") if (part := getattr(self, name)) is not None},
            **{f"{_SLICE}{feature}": labels for feature, labels in self.slices.items()},
        }
        file = BytesIO()
        np.savez_compressed(file, allow_pickle=False, **parts)
        return file.getvalue()

    @classmethod
    def decoded(cls, content: bytes) -> "Predicted":
        """Raises TrackingError where it is no such archive."""
        try:
            with np.load(BytesIO(content), allow_pickle=False) as file:
                parts = {name: file[name] for name in file.files}
            slices = {name.removeprefix(_SLICE): parts.pop(name) for name in list(parts) if name.startswith(_SLICE)}
            return cls(amounts=bool(parts.pop("amounts")), slices=slices, **parts)
        except (BadZipFile, ValueError, KeyError, TypeError) as error:
            raise TrackingError(
                f"the predictions of the test that a run keeps cannot be read ({error}); train again"
            ) from error


def numbered(names: Sequence[str]) -> Codes:
    """Names (n,) as numbers from 0, in the order in which they first appear."""
    number = {name: at for at, name in enumerate(dict.fromkeys(names))}
    return np.array([number[name] for name in names], dtype=np.int64)
