"""Where a customer stands: what stops selling, in which mood they are, what is promised, and the facts of it by name."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisioning.customer import Emotion, Episode, Exchange
from decisioning.domain import Predictions
from decisioning.emotion import heals_at
from decisioning.policy import Suppression
from decisioning.promises import Promise
from decisioning.standing import SUPPRESSING, Standing, customer_facts, standing
from tests import worlds
from tests.worlds import NOW

DAY = timedelta(days=1)
MOMENT = timedelta(microseconds=1)
POLICY = worlds.policy(suppression=Suppression(intensity=0.5, confidence=0.5, half_life=7 * DAY))


def angry(intensity: float = 0.8, *, days_ago: float = 0.0, confidence: float = 1.0) -> Emotion:
    return Emotion(valence=-0.9, intensity=intensity, confidence=confidence, at=NOW - days_ago * DAY)


def promise(**changes: Any) -> Promise:
    """A call that was promised and came due yesterday, of which nobody has said a word."""
    return Promise(**({"made_at": NOW - 9 * DAY, "what": "a call", "due": NOW - DAY, "make_good": "sorry"} | changes))


def stands(now: datetime = NOW, **changes: Any) -> Standing:
    return standing(worlds.state(**changes), POLICY, now)


JOY = replace(angry(), valence=0.9)
HARDSHIP = Episode(opened_at=NOW - DAY)


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, ()),
        ({"open_complaints": ("c1",)}, ("open_complaint",)),
        ({"emotion": angry(0.8)}, ("negative_emotion",)),
        ({"emotion": angry(0.4)}, ()),
        ({"emotion": angry(0.8, days_ago=6)}, ()),
        ({"emotion": angry(0.8, confidence=0.4)}, ()),
        ({"emotion": JOY}, ()),
        ({"emotion": replace(JOY, valence=0.0)}, ()),
        ({"emotion": JOY, "unhealed": (angry(),)}, ("negative_emotion",)),
        ({"emotion": angry(0.9, confidence=0.2), "unhealed": (angry(),)}, ("negative_emotion",)),
        ({"emotion": JOY, "unhealed": (angry(0.4),)}, ()),
        ({"hardship": HARDSHIP}, ("hardship",)),
        ({"promises": {"p": promise()}}, ("broken_promise",)),
        ({"emotion": angry(), "open_complaints": ("c1",)}, ("open_complaint", "negative_emotion")),
        (
            {"promises": {"p": promise()}, "hardship": HARDSHIP, "emotion": angry(), "open_complaints": ("c1",)},
            SUPPRESSING,
        ),
    ],
    ids=[
        "calm",
        "complaint",
        "anger",
        "slight",
        "faded",
        "unsure",
        "joy",
        "neither",
        "anger before joy",
        "anger before a doubtful one",
        "slight before joy",
        "hardship",
        "promise",
        "two",
        "all",
    ],
)
def test_selling_stops_for_each_reason_and_they_are_told_in_one_order(
    changes: dict[str, Any], reasons: tuple[str, ...]
) -> None:
    assert stands(**changes).suppressed == reasons


@given(st.floats(0.5, 1.0), st.floats(0.01, 1.0), st.integers(1, 400 * 86_400))
def test_an_emotion_suppresses_until_it_heals_and_not_from_then_on(intensity: float, limit: float, half_life: int) -> None:
    limits = Suppression(intensity=min(limit, intensity), confidence=0.5, half_life=timedelta(seconds=half_life))
    policy, state = worlds.policy(suppression=limits), worlds.state(emotion=angry(intensity))
    healed = heals_at(angry(intensity), limits)
    assert standing(state, policy, healed).suppressed == ()
    assert standing(state, policy, healed - timedelta(seconds=1)).suppressed == ("negative_emotion",)


@pytest.mark.parametrize(
    ("changes", "mood"),
    [
        ({}, "usual"),
        ({"emotion": angry(0.5)}, "upset"),
        ({"emotion": angry(0.49)}, "usual"),
        ({"emotion": angry(confidence=0.4)}, "usual"),
        ({"emotion": replace(JOY, intensity=0.5, valence=0.1)}, "happy"),
        ({"emotion": replace(JOY, intensity=0.5, at=NOW - DAY)}, "usual"),
        ({"emotion": replace(JOY, valence=0.0)}, "usual"),
        ({"emotion": JOY, "open_complaints": ("c1",)}, "upset"),
        ({"emotion": JOY, "hardship": HARDSHIP}, "upset"),
        ({"emotion": JOY, "promises": {"p": promise()}}, "upset"),
    ],
)
def test_a_mood_is_a_feeling_that_is_sure_and_strong_and_distress_upsets(changes: dict[str, Any], mood: str) -> None:
    assert stands(**changes).mood == mood


@pytest.mark.parametrize(
    ("opened", "closed", "expected"),
    [
        (None, None, False),
        (NOW, None, True),
        (NOW, NOW - DAY, True),
        (NOW - DAY, NOW, False),
        (NOW, NOW, False),
        (None, NOW, False),
    ],
    ids=["never", "began", "began again", "ended", "at one moment", "only its end is known"],
)
def test_a_hardship_lasts_from_its_beginning_to_its_end(
    opened: datetime | None, closed: datetime | None, expected: bool
) -> None:
    assert stands(hardship=Episode(opened_at=opened, closed_at=closed)).hardship is expected
    assert stands().hardship is False


@pytest.mark.parametrize(
    ("one", "open_", "broken"),
    [
        (promise(due=NOW + DAY), True, False),
        (promise(due=NOW), True, False),
        (promise(due=NOW - MOMENT), False, True),
        (promise(due=None), True, False),
        (promise(made_at=None), False, False),
        (promise(status="broken", ended_at=NOW - DAY), False, True),
        (promise(due=NOW + DAY, status="broken", ended_at=NOW - DAY), False, True),
        (promise(status="broken", ended_at=NOW - DAY, made_good_at=NOW), False, False),
        (promise(status="kept", ended_at=NOW - 2 * DAY), False, False),
        (promise(status="kept", ended_at=NOW), False, False),
        (promise(status="waived", ended_at=NOW), False, False),
    ],
    ids=["to come", "due now", "overdue", "no due", "not made", "broken", "broken early", "good", "kept", "late", "waived"],
)
def test_a_promise_is_open_until_it_is_due_and_broken_until_it_is_made_good(one: Promise, open_: bool, broken: bool) -> None:
    found = stands(promises={"p": one})
    assert (found.open_promise, found.broken_promise) == (open_, broken)
    assert found.make_good == ({"sorry"} if broken else set())


def test_what_makes_good_is_of_the_broken_promises_only_and_may_be_several_or_none() -> None:
    promises = {
        "a": promise(),
        "b": promise(make_good="gift"),
        "c": promise(make_good=None),
        "d": promise(due=NOW, make_good="x"),
    }
    found = stands(promises=promises)
    assert found.make_good == {"sorry", "gift"} and found.open_promise and found.broken_promise


def test_a_promise_breaks_by_itself_when_its_time_is_over() -> None:
    promises = {"p": promise(due=NOW)}
    assert stands(promises=promises).suppressed == ()
    assert stands(NOW + MOMENT, promises=promises).suppressed == ("broken_promise",)


# ------------------------------------------------------------------------------------------------------------------- facts


def facts(**changes: Any) -> dict[str, Any]:
    state = worlds.state(**changes)
    return customer_facts(
        state=state,
        standing=standing(state, POLICY, NOW),
        predictions=Predictions(response=np.zeros(1), assumed=np.zeros(1, dtype=np.bool_), customer={"churn": 0.3}),
        context={"intent": "browse", "urgent": True},
        arms={"tone": "warm"},
        policy=POLICY,
        now=NOW,
    )


def test_every_fact_has_its_written_name() -> None:
    found = facts(
        consents={"marketing": True, "personalisation": False},
        emotion=angry(0.8, days_ago=7),
        open_complaints=("c1",),
        hardship=HARDSHIP,
        promises={"p": promise(), "q": promise(due=NOW)},
        exchange=Exchange(given={"consent": 2, "rating": 3}, received=4, worth=12.5),
    )
    assert found == {
        "state.known": True,
        "state.open_complaint": True,
        "state.emotion_valence": -0.9,
        "state.emotion_intensity": pytest.approx(0.4),
        "state.hardship": True,
        "state.open_promise": True,
        "state.broken_promise": True,
        "state.given": 5,
        "state.received": 4,
        "state.worth": 12.5,
        "state.consent_marketing": True,
        "state.consent_personalisation": False,
        "state.consent_third_party": True,
        "state.consent_service": True,
        "prediction.churn": 0.3,
        "context.intent": "browse",
        "context.urgent": True,
        "experiment.tone": "warm",
    }


def test_of_whom_nothing_is_known_nothing_is_made_up() -> None:
    found = facts(known=False, consents={})
    assert "state.emotion_valence" not in found and "state.emotion_intensity" not in found
    assert [found[f"state.{name}"] for name in ("hardship", "open_promise", "broken_promise")] == [False] * 3
    assert [found[f"state.{name}"] for name in ("given", "received", "worth")] == [0, 0, 0.0]
