import json
from typing import Any

import numpy as np
import pytest

import features.terms
from features.decay import DAY_US
from features.facts import Batch, Reader
from features.terms import local_hours, terms
from tests.features.worlds import START, ZONE, spec

US = int(START.timestamp()) * 1_000_000


def _read(*payloads: bytes, kind: str = "event", event_us: int = US, known_us: int = US, customer: str | None = "a") -> Batch:
    count = len(payloads)
    return Reader(spec()).read(
        kinds=[kind] * count,
        customers=[customer] * count,
        event_us=[event_us] * count,
        known_us=[known_us] * count,
        payloads=payloads,
    )


def _order(properties: Any) -> bytes:
    return json.dumps({"type": "track", "event": "Order Completed", "properties": properties}).encode()


def _terms(batch: Batch, view: int = 0) -> dict[str, list[float]]:
    table = spec().tables[view]
    made = terms(table, batch, Reader(spec()), ZONE)
    return {name: made.values[:, at].tolist() for at, name in enumerate(table.names)}


def test_a_record_brings_its_numbers_its_products_by_topic_and_its_local_hour() -> None:
    lines = [
        {"category": "PASTRY", "price": 2.5},
        {"category": "FRUIT", "price": 1.0},
        {"category": "PRODUCE", "price": 4.0},
        {"category": "TYRES", "price": 100.0},
        {"price": 7.0},
    ]
    brought = _terms(_read(_order({"total": 114.5, "products": lines}), event_us=US + 90 * 60_000_000, known_us=US + DAY_US))
    assert {name: values[0] for name, values in brought.items() if values[0]} == {
        "orders_30d": 1, "spend_30d": 114.5, "points": 114.5, "lines": 114.5,
        "since_order": US + 90 * 60_000_000, "tenure": US + 90 * 60_000_000,
        "spend_90d_bakery": 2.5, "spend_90d_produce": 5.0, "items_bakery": 1, "items_produce": 2,
        "hour_01": 1, "day_sun": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param({}, id="missing"),
        pytest.param({"total": None, "products": None}, id="null"),
        pytest.param({"total": "12", "products": "bread"}, id="text"),
        pytest.param({"total": True, "products": [3, None]}, id="of another kind"),
        pytest.param({"total": 1e300, "products": [{"category": 5, "price": "x"}]}, id="out of all measure"),
        pytest.param({"total": 10**400, "products": [{"category": 5, "price": -(10**400)}]}, id="beyond any float"),
        pytest.param(None, id="no properties"),
        pytest.param([1], id="no object"),
    ],
)
def test_a_number_that_is_none_says_nothing_and_the_record_still_counts(properties: Any) -> None:
    batch = _read(_order(properties))
    brought = _terms(batch)
    assert batch.unreadable == 0
    assert (brought["orders_30d"], brought["points"], brought["lines"], brought["items_bakery"]) == ([1], [0], [0], [0])


def test_what_is_right_beside_something_wrong_still_counts() -> None:
    lines = [{"category": "PASTRY", "price": 3}, {"category": "PASTRY", "price": "free"}, "?"]
    brought = _terms(_read(_order({"total": 3, "discount": "none", "products": lines})))
    assert (brought["points"], brought["spend_90d_bakery"], brought["items_bakery"]) == ([3], [3], [2])


@pytest.mark.parametrize(
    "payload", [b"{", b"\xff", b"[]", b"", b'{"event": 5}', b'{"event": "Order Completed", "properties": {"total": 1e999}}']
)
def test_a_record_that_cannot_be_read_is_counted_and_stops_nothing(payload: bytes) -> None:
    batch = _read(payload, _order({"total": 5}))
    assert batch.unreadable == 1
    assert _terms(batch)["points"] == [5]


def test_no_records_bring_nothing() -> None:
    assert all(values == [] for values in _terms(_read()).values())


def test_records_of_other_events_and_of_nobody_concern_no_table() -> None:
    other = json.dumps({"type": "track", "event": "Page Viewed", "properties": {}}).encode()
    assert _terms(_read(other, b'{"type": "identify"}'))["points"] == []
    nobody = _read(_order({"total": 5}), customer=None)
    assert nobody.anonymous == 1
    assert _terms(nobody)["points"] == []


def test_a_clock_that_runs_ahead_counts_as_having_happened_when_it_became_known() -> None:
    batch = _read(_order({}), event_us=US + DAY_US, known_us=US)
    assert batch.ahead == 1
    assert batch.time_us.tolist() == [US]


def test_a_feature_counts_only_the_outcomes_it_is_on() -> None:
    said = [
        json.dumps({"outcome": kind, "topics": ["bakery", "tyres"]}).encode() for kind in ("delivered", "accepted", "clicked")
    ]
    brought = _terms(_read(*said, b'{"outcome": 3}', kind="outcome"), view=1)
    assert (brought["offers_7d"], brought["accepted_bakery"]) == ([1, 0], [0, 1])
    np.testing.assert_array_equal(brought["since_accepted"], [np.nan, US])


def test_what_a_machine_opened_is_no_answer_of_the_customer() -> None:
    said = [json.dumps({"outcome": "accepted", "topics": ["bakery"], "machine": by}).encode() for by in (True, False, None)]
    batch = _read(*said, kind="outcome")
    assert batch.unreadable == 0
    brought = _terms(batch, view=1)
    assert brought["accepted_bakery"] == [1, 1]
    assert len(brought["since_accepted"]) == 2


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2017-03-12T06:59", "2017-03-12T01"),
        ("2017-03-12T07:00", "2017-03-12T03"),
        ("2017-11-05T05:30", "2017-11-05T01"),
        ("2017-11-05T06:30", "2017-11-05T01"),
        ("1969-12-31T23:00", "1969-12-31T18"),
    ],
)
def test_hours_are_local_through_the_changes_of_the_clock(utc: str, local: str) -> None:
    times = np.array([np.datetime64(utc, "us").astype(np.int64)])
    assert local_hours(times, ZONE)[0] == np.datetime64(local, "h").astype(np.int64)


def test_hours_are_the_same_however_far_the_times_lie_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    times = np.random.default_rng(1).integers(-DAY_US * 400, US, size=500)
    near = local_hours(times, ZONE)
    monkeypatch.setattr(features.terms, "_ALL_QUARTERS", 0)
    np.testing.assert_array_equal(local_hours(times, ZONE), near)
    assert local_hours(times[:0], ZONE).tolist() == []


def test_offsets_of_half_an_hour_are_kept() -> None:
    times = np.array([np.datetime64("2017-06-01T10:29", "us"), np.datetime64("2017-06-01T10:30", "us")]).astype(np.int64)
    assert (local_hours(times, "Asia/Kolkata") % 24).tolist() == [15, 16]
