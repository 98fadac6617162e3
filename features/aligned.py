"""Values joined to labels, moved to the labels' moments."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from features.decay import DAY_US, Ints
from features.schema import ProfileSpec

_AT_ONCE = 4_096
"""Rows aged together: what is made of them on the way stays in the processor's cache."""


def aged(spec: ProfileSpec, joined: pl.DataFrame, at_us: Ints) -> NDArray[np.float32]:
    """(n, F) in the order of the index, each row as of `at_us` (n,); NaN where missing or not among the columns of `joined`.

    `joined` has the stored columns of the tables and what they are as of. The result lies column by column.
    """
    index = spec.index
    made = np.empty((len(index), len(at_us)), dtype=np.float32).T
    tables = []
    for table in spec.tables:
        names = [name for name in table.names if name in joined.columns]
        if names:
            positions = np.array([index.positions[name] for name in names], dtype=np.intp)
            tables.append((positions, names, table.as_of))
    for start in range(0, len(at_us), _AT_ONCE):
        part, moments = joined.slice(start, _AT_ONCE), at_us[start : start + _AT_ONCE]
        values, days = np.full((len(moments), len(index)), np.nan), np.zeros((len(moments), len(index)))
        for positions, names, as_of in tables:
            values[:, positions] = part.select(names).cast(pl.Float64).fill_null(np.nan).to_numpy()
            days[:, positions] = ((moments - part[as_of].cast(pl.Int64).fill_null(0).to_numpy()) / DAY_US)[:, None]
        made[start : start + len(moments)] = spec.ageing.aged(values, days, moments)
    return made
