"""Preferences, promises, contests and notes as records: checked when they are made, and what the state keeps of them."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest

from decisioning.customer import Contest, State
from decisioning.preferences import Preference
from features.log import Log
from features.log.forms import FORMS, FormError, PromiseForm, read, recorded
from features.log.written import decode, encode
from tests.log.test_golden import golden
from tests.log.writing import DAY
from tests.worlds import NOW

PREFERENCE = {"customer_id": "1029", "source": "app", "topics": {"bakery": "less"}}
PROMISE = {"customer_id": "1029", "promise_id": "p1", "by": "Kim", "what": "We call you.", "due": NOW + DAY}
NOTE = {"customer_id": "1029", "by": "Kim", "text": "Call in the evening."}
CONTEST = {"customer_id": "1029", "feature": "orders_90d", "by": "customer", "because": "That was my neighbour."}
BODIES: dict[Any, dict[str, Any]] = {"preference": PREFERENCE, "promise": PROMISE, "contest": CONTEST, "note": NOTE}


@pytest.mark.parametrize("kind", FORMS)
def test_what_fits_its_form_is_a_record_that_the_log_takes_and_proves(kind: Any, log: Log) -> None:
    record = recorded(kind, BODIES[kind], message_id="m1", at=NOW - DAY, now=NOW)
    assert (record.kind, record.customer_id, record.event_time, record.known_time) == (kind, "1029", NOW - DAY, NOW)
    assert log.append([record, record]) == [True, False]
    assert log.state("1029")[0].known and log.verify().whole
    log.erase("1029", at=NOW)
    assert log.record("m1") is None and log.state("1029")[1] == 0 and log.verify().whole


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        pytest.param("note", {"colour": "red"}, "unknown field 'colour'; it has customer_id, by, text", id="unknown field"),
        pytest.param("note", {"text": 7}, r"Expected `str`, got `int` - at `\$.text`", id="wrong type"),
        pytest.param("note", {"text": ""}, r"length >= 1 - at `\$.text`", id="empty text"),
        pytest.param("note", {"customer_id": "a\nb"}, r"at `\$.customer_id`", id="an id with a line break"),
        pytest.param("note", {"customer_id": "anonymous:"}, r"at `\$.customer_id`", id="a visitor without a name"),
        pytest.param("note", {"customer_id": "x" * 201}, r"at `\$.customer_id`", id="a very long id"),
        pytest.param("note", {"due": "soon"}, r"at `\$.due`; write a time such as 2018-01-01T09:00:00Z", id="no time"),
        pytest.param("note", {"due": datetime(2018, 1, 2)}, "timezone component", id="no zone"),  # noqa: DTZ001
        pytest.param("note", {"due": "2200-01-01T00:00:00Z"}, "due 2200-.* is absurd; give a time until 2027", id="2200"),
        pytest.param("note", {"due": "1900-01-01T00:00:00Z"}, "due 1900-.* is absurd", id="1900"),
        pytest.param("promise", {"due": None}, "give what and due", id="a promise that is never due"),
        pytest.param("promise", {"status": "kept"}, "were said before", id="an ending that promises anew"),
        pytest.param("promise", {"status": "forgotten"}, r"at `\$.status`", id="unknown status"),
        pytest.param(
            "preference", {"topics": {}}, "give topics, channels, groups, a_week or pause_until", id="asks for nothing"
        ),
        pytest.param("preference", {"topics": {"bakery": "never"}}, r"at `\$.topics", id="unknown wish"),
        pytest.param("preference", {"a_week": -1}, r">= 0 - at `\$.a_week`", id="less than none a week"),
        pytest.param("preference", {"groups": {"coupons": "never"}}, r"at `\$.groups", id="unknown wish of a group"),
        pytest.param("contest", {"because": None}, "give because", id="a contest without a reason"),
        pytest.param("contest", {"feature": ""}, r"at `\$.feature`", id="a contest of nothing"),
        pytest.param(
            "promise", {"status": "kept", "what": None, "due": None, "action": "call"}, "action and the like", id="late"
        ),
        pytest.param(
            "preference", {"pause_until": NOW + 4_000 * DAY}, "pause_until 2028-.* is absurd", id="a pause of 11 years"
        ),
    ],
)
def test_what_does_not_fit_names_its_field_and_the_cure(kind: Any, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(FormError, match=says):
        recorded(kind, BODIES[kind] | changes, message_id="m1", at=None, now=NOW)


def test_a_field_of_a_later_version_is_passed_over_and_a_value_of_one_is_not() -> None:
    made = recorded("promise", PROMISE, message_id="m1", at=None, now=NOW)
    later = replace(made, payload=msgspec.json.encode(made.body | {"colour": "red"}))
    assert read(later, PromiseForm) == read(made, PromiseForm)
    with pytest.raises(msgspec.ValidationError, match=r"at `\$.status`"):
        read(replace(made, payload=msgspec.json.encode(made.body | {"status": "postponed"})), PromiseForm)


@pytest.mark.parametrize("taken", ["m1:identity", "p1:breach"])
def test_a_message_id_that_could_take_the_place_of_one_of_kairos_own_is_refused(taken: str) -> None:
    with pytest.raises(FormError, match="let it end otherwise"):
        recorded("note", NOTE, message_id=taken, at=None, now=NOW)


def test_a_visitor_with_the_longest_id_has_a_form() -> None:
    visitor = "anonymous:" + "x" * 200
    assert recorded("note", NOTE | {"customer_id": visitor}, message_id="m1", at=None, now=NOW).customer_id == visitor


@pytest.mark.parametrize(
    "at",
    [NOW.replace(year=1900), NOW.replace(year=2200), NOW + timedelta(minutes=6), NOW.replace(tzinfo=None)],
    ids=["1900", "2200", "ahead of the engine", "no zone"],
)
def test_what_was_said_at_an_absurd_time_is_refused(at: datetime) -> None:
    with pytest.raises(FormError, match="no time it can have been said"):
        recorded("note", NOTE, message_id="m1", at=at, now=NOW)


def test_golden_preferences_and_promises_give_the_state_they_always_gave_in_any_order(log: Log) -> None:
    names = ("preference", "preference_lifted", "promise_made", "promise_ended", "note")
    log.append([golden(name, 2) for name in names])
    state, _ = log.state("1029")
    assert state.preferences == {
        "topic:bakery": Preference(at=NOW, wanted="more"),
        "topic:fuel": Preference(at=NOW, wanted="none"),
        "channel:email": Preference(at=NOW, wanted="less"),
        "pace": Preference(at=NOW, a_week=2),
        "pause": Preference(at=NOW, until=datetime.fromisoformat("2018-01-15T00:00:00Z")),
    }
    (promise,) = state.promises.values()
    assert (promise.by, promise.make_good, promise.status, promise.made_at) == ("Kim", "apology", "kept", NOW - 2 * DAY)
    assert decode(encode(state)) == state
    for order in permutations(names):
        with_log = Log("sqlite://")
        with_log.append([golden(name, 2) for name in order])
        assert with_log.state("1029")[0] == state
        with_log.close()


def test_a_state_without_promises_is_written_as_before_there_were_any() -> None:
    written = encode(State(customer_id="1029"))
    assert b"promises" not in written and b"preferences" not in written
    assert decode(written) == State(customer_id="1029")


def test_golden_contests_and_groups_and_promises_of_actions_give_the_state_they_always_gave_in_any_order() -> None:
    names = ("contest", "contest_settled", "preference_groups", "promise_of_an_action", "promise_breached")
    for order in permutations(names):
        log = Log("sqlite://")
        log.append([golden(name, 2) for name in order])
        state, _ = log.state("1029")
        assert state.contested == {"spend_90d_bakery": Contest(at=NOW + 2 * DAY, settled=True)}
        assert state.preferences == {"group:coupons": Preference(at=NOW, wanted="less")}
        (promise,) = state.promises.values()
        assert (promise.action, promise.status, promise.presumed, promise.ended_at) == ("refund", "broken", True, promise.due)
        assert decode(encode(state)) == state
        assert log.verify().fault is None
        log.close()
