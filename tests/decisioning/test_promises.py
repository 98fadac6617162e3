"""Promises: the same whatever comes first."""

from collections.abc import Callable
from datetime import timedelta
from itertools import permutations

import pytest

from decisioning.promises import Promise, ended, made
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
