"""Locales: what one looks like, and which of those at hand is the nearest."""

import pytest

from decisioning.locales import is_tag, language, nearest


@pytest.mark.parametrize("tag", ["es", "es-US", "es-419", "zh-Hant", "zh-Hant-TW", "fil-PH"])
def test_a_language_with_perhaps_a_script_and_a_region_is_a_locale(tag: str) -> None:
    assert is_tag(tag)


@pytest.mark.parametrize("tag", ["", "e", "ES", "es_US", "es-us", "es-USA", "spanish", "es-", "es-US ", "es-US-x"])
def test_anything_else_is_none(tag: str) -> None:
    assert not is_tag(tag)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("es-US", "es-US"),
        ("es-MX", "es"),
        ("es", "es"),
        ("ES_us", "es-US"),
        ("zh-Hant-TW", "zh-Hant"),
        ("zh", None),
        ("fr-CA", None),
        ("e", None),
        ("", None),
        (None, None),
    ],
)
def test_the_nearest_is_the_wanted_one_or_what_is_left_without_its_last_parts(wanted: str | None, found: str | None) -> None:
    assert nearest(wanted, ("en-US", "es-US", "es", "zh-Hant")) == found


def test_a_region_nobody_asked_for_is_not_taken() -> None:
    assert nearest("es", ("es-US",)) is None
    assert nearest("es-MX", ("es-US",)) is None


def test_the_language_of_a_locale_is_its_first_part() -> None:
    assert (language("en-US"), language("EN"), language("zh-Hant-TW")) == ("en", "en", "zh")
