"""Who is who: the same in every order, never two people through one device, and as known at each moment."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.join import ALWAYS, NEVER, Customer, Joined, Known, Link, epochs

KNOWN, DEVICES = ("A", "B", "C", "D"), ("anonymous:x", "anonymous:y")


def link(source: str, target: str, event_us: int = 0, known_us: int | None = None) -> Link:
    return Link(source=source, target=target, event_us=event_us, known_us=event_us if known_us is None else known_us)


LINKS = st.lists(
    st.builds(link, st.sampled_from((*KNOWN, *DEVICES)), st.sampled_from(KNOWN), st.integers(0, 5), st.integers(0, 5)),
    max_size=8,
)


def test_an_id_that_no_link_names_is_its_own_customer() -> None:
    assert Joined().customer("A") == Customer(name="A", members=("A",))
    assert Joined().customer("anonymous:x") == Customer(name="anonymous:x", members=("anonymous:x",))


def test_a_visitor_who_signs_in_is_that_customer() -> None:
    joined = Joined([link("anonymous:x", "A")])
    assert joined.customer("anonymous:x") == Customer(name="A", members=("A", "anonymous:x"))


def test_a_shared_device_stays_with_whom_it_knew_first() -> None:
    joined = Joined([link("anonymous:x", "B", 2), link("anonymous:x", "A", 1)])
    assert joined.names() == {"anonymous:x": "A"}
    assert joined.customer("B").members == ("B",)


@pytest.mark.parametrize(
    ("links", "name"),
    [
        pytest.param([link("A", "B", 1), link("B", "C", 2)], "C", id="a chain ends at its last"),
        pytest.param([link("A", "B", 1), link("B", "A", 2)], "A", id="what replaced each other: the last named"),
        pytest.param([link("A", "C", 1), link("A", "B", 2)], "B", id="two heirs: the last named"),
        pytest.param([link("A", "B", 1), link("C", "A", 2)], "B", id="replaced once is replaced"),
        pytest.param([link("A", "C", 1), link("A", "B", 1)], "B", id="at one moment the smaller"),
    ],
)
def test_a_customer_of_several_known_ids_is_named_by_the_last(links: list[Link], name: str) -> None:
    joined = Joined(links)
    assert {joined.customer(one).name for each in links for one in (each.source, each.target)} == {name}


def test_a_link_leads_to_a_known_id() -> None:
    with pytest.raises(ValueError, match="anonymous:x"):
        link("A", "anonymous:x")


@given(links=LINKS, order=st.randoms(use_true_random=False))
def test_links_end_the_same_in_any_order(links: list[Link], order: object) -> None:
    shuffled = list(links)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Joined(shuffled).names() == Joined(links).names()


@given(links=LINKS)
def test_adding_tells_whose_customer_may_have_changed(links: list[Link]) -> None:
    joined = Joined()
    for one in links:
        before = {each: joined.customer(each) for each in (*KNOWN, *DEVICES)}
        touched = joined.add(one)
        assert {each for each in before if joined.customer(each) != before[each]} <= touched


@given(links=LINKS)
def test_at_each_moment_an_id_is_in_one_epoch_and_it_is_what_was_known(links: list[Link]) -> None:
    told = epochs(links)
    for one in {each for link_ in links for each in (link_.source, link_.target)}:
        mine = sorted((epoch for epoch in told if one in epoch.customer.members), key=lambda epoch: epoch.start_us)
        assert (mine[0].start_us, mine[-1].end_us) == (ALWAYS, NEVER)
        assert all(before.end_us == after.start_us for before, after in pairwise(mine))
        for epoch in mine:
            joined = Joined(each for each in links if each.known_us <= epoch.start_us)
            assert joined.customer(one) == epoch.customer


@given(links=LINKS, ids=st.lists(st.sampled_from((*KNOWN, *DEVICES, "nobody")), max_size=12), data=st.data())
def test_what_is_spread_to_a_customer_is_what_was_known_of_all_its_ids(
    links: list[Link], ids: list[str], data: st.DataObject
) -> None:
    moments = np.array([data.draw(st.integers(0, 5)) for _ in ids], dtype=np.int64)
    known = Known(links)
    spread = known.spread(ids, moments)
    for before in range(8):
        joined = Joined(each for each in links if each.known_us < before)
        for one in (*KNOWN, *DEVICES, "nobody"):
            customer = joined.customer(one)
            assert known.names([one], [before]) == [customer.name]
            expected = [at for at, each in enumerate(ids) if each in customer.members and moments[at] < before]
            mine = [i for i, name in enumerate(spread.names) if name == customer.name and spread.moment_us[i] < before]
            newest = max((int(spread.epochs[i]) for i in mine), default=0)
            found = [int(spread.rows[i]) for i in mine if spread.epochs[i] == newest]
            if expected:
                assert found == expected
