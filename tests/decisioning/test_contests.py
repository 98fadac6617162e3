"""Contested data: the last word holds, whichever comes first."""

from datetime import timedelta
from itertools import permutations

import pytest

from decisioning.contests import said, unsettled
from decisioning.customer import Contest
from tests.worlds import NOW

HOUR = timedelta(hours=1)
WRONG, SETTLED = Contest(at=NOW), Contest(at=NOW + HOUR, settled=True)
SETTLED_AT_ONCE, WRONG_AGAIN = Contest(at=NOW, settled=True), Contest(at=NOW + 2 * HOUR)


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        pytest.param((WRONG,), WRONG, id="contested"),
        pytest.param((WRONG, SETTLED), SETTLED, id="settled later"),
        pytest.param((WRONG, SETTLED, WRONG_AGAIN), WRONG_AGAIN, id="contested again"),
        pytest.param((WRONG, SETTLED_AT_ONCE), WRONG, id="at one moment it is not settled"),
    ],
)
def test_in_any_order_the_same_word_holds(words: tuple[Contest, ...], holds: Contest) -> None:
    for order in permutations(words):
        contests: dict[str, Contest] = {}
        for word in order:
            contests = said(contests, "points", word)
        assert contests == {"points": holds}


def test_only_what_is_not_settled_may_not_be_used() -> None:
    assert unsettled({"points": WRONG, "spend": SETTLED}) == {"points"}
