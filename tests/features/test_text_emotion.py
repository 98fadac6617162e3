"""Feelings in texts: VADER's scores, and how sure of them one may be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.english import likely
from features.text_emotion import LONGEST, feeling

VECTORS = json.loads((Path(__file__).parent / "vectors" / "vader.json").read_text(encoding="utf-8"))["vectors"]


def test_the_valence_is_vaders_compound_score():
    assert len(VECTORS) > 1_000
    assert [(text, round(feeling(text).valence, 4)) for text, _ in VECTORS] == [(text, score) for text, score in VECTORS]


@given(st.text(max_size=400))
@settings(max_examples=200, deadline=None)
def test_any_text_has_a_feeling_in_range_and_always_the_same(text):
    found = feeling(text)

    assert -1 <= found.valence <= 1
    assert found.intensity == abs(found.valence)
    assert 0 <= found.confidence <= 1
    assert feeling(text) == found


@pytest.mark.parametrize("text", ["terrible " * 1_200_000, "!" * 10_000_000, "😡" * 3_000_000, "\ud800 terrible\x00"])
def test_a_text_of_ten_megabytes_or_of_broken_letters_is_read_as_far_as_the_longest(text):
    assert feeling(text) == feeling(text[:LONGEST])


def test_a_text_without_any_word_of_feeling_says_nothing_and_is_sure_of_nothing():
    found = feeling("The parcel is at the door.")

    assert (found.valence, found.intensity, found.confidence) == (0, 0, 0)


def test_more_words_that_agree_are_surer_and_words_that_disagree_less():
    one, more = feeling("That was terrible"), feeling("That was terrible, I am angry and disappointed")
    mixed = feeling("The bread is lovely, the service is terrible")

    assert mixed.confidence < one.confidence < more.confidence


def test_words_that_mean_something_else_in_another_language_are_not_trusted():
    german = feeling("Die Lieferung war leider zu spät, und die Verpackung war kaputt")

    assert german.valence < -0.5
    assert german.confidence < 0.2
    assert feeling("The delivery was too late, I am angry").confidence > 0.5


@pytest.mark.parametrize(
    ("text", "english"),
    [
        ("i would like to know when my order is here", True),
        ("thanks great service", True),
        ("la entrega llegó tarde y nadie me ha llamado", False),
        ("le service est très bien et je suis content", False),
        ("ich bin sehr zufrieden mit dem brot", False),
        ("доставка опоздала", False),
    ],
)
def test_english_is_told_from_its_neighbours(text, english):
    assert (likely(text.split()) > 0.5) == english


def test_a_typographic_apostrophe_negates_like_a_plain_one():
    assert feeling("I don’t like it") == feeling("I don't like it")


def test_reading_a_text_loads_no_library_for_training():
    code = "import sys, features.text_emotion as t; t.feeling('good'); print('sklearn' in sys.modules, 'numpy' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split()[0] == "False"
