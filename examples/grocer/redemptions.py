"""When a coupon was redeemed: the source tells the day, the basket that it paid tells the moment."""

import polars as pl

from examples.grocer.complete_journey import Tables, midnight

_COUPONS = pl.col("coupon_disc", "coupon_match_disc")


def redemptions(tables: Tables, time_zone: str) -> pl.DataFrame:
    """household_id, campaign_id, coupon_upc, redemption_date, the moment `at` in UTC, and `dated`: whether a basket gave it.

    Of several baskets that the household paid on that day in `time_zone` it is the one with the largest coupon discount,
    then the last. Without any, it is the day's last second: a redemption must never be known before it happened.
    """
    baskets = (
        tables.transactions.group_by("basket_id")
        .agg(pl.col("household_id", "transaction_timestamp").first(), saved=pl.sum_horizontal(_COUPONS).sum().round(2))
        .with_columns(redemption_date=pl.col("transaction_timestamp").dt.convert_time_zone(time_zone).dt.date())
        .sort("saved", "transaction_timestamp", "basket_id", descending=True)
        .unique(["household_id", "redemption_date"], keep="first", maintain_order=True)
        .select("household_id", "redemption_date", paid_at="transaction_timestamp")
    )
    day_ends = midnight(pl.col("redemption_date").dt.offset_by("1d"), time_zone).dt.offset_by("-1s")
    return tables.coupon_redemptions.join(
        baskets, on=["household_id", "redemption_date"], how="left", maintain_order="left"
    ).select(pl.exclude("paid_at"), at=pl.coalesce("paid_at", day_ends), dated=pl.col("paid_at").is_not_null())
