"""Mailings of the Complete Journey as imported decisions, and what became of them as outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from examples.grocer.complete_journey import Tables, midnight
from examples.grocer.redemptions import redemptions
from examples.grocer.report import Entry

_UTC_TEXT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailings:
    """Three tables with the columns of `importer.RECORDS`; the entries say what became of the source's rows."""

    decisions: pl.DataFrame
    delivered: pl.DataFrame
    accepted: pl.DataFrame
    kept: tuple[Entry, ...]
    changed: tuple[Entry, ...]
    left_out: tuple[Entry, ...]


def mailings(tables: Tables, topics: Mapping[str, tuple[str, ...]], time_zone: str) -> Mailings:
    """One decision a mailing (household and campaign), one offer in it for each topic that the campaign's coupons cover.

    `topics` names the departments of each topic; a coupon belongs to the department that most of its products are in
    (ties: the first by name). Campaign dates are midnights in `time_zone`; an offer expires when its last day ends.
    """
    coupons = _departments(tables).join(_topic_of(topics), on="department", how="left")
    offers = _offers(coupons, tables.campaign_descriptions, time_zone)
    mailed = tables.campaigns.unique(maintain_order=True)
    sent = mailed.join(offers, on="campaign_id", how="inner", maintain_order="left")
    redeemed = redemptions(tables, time_zone).join(coupons, on=["campaign_id", "coupon_upc"], how="left", maintain_order="left")
    accepted = redeemed.join(sent, on=["household_id", "campaign_id", "topic"], how="inner")
    off_topic = redeemed["topic"].null_count()
    return Mailings(
        decisions=_decisions(sent),
        delivered=_outcomes(sent, "delivered", "cj-delivered", pl.col("topic")),
        accepted=_outcomes(
            accepted,
            "accepted",
            "cj-redemption",
            pl.format("{}-{}", "coupon_upc", pl.col("redemption_date").dt.strftime("%Y%m%d")),
        ),
        kept=(
            Entry(
                sent.select("household_id", "campaign_id").n_unique(), "mailings as decisions, origin imported, no probability"
            ),
            Entry(sent.height, "offers in them, one for each topic of the campaign's coupons, each delivered when sent"),
            Entry(accepted.height, "redemptions as accepted outcomes of their offer"),
        ),
        changed=(
            Entry(
                accepted.filter(pl.col("dated")).height,
                "redemptions have the time of the basket that the household paid that day",
                "the source gives the day only",
            ),
            Entry(
                accepted.filter(~pl.col("dated")).height,
                "redemptions have the last second of their day",
                "the household has no basket that day, and no earlier moment is certain",
            ),
        ),
        left_out=(
            Entry(tables.coupons.height - tables.coupons.unique().height, "rows of coupons and products", "written twice"),
            Entry(coupons["topic"].null_count(), "coupons of campaigns", "their department is no topic of profile.yaml"),
            Entry(mailed.join(offers, on="campaign_id", how="anti").height, "mailings", "none of their coupons is in a topic"),
            Entry(off_topic, "redemptions", "their coupon is in no topic"),
            Entry(redeemed.height - off_topic - accepted.height, "redemptions", "the household was not mailed that campaign"),
        ),
    )


def _departments(tables: Tables) -> pl.DataFrame:
    """campaign_id, coupon_upc, department: one row a coupon of a campaign."""
    return (
        tables.coupons.unique()
        .join(tables.products.select("product_id", "department"), on="product_id", how="inner")
        .group_by("campaign_id", "coupon_upc", "department")
        .len()
        .sort("campaign_id", "coupon_upc", "len", "department", descending=[False, False, True, False])
        .unique(["campaign_id", "coupon_upc"], keep="first", maintain_order=True)
        .drop("len")
    )


def _topic_of(topics: Mapping[str, tuple[str, ...]]) -> pl.DataFrame:
    pairs = [(department, topic) for topic, departments in topics.items() for department in departments]
    return pl.DataFrame(pairs, schema={"department": pl.String, "topic": pl.String}, orient="row")


def _offers(coupons: pl.DataFrame, campaigns: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """One row a campaign and topic, with the offer's features and its time on the market."""
    departments = coupons.group_by("campaign_id").agg(departments=pl.col("department").n_unique())
    start, end = pl.col("start_date"), pl.col("end_date")
    return (
        coupons.drop_nulls("topic")
        .group_by("campaign_id", "topic")
        .agg(coupons=pl.len())
        .join(departments, on="campaign_id")
        .join(campaigns, on="campaign_id")
        .select(
            "campaign_id",
            "topic",
            "coupons",
            "departments",
            campaign_type=pl.col("campaign_type").str.strip_prefix("Type "),
            duration_days=(end - start).dt.total_days(),
            send_at=midnight(start, time_zone),
            expires_at=midnight(end.dt.offset_by("1d"), time_zone),
        )
        .sort("campaign_id", "topic")
    )


def _decisions(sent: pl.DataFrame) -> pl.DataFrame:
    offer = pl.struct(
        kind=pl.lit("action"),
        action=_action(),
        group=_group(),
        topics=pl.concat_list("topic"),
        features=pl.struct("campaign_type", "duration_days", "departments", "coupons"),
        send_at=pl.col("send_at").dt.strftime(_UTC_TEXT),
        expires_at=pl.col("expires_at").dt.strftime(_UTC_TEXT),
        probability=pl.lit(None, dtype=pl.Float64),
    )
    by_mailing = sent.group_by("household_id", "campaign_id", maintain_order=True).agg(
        at=pl.col("send_at").first(), results=offer
    )
    payload = pl.struct(
        decision_id=_decision_id(),
        customer_id=_customer(),
        touchpoint=pl.lit("mailer"),
        at=pl.col("at").dt.strftime(_UTC_TEXT),
        origin=pl.lit("imported"),
        results="results",
    )
    return by_mailing.select(
        kind=pl.lit("decision"),
        message_id=_decision_id(),
        customer_id=_customer(),
        at="at",
        payload=payload.struct.json_encode(),
    )


def _outcomes(offers: pl.DataFrame, outcome: str, prefix: str, which: pl.Expr) -> pl.DataFrame:
    at = pl.col("send_at" if outcome == "delivered" else "at")
    message_id = pl.format("{}-{}-{}-{}", pl.lit(prefix), "campaign_id", "household_id", which)
    payload = pl.struct(
        message_id=message_id,
        decision_id=_decision_id(),
        customer_id=_customer(),
        touchpoint=pl.lit("mailer"),
        placement=pl.lit("main"),
        action=_action(),
        topics=pl.concat_list("topic"),
        group=_group(),
        outcome=pl.lit(outcome),
        value=pl.lit(None, dtype=pl.Float64),
        at=at.dt.strftime(_UTC_TEXT),
    )
    return offers.select(
        kind=pl.lit("outcome"), message_id=message_id, customer_id=_customer(), at=at, payload=payload.struct.json_encode()
    )


def _customer() -> pl.Expr:
    return pl.col("household_id").cast(pl.String)


def _decision_id() -> pl.Expr:
    return pl.format("cj-mailing-{}-{}", "campaign_id", "household_id")


def _group() -> pl.Expr:
    return pl.format("campaign_{}", "campaign_id")


def _action() -> pl.Expr:
    return pl.format("campaign_{}:{}", "campaign_id", "topic")
