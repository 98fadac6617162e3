"""Third-party tables: files other companies made, matched to our customers by a key, in force from declared moments.

A column may come from several files. At each moment it has one value: of the rows in force that say anything of it, the one
known last, or the one of the file that is listed first, as the view declares.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl

from features.builds import FeatureStoreError
from features.entries import FileSpec, ViewSpec
from features.join import ALWAYS
from features.log.records import LATEST, microseconds
from features.schema import ProfileSpec, midnight_us
from features.tables import Attribute, Table

_SINCE = "since:"
"""Before a column's name, no other column can have the result as its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """A row a customer and moment at which something changed.

    `records` counts the files' rows, `repeated` those whose key and moment come again later in the file, `undated` those
    without a date. By column: `unknown` counts values that are none of its labels or no number, `conflicts` the customers of
    whom two files say different things. `found` are the customers by file and by column, `expired` the columns that were
    left out. `origins` says of each row and column which file it came from (see `origin_of`); None where there is one file.
    """

    frame: pl.DataFrame
    origins: pl.DataFrame | None
    records: int
    repeated: int
    undated: int
    unknown: Mapping[str, int]
    conflicts: Mapping[str, int]
    found: Mapping[str, frozenset[str]]
    expired: tuple[str, ...]


def origins_file(folder: Path, view: str) -> Path:
    """Where a build keeps them."""
    return folder / f"{view}.origins.parquet"


def origin_of(row: pl.DataFrame, feature: str) -> tuple[int, int]:
    """Of a row of origins: the file's number in the view's deliveries, and since when (microseconds) its row counted."""
    return int(row[feature][0]), int(row[f"{_SINCE}{feature}"][0])


def files(spec: ProfileSpec, workspace: Path, data: Path) -> dict[str, Path]:
    """Where each third-party file is: in the workspace's folder, or else in `third_party` of its data.

    Raises FeatureStoreError naming every file that is missing.
    """
    found, missing = {}, []
    for name, view in spec.views.items():
        for delivery in view.deliveries:
            places = [workspace / delivery.file, data / "third_party" / delivery.file]
            file = next((place for place in places if place.is_file()), None)
            if file is None:
                missing.append(
                    f"{places[0]}: the file of view {name} is missing; put it there, or remove the view from profile.yaml"
                )
            else:
                found[delivery.file] = file
    if missing:
        raise FeatureStoreError("; ".join(missing))
    return found


def bought(
    table: Table,
    view: ViewSpec,
    places: Mapping[str, Path],
    time_zone: str,
    *,
    keys: pl.DataFrame,
    expired: tuple[str, ...] = (),
) -> Bought:
    """The rows of a view's .parquet or .csv files as of the moments they were known and in effect.

    `places` are the files by name. `keys` are what customers told of themselves (see `traits.told`) where the view matches by
    a trait, else the ids of customers who have several (see `traits.ids`). Of the rows of a file with one key and moment the
    last counts. What a row leaves empty it says nothing of.

    Raises FeatureStoreError where a file cannot be read, lacks a column, has it twice, or holds something else in it.
    """
    read = [_delivery(table, view, delivery, places[delivery.file], time_zone) for delivery in view.deliveries]
    unseen = [one.column for one in table.attributes if not any(one.column in delivery.has for delivery in read)]
    if unseen:
        named = ", ".join(str(places[delivery.file]) for delivery in view.deliveries)
        raise FeatureStoreError(f"{named}: no column {', '.join(unseen)}; it has {', '.join(read[0].has)}")
    rows = pl.concat([one.rows.with_columns(file=pl.lit(at)) for at, one in enumerate(read)])
    rows = rows.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in expired)
    rows = _matched(rows, keys, by_id=view.match is None)
    names = [name for name in table.names if name not in expired]
    frame, origins = _resolved(rows, table, view)
    return Bought(
        frame=frame,
        origins=origins,
        records=sum(one.records for one in read),
        repeated=sum(one.repeated for one in read),
        undated=sum(one.undated for one in read),
        unknown={name: count for name in names if (count := sum(one.unknown.get(name, 0) for one in read))},
        conflicts={name: count for name in names if (count := _conflicts(rows, name))},
        found={
            **{
                delivery.file: frozenset(rows.filter(pl.col("file") == at)["customer_id"])
                for at, delivery in enumerate(view.deliveries)
            },
            **{name: frozenset(rows.filter(pl.col(name).is_not_null())["customer_id"]) for name in names},
        },
        expired=expired,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Delivery:
    """`rows`: key, known and moment (Int64, microseconds) and a Float64 column a feature; null where the file lacks it."""

    rows: pl.DataFrame
    has: tuple[str, ...]
    records: int
    repeated: int
    undated: int
    unknown: Mapping[str, int]


def _delivery(table: Table, view: ViewSpec, delivery: FileSpec, file: Path, time_zone: str) -> _Delivery:
    raw = _read(file)
    dates = [day for day in (delivery.known_at, delivery.effective_from) if isinstance(day, str)]
    wanted = [str(view.key), *dates, *(column.column for column in table.attributes if len(view.deliveries) == 1)]
    if absent := [name for name in dict.fromkeys(wanted) if name not in raw.columns]:
        raise FeatureStoreError(f"{file}: no column {', '.join(absent)}; it has {', '.join(raw.columns)}")
    texts = [str(view.key), *(one.column for one in table.attributes if one.labels)]
    numbers = [one.column for one in table.attributes if not one.labels]
    _check_types(file, raw, {"text": texts, "numbers": numbers, "dates": dates})
    known = _moment(raw, delivery.known_at, time_zone)
    effective = _moment(raw, delivery.known_at if delivery.effective_from is None else delivery.effective_from, time_zone)
    dated = raw.select(
        _text(raw, str(view.key)).alias("key"),
        known.alias("known"),
        pl.when(known.is_not_null() & effective.is_not_null()).then(pl.max_horizontal(known, effective)).alias("moment"),
        pl.struct(pl.all()).alias("said"),
    ).filter(pl.col("key").is_not_null())
    kept = dated.filter(pl.col("moment").is_not_null())
    last = kept.unique(["key", "moment"], keep="last", maintain_order=True)
    said = last["said"].struct.unnest()
    present = [column for column in table.attributes if column.column in raw.columns]
    values = said.select(_number(column).alias(column.name) for column in present)
    unknown = {one.name: values[one.name].null_count() - said[one.column].null_count() for one in present}
    lacking = [pl.lit(None, dtype=pl.Float64).alias(name) for name in table.names if name not in values.columns]
    rows = last.select("key", "known", "moment").hstack(values.get_columns()).with_columns(lacking)
    return _Delivery(
        rows=rows.select("key", "known", "moment", *table.names),
        has=tuple(raw.columns),
        records=raw.height,
        repeated=kept.height - last.height,
        undated=dated.height - kept.height,
        unknown=unknown,
    )


def _read(file: Path) -> pl.DataFrame:
    try:
        if file.suffix != ".csv":
            return pl.read_parquet(file)
        # Polars would give a name that stands twice another one
        header = pl.read_csv(file, has_header=False, n_rows=1, infer_schema=False).row(0)
        if twice := sorted({str(name) for name in header if header.count(name) > 1}):
            raise FeatureStoreError(f"{file}: column {', '.join(twice)} is written twice; rename or drop one")
        return pl.read_csv(file, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        cause = str(error).partition("\n")[0]
        raise FeatureStoreError(f"{file}: cannot be read ({cause}); write it again, whole, as .parquet or .csv") from error


_FORMS: Mapping[str, Callable[[pl.DataType], bool]] = {
    "text": lambda kind: kind in (pl.String, pl.Categorical, pl.Enum, pl.Boolean, pl.Null) or kind.is_numeric(),
    "numbers": lambda kind: kind in (pl.String, pl.Boolean, pl.Null) or kind.is_numeric(),
    "dates": lambda kind: kind in (pl.String, pl.Date, pl.Datetime, pl.Null),
}


def _check_types(file: Path, raw: pl.DataFrame, wanted: Mapping[str, Sequence[str]]) -> None:
    """What a column holds must be what it is read as, or a form of it: a date is no number, a list no text."""
    faults = [
        f"column {name} holds {raw.schema[name]}, expected {form}"
        for form, names in wanted.items()
        for name in names
        if name in raw.columns and not _FORMS[form](raw.schema[name])
    ]
    if faults:
        raise FeatureStoreError(f"{file}: {'; '.join(faults)}; write it again, or change profile.yaml")


def _text(raw: pl.DataFrame, name: str) -> pl.Expr:
    """A column as text; a column of whole numbers with gaps is often written as floats."""
    column = pl.col(name)
    if not raw.schema[name].is_float():
        return column.cast(pl.String)
    whole = column.cast(pl.Int64, strict=False)
    return pl.when(whole.cast(pl.Float64) == column).then(whole.cast(pl.String)).otherwise(column.cast(pl.String))


def _matched(rows: pl.DataFrame, keys: pl.DataFrame, *, by_id: bool) -> pl.DataFrame:
    """With customer_id, at (from when on it counts for that customer) and start (since when the key is the customer's)."""
    alone = rows.join(keys, on="key", how="anti") if by_id else rows.clear()
    alone = alone.with_columns(customer_id=pl.col("key"), at=pl.col("moment"), start=pl.lit(ALWAYS, dtype=pl.Int64))
    own = rows.join(keys, on="key", how="inner").with_columns(at=pl.max_horizontal("moment", "start"))
    own = own.filter(pl.col("at") < pl.col("end")).drop("end")
    # who tells another key leaves what the old one said behind
    changes = keys.filter(pl.col("start") > pl.col("start").min().over("customer_id"))
    changes = changes.unique(["customer_id", "start"], maintain_order=True)
    changes = changes.select("customer_id", "key", "start", at="start", known="start", file=pl.lit(-1))
    return pl.concat([alone, own, changes], how="diagonal_relaxed")


def _resolved(rows: pl.DataFrame, table: Table, view: ViewSpec) -> tuple[pl.DataFrame, pl.DataFrame | None]:
    """One value a column and moment, of the rows in force the one that wins; and where each came from, of several files."""
    # the lowest place wins: of files that were known at once, or where order decides, the one listed first
    by = ["known", "file"] if view.conflicts == "newest" else ["file", "known"]
    descending = [view.conflicts == "newest", view.conflicts != "newest"]
    ranked = rows.sort(by, descending=descending, maintain_order=True).with_row_index("place")
    ordered = ranked.sort("customer_id", "start", "at", maintain_order=True)
    own = ["customer_id", "start"]
    winners = ordered.with_columns(
        pl.when(pl.col(name).is_not_null()).then(pl.col("place")).cum_min().forward_fill().over(own).alias(name)
        for name in table.names
    ).with_columns(pl.col("moment").cum_max().forward_fill().over(own).fill_null(pl.col("at")))
    keys = {"customer_id": winners["customer_id"], "event_timestamp": winners["at"].cast(pl.Datetime("us", "UTC"))}
    values = {name: ranked[name].gather(winners[name]) for name in table.names}
    made = _last_of_each(pl.DataFrame(keys | {table.as_of: winners["moment"]} | values))
    if len(view.deliveries) == 1:
        return made, None
    files = {name: ranked["file"].gather(winners[name]) for name in table.names}
    since = {f"{_SINCE}{name}": ranked["moment"].gather(winners[name]) for name in table.names}
    return made, _last_of_each(pl.DataFrame(keys | files | since))


def _last_of_each(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.unique(["customer_id", "event_timestamp"], keep="last", maintain_order=True)


def _conflicts(rows: pl.DataFrame, name: str) -> int:
    """The customers of whom the newest rows of two files say different things."""
    newest = rows.filter(pl.col(name).is_not_null()).sort("at", maintain_order=True)
    said = newest.group_by("customer_id", "file").agg(pl.col(name).last())
    return said.group_by("customer_id").agg(pl.col(name).n_unique()).filter(pl.col(name) > 1).height


def _number(column: Attribute) -> pl.Expr:
    """Float64: the position of a label, or the number itself; null for what is neither."""
    if not column.labels:
        number = pl.col(column.column).cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    text = pl.col(column.column).cast(pl.String)
    codes = {label: float(code) for code, label in enumerate(column.labels)}
    return text.replace_strict(codes, default=None, return_dtype=pl.Float64)


def _moment(raw: pl.DataFrame, day: date | str, time_zone: str) -> pl.Expr:
    """Int64: the midnight in microseconds at which a declared day, or the day in a column, begins; null for no date.

    A date before 1970 or after 2099 is none.
    """
    if not isinstance(day, str):
        return pl.lit(midnight_us(day, time_zone), dtype=pl.Int64)
    column = pl.col(day)
    column = (
        column.str.to_date("%Y-%m-%d", strict=False) if raw.schema[day] == pl.String else column.cast(pl.Date, strict=False)
    )
    local = column.cast(pl.Datetime("us")).dt.replace_time_zone(time_zone, non_existent="null", ambiguous="earliest")
    moment = local.dt.convert_time_zone("UTC").cast(pl.Int64)
    return pl.when(moment.is_between(0, microseconds(LATEST), closed="left")).then(moment)
