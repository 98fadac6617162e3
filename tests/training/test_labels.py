from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from features.yaml_nodes import decode
from tests.training.worlds import FILES, NOW, decided, identity, mailing, midnight, offer, open_log, order, outcome, record
from training import labels
from training.errors import TrainingError
from training.settings import Churn, Models, Preference, Value

_SETTINGS = decode(FILES["models.yaml"], Models, file="models.yaml")
_CUT = midnight(date(2017, 4, 1))
_DAY = timedelta(days=1)
_SENT = datetime(2017, 3, 10, tzinfo=UTC)
_TESTED = datetime(2017, 7, 10, tzinfo=UTC)


def _churn(tmp_path, records, *, now=NOW) -> pl.DataFrame:
    settings = _SETTINGS.churn
    assert isinstance(settings, Churn)
    with closing(open_log(tmp_path, records)) as log:
        return labels.churn(log, settings, midnight=midnight, now=now).frame


def _preference(tmp_path, records, *, now=NOW) -> labels.Labels:
    settings = _SETTINGS.preference
    assert isinstance(settings, Preference)
    with closing(open_log(tmp_path, records)) as log:
        return labels.preference(log, settings, midnight=midnight, now=now)


def _label(frame: pl.DataFrame, at: datetime = _CUT) -> dict[str, int]:
    rows = frame.filter(pl.col("at") == at)
    return dict(zip(rows["customer_id"], rows["label"], strict=True))


# ---------------------------------------------------------------------------------------------------------------------- churn


@pytest.mark.parametrize(
    ("orders", "label"),
    [
        ([-1 * _DAY], 1),
        ([-1 * _DAY, 1 * _DAY], 0),
        ([-1 * _DAY, 31 * _DAY], 1),
        ([-60 * _DAY], 1),
        ([-60 * _DAY - timedelta(seconds=1)], None),
        ([1 * _DAY], None),
        ([0 * _DAY], None),
        ([-1 * _DAY, 0 * _DAY], 0),
        ([-1 * _DAY, 30 * _DAY], 1),
    ],
    ids=[
        "gone", "came back", "came back too late", "just active", "no longer active",
        "only after", "first at the cut-off", "back at the cut-off", "back when the horizon had ended",
    ],
)  # fmt: skip
def test_a_customer_active_before_a_cut_off_churns_when_nothing_follows(tmp_path, orders, label):
    found = _label(_churn(tmp_path, [order(str(n), "a", _CUT + after) for n, after in enumerate(orders)]))

    assert found.get("a") == label


def test_an_order_that_was_not_yet_known_does_not_make_a_customer_active(tmp_path):
    late = order("o", "a", _CUT - _DAY, known=_CUT + _DAY)

    assert "a" not in _label(_churn(tmp_path, [late]))


def test_an_order_dated_after_it_was_known_happened_when_it_was_known(tmp_path):
    ahead = [order("o", "a", _CUT - 2 * _DAY), order("p", "a", _CUT + 5 * _DAY, known=_CUT - _DAY)]

    assert _label(_churn(tmp_path, ahead)) == {"a": 1}


def test_only_the_named_event_counts_and_what_cannot_be_read_is_passed_over(tmp_path):
    other = record("event", "x", "a", _CUT + _DAY, None, {"type": "track", "event": "Product Viewed"})
    strange = record("event", "y", "a", _CUT + _DAY, None, {"event": 5})

    assert _label(_churn(tmp_path, [order("o", "a", _CUT - _DAY), other, strange])) == {"a": 1}


def test_who_was_known_as_two_is_labelled_as_two_until_it_is_known_that_they_are_one(tmp_path):
    orders = [
        order("before", "anonymous:x", _CUT - 2 * _DAY),
        order("too", "a", _CUT - _DAY),
        order("after", "anonymous:x", _CUT + 20 * _DAY),
    ]
    joined = identity("in", "anonymous:x", "a", _CUT + 10 * _DAY)
    second = midnight(date(2017, 5, 1))

    alone, linked = _churn(tmp_path / "alone", orders), _churn(tmp_path / "linked", [*orders, joined])

    assert (_label(alone), _label(alone, second)) == ({"a": 1, "anonymous:x": 0}, {"a": 1, "anonymous:x": 1})
    assert (_label(linked), _label(linked, second)) == ({"a": 0, "anonymous:x": 0}, {"a": 1})


def test_what_another_customer_did_on_a_device_that_moved_is_not_theirs(tmp_path):
    orders = [order("before", "a", _CUT - _DAY), order("after", "anonymous:x", _CUT + _DAY)]
    signed_in = identity("in", "anonymous:x", "a", _CUT - 2 * _DAY)
    moved = identity("first", "anonymous:x", "b", _CUT - 9 * _DAY, known=_CUT + 50 * _DAY)

    assert _label(_churn(tmp_path / "then", [*orders, signed_in])) == {"a": 0}
    assert _label(_churn(tmp_path / "now", [*orders, signed_in, moved])) == {"a": 1}


def test_an_erased_customer_is_absent_under_every_id(tmp_path):
    records = [order("one", "a", _CUT - _DAY), order("two", "b", _CUT - _DAY), order("three", "c", _CUT - _DAY)]
    with closing(open_log(tmp_path, [*records, identity("in", "a", "b", _CUT - 2 * _DAY)])) as log:
        for one in log.customer("a").members:
            log.erase(one, at=NOW)

    assert _label(_churn(tmp_path, [])) == {"c": 1}


def test_cut_offs_of_the_test_are_marked_and_the_others_numbered(tmp_path):
    frame = _churn(tmp_path, [order(str(day), "a", _CUT + day * _DAY) for day in range(-10, 200, 10)])

    assert frame["test"].to_list() == [False, False, False, True]
    assert frame["block"].to_list() == [0, 1, 2, -1]
    assert (frame["closes_at"] - frame["at"]).unique().to_list() == [30 * _DAY]


def test_what_a_customer_brings_is_the_sum_of_what_followed_times_the_margin(tmp_path):
    churn = _SETTINGS.churn
    assert churn is not None
    settings = Value(
        event=churn.event, horizon=30 * _DAY, active_within=churn.active_within, train=churn.train, test=churn.test,
        columns=churn.columns, amount="total", margin=0.5,
    )  # fmt: skip
    records = [
        *(order(f"before-{who}", who, _CUT - _DAY) for who in ("twice", "never", "later", "refunded")),
        order("one", "twice", _CUT, total=10.0),
        order("two", "twice", _CUT + 29 * _DAY, total=5.0),
        order("three", "later", _CUT + 30 * _DAY, total=99.0),
        order("four", "refunded", _CUT + _DAY, total=-4.0),
        order("five", "stranger", _CUT + _DAY, total=7.0),
    ]

    with closing(open_log(tmp_path, records)) as log:
        frame = labels.value(log, settings, midnight=midnight, now=NOW).frame

    rows = frame.filter(pl.col("at") == _CUT).sort("customer_id")
    assert rows["customer_id"].to_list() == ["later", "never", "refunded", "twice"]
    assert rows["amount"].to_list() == [0.0, 0.0, -2.0, 7.5]
    assert rows["label"].to_list() == [0, 0, 0, 1]


def test_a_cut_off_whose_horizon_is_not_over_is_refused(tmp_path):
    with pytest.raises(TrainingError, match=r"the 30 days after the cut-off 2017-09-01 are not over at 2017-09-15"):
        _churn(tmp_path, [], now=datetime(2017, 9, 15, tzinfo=UTC))


# ----------------------------------------------------------------------------------------------------------------- preference


def test_an_offer_succeeds_when_its_own_outcome_comes_inside_its_window(tmp_path):
    frame = _preference(tmp_path, mailing("g", "a", _SENT, accepted=[1])).frame

    assert dict(zip(frame["action"], frame["label"], strict=True)) == {"g:bakery": 0, "g:produce": 1}
    assert frame["group"].unique().to_list() == ["g"]
    assert frame["topics"].to_list() == [["bakery"], ["produce"]]


def test_an_outcome_after_the_window_is_no_success(tmp_path):
    frame = _preference(tmp_path, mailing("g", "a", _SENT, accepted=[0], after=21 * _DAY)).frame

    assert frame["label"].to_list() == [0, 0]


def test_an_outcome_of_another_decision_or_kind_is_no_success(tmp_path):
    others = [
        outcome("x", "g-b", "b", "g:bakery", _SENT + _DAY),
        outcome("y", "g-a", "a", "g:bakery", _SENT + _DAY, kind="clicked"),
    ]

    frame = _preference(tmp_path, [*mailing("g", "a", _SENT), *others]).frame

    assert frame["label"].sum() == 0


def test_a_click_of_a_machine_is_no_success(tmp_path):
    settings = replace(_SETTINGS.preference, success="clicked")
    clicks = [
        outcome("x", "g-a", "a", "g:bakery", _SENT + _DAY, kind="clicked", machine=True),
        outcome("y", "g-a", "a", "g:produce", _SENT + _DAY, kind="clicked", machine=False),
    ]
    with closing(open_log(tmp_path, [*mailing("g", "a", _SENT), *clicks])) as log:
        frame = labels.preference(log, settings, midnight=midnight, now=NOW).frame

    assert dict(zip(frame["action"], frame["label"], strict=True)) == {"g:bakery": 0, "g:produce": 1}


def test_training_offers_still_open_at_the_first_test_offer_are_purged(tmp_path):
    records = [
        *mailing("closed", "a", _SENT),
        *mailing("open", "a", datetime(2017, 6, 25, tzinfo=UTC), accepted=[0]),
        *mailing("test", "a", _TESTED),
    ]

    found = _preference(tmp_path, records)

    assert found.frame.filter(~pl.col("test"))["group"].unique().to_list() == ["closed"]
    assert found.frame.filter(~pl.col("test"))["known_share"].unique().to_list() == [1.0]
    assert found.counted["training offers whose window closed after the first test offer was made"] == 2


def test_test_offers_still_open_are_kept_and_counted(tmp_path):
    found = _preference(tmp_path, mailing("test", "a", NOW - 3 * _DAY, accepted=[0], after=_DAY))

    assert found.frame.filter("test")["label"].to_list() == [1, 0]
    assert found.counted["test offers whose window is still open, taken as known so far"] == 2
    length = (found.frame["closes_at"][0] - found.frame["at"][0]) / _DAY
    assert found.frame["known_share"].to_list() == pytest.approx([3 / length] * 2)
    assert found.frame["success_share"].to_list() == [pytest.approx(1 / length), None]


def test_folds_number_the_blocks_of_training(tmp_path):
    days = [datetime(2017, 3, 10, tzinfo=UTC), datetime(2017, 4, 20, tzinfo=UTC), datetime(2017, 5, 25, tzinfo=UTC), _TESTED]
    records = [one for number, at in enumerate(days) for one in mailing(f"g{number}", "a", at)]

    frame = _preference(tmp_path, records).frame

    assert dict(zip(frame["group"], frame["block"], strict=True)) == {"g0": 0, "g1": 1, "g2": 2, "g3": -1}


def test_an_offer_was_made_to_whom_the_id_meant_then(tmp_path):
    records = [*mailing("early", "anonymous:x", _SENT), *mailing("late", "anonymous:x", _SENT + 9 * _DAY, accepted=[0])]
    joined = identity("in", "anonymous:x", "a", _SENT + 3 * _DAY)

    frame = _preference(tmp_path, [*records, joined]).frame

    assert dict(zip(frame["group"], frame["customer_id"], strict=True)) == {"early": "anonymous:x", "late": "a"}
    assert frame["label"].sum() == 1


def _live(*, seen: bool, accepted_after: timedelta, window: timedelta = 2 * _DAY) -> list:
    shown = _SENT + timedelta(hours=30)
    made = offer("bread", "g", "bakery", _SENT, _SENT + _DAY, window_us=int(window.total_seconds() * 1e6))
    records = [
        record(
            "decision",
            "d",
            "a",
            _SENT,
            None,
            decided("d", _SENT, [made, {"kind": "nothing", "placement": "main"}], origin="live"),
        )
    ]
    if seen:
        records.append(outcome("s", "d", "a", "bread", shown, kind="shown"))
    return [*records, outcome("x", "d", "a", "bread", shown + accepted_after)] if seen else records


def test_a_live_offer_that_nobody_saw_teaches_nothing(tmp_path):
    found = _preference(tmp_path, [*_live(seen=False, accepted_after=_DAY), *mailing("g", "b", _SENT)])

    assert "bread" not in found.frame["action"].to_list()
    assert found.counted["offers never seen by anyone"] == 1


@pytest.mark.parametrize(("after", "label"), [(2 * _DAY, 1), (2 * _DAY + timedelta(seconds=1), 0)], ids=["in time", "too late"])
def test_a_stated_window_runs_from_the_moment_the_offer_was_seen(tmp_path, after, label):
    frame = _preference(tmp_path, _live(seen=True, accepted_after=after)).frame

    assert frame["label"].to_list() == [label]


def test_offers_at_another_touchpoint_are_not_read(tmp_path):
    elsewhere = record("decision", "d", "a", _SENT, None, decided("d", _SENT, [], touchpoint="app"))

    with pytest.raises(TrainingError, match="no decision with an offer at the touchpoint 'mailer'"):
        _preference(tmp_path, [elsewhere])
