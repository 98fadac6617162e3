"""The columns of a campaign's table as numbers that a model can learn from."""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_LEVELS, FEWEST_OF_A_LEVEL = 20, 20
_UNIQUE = 0.9
_DAY_US = 86_400_000_000


def encoded(table: pl.DataFrame) -> tuple[Floats, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The matrix (n, C) with NaN for missing, its C names, the table's column of each, and warnings of what was left out.

    Numbers stay, dates are days and weekdays, texts a column a frequent level and, where there are more levels, how frequent
    the row's own is; a column that is missing in some rows has one that says so. Ids, constants and nested values are left out.
    """
    parts: list[Floats] = []
    names: list[str] = []
    origins: list[str] = []
    warnings: list[str] = []
    for column in table.iter_columns():
        reason = _useless(column)
        if reason is not None:
            warnings.append(f"column {column.name!r} is left out: {reason}")
            continue
        for name, values in _made(column):
            parts.append(values)
            names.append(name)
            origins.append(column.name)
    matrix = np.stack(parts, axis=1) if parts else np.zeros((table.height, 0))
    return matrix, tuple(names), tuple(origins), tuple(warnings)


def _useless(column: pl.Series) -> str | None:
    kind = column.dtype
    if not (kind.is_numeric() or kind.is_temporal() or kind in (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null)):
        return f"{kind} is no kind of value that a model can learn from"
    if kind == pl.Null or column.n_unique() == 1:
        return "it says the same of everybody"
    unique = column.n_unique() / len(column)
    if (kind == pl.String and unique > _UNIQUE) or (kind.is_integer() and unique == 1.0):
        return f"{unique:.0%} of its values are different ones; it looks like an id"
    return None


def _made(column: pl.Series) -> Iterator[tuple[str, Floats]]:
    name, kind = column.name, column.dtype
    if kind == pl.Duration or kind == pl.Time:
        yield name, _floats(column.cast(pl.Int64))
    elif kind.is_temporal():
        days = _floats(column.cast(pl.Datetime("us")).cast(pl.Int64)) / _DAY_US
        yield f"{name} (day)", days
        yield f"{name} (weekday)", (np.floor(days) + 3) % 7
    elif kind.is_numeric() or kind == pl.Boolean:
        yield name, _floats(column)
    else:
        yield from _levels(column.cast(pl.String))
    if column.null_count():
        yield f"{name} is missing", column.is_null().to_numpy().astype(np.float64)


def _levels(column: pl.Series) -> Iterator[tuple[str, Floats]]:
    counted = column.drop_nulls().value_counts(sort=True).sort(["count", column.name], descending=[True, False])
    often = counted.filter(pl.col("count") >= FEWEST_OF_A_LEVEL)[column.name].to_list()[:MOST_LEVELS]
    for level in often:
        yield f"{column.name} = {level}", (column == level).fill_null(False).to_numpy().astype(np.float64)
    if counted.height > len(often):
        times = dict(zip(counted[column.name], counted["count"], strict=True))
        yield f"{column.name} (how frequent)", np.array([np.log1p(times.get(value, 0)) for value in column], dtype=np.float64)


def _floats(column: pl.Series) -> Floats:
    values = column.cast(pl.Float64).fill_null(np.nan).to_numpy().astype(np.float64)
    return np.where(np.isfinite(values), values, np.nan)
