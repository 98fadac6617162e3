from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from features.log import Record
from features.yaml_nodes import decode
from tests.training.test_evidence import _UPLIFT
from tests.training.worlds import NOW, decided, identity, midnight, offer, open_log, order, outcome, record
from training import experiment
from training.errors import TrainingError
from training.labels import Labels
from training.settings import Models

_AT = midnight(date(2017, 3, 10))
_DAY = timedelta(days=1)


def _uplift(where: Path, records: Sequence[Record], *, now: datetime = NOW) -> Labels:
    settings = decode(_UPLIFT, Models, file="models.yaml").uplift
    assert settings is not None
    with closing(open_log(where, records)) as log:
        return experiment.uplift(log, settings, midnight=midnight, now=now)


def _decision(name: str, at: datetime = _AT, *, group: str = "treatment", topic: str = "bakery", **more: object) -> Record:
    offers = [] if group == "control" else [offer(f"a:{topic}", "a", topic, at, at + 20 * _DAY, **more)]
    body = decided(name, at, offers, origin="live", group=group, customer_id=name)
    return record("decision", name, name, at, None, body)


def _shown(name: str, at: datetime = _AT, *, topic: str = "bakery", **more: object) -> list[Record]:
    seen = outcome(f"{name}-shown", name, name, f"a:{topic}", at + timedelta(hours=1), kind="shown")
    return [_decision(name, at, topic=topic, **more), seen]


def _rows(found: Labels, name: str) -> dict[str, object]:
    return dict(zip(found.frame["decision_id"], found.frame[name], strict=True))


def test_both_kinds_succeed_by_what_the_customer_did_within_the_window(tmp_path):
    found = _uplift(tmp_path, [
        *_shown("treated-back"), order("o1", "treated-back", _AT + 13 * _DAY),
        *_shown("treated-late"), order("o2", "treated-late", _AT + 14 * _DAY),
        *_shown("treated-before"), order("o3", "treated-before", _AT - _DAY),
        _decision("control-back", group="control"), order("o4", "control-back", _AT + _DAY),
        _decision("control-gone", group="control"),
    ])  # fmt: skip

    assert _rows(found, "label") == {
        "treated-back": 1, "treated-late": 0, "treated-before": 0, "control-back": 1, "control-gone": 0,
    }  # fmt: skip
    assert _rows(found, "treated") == {name: name.startswith("treated") for name in _rows(found, "label")}
    assert found.counted["decisions of the control group"] == 2


def test_what_was_left_unsaid_by_choice_counts_as_without_and_what_rules_forbade_does_not(tmp_path):
    def silent(name: str, reason: str, units: Sequence[int]) -> Record:
        nothing = {"kind": "nothing", "placement": "main", "reason": reason, "units": units[-1]}
        body = decided(name, _AT, [nothing], origin="live", group="treatment", customer_id=name, units=units)
        return record("decision", name, name, _AT, None, body)

    whole = 1 << 40
    found = _uplift(tmp_path, [
        *_shown("shown"), _decision("control", group="control"),
        silent("chosen", "nothing_is_worth_the_attention", [whole // 4, 3 * whole // 4]),
        silent("forbidden", "nothing_passed_the_rules", [0, whole]),
    ])  # fmt: skip

    assert _rows(found, "treated") == {"shown": True, "control": False, "chosen": False}
    assert found.counted["decisions that said nothing by choice, taken as without a message"] == 1
    # a quarter, of the two thirds that are not in the control group; the rest logged no probability
    assert _rows(found, "share") == {"shown": None, "control": None, "chosen": pytest.approx(0.25 * 2 / 3)}


def test_what_was_never_seen_had_to_be_said_or_was_imported_is_no_treatment(tmp_path):
    found = _uplift(tmp_path, [
        *_shown("shown"),
        _decision("unseen"),
        *_shown("mandatory", mandatory=True),
        record("decision", "imported", "imported", _AT, None, decided("imported", _AT, [], customer_id="imported")),
    ])  # fmt: skip

    assert list(_rows(found, "label")) == ["shown"]


def test_a_control_row_stands_beside_an_offer_of_its_own_part_of_the_data(tmp_path):
    later = _AT + 60 * _DAY
    found = _uplift(tmp_path, [
        *_shown("early", topic="bakery"), *_shown("late", later, topic="produce"),
        *(_decision(f"control-{number}", at, group="control") for number, at in enumerate([_AT] * 3 + [later] * 3)),
    ])  # fmt: skip

    topics = found.frame.filter(~pl.col("treated")).sort("decision_id")["topics"].to_list()
    assert topics == [["bakery"]] * 3 + [["produce"]] * 3


def test_what_an_id_of_the_same_customer_did_counts(tmp_path):
    found = _uplift(tmp_path, [
        *_shown("web"), order("o", "shop", _AT + _DAY), identity("i", "shop", "web", _AT + 30 * _DAY),
    ])  # fmt: skip

    assert list(_rows(found, "label").values()) == [1]


def test_windows_that_are_not_over_are_left_out_and_counted(tmp_path):
    found = _uplift(tmp_path, [*_shown("over"), *_shown("open", _AT + 10 * _DAY)], now=_AT + 20 * _DAY)

    assert list(_rows(found, "label")) == ["over"]
    assert found.counted["decisions whose window is not over"] == 1


def test_training_rows_that_close_in_the_test_are_purged(tmp_path):
    test = midnight(date(2017, 7, 1))
    found = _uplift(tmp_path, [*_shown("closed"), *_shown("purged", test - _DAY), *_shown("tested", test)])

    assert _rows(found, "test") == {"closed": False, "tested": True}
    assert found.counted["training decisions whose window closed after the first test decision"] == 1


def test_a_log_that_showed_nothing_live_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="no live decision with a message that was shown"):
        _uplift(tmp_path, [_decision("control", group="control")])
