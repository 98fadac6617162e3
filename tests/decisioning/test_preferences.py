"""Preferences: the word given last holds, whichever comes first."""

from datetime import timedelta
from itertools import permutations

import pytest

from decisioning.preferences import PACE, PAUSE, Preference, channel, stated, topic
from tests.worlds import NOW

DAY = timedelta(days=1)
EARLIER = NOW - DAY

Word = tuple[str, Preference]
BREAD = topic("bread")


@pytest.mark.parametrize(
    ("words", "holds"),
    [
        pytest.param(
            [(BREAD, Preference(at=EARLIER, wanted="none")), (BREAD, Preference(at=NOW, wanted="more"))], 1, id="the later word"
        ),
        pytest.param(
            [(BREAD, Preference(at=NOW, wanted="less")), (BREAD, Preference(at=NOW, wanted="more"))], 0, id="less at once"
        ),
        pytest.param([(PACE, Preference(at=NOW)), (PACE, Preference(at=NOW, a_week=7))], 1, id="a limit before none"),
        pytest.param(
            [(PACE, Preference(at=NOW, a_week=0)), (PACE, Preference(at=NOW, a_week=7))], 0, id="the lower limit at once"
        ),
        pytest.param([(PACE, Preference(at=EARLIER, a_week=0)), (PACE, Preference(at=NOW))], 1, id="a limit that is lifted"),
        pytest.param(
            [(PAUSE, Preference(at=NOW, until=NOW + DAY)), (PAUSE, Preference(at=NOW, until=NOW + 2 * DAY))],
            1,
            id="the longer pause at once",
        ),
        pytest.param(
            [(PAUSE, Preference(at=EARLIER, until=NOW + DAY)), (PAUSE, Preference(at=NOW))], 1, id="a pause that is ended"
        ),
    ],
)
def test_in_any_order_the_same_word_holds(words: list[Word], holds: int) -> None:
    for order in permutations(words):
        preferences: dict[str, Preference] = {}
        for word in order:
            preferences = stated(preferences, [word])
        assert preferences == dict([words[holds]])


def test_words_on_different_things_stand_side_by_side() -> None:
    one, other = Preference(at=NOW, wanted="none"), Preference(at=EARLIER, wanted="more")
    assert stated({topic("app"): other}, [(channel("app"), one)]) == {topic("app"): other, channel("app"): one}
