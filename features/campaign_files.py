"""A table of a campaign (CSV, Parquet): who got which action, with which probability, what came of it, and what was known."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from decisioning.errors import KairosError
from features.campaign_columns import encoded

Floats = NDArray[np.float64]

MOST_ACTIONS = 200
_NOTHING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None"]


class CampaignError(KairosError):
    """A table that cannot be evaluated, with the cause and the cure."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Campaign:
    """`action` (n,) are positions in `arms`; `matrix` (n, C) what was known, NaN for missing; `columns` the C names.

    `origins` (C,) names the table's column that each one was made of; `warnings` what was left out, and why.
    """

    arms: tuple[str, ...]
    action: NDArray[np.int64]
    reward: Floats
    propensity: Floats
    matrix: Floats
    columns: tuple[str, ...]
    origins: tuple[str, ...]
    warnings: tuple[str, ...]


def read_campaign(file: Path, *, action: str, reward: str, propensity: str, drop: Sequence[str] = ()) -> Campaign:
    """The table's rows in their order. `propensity` is a column or a number for all rows; all columns that are not named are
    what was known of a customer when the action was chosen, but for those in `drop`.

    Raises CampaignError where the file cannot be read, a column is missing, or a cell that must hold something does not.
    """
    table = _table(file)
    number = None if propensity in table.columns else _number(propensity)
    named = [action, reward] + ([propensity] if number is None else [])
    for name in (*named, *drop):
        if name not in table.columns:
            raise CampaignError(f"{file}: there is no column {name!r}; it has {', '.join(table.columns)}")
    if len(set(named)) < len(named):
        raise CampaignError(f"{file}: action, reward and propensity must be columns of their own; got {', '.join(named)}")
    arms, chosen = _actions(file, table[action])
    known = table.drop(set(named) | set(drop))
    matrix, columns, origins, warnings = encoded(known)
    return Campaign(
        arms=arms,
        action=chosen,
        reward=_numbers(file, table[reward], "reward", "write 0 where nothing came of it; leave out what is not known yet"),
        propensity=np.full(table.height, number)
        if number is not None
        else _numbers(file, table[propensity], "propensity", "leave out choices whose probability nobody knows"),
        matrix=matrix,
        columns=columns,
        origins=origins,
        warnings=warnings,
    )


def _table(file: Path) -> pl.DataFrame:
    if not file.is_file():
        raise CampaignError(f"{file}: no such file; give the path of a CSV, TSV or Parquet file")
    kind = file.suffix.lower()
    try:
        if kind == ".parquet":
            table = pl.read_parquet(file)
        elif kind in (".csv", ".tsv"):
            separator = "\t" if kind == ".tsv" else ","
            table = pl.read_csv(file, separator=separator, infer_schema_length=None, try_parse_dates=True, null_values=_NOTHING)
        else:
            raise CampaignError(f"{file}: not a .csv, .tsv or .parquet file; export it as one of these")
    except (pl.exceptions.PolarsError, OSError) as error:
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CampaignError(f"{file}: cannot be read as {kind[1:]} ({told}); export it again") from error
    if table.height == 0:
        raise CampaignError(f"{file}: no rows; export the campaign with a row a customer")
    return table


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise CampaignError(f"--propensity {text!r} is neither a column of the table nor a number such as 0.5") from error


def _actions(file: Path, column: pl.Series) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    if column.null_count():
        raise CampaignError(
            f"{file}: {column.null_count():,} rows have no action in {column.name!r}; name doing nothing, such as none"
        )
    texts = column.cast(pl.String)
    counted = texts.value_counts(sort=True)
    if counted.height < 2:
        raise CampaignError(f"{file}: {column.name!r} holds one action only; there is nothing to choose between")
    if counted.height > MOST_ACTIONS:
        cure = f"at most {MOST_ACTIONS} can be compared; is it an id? Group them"
        raise CampaignError(f"{file}: {column.name!r} holds {counted.height:,} actions; {cure}")
    arms = tuple(sorted(counted[column.name].to_list()))
    place = {arm: at for at, arm in enumerate(arms)}
    return arms, np.array([place[text] for text in texts], dtype=np.int64)


def _numbers(file: Path, column: pl.Series, what: str, cure: str) -> Floats:
    try:
        numbers = column.cast(pl.Float64)
    except pl.exceptions.PolarsError as error:
        raise CampaignError(
            f"{file}: the {what} {column.name!r} holds something else than numbers; write 0 and 1, or amounts"
        ) from error
    values = numbers.fill_null(np.nan).to_numpy().astype(np.float64)
    lost = int((~np.isfinite(values)).sum())
    if lost:
        raise CampaignError(f"{file}: {lost:,} rows have no {what} in {column.name!r}; {cure}")
    return values
