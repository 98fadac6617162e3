"""What a training frame may not show of a customer at a moment: what no decision of then could have read."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from decisioning.customer import FeatureIndex
from decisioning.policy import Purpose
from features import consents, contests


def withhold(
    aged: NDArray[np.float32],
    *,
    index: FeatureIndex,
    purposes: Mapping[str, Purpose],
    names: Sequence[str],
    asked: pl.DataFrame,
    build: Path,
) -> None:
    """Blank the values (n, F) of these features that a row's customer had not agreed to, or had contested.

    Row i is of `asked` (customer_id, at); a feature's column is its position in the index. `build` is the build's folder.
    """
    for purpose in {index[name].purpose for name in names}:
        agreed = consents.granted(build / consents.FILE, asked, purpose, purposes)
        positions = [index.positions[name] for name in names if index[name].purpose == purpose]
        aged[np.ix_(np.flatnonzero(~agreed), np.array(positions, dtype=np.int64))] = np.nan
    rows, columns = np.nonzero(contests.contested(build / contests.FILE, asked, names))
    aged[rows, np.array([index.positions[name] for name in names], dtype=np.int64)[columns]] = np.nan
