"""Which complaints are open."""

from datetime import timedelta

from decisioning.complaints import all_closed, complained
from decisioning.customer import Episode, State
from tests.worlds import NOW

DAY = timedelta(days=1)
STATE = State(customer_id="1029")


def test_a_complaint_is_open_from_its_opening_to_its_closing() -> None:
    opened = complained(STATE, "c", opened_at=NOW)
    assert opened.open_complaints == ("c",)
    closed = complained(opened, "c", closed_at=NOW + DAY)
    assert closed.open_complaints == ()
    assert closed.complaints == {"c": Episode(opened_at=NOW, closed_at=NOW + DAY)}
    assert complained(closed, "c", opened_at=NOW + 2 * DAY).open_complaints == ("c",)


def test_at_the_same_moment_it_is_closed() -> None:
    assert complained(complained(STATE, "c", opened_at=NOW), "c", closed_at=NOW).open_complaints == ()
    assert complained(all_closed(STATE, NOW), "c", opened_at=NOW).open_complaints == ()


def test_a_closing_alone_opens_nothing() -> None:
    assert complained(STATE, "c", closed_at=NOW).open_complaints == ()


def test_an_earlier_word_changes_nothing() -> None:
    state = all_closed(complained(STATE, "c", opened_at=NOW, closed_at=NOW + DAY), NOW + DAY)
    assert complained(state, "c", opened_at=NOW - DAY) == state
    assert complained(state, "c", closed_at=NOW - DAY) == state
    assert all_closed(state, NOW) == state
