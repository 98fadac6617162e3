"""Who is who: the same in every order, and never two people through one device."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.join import Customer, Joined, Link

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
