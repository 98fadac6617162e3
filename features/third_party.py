"""Third-party tables: a file another company made, matched to our customers by a key, in force from a declared moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from features.builds import FeatureStoreError
from features.schema import ProfileSpec, ViewSpec
from features.tables import Attribute, Table


@dataclass(frozen=True, slots=True)
class Bought:
    """One row a customer. `records` is the file's rows, `repeated` those whose key comes again later in the file.

    `unknown` counts values by column that are none of its labels, or no number.
    """

    frame: pl.DataFrame
    records: int
    unknown: Mapping[str, int]
    repeated: int


def files(spec: ProfileSpec, workspace: Path, data: Path) -> dict[str, Path]:
    """The file of each third-party view: in the workspace's folder, or else in `third_party` of its data.

    Raises FeatureStoreError naming every file that is missing.
    """
    found, missing = {}, []
    for name, view in spec.views.items():
        if view.source != "third_party":
            continue
        places = [workspace / str(view.file), data / "third_party" / str(view.file)]
        file = next((place for place in places if place.is_file()), None)
        if file is None:
            missing.append(
                f"{places[0]}: the file of view {name} is missing; put it there, or remove the view from profile.yaml"
            )
        else:
            found[name] = file
    if missing:
        raise FeatureStoreError("; ".join(missing))
    return found


def bought(table: Table, view: ViewSpec, file: Path, time_zone: str) -> Bought:
    """The rows of a .parquet or .csv file as of the moment they were both known and in effect. The last row of a key counts.

    Raises FeatureStoreError where the file cannot be read or lacks a column.
    """
    try:
        raw = pl.read_csv(file, infer_schema=False) if file.suffix == ".csv" else pl.read_parquet(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise FeatureStoreError(f"{file}: cannot be read ({error}); write it again as .parquet or .csv") from error
    wanted = [str(view.key), *(column.column for column in table.attributes)]
    if absent := [name for name in dict.fromkeys(wanted) if name not in raw.columns]:
        raise FeatureStoreError(f"{file}: no column {', '.join(absent)}; it has {', '.join(raw.columns)}")
    keyed = raw.filter(pl.col(str(view.key)).is_not_null())
    rows = keyed.unique(str(view.key), keep="last", maintain_order=True)
    values = rows.select(_number(column).alias(column.name) for column in table.attributes)
    unknown = {column.name: values[column.name].null_count() - rows[column.column].null_count() for column in table.attributes}
    moment = _moment(view, time_zone)
    frame = values.select(
        rows[str(view.key)].cast(pl.String).alias("customer_id"),
        pl.lit(moment, dtype=pl.Datetime("us", "UTC")).alias("event_timestamp"),
        pl.lit(moment, dtype=pl.Datetime("us", "UTC")).cast(pl.Int64).alias(table.as_of),
        pl.all(),
    )
    return Bought(frame, raw.height, {name: count for name, count in unknown.items() if count}, keyed.height - rows.height)


def _number(column: Attribute) -> pl.Expr:
    """Float64: the position of a label, or the number itself; null for what is neither."""
    if not column.labels:
        number = pl.col(column.column).cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    text = pl.col(column.column).cast(pl.String)
    codes = {label: float(code) for code, label in enumerate(column.labels)}
    return text.replace_strict(codes, default=None, return_dtype=pl.Float64)


def _moment(view: ViewSpec, time_zone: str) -> datetime:
    """From when on the rows may be used: known and in effect."""
    assert view.known_at is not None, "checked when the view was read"
    day = max(view.known_at, view.effective_from or view.known_at)
    return datetime.combine(day, time(0), tzinfo=ZoneInfo(time_zone)).astimezone(UTC)
