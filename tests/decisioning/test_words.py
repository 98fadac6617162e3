"""Words in texts: whole ones, in whatever way they are written; marks and capitals counted."""

import pytest

from decisioning.words import capital_words, exclamation_marks, has_words, says


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("Guaranteed fresh.", "guaranteed"),
        ("It is GUARANTEED", "guaranteed"),
        ("Your LAST   chance today", "last chance"),
        ("a last\nchance", "last chance"),
        ("Risk-free for you", "risk-free"),
        ("risk free for you", "risk-free"),
        ("risk\u2011free, really", "risk free"),
        ("don\u2019t miss it", "don't miss"),
        ("Don't miss it", "don\u2019t miss"),
        ("¡ÚLTIMA oportunidad!", "ultima oportunidad"),
        ("solo hoy", "sólo hoy"),
        ("hur\u00adry up", "hurry"),
        ("hu\u200brry up", "hurry"),
        ("\uff28\uff35\uff32\uff32\uff39", "hurry"),
        ("**hurry** _now_", "hurry now"),
        ("100% free of charge", "100% free"),
        ("STRASSE", "straße"),
    ],
)
def test_a_phrase_is_found_however_it_is_written(text: str, phrase: str) -> None:
    assert says(text, phrase)


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ("unguaranteed", "guaranteed"),
        ("scurrying along", "hurry"),
        ("hurrying", "hurry"),
        ("no risk. Free delivery", "risk-free"),
        ("at last, chance brought us together", "last chance"),
        ("chance last", "last chance"),
        ("riskfree", "risk-free"),
        ("", "hurry"),
    ],
)
def test_a_part_of_a_word_or_words_of_two_sentences_are_no_phrase(text: str, phrase: str) -> None:
    assert not says(text, phrase)


def test_a_phrase_without_letters_and_figures_is_none_and_never_found() -> None:
    assert not says("Well -- !", "--")
    assert [has_words(phrase) for phrase in ("hurry", "7", "", " - ", "!")] == [True, True, False, False, False]


@pytest.mark.parametrize(("text", "marks"), [("Hello!", 1), ("¡Hola!!", 2), ("\uff01", 1), ("\u203c", 2), ("Hello", 0)])
def test_exclamation_marks_are_counted_whatever_their_form(text: str, marks: int) -> None:
    assert exclamation_marks(text) == marks


@pytest.mark.parametrize(
    ("text", "shouted"),
    [
        ("BUY NOW, Ada", ["BUY", "NOW"]),
        ("A dollar off, and I mean it", []),
        ("$5 OFF", ["OFF"]),
        ("ÉTÉ", ["ÉTÉ"]),
        ("a UPC on B2 and a USB3 plug", ["UPC", "USB3"]),
        ("from 9AM", ["9AM"]),
        ("大安売り 2018", []),
    ],
)
def test_words_in_capitals_are_those_of_two_letters_and_more(text: str, shouted: list[str]) -> None:
    assert capital_words(text) == shouted


def test_an_abbreviation_may_stand_in_capitals() -> None:
    assert capital_words("The USA and the BBQ", but=("USA",)) == ["BBQ"]
