"""Who is who in the log: which ids are one customer, by which records, and what can be read of them."""

from features.join import Customer, Link
from features.log import Identity, Log, identity_record
from features.log.identity import Told
from features.log.records import microseconds
from tests.log.writing import DAY, event, linked
from tests.worlds import NOW

US = microseconds(NOW)
DAY_US = 86_400_000_000


def link(source: str, target: str, event_us: int = US, known_us: int | None = None) -> Link:
    return Link(source=source, target=target, event_us=event_us, known_us=event_us if known_us is None else known_us)


def test_an_id_that_no_record_links_is_its_own_customer(log: Log) -> None:
    log.append([event("A", customer="anna")])
    assert log.customer("anna") == Customer(name="anna", members=("anna",))
    assert log.customer("nobody") == Customer(name="nobody", members=("nobody",))


def test_a_visitor_who_signs_in_is_that_customer_under_every_id(log: Log) -> None:
    log.append([event("A", customer="anonymous:x"), linked("anonymous:x", "anna"), linked("old-anna", "anna")])
    whole = Customer(name="anna", members=("anna", "anonymous:x", "old-anna"))
    assert [log.customer(one) for one in whole.members] == [whole] * 3


def test_links_are_read_in_the_order_of_the_log_and_those_that_tell_nothing_new_are_left_out(log: Log) -> None:
    log.append([linked("b", "a", at=NOW + DAY), linked("anonymous:x", "a", at=NOW, known=NOW + 2 * DAY)])
    log.append(
        [linked("anonymous:x", "a", at=NOW + 3 * DAY), linked("a", "a", at=NOW + 3 * DAY)]
    )  # said before; said of one id
    log.append([linked("anonymous:x", "c", at=NOW + 4 * DAY)])
    told = [
        link("b", "a", US + DAY_US),
        link("anonymous:x", "a", US, US + 2 * DAY_US),
        link("anonymous:x", "c", US + 4 * DAY_US),
    ]
    assert log.links() == told
    assert log.links(until=2) == told[:2]


def test_a_link_whose_clock_ran_ahead_began_when_it_became_known(log: Log) -> None:
    log.append([linked("anonymous:x", "a", at=NOW + DAY, known=NOW)])
    assert log.links() == [link("anonymous:x", "a")]


def test_records_are_read_by_the_very_ids_they_came_with(log: Log) -> None:
    log.append([event("A", message_id="m1", customer="anonymous:x"), event("A", message_id="m2", customer="b")])
    log.append([linked("anonymous:x", "a", message_id="l"), event("A", message_id="m3", customer="a")])
    assert [(one.message_id, one.customer_id) for one in log.read_of(["anonymous:x", "a"])] == [
        ("m1", "anonymous:x"),
        ("l", "a"),
        ("m3", "a"),
    ]
    assert [one.message_id for one in log.read_of(["anonymous:x", "a"], until=3, kinds=("identity",))] == ["l"]
    assert list(log.read_of(["a"], kinds=("event",))) == [log.record("m3")]
    assert list(log.read_of([])) == []


def test_it_can_be_told_by_what_two_ids_are_one_customer_and_what_was_set_aside(log: Log) -> None:
    log.append([linked("anonymous:x", "a", at=NOW, known=NOW + DAY, message_id="m1:identity")])
    log.append(
        [linked("old", "a", at=NOW + DAY, message_id="m2"), linked("anonymous:x", "b", at=NOW + DAY, message_id="m3:identity")]
    )
    whole = Identity(
        name="a",
        members=("a", "anonymous:x", "old"),
        told=(
            Told(
                source="anonymous:x",
                target="a",
                type="identify",
                message_id="m1",
                event_time=NOW,
                known_time=NOW + DAY,
                set_aside=None,
            ),
            Told(
                source="old",
                target="a",
                type="alias",
                message_id="m2",
                event_time=NOW + DAY,
                known_time=NOW + DAY,
                set_aside=None,
            ),
        ),
    )
    assert log.identity("anonymous:x") == log.identity("old") == whole
    (aside,) = log.identity("b").told
    assert (aside.source, aside.target, aside.message_id, aside.set_aside) == ("anonymous:x", "b", "m3", "shared device")
    assert log.identity("b").members == ("b",)
    assert log.identity("nobody") == Identity(name="nobody", members=("nobody",), told=())


def test_names_are_told_of_the_ids_that_are_not_their_own(log: Log) -> None:
    log.append([linked("anonymous:x", "a")])
    assert log.names(["anonymous:x", "a", "nobody"]) == {"anonymous:x": "a"}
    assert log.names([]) == {}


def test_on_a_device_that_many_share_everyone_stays_who_they_are(log: Log) -> None:
    log.append([linked("anonymous:kiosk", f"k{at}", at=NOW + at * DAY) for at in range(700)])
    assert log.customer("anonymous:kiosk") == Customer(name="k0", members=("anonymous:kiosk", "k0"))
    assert log.customer("k699").members == ("k699",)
    assert (len(log.links()), log.verify().fault) == (700, None)


def test_an_alias_is_told_by_its_own_id_whatever_that_ends_in(log: Log) -> None:
    log.append([identity_record("alias", source="a", target="b", message_id="m:identity", event_time=NOW, known_time=NOW)])
    assert [one.message_id for one in log.identity("b").told] == ["m:identity"]
