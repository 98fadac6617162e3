"""Baskets of the Complete Journey as `Order Completed` messages of the Segment specification."""

from dataclasses import dataclass

import polars as pl

from examples.grocer.complete_journey import Tables
from examples.grocer.report import Entry

_FUEL = "GASOLINE"
_DISCOUNTS = pl.col("retail_disc", "coupon_disc", "coupon_match_disc")
_UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """`records` has the columns of `importer.RECORDS`; the entries say what became of the source's lines."""

    records: pl.DataFrame
    kept: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    left_out: tuple[Entry, ...]


def orders(tables: Tables) -> Orders:
    """One message a basket. A product's `price` is what its line brought in, its `category` the department.

    `total` sums the kept lines; `discount` sums every discount of the basket and `coupons_used` counts its lines with a
    coupon, also of lines left out: the line of a coupon sells nothing, yet carries what the coupon took off.
    """
    lines = tables.transactions.join(tables.products, on="product_id", how="left", maintain_order="left").with_columns(
        fuel=pl.col("product_type").str.starts_with(_FUEL).fill_null(value=False)
    )
    sold = lines.filter(pl.col("sales_value") > 0)
    discounts = lines.group_by("basket_id").agg(
        discount=pl.sum_horizontal(_DISCOUNTS).sum().round(2), coupons_used=(pl.col("coupon_disc") > 0).sum()
    )
    baskets = _baskets(sold).join(discounts, on="basket_id", how="left", maintain_order="left")
    return Orders(
        records=_messages(baskets),
        kept=(
            Entry(baskets.height, "baskets as Order Completed events", f"of {baskets['household_id'].n_unique():,} households"),
            Entry(sold.height, "lines sold, with department, sales value and quantity"),
        ),
        changed=(
            Entry(
                sold.filter(pl.col("fuel") & (pl.col("quantity") != 1)).height,
                "fuel lines have quantity 1",
                "the source counts fuel in another unit (up to 89,638 a line); what was paid is kept",
            ),
            Entry(
                sold.filter(pl.col("quantity") < 1).height, "lines sold with quantity 0 have quantity 1", "they were paid for"
            ),
            Entry(
                sold["department"].null_count(),
                f"lines have the department {_UNKNOWN}",
                "their product is not in the source's list of products",
            ),
        ),
        left_out=(
            Entry(lines.height - sold.height, "lines without a sale", "they brought in 0 or less: nothing was bought"),
            Entry(lines["basket_id"].n_unique() - baskets.height, "baskets without a single line sold", "nothing was bought"),
        ),
    )


def _baskets(sold: pl.DataFrame) -> pl.DataFrame:
    product = pl.struct(
        product_id=pl.col("product_id").cast(pl.String),
        category=pl.col("department").fill_null(_UNKNOWN),
        price=pl.col("sales_value").round(2),
        quantity=pl.when(pl.col("fuel") | (pl.col("quantity") < 1)).then(1).otherwise(pl.col("quantity")),
    )
    return sold.group_by("basket_id", maintain_order=True).agg(
        pl.col("household_id", "transaction_timestamp").first(),
        total=pl.col("sales_value").sum().round(2),
        products=product,
    )


def _messages(baskets: pl.DataFrame) -> pl.DataFrame:
    order, customer = pl.col("basket_id").cast(pl.String), pl.col("household_id").cast(pl.String)
    message_id = pl.lit("cj-order-") + order
    at = pl.col("transaction_timestamp")
    payload = pl.struct(
        type=pl.lit("track"),
        event=pl.lit("Order Completed"),
        messageId=message_id,
        userId=customer,
        timestamp=at.dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        properties=pl.struct("total", "discount", "coupons_used", "products", order_id=order),
    )
    return baskets.select(
        kind=pl.lit("event"), message_id=message_id, customer_id=customer, at=at, payload=payload.struct.json_encode()
    )
