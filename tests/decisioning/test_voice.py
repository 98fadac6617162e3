"""Which of an action's treatments is for whom: by tone, journey stage and mood."""

from typing import get_args

import pytest

from decisioning.catalog import Treatment
from decisioning.voice import MOODS, Mood, Tone, Voice, chosen, fits, treatment_for
from tests import worlds

SORRY = Treatment(title="Sorry", body="", tone="sorry")
WARM = Treatment(title="Hurrah", body="", tone="warm")
PLAIN = Treatment(title="A note", body="", tone="plain")
UNTONED = Treatment(title="As always", body="")
VOICE = Voice(
    tones={"sorry": Tone(), "warm": Tone(), "plain": Tone()},
    tone_of={"upset": ("sorry", "plain"), "happy": ("warm", "plain"), "lapsed": ("plain",)},
)


@pytest.mark.parametrize(
    ("treatments", "stage", "mood", "expected"),
    [
        ((WARM, PLAIN, SORRY), "active", "upset", SORRY),
        ((WARM, PLAIN), "active", "upset", PLAIN),
        ((WARM,), "active", "upset", None),
        ((PLAIN, WARM), "active", "happy", WARM),
        ((SORRY,), "active", "happy", None),
        ((WARM, PLAIN), "active", "usual", WARM),
        ((WARM, PLAIN), "lapsed", "usual", PLAIN),
        ((WARM,), "lapsed", "usual", None),
        ((WARM, PLAIN), "lapsed", "happy", WARM),
        ((PLAIN, SORRY), "lapsed", "upset", SORRY),
        ((UNTONED,), "active", "usual", UNTONED),
        ((UNTONED,), "active", "upset", None),
        ((UNTONED, PLAIN), "lapsed", "usual", PLAIN),
        ((), "active", "usual", None),
    ],
)
def test_the_tone_listed_first_for_a_mood_is_taken_else_for_the_stage_else_the_first_text(
    treatments: tuple[Treatment, ...], stage: str, mood: Mood, expected: Treatment | None
) -> None:
    assert chosen(treatments, VOICE, stage=stage, mood=mood) == expected
    assert fits(treatments, VOICE, stage=stage, mood=mood) is (expected is not None)


def test_of_two_texts_in_one_tone_the_one_written_first_is_taken() -> None:
    other = Treatment(title="Another note", body="", tone="plain")
    assert chosen((other, PLAIN), VOICE, stage="lapsed", mood="usual") is other


def test_a_text_without_a_tone_is_in_the_brands_usual_one() -> None:
    voice = Voice(tones=VOICE.tones, tone_of=VOICE.tone_of, tone="plain")
    assert chosen((UNTONED,), voice, stage="lapsed", mood="upset") is UNTONED


def test_a_brand_that_says_nothing_of_tones_lets_every_text_through() -> None:
    assert all(chosen((SORRY, WARM), Voice(), stage="lapsed", mood=mood) is SORRY for mood in MOODS)


def test_a_treatment_is_one_of_its_touchpoint() -> None:
    action = worlds.action(treatments={"app_home": (WARM, PLAIN), "email": (WARM,)})
    assert treatment_for(action, "app_home", VOICE, stage="active", mood="upset") is PLAIN
    assert treatment_for(action, "email", VOICE, stage="active", mood="upset") is None
    assert treatment_for(action, "mailer", VOICE, stage="active", mood="usual") is None


def test_the_moods_are_all_that_there_are() -> None:
    assert get_args(Mood) == MOODS
