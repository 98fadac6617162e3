"""Promises: the same whatever comes first."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.promises import Promise, breached, counted, ended, made, standing, taken
from tests.worlds import NOW

HOUR = timedelta(hours=1)
CALL = Promise(made_at=NOW, what="We call you.", due=NOW + 24 * HOUR, by="Kim", make_good="apology")

Word = Callable[[dict[str, Promise]], dict[str, Promise]]


def after(*words: Word) -> Promise:
    promises: dict[str, Promise] = {}
    for word in words:
        promises = word(promises)
    return promises["p"]


def makes(promise: Promise) -> Word:
    return lambda before: made(before, "p", promise)


def ends(ending: str, hours: int) -> Word:
    return lambda before: ended(before, "p", ending, NOW + hours * HOUR)  # type: ignore[arg-type]


def breach(before: dict[str, Promise]) -> dict[str, Promise]:
    """What Kairos says of an overdue promise: it was broken when it came due."""
    return ended(before, "p", "broken", NOW + 24 * HOUR, presumed=True)


def takes(hours: int, action: str = "apology") -> Word:
    return lambda before: taken(before, action, NOW + hours * HOUR)


def test_a_promise_is_open_until_it_ends() -> None:
    assert after(makes(CALL)) == CALL and CALL.status == "open"
    kept = after(makes(CALL), ends("kept", 2))
    assert (kept.status, kept.ended_at, kept.what) == ("kept", NOW + 2 * HOUR, "We call you.")


LATER = Promise(made_at=NOW + HOUR, what="We write to you.", due=NOW, by="Lee")
SOONER_DUE = Promise(made_at=NOW, what="We call you.", due=NOW + HOUR, by="Kim")


@pytest.mark.parametrize(
    ("words", "what", "status"),
    [
        pytest.param((makes(CALL), ends("broken", 2), ends("kept", 3)), CALL, "kept", id="the last ending holds"),
        pytest.param((makes(CALL), ends("kept", 2), ends("broken", 2)), CALL, "broken", id="of two at once the worse"),
        pytest.param((makes(CALL), ends("waived", 2), ends("kept", 2)), CALL, "waived", id="waived is not kept"),
        pytest.param((makes(CALL), makes(LATER), ends("kept", 1)), CALL, "kept", id="it was made once, first"),
        pytest.param((makes(CALL), makes(SOONER_DUE)), SOONER_DUE, "open", id="of two at once the one due first"),
    ],
)
def test_in_any_order_it_ends_the_same(words: tuple[Word, ...], what: Promise, status: str) -> None:
    found = {after(*order) for order in permutations(words)}
    (one,) = found
    assert (one.what, one.due, one.by, one.status) == (what.what, what.due, what.by, status)


def test_an_ending_that_comes_before_its_promise_is_kept_for_it() -> None:
    lone = after(ends("broken", 5))
    assert (lone.status, lone.made_at, lone.due) == ("broken", None, None)


@pytest.mark.parametrize(
    ("words", "status", "hours"),
    [
        pytest.param((makes(CALL), breach), "broken", 24, id="overdue"),
        pytest.param((makes(CALL), breach, ends("kept", 20)), "kept", 20, id="kept in time, as is learned later"),
        pytest.param((makes(CALL), breach, ends("kept", 30)), "kept", 30, id="kept late"),
        pytest.param((makes(CALL), breach, ends("waived", 2), ends("broken", 1)), "waived", 2, id="people outweigh the clock"),
    ],
)
def test_that_a_promise_is_overdue_counts_until_somebody_says_how_it_was(
    words: tuple[Word, ...], status: str, hours: int
) -> None:
    for order in permutations(words):
        found = after(*order)
        assert (found.status, found.ended_at) == (status, NOW + hours * HOUR)


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        pytest.param((breach, takes(30)), 30, id="after it was due"),
        pytest.param((breach, takes(24)), 24, id="at that very moment"),
        pytest.param((breach, takes(23)), None, id="before it was due, it was taken for something else"),
        pytest.param((breach, takes(23), takes(30), takes(25)), 30, id="the last time"),
        pytest.param((breach, takes(30, "coupon")), None, id="another action"),
        pytest.param((ends("broken", 2), takes(3)), 3, id="somebody said that it was broken before it was due"),
        pytest.param((breach, takes(30), ends("broken", 40)), 30, id="somebody said so after it was made good"),
        pytest.param((breach, takes(30), ends("kept", 31)), None, id="it was not broken"),
        pytest.param((takes(30),), None, id="it is open"),
    ],
)
def test_what_makes_good_does_so_once_the_promise_is_broken_in_any_order(words: tuple[Word, ...], hours: int | None) -> None:
    expected = None if hours is None else NOW + hours * HOUR
    for order in permutations(words):
        assert after(makes(CALL), *order).made_good_at == expected


@pytest.mark.parametrize(
    ("words", "hours", "stands"),
    [
        pytest.param((), 24, "open", id="to the last moment"),
        pytest.param((), 25, "broken", id="overdue"),
        pytest.param((breach,), 25, "broken", id="marked as overdue"),
        pytest.param((ends("kept", 24),), 99, "kept", id="at the last moment"),
        pytest.param((ends("kept", 25),), 99, "late", id="kept when it was due no longer"),
        pytest.param((ends("waived", 99),), 99, "waived", id="waived"),
        pytest.param((ends("broken", 1),), 2, "broken", id="said to be broken before it was due"),
    ],
)
def test_how_a_promise_stands(words: tuple[Word, ...], hours: int, stands: str) -> None:
    assert standing(after(makes(CALL), *words), NOW + hours * HOUR) == stands


def test_only_what_is_overdue_and_not_marked_yet_is_a_breach() -> None:
    promises = {"b": CALL, "a": CALL, "later": Promise(made_at=NOW, due=NOW + 48 * HOUR), "lone": Promise(made_at=None)}
    late = NOW + 25 * HOUR
    assert breached(promises, NOW + 24 * HOUR) == ()
    assert breached(promises, late) == ("a", "b")
    assert breached(ended(promises, "a", "broken", NOW + 24 * HOUR, presumed=True), late) == ("b",)
    assert breached(ended(promises, "a", "kept", late), late) == ("b",)


def test_each_promise_of_an_action_counts_once_and_the_open_and_waived_ones_do_not() -> None:
    of_call = {"action": "call", "made_at": NOW, "due": NOW + HOUR}
    promises = [
        Promise(**of_call),
        Promise(**of_call, status="waived", ended_at=NOW),
        Promise(**of_call, status="kept", ended_at=NOW + HOUR),
        Promise(**of_call, status="kept", ended_at=NOW + 2 * HOUR),
        Promise(**of_call, status="broken", ended_at=NOW + HOUR, presumed=True),
        Promise(made_at=NOW, due=NOW + HOUR, status="broken", ended_at=NOW),
        Promise(**of_call | {"action": "refund"}, status="kept", ended_at=NOW),
    ]
    assert counted(promises) == {"call": (3, 1), "refund": (1, 1)}


@given(
    st.lists(
        st.tuples(st.sampled_from(["kept", "waived", "broken", "breach", "take", "make"]), st.integers(0, 48)), max_size=6
    ),
    st.randoms(),
)
def test_a_promise_is_the_same_whatever_comes_first_once_it_was_made(told: list[tuple[str, int]], chance: Random) -> None:
    def word(what: str, hours: int) -> Word:
        if what == "take":
            return takes(hours)
        if what == "make":
            return makes(replace(CALL, made_at=NOW + hours * HOUR))
        return breach if what == "breach" else ends(what, hours)

    words = [word(*one) for one in told]
    shuffled = words.copy()
    chance.shuffle(shuffled)
    assert after(makes(CALL), *words) == after(makes(CALL), *shuffled)
