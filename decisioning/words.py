"""Words in a text, as a reader sees them: whole, in whatever case, accent, apostrophe or dash they are written."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_APOSTROPHES = re.compile("[‘’ʼ´`]")
_BETWEEN = r"[\s\-*_]+"


def says(text: str, phrase: str) -> bool:
    """Whether the text holds the phrase as whole words, in this order; what is blank, a dash or emphasis may part them.

    A full stop or a comma parts them: "no risk. Free bread" does not say "risk-free".

    >>> says("It is RISK‑free!", "risk free"), says("Scurrying", "hurry")
    (True, False)
    """
    return has_words(phrase) and _pattern(phrase).search(_plain(text)) is not None


def has_words(phrase: str) -> bool:
    """Whether anything is left of a phrase to look for."""
    return any(character.isalnum() for character in phrase)


def exclamation_marks(text: str) -> int:
    return _plain(text).count("!")


def capital_words(text: str, *, but: Iterable[str] = ()) -> list[str]:
    """The words of two letters and more that are written in capitals only, but for the abbreviations named."""
    found: list[str] = re.findall(r"[^\W_]{2,}", text)
    return [word for word in found if word.isupper() and sum(map(str.isalpha, word)) > 1 and word not in set(but)]


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    """Without accents, capitals and invisible characters, and with one kind of apostrophe and of dash."""
    kept = []
    for character in unicodedata.normalize("NFKD", _APOSTROPHES.sub("'", text)):
        match unicodedata.category(character):
            case "Mn" | "Cf":
                continue
            case "Pd":
                kept.append("-")
            case _:
                kept.append(character)
    return "".join(kept).casefold()


@lru_cache(maxsize=1024)
def _pattern(phrase: str) -> re.Pattern[str]:
    words = [re.escape(word) for word in re.split(_BETWEEN, _plain(phrase)) if word]
    return re.compile(rf"(?<![^\W_]){_BETWEEN.join(words)}(?![^\W_])")
